"""One suite for both queues, through their real workers: order, lanes, retries, parking."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.work import Again, Outcome, Parked
from bot.worker import EmbeddedWorker
from bot.worker_postgres import PostgresWorker
from storage.database import Database
from storage.jobs import MAX_ATTEMPTS, Job, NewJob, put, queue_of


class Recorder:
    """Stands where ``Work`` stands: notes each run, and does what the test says."""

    def __init__(self) -> None:
        self.runs: list[tuple[int, int]] = []  # (ref, attempts)
        self.running: set[int] = set()
        self.together: list[set[int]] = []
        self.outcomes: dict[int, list[Outcome]] = {}
        self.slow_s = 0.0
        self._lock = threading.Lock()

    def run(self, job: Job) -> Outcome:
        with self._lock:
            self.running.add(job.ref)
            self.together.append(set(self.running))
        time.sleep(self.slow_s)
        with self._lock:
            self.running.discard(job.ref)
            self.runs.append((job.ref, job.attempts))
            planned = self.outcomes.get(job.ref)
            return planned.pop(0) if planned else None


class Finishing(Recorder):
    """Finishes what it does, as the real work does inside its transaction."""

    def __init__(self, db: Database) -> None:
        super().__init__()
        self.db = db

    def run(self, job: Job) -> Outcome:
        outcome = super().run(job)
        if outcome is None:
            self.db.write(lambda s: queue_of(s).finish(s, job.id))
        return outcome


def enqueue(
    db: Database, *refs: int, lane: str = "message", lock: str = "a", after_s: float = 0
) -> None:
    def all_of_them(session: Any) -> None:
        for ref in refs:
            put(session, NewJob(kind="inbox", ref=ref, lane=lane, lock=lock, after_s=after_s))

    db.write(all_of_them)


def work_until(
    db: Database, work: Recorder, done: Callable[[], bool], *, most_s: float = 30
) -> None:
    """Run the real worker of this database until *done*."""

    async def main() -> None:
        worker: Any = (EmbeddedWorker if db.is_sqlite else PostgresWorker)(db, work)  # type: ignore[arg-type]
        task = asyncio.create_task(worker.run())
        for _ in range(int(most_s / 0.02)):
            if done() or task.done():
                break
            await asyncio.sleep(0.02)
        if task.done():
            task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert done()


def states(db: Database) -> dict[int, str]:
    return {one.ref: one.state for one in db.read(lambda s: queue_of(s).listing(s))}


def test_jobs_of_one_conversation_run_one_by_one_in_order(database: Database) -> None:
    work = Finishing(database)
    work.slow_s = 0.01
    enqueue(database, 1, 2, 3, 4, 5)
    work_until(database, work, lambda: len(work.runs) == 5)
    assert [ref for ref, _ in work.runs] == [1, 2, 3, 4, 5]
    assert all(len(together) == 1 for together in work.together)


def test_other_conversations_do_not_wait(database: Database) -> None:
    work = Finishing(database)
    work.slow_s = 0.3
    enqueue(database, 1, lock="a")
    enqueue(database, 2, lock="b")
    work_until(database, work, lambda: len(work.runs) == 2)
    assert {1, 2} in work.together


def test_a_tap_does_not_wait_for_speech_of_the_same_person(database: Database) -> None:
    work = Finishing(database)
    work.slow_s = 0.3
    enqueue(database, 1, lane="speech")
    enqueue(database, 2, lane="tap")
    work_until(database, work, lambda: len(work.runs) == 2)
    assert {1, 2} in work.together


def test_a_rollback_takes_the_job_along(database: Database) -> None:
    def broken(session: Any) -> None:
        put(session, NewJob(kind="inbox", ref=1, lane="message", lock="a"))
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        database.write(broken)
    assert states(database) == {}


def test_the_same_work_is_queued_once(database: Database) -> None:
    enqueue(database, 1)
    enqueue(database, 1)
    assert list(states(database)) == [1]
    work = Finishing(database)
    work_until(database, work, lambda: bool(work.runs))
    assert work.runs == [(1, 1)]


def test_it_is_tried_again_as_told_and_the_reason_is_kept(database: Database) -> None:
    work = Finishing(database)
    work.outcomes[1] = [Again(0.2, "server away"), Again(0.2, "server away")]
    enqueue(database, 1)
    work_until(database, work, lambda: len(work.runs) == 3)
    assert work.runs == [(1, 1), (1, 2), (1, 3)]


def test_waiting_for_somebody_else_leaves_a_job_some_tries(database: Database) -> None:
    class Waiting(Finishing):
        def run(self, job: Job) -> Outcome:
            self.db.write(lambda s: queue_of(s).spare(s, job.id))
            return super().run(job)

    work = Waiting(database)
    work.outcomes[1] = [Again(0.01, "platform away")] * 9
    enqueue(database, 1)
    work_until(database, work, lambda: len(work.runs) == 10)
    counted = [attempts for _, attempts in work.runs]
    assert counted == [1, 2, 3, 4, 5, 6, 6, 6, 6, 6]
    assert max(counted) < MAX_ATTEMPTS


def test_one_that_waits_does_not_hold_up_its_conversation(database: Database) -> None:
    work = Finishing(database)
    work.outcomes[1] = [Again(60, "no model")]
    enqueue(database, 1, 2)
    work_until(database, work, lambda: len(work.runs) == 2)
    [waiting] = database.read(lambda s: queue_of(s).listing(s, states=("queued",)))
    assert (waiting.ref, waiting.reason) == (1, "no model")


def test_parked_it_shows_the_reason_and_runs_again_when_asked(database: Database) -> None:
    work = Finishing(database)
    work.outcomes[1] = [Parked("cannot be heard")]
    enqueue(database, 1)
    work_until(database, work, lambda: states(database).get(1) == "parked")
    [parked] = database.read(lambda s: queue_of(s).listing(s, states=("parked",)))
    assert parked.reason == "cannot be heard"

    assert database.write(lambda s: queue_of(s).retry(s, parked.id))
    work_until(database, work, lambda: len(work.runs) == 2)
    assert database.read(lambda s: queue_of(s).listing(s, states=("parked",))) == []


def test_a_waiting_job_can_be_parked_and_brought_back(database: Database) -> None:
    enqueue(database, 1, after_s=3600)
    [job] = database.read(lambda s: queue_of(s).listing(s))
    database.write(lambda s: queue_of(s).park(s, job.id, reason="by hand"))
    [job] = database.read(lambda s: queue_of(s).listing(s))
    assert (job.state, job.reason) == ("parked", "by hand")
    assert database.write(lambda s: queue_of(s).retry(s, job.id))
    work = Finishing(database)
    work_until(database, work, lambda: len(work.runs) == 1)


def test_how_many_wait(database: Database) -> None:
    enqueue(database, 1, 2, 3, lane="speech")
    assert database.read(lambda s: queue_of(s).waiting(s, "speech")) == 3
    assert database.read(lambda s: queue_of(s).waiting(s, "tap")) == 0
