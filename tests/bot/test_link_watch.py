"""Whether a connection stands, as another process sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.link_watch import LinkWatch
from sales.clock import FixedClock
from storage import leases
from storage.database import Database

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


def stands(db: Database, now: datetime = NOW) -> bool:
    return bool(db.read(lambda s: leases.holder(s, "dingtalk:x", now=now)))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(true):
            await asyncio.sleep(0.01)


def test_noted_while_it_stands_and_no_longer(db: Database) -> None:
    up = False

    async def run() -> None:
        nonlocal up
        watch = LinkWatch(db, FixedClock(NOW), name="dingtalk:x", up=lambda: up)
        task = asyncio.create_task(watch.run())
        await asyncio.sleep(0.05)
        assert not stands(db)
        for _ in range(2):
            up = True
            await until(lambda: stands(db))
            assert not stands(db, NOW + timedelta(minutes=2))  # a killed process is forgotten
            up = False
            await until(lambda: not stands(db))
        up = True
        await until(lambda: stands(db))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not stands(db)

    asyncio.run(run())


def test_another_process_may_hold_it(db: Database) -> None:
    db.write(lambda s: leases.take(s, "dingtalk:x", holder="other", now=NOW, for_s=90))

    async def run() -> None:
        watch = LinkWatch(db, FixedClock(NOW), name="dingtalk:x", up=lambda: True)
        task = asyncio.create_task(watch.run())
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert db.read(lambda s: leases.holder(s, "dingtalk:x", now=NOW)) == "other"


def test_a_database_that_is_away_ends_nothing(db: Database) -> None:
    async def run() -> None:
        watch = LinkWatch(db, FixedClock(NOW), name="dingtalk:x", up=lambda: True)
        task = asyncio.create_task(watch.run())
        await until(lambda: stands(db))
        asked: list[int] = []

        def broken() -> bool:
            asked.append(1)
            raise OSError("away")

        watch._up = broken
        await until(lambda: len(asked) > 0)
        assert not task.done()
        watch._up = lambda: False
        await until(lambda: not stands(db))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
