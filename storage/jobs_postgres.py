"""The queue on PostgreSQL: procrastinate, deferred on the transaction's own connection.

A rollback takes the job along.  The worker (``bot/worker_postgres.py``) marks jobs done after the
work's own transaction, so a job may run twice; the row it refers to says that it is done.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

import procrastinate
import sqlalchemy as sa
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy.orm import Session

from storage.jobs import SPARED, Job, JobView, NewJob
from storage.tables import JobReasonRow

TASK: Final = "genjin.work"
_STATES: Final = {
    "todo": "queued",
    "doing": "running",
    "succeeded": "done",
    "failed": "parked",
    "cancelled": "parked",
    "aborted": "parked",
    "aborting": "running",
}


@functools.cache
def deferring_app() -> procrastinate.App:
    """An app that is never opened: it only defers on connections that it is given."""
    return procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


class PostgresQueue:
    """Adapter of :class:`storage.jobs.JobQueue`."""

    def put(self, session: Session, added: Sequence[NewJob]) -> None:
        for job in added:
            self._put(session, job)

    @staticmethod
    def _put(session: Session, job: NewJob) -> None:
        raw = session.connection().connection.driver_connection
        deferrer = deferring_app().configure_task(
            TASK,
            allow_unknown=True,
            queue=job.lane,
            lock=f"{job.lane}:{job.lock}",
            queueing_lock=job.unique_key,
            schedule_in={"seconds": job.after_s} if job.after_s else None,
            connection=raw,
        )
        try:
            with session.begin_nested():
                deferrer.defer(kind=job.kind, ref=job.ref, lane=job.lane)
        except AlreadyEnqueued:
            return

    def finish(self, session: Session, job_id: int) -> None:
        session.execute(sa.delete(JobReasonRow).where(JobReasonRow.job_id == job_id))

    def again(self, session: Session, job: Job, *, after_s: float, reason: str) -> None:
        _remember(session, job.id, reason)

    def spare(self, session: Session, job_id: int) -> None:
        # The run in hand counts when it ends.
        session.execute(
            sa.text(
                "UPDATE procrastinate_jobs SET attempts = :most WHERE id = :id AND attempts > :most"
            ),
            {"id": job_id, "most": SPARED - 1},
        )

    def park(self, session: Session, job_id: int, *, reason: str) -> None:
        _remember(session, job_id, reason)
        # One that is running fails by itself right after (the worker raises); one that waits must
        # be taken out of the queue here.
        session.execute(
            sa.text(
                "UPDATE procrastinate_jobs SET status = 'cancelled' "
                "WHERE id = :id AND status = 'todo'"
            ),
            {"id": job_id},
        )

    def retry(self, session: Session, job_id: int) -> bool:
        session.execute(sa.delete(JobReasonRow).where(JobReasonRow.job_id == job_id))
        old = self._row(session, job_id)
        if old is None or old.status == "doing":
            return False
        if old.status == "todo":
            session.execute(
                sa.text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE id = :id"),
                {"id": job_id},
            )
        else:
            self._put(
                session,
                NewJob(
                    kind=old.args["kind"],
                    ref=old.args["ref"],
                    lane=old.queue_name,
                    lock=(old.lock or "").partition(":")[2],
                ),
            )
            # The parked one has a successor; it must not be listed as waiting for somebody.
            session.execute(
                sa.text("DELETE FROM procrastinate_jobs WHERE id = :id"), {"id": job_id}
            )
        return True

    def get(self, session: Session, job_id: int) -> JobView | None:
        row = self._row(session, job_id)
        return _view(row) if row else None

    def listing(
        self, session: Session, *, states: tuple[str, ...] = (), limit: int = 200
    ) -> list[JobView]:
        wanted = [native for native, ours in _STATES.items() if not states or ours in states]
        rows = session.execute(
            sa.text(f"{_SELECT} WHERE j.status::text = ANY(:wanted) ORDER BY j.id DESC LIMIT :n"),
            {"wanted": wanted, "n": limit},
        )
        return [_view(row) for row in rows]

    def waiting(self, session: Session, lane: str) -> int:
        return cast(
            "int",
            session.scalar(
                sa.text(
                    "SELECT count(*) FROM procrastinate_jobs "
                    "WHERE queue_name = :lane AND status IN ('todo', 'doing')"
                ),
                {"lane": lane},
            ),
        )

    @staticmethod
    def _row(session: Session, job_id: int) -> sa.Row[Any] | None:
        return session.execute(sa.text(f"{_SELECT} WHERE j.id = :id"), {"id": job_id}).one_or_none()


_SELECT: Final = (
    "SELECT j.id, j.queue_name, j.lock, j.args, j.status::text AS status, j.attempts, "
    "j.scheduled_at, r.reason FROM procrastinate_jobs j "
    "LEFT JOIN job_reason r ON r.job_id = j.id"
)


def _remember(session: Session, job_id: int, reason: str) -> None:
    session.merge(JobReasonRow(job_id=job_id, reason=reason, at=datetime.now(UTC)))


def _view(row: sa.Row[Any]) -> JobView:
    return JobView(
        id=row.id,
        kind=row.args.get("kind", ""),
        ref=row.args.get("ref", 0),
        lane=row.queue_name,
        state=_STATES[row.status],
        attempts=row.attempts,
        reason=row.reason or "",
        run_at=row.scheduled_at or datetime.now(UTC),
    )
