"""Fixtures for tests of the 智能机器人."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.database import Database
from tests.support.bot_desk import BotDesk


@pytest.fixture
def bot_site(sqlite_url: str, tmp_path: Path) -> Iterator[Any]:
    """Makes a desk whose bot is connected: ``bot_site(pace=…)``."""
    db = Database(sqlite_url)
    yield from _making(db, tmp_path)
    db.close()


@pytest.fixture
def bot_site_on_both(database: Database, tmp_path: Path) -> Iterator[Any]:
    """The same where the engine could make a difference."""
    yield from _making(database, tmp_path)


def _making(db: Database, folder: Path) -> Iterator[Any]:
    made: list[BotDesk] = []

    def make(**options: Any) -> BotDesk:
        made.append(BotDesk(db, folder, **options))
        made[-1].up()
        return made[-1]

    yield make
    for one in made:
        one.close()
