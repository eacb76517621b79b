"""The workers on PostgreSQL: procrastinate's own, with heartbeats; any number of processes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import procrastinate
import structlog
from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.jobs import Job as NativeJob

from bot.work import Again, Parked, Work
from bot.worker import SLOTS
from storage.database import Database
from storage.jobs import LANES, Job, queue_of
from storage.jobs_postgres import TASK

log = structlog.get_logger()

_HEARTBEAT_S: Final = 2.0
# A worker silent for this long is dead: its jobs run again elsewhere, well below 30 s.
_DEAD_AFTER_S: Final = 10.0
_LOOK_FOR_DEAD_S: Final = 3.0


class _Wait(Exception):
    """Carries the waiting time from the task to the retry strategy."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"again in {after_s:g} s")
        self.after_s = after_s


class _Stop(Exception):
    """Ends the job as failed: parked, with the reason in ``job_reason``."""


class _AsTold(BaseRetryStrategy):
    def get_retry_decision(
        self, *, exception: BaseException, job: NativeJob
    ) -> RetryDecision | None:
        if isinstance(exception, _Wait):
            # The engine lets no later job of a lock pass one that waits; ours must (no model, say),
            # so the waiting one takes a lock of its own along.
            return RetryDecision(
                retry_at=datetime.now(UTC) + timedelta(seconds=exception.after_s),
                lock=f"{(job.lock or '').partition('#')[0]}#{job.id}",
            )
        return None


class PostgresWorker:
    """Runs the jobs of some lanes until cancelled."""

    def __init__(self, db: Database, work: Work, slots: Mapping[str, int] = SLOTS) -> None:
        self._db = db
        self._work = work
        self._slots = {lane: slots[lane] for lane in LANES if slots.get(lane)}
        self._threads = ThreadPoolExecutor(sum(self._slots.values()) + 1, thread_name_prefix="work")
        conninfo = db.url.replace("postgresql+psycopg://", "postgresql://")
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=conninfo, min_size=1, max_size=2 * len(self._slots) + 4
            )
        )
        self._app.task(name=TASK, pass_context=True, retry=_AsTold())(self._do)

    async def run(self) -> None:
        async with self._app.open_async(), asyncio.TaskGroup() as group:
            group.create_task(self._revive())
            for lane, count in self._slots.items():
                group.create_task(
                    self._app.run_worker_async(
                        name=lane,
                        queues=[lane],
                        concurrency=count,
                        install_signal_handlers=False,
                        fetch_job_polling_interval=0.25,
                        update_heartbeat_interval=_HEARTBEAT_S,
                        stalled_worker_timeout=_DEAD_AFTER_S,
                        shutdown_graceful_timeout=20.0,
                    )
                )

    async def _do(self, context: JobContext, *, kind: str, ref: int, lane: str) -> None:
        native = context.job
        job = Job(id=native.id or 0, kind=kind, ref=ref, lane=lane, attempts=native.attempts + 1)
        loop = asyncio.get_running_loop()
        outcome = await loop.run_in_executor(self._threads, self._work.run, job)
        if isinstance(outcome, Again):
            again = outcome

            def wait(session: Any) -> None:
                queue_of(session).again(session, job, after_s=again.after_s, reason=again.reason)

            await loop.run_in_executor(self._threads, self._db.write, wait)
            raise _Wait(again.after_s)
        if isinstance(outcome, Parked):
            parked = outcome

            def park(session: Any) -> None:
                queue_of(session).park(session, job.id, reason=parked.reason)

            await loop.run_in_executor(self._threads, self._db.write, park)
            raise _Stop(parked.reason)

    async def _revive(self) -> None:
        """Give the jobs of killed workers back to the queue."""
        while True:
            manager = self._app.job_manager
            for job in await manager.get_stalled_jobs(seconds_since_heartbeat=_DEAD_AFTER_S):
                log.warning("job of a dead worker taken up again", job=job.id)
                await manager.retry_job(job)
            await asyncio.sleep(_LOOK_FOR_DEAD_S)
