"""When more arrives than ever by itself, taking it in comes before all work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.intake import Intake
from bot.worker import EmbeddedWorker
from storage.database import Database
from storage.tables import InboxRow
from tests.support.desk import Desk


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    database = Database(sqlite_url)
    made = Desk(database, tmp_path)
    yield made
    made.close()
    database.close()


async def _end(worker: EmbeddedWorker, running: asyncio.Task[None]) -> None:
    """Stop, and let the job in hand finish while there is a desk to answer at."""
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.to_thread(worker._threads.shutdown)


def test_a_flood_presses_and_is_over_soon_after(desk: Desk) -> None:
    async def play() -> list[bool]:
        intake = Intake(desk.db, desk.clock)
        seen = [intake.is_pressed()]
        await intake.accept(desk.event(desk.lina, text="你好"))
        seen.append(intake.is_pressed())
        flood = [desk.event(desk.lina, text=str(number)) for number in range(500)]
        fresh = await asyncio.gather(*map(intake.accept, flood))
        assert all(fresh)
        seen.append(intake.is_pressed())
        while intake.is_pressed():
            await asyncio.sleep(0.05)
        return seen

    assert asyncio.run(play()) == [False, False, True]
    assert desk.count(InboxRow) == 501


def test_work_waits_until_it_is_calm(desk: Desk) -> None:
    pressed = True

    async def play() -> tuple[int, int]:
        nonlocal pressed
        worker = EmbeddedWorker(desk.db, desk.work, give_way=lambda: pressed)
        running = asyncio.create_task(worker.run())
        await asyncio.to_thread(desk.accept, desk.event(desk.lina, text="你好"))
        await asyncio.sleep(0.5)
        before = await asyncio.to_thread(desk.count, InboxRow, InboxRow.state == "done")
        pressed = False
        while not await asyncio.to_thread(desk.count, InboxRow, InboxRow.state == "done"):
            await asyncio.sleep(0.02)
        await _end(worker, running)
        return before, desk.count(InboxRow, InboxRow.state == "done")

    assert asyncio.run(play()) == (0, 1)


def test_even_under_pressure_work_goes_on(desk: Desk) -> None:
    async def play() -> None:
        worker = EmbeddedWorker(desk.db, desk.work, give_way=lambda: True)
        running = asyncio.create_task(worker.run())
        await asyncio.to_thread(desk.accept, desk.event(desk.lina, text="你好"))
        while not await asyncio.to_thread(desk.count, InboxRow, InboxRow.state == "done"):
            await asyncio.sleep(0.1)
        await _end(worker, running)

    asyncio.run(asyncio.wait_for(play(), 60))
