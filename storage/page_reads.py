"""What only the pages read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.tables import CardRow, CustomerRow, MemoRow, RecordRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCard:
    """The card that stands for a record: a page's button is a tap on it."""

    id: str
    nonce: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRecord:
    """A record that waits for its person.  ``customer`` is '' when none was found."""

    id: int
    memo_id: int
    state: str
    customer: str
    said_at: datetime


def card_of_record(session: Session, record_id: int) -> RecordCard | None:
    row = session.scalar(
        sa.select(CardRow)
        .where(CardRow.subject_kind == "record", CardRow.subject_id == record_id)
        .order_by(CardRow.updated_at.desc())
        .limit(1)
    )
    return RecordCard(id=row.id, nonce=row.nonce, version=row.version) if row else None


def open_records(session: Session, person_id: int, *, limit: int = 50) -> list[OpenRecord]:
    """The newest first."""
    rows = session.execute(
        sa.select(RecordRow, MemoRow.said_at, CustomerRow.name)
        .join(MemoRow, MemoRow.id == RecordRow.memo_id)
        .outerjoin(CustomerRow, CustomerRow.id == RecordRow.customer_id)
        .where(
            RecordRow.person_id == person_id, RecordRow.state.in_(("pending", "asking", "draft"))
        )
        .order_by(RecordRow.id.desc())
        .limit(limit)
    )
    return [
        OpenRecord(
            id=row.id,
            memo_id=row.memo_id,
            state=row.state,
            customer=name or "",
            said_at=said_at,
        )
        for row, said_at, name in rows
    ]


def memo_ids(session: Session, record_ids: list[int]) -> dict[int, int]:
    """Record to memo."""
    rows = session.execute(
        sa.select(RecordRow.id, RecordRow.memo_id).where(RecordRow.id.in_(record_ids))
    )
    return {row.id: row.memo_id for row in rows}
