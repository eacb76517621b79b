"""The queue on the same SQLite file: one process, a claim per transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session, aliased

from storage.jobs import MAX_ATTEMPTS, SPARED, WAKES, Job, JobView, NewJob
from storage.tables import JobRow


class EmbeddedQueue:
    """Adapter of :class:`storage.jobs.JobQueue`; the claiming half is only for its one process."""

    def put(self, session: Session, added: Sequence[NewJob]) -> None:
        now = _now()
        session.execute(
            insert(cast("sa.Table", JobRow.__table__)).on_conflict_do_nothing(),
            [
                {
                    "kind": job.kind,
                    "ref": job.ref,
                    "lane": job.lane,
                    "lock": f"{job.lane}:{job.lock}",
                    "unique_key": job.unique_key,
                    "run_at": now + timedelta(seconds=job.after_s),
                    "created_at": now,
                }
                for job in added
            ],
        )

    def claim(self, session: Session, lane: str) -> Job | None:
        """Take the oldest job of *lane* whose lock is free; None when there is none."""
        now = _now()
        other = aliased(JobRow)
        locked = sa.exists().where(other.lock == JobRow.lock, other.state == "running")
        row = session.execute(
            sa.select(JobRow.id, JobRow.kind, JobRow.ref, JobRow.attempts)
            .where(JobRow.lane == lane, JobRow.state == "queued", JobRow.run_at <= now, ~locked)
            .order_by(JobRow.id)
            .limit(1)
        ).one_or_none()
        if row is None:
            return None
        session.execute(
            sa.update(JobRow)
            .where(JobRow.id == row.id)
            .values(state="running", started_at=now, attempts=row.attempts + 1)
        )
        return Job(id=row.id, kind=row.kind, ref=row.ref, lane=lane, attempts=row.attempts + 1)

    def ready(self, session: Session, lane: str) -> bool:
        """Whether a claim may be worth its transaction."""
        waiting = sa.exists().where(
            JobRow.lane == lane, JobRow.state == "queued", JobRow.run_at <= _now()
        )
        return session.scalar(sa.select(waiting)) is True

    def recover(self, session: Session) -> int:
        """After a start: what ran when the process died is queued again.

        A job that was running at every one of its last attempts is parked: it may be what kills
        the process.
        """
        running = JobRow.state == "running"
        session.execute(
            sa.update(JobRow)
            .where(running, JobRow.attempts >= MAX_ATTEMPTS)
            .values(state="parked", reason="crashed")
        )
        done = session.execute(
            sa.update(JobRow).where(running).values(state="queued", run_at=_now())
        )
        return cast("sa.CursorResult[Any]", done).rowcount

    def finish(self, session: Session, job_id: int) -> None:
        # Kept for a while as the key that stops a second job; the housekeeping removes old ones.
        session.execute(
            sa.update(JobRow).where(JobRow.id == job_id).values(state="done", reason="")
        )

    def again(self, session: Session, job: Job, *, after_s: float, reason: str) -> None:
        run_at = _now() + timedelta(seconds=after_s)
        session.execute(
            sa.update(JobRow)
            .where(JobRow.id == job.id, JobRow.state == "running")
            .values(state="queued", run_at=run_at, reason=reason)
        )

    def spare(self, session: Session, job_id: int) -> None:
        session.execute(
            sa.update(JobRow)
            .where(JobRow.id == job_id, JobRow.attempts > SPARED)
            .values(attempts=SPARED)
        )

    def park(self, session: Session, job_id: int, *, reason: str) -> None:
        session.execute(
            sa.update(JobRow)
            .where(JobRow.id == job_id, JobRow.state != "done")
            .values(state="parked", reason=reason)
        )

    def retry(self, session: Session, job_id: int) -> bool:
        session.info[WAKES] = True
        changed = session.execute(
            sa.update(JobRow)
            .where(JobRow.id == job_id, JobRow.state.in_(("queued", "parked", "done")))
            .values(state="queued", run_at=_now(), attempts=0, reason="")
        )
        return cast("sa.CursorResult[Any]", changed).rowcount == 1

    def get(self, session: Session, job_id: int) -> JobView | None:
        row = session.get(JobRow, job_id)
        return _view(row) if row else None

    def listing(
        self, session: Session, *, states: tuple[str, ...] = (), limit: int = 200
    ) -> list[JobView]:
        query = sa.select(JobRow).order_by(JobRow.id.desc()).limit(limit)
        if states:
            query = query.where(JobRow.state.in_(states))
        return [_view(row) for row in session.scalars(query)]

    def waiting(self, session: Session, lane: str) -> int:
        return (
            session.scalar(
                sa.select(sa.func.count()).where(
                    JobRow.lane == lane, JobRow.state.in_(("queued", "running"))
                )
            )
            or 0
        )


def _now() -> datetime:
    # The queue lives in the machine's own time (storage.jobs.NewJob).
    return datetime.now(UTC)


def _view(row: JobRow) -> JobView:
    return JobView(
        id=row.id,
        kind=row.kind,
        ref=row.ref,
        lane=row.lane,
        state=row.state,
        attempts=row.attempts,
        reason=row.reason,
        run_at=row.run_at,
    )
