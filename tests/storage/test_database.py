from __future__ import annotations

import asyncio
import dataclasses
import threading
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.intake import Intake
from handlers.messages import Inbound
from sales.clock import FixedClock
from storage import inbox, settings
from storage.database import Database, DatabaseCorrupt, StorageFull
from storage.jobs import queue_of
from storage.tables import InboxRow, SettingRow
from tests.support.desk import MONDAY


def test_work_that_fails_takes_only_itself_along(database: Database) -> None:
    """Many share one commit; each answers for itself."""

    def one(number: int) -> Any:
        def work(session: Any) -> int:
            settings.put(session, f"n{number}", "x")
            if number % 3 == 0:
                raise ValueError(number)
            return number

        return work

    futures = [database.submit(one(number)) for number in range(50)]
    wait(futures)
    for number, future in enumerate(futures):
        if number % 3 == 0:
            assert isinstance(future.exception(), ValueError)
        else:
            assert future.result() == number
    kept = database.read(lambda s: set(s.scalars(sa.select(SettingRow.key))))
    assert kept == {f"n{number}" for number in range(50) if number % 3}


def test_waiting_work_shares_commits(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    commits = []
    db.after_commit.append(lambda: commits.append(1))
    gate = threading.Event()
    first = db.submit(lambda _: gate.wait(5))
    rest = [db.submit(lambda s, n=n: settings.put(s, f"k{n}", "v")) for n in range(40)]
    gate.set()
    wait([first, *rest])
    assert len(commits) <= 2
    db.close()


def test_nobody_is_answered_before_the_commit(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    seen: list[str] = []

    def look() -> None:
        other = Database(sqlite_url)
        seen.append(other.read(lambda s: settings.get(s, "k")))
        other.close()

    db.after_commit.append(look)
    db.write(lambda s: settings.put(s, "k", "v"))
    assert seen == ["v"]
    db.close()


def test_reading_sees_what_was_written_and_changes_nothing(database: Database) -> None:
    database.write(lambda s: settings.put(s, "k", "1"))
    database.read(lambda s: settings.put(s, "k", "2"))
    assert database.read(lambda s: settings.get(s, "k")) == "1"


def test_a_full_disk_is_said_and_what_was_there_stays(sqlite_url: str) -> None:
    """Simulated with SQLite's own page limit: the same error a full disk gives."""
    db = Database(sqlite_url)
    db.write(lambda s: settings.put(s, "before", "kept"))

    def limit(session: Any) -> None:
        connection = session.connection()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    db.write(limit)
    with pytest.raises(StorageFull):
        db.write(lambda s: settings.put(s, "big", "x" * 1_000_000))
    assert db.read(lambda s: settings.get(s, "before")) == "kept"
    assert db.read(lambda s: settings.get(s, "big", "none")) == "none"
    # room again: the same process goes on
    db.write(lambda s: s.connection().exec_driver_sql("PRAGMA max_page_count = 1000000"))
    db.write(lambda s: settings.put(s, "big", "x" * 1_000_000))
    db.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(b"this is not a database at all" * 100)
    db = Database(f"sqlite:///{path}")
    with pytest.raises(DatabaseCorrupt):
        db.read(lambda s: s.execute(sa.text("SELECT 1 FROM sqlite_master")))
    db.close()


EVENT = inbox.Event(
    channel="console",
    event_key="e1",
    kind="text",
    user="1",
    conversation="console:1",
    payload={"text": "你好"},
)


def test_an_event_and_its_job_are_stored_together_and_once(database: Database) -> None:
    other = replace(EVENT, event_key="e2")

    def add(session: Any) -> list[bool]:
        return inbox.add(session, [EVENT, EVENT, other], now=MONDAY)

    assert database.write(add) == [True, False, True]
    assert database.write(add) == [False, False, False]
    stored = database.read(lambda s: set(s.scalars(sa.select(InboxRow.id))))
    waiting = database.read(lambda s: queue_of(s).listing(s))
    assert len(stored) == 2
    assert sorted(job.ref for job in waiting) == sorted(stored)


def test_many_deliveries_of_one_event_at_once_are_one(database: Database) -> None:
    def add(session: Any) -> list[bool]:
        return inbox.add(session, [EVENT], now=MONDAY)

    results = [future.result() for future in [database.submit(add) for _ in range(30)]]
    assert sum(fresh for [fresh] in results) == 1


def test_an_event_that_cannot_be_stored_does_not_keep_others_out(database: Database) -> None:
    intake = Intake(database, FixedClock(MONDAY))
    good = Inbound(
        channel="console",
        event_key="good",
        kind="text",
        user="1",
        conversation="console:1",
        at=MONDAY,
        text="你好",
    )
    bad = dataclasses.replace(good, event_key="bad", values={"x": object()})

    async def both() -> list[Any]:
        waiting = [intake.accept(one) for one in (good, bad, good)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, refused, again = asyncio.run(both())
    assert (first, again) == (True, False)
    assert isinstance(refused, Exception)


def test_work_that_was_called_off_does_not_end_the_writer(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    go, ran = threading.Event(), []
    try:
        first = database.submit(lambda _: go.wait(10))
        called_off = database.submit(lambda _: ran.append("called off"))
        assert called_off.cancel()
        go.set()
        assert first.result(10)
        assert not first.cancel()  # what runs cannot be taken back
        assert database.write(lambda _: "still here") == "still here"
    finally:
        go.set()
        database.close()
    assert ran == []
