"""People in WeCom at a desk, unless a file says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Database
from tests.fakes.wecom.server import FakeWeCom
from tests.support.desk import MONDAY
from tests.support.wecom_desk import WeComDesk


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
