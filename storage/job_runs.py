"""One row per job and slot: the truth that a slot ran."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.sql import insert_new
from storage.tables import JobRunRow


def start(session: Session, job: str, slot: str, *, now: datetime) -> bool:
    """Take the slot; False when it is taken.  Commits together with what the job does."""
    return insert_new(session, JobRunRow, job=job, slot=slot, at=now) is not None


def ran(session: Session, job: str, slot: str) -> bool:
    return session.get(JobRunRow, (job, slot)) is not None


def forget(session: Session, *, before: datetime) -> None:
    session.execute(sa.delete(JobRunRow).where(JobRunRow.at < before))
