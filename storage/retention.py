"""How long things are kept: recordings of dropped and confirmed memos, the log, finished jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.media import MediaStore
from storage.sql import changed
from storage.tables import AuditRow, JobRow, MemoRow, RecordRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    recordings: int
    log_lines: int


def sweep(
    session: Session,
    media: MediaStore,
    *,
    now: datetime,
    dropped_hours: int,
    audio_days: int,
    log_days: int,
) -> Removed:
    """Remove what is past its time.  The memo's text stays; only its sound goes.

    A recording is removed when every record of every memo that has it is dropped longer than
    *dropped_hours*, or confirmed longer than *audio_days*.
    """
    late = sa.or_(
        sa.and_(
            RecordRow.state == "dropped",
            RecordRow.decided_at <= now - timedelta(hours=dropped_hours),
        ),
        sa.and_(
            RecordRow.state == "filed", RecordRow.decided_at <= now - timedelta(days=audio_days)
        ),
    )
    # A recording that was joined with another stands in the records of the memo they made.
    stands = sa.select(MemoRow.id, MemoRow.id.label("in_memo")).where(MemoRow.joined_into.is_(None))
    whole = stands.cte("whole", recursive=True)
    whole = whole.union_all(
        sa.select(MemoRow.id, whole.c.in_memo).where(MemoRow.joined_into == whole.c.id)
    )
    its_records = sa.exists().where(whole.c.id == MemoRow.id, RecordRow.memo_id == whole.c.in_memo)
    has_records = its_records
    open_records = its_records.where(sa.not_(late))
    done = sa.select(MemoRow.media_sha).where(
        MemoRow.media_sha.is_not(None), has_records, ~open_records
    )
    wanted = sa.select(MemoRow.media_sha).where(
        MemoRow.media_sha.is_not(None), sa.or_(~has_records, open_records)
    )
    gone = [
        sha
        for sha in session.scalars(done.where(MemoRow.media_sha.not_in(wanted)).distinct())
        if sha and media.path(sha).exists()
    ]
    for sha in gone:
        # Removing twice is harmless, so it may happen before the commit.
        media.remove(sha)
    lines = changed(
        session, sa.delete(AuditRow).where(AuditRow.at < now - timedelta(days=log_days))
    )
    session.execute(
        sa.delete(JobRow).where(JobRow.state == "done", JobRow.created_at < now - timedelta(days=7))
    )
    return Removed(recordings=len(gone), log_lines=lines)
