"""People in WeCom at a desk, unless a file says otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.channels.wecom.client import WeComClient
from sales.clock import FixedClock
from storage.database import Database
from tests.fakes.wecom.kit import Rest
from tests.fakes.wecom.server import FakeWeCom
from tests.support.desk import MONDAY
from tests.support.wecom_desk import WeComDesk, app_of

T = TypeVar("T")


@pytest.fixture
def fake() -> Iterator[FakeWeCom]:
    with FakeWeCom(clock=lambda: MONDAY, crypto_by="python") as made:
        made.set_callback("http://127.0.0.1:9/")  # cards with buttons need one
        yield made


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path, fake: FakeWeCom) -> Iterator[WeComDesk]:
    db = Database(sqlite_url)
    made = WeComDesk(db, tmp_path, fake)
    yield made
    made.close()
    db.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(MONDAY)


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def ask(
    fake: FakeWeCom, db: Database, clock: FixedClock
) -> Callable[[Callable[[WeComClient], Awaitable[Any]]], Any]:
    def ask(work: Callable[[WeComClient], Awaitable[T]], **given: Any) -> T:
        async def run() -> T:
            client = WeComClient(app_of(fake, **given), db, clock)
            try:
                return await work(client)
            finally:
                await client.close()

        return asyncio.run(run())

    return ask


@pytest.fixture
def rest(fake: FakeWeCom) -> Iterator[Rest]:
    made = Rest(fake)
    yield made
    made.close()
