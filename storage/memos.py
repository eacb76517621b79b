"""Memos and their records: one record for each customer that a memo speaks of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from sales.drafts import Draft
from storage.sql import changed, insert_new
from storage.tables import CustomerRow, MemoRow, PersonRow, RecordRow

# Its own job has nothing left to do: drafted; part of another memo; made of others, and taken
# apart again.
SETTLED: Final = ("drafted", "joined", "apart")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memo:
    """``text`` is None until it was heard; ``facts`` until it was read.

    A memo that was made of others has no recording of its own; ``Join`` says what it is made of.
    """

    id: int
    inbox_id: int
    person_id: int
    channel: str
    conversation: str
    source: str
    media_sha: str | None
    said_at: datetime
    duration_ms: int | None
    platform_text: str
    text: str | None
    transcript: dict[str, Any] | None
    facts: dict[str, Any] | None
    state: str
    reason: str
    joined_into: int | None

    @property
    def join(self) -> Join | None:
        made = (self.transcript or {}).get("join")
        if not made:
            return None
        parts = tuple((int(part), int(start)) for part, start in made["parts"])
        return Join(at=datetime.fromisoformat(made["at"]), parts=parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """``parts``: each memo's id, and where its words begin in the joined text."""

    at: datetime
    parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    id: int
    memo_id: int
    ordinal: int
    person_id: int
    version: int
    state: str
    customer_id: int | None
    draft: Draft
    decided_by: int | None
    decided_at: datetime | None
    created_at: datetime


def add(
    session: Session,
    *,
    inbox_id: int,
    person_id: int,
    channel: str,
    conversation: str,
    source: str,
    media_sha: str | None,
    said_at: datetime,
    duration_ms: int | None,
    platform_text: str,
    text: str | None,
) -> int | None:
    """A new memo; None when this event made one before."""
    made = insert_new(
        session,
        MemoRow,
        inbox_id=inbox_id,
        person_id=person_id,
        channel=channel,
        conversation=conversation,
        source=source,
        media_sha=media_sha,
        said_at=said_at,
        duration_ms=duration_ms,
        platform_text=platform_text,
        text=text,
    )
    return None if made is None else int(made)


def get(session: Session, memo_id: int) -> Memo | None:
    row = session.get(MemoRow, memo_id)
    return _memo(row) if row else None


def of_inbox(session: Session, inbox_id: int) -> Memo | None:
    """The memo that an event made; None when it made none."""
    row = session.scalar(sa.select(MemoRow).where(MemoRow.inbox_id == inbox_id))
    return _memo(row) if row else None


def heard(
    session: Session,
    memo_id: int,
    *,
    text: str,
    transcript: dict[str, Any] | None,
    duration_ms: int | None,
) -> None:
    """Keep what was heard, so that a crash does not hear it twice."""
    row = session.get_one(MemoRow, memo_id)
    row.text, row.transcript, row.state = text, transcript, "heard"
    row.duration_ms = duration_ms or row.duration_ms


def start_drafting(session: Session, memo_id: int, facts: dict[str, Any]) -> bool:
    """Compare and set to drafted, with what was read; False when another run was faster."""
    first = sa.update(MemoRow).where(MemoRow.id == memo_id, MemoRow.state.not_in(SETTLED))
    return changed(session, first.values(state="drafted", facts=facts, reason="")) == 1


def set_state(session: Session, memo_id: int, state: str, *, reason: str = "") -> None:
    row = session.get_one(MemoRow, memo_id)
    row.state, row.reason = state, reason


# --- records ------------------------------------------------------------------------------------


def add_record(
    session: Session,
    *,
    memo_id: int,
    ordinal: int,
    person_id: int,
    customer_id: int | None,
    draft: Draft,
    remind_at: datetime,
    now: datetime,
) -> int | None:
    """One customer's part; None when this memo has that part already."""
    made = insert_new(
        session,
        RecordRow,
        memo_id=memo_id,
        ordinal=ordinal,
        person_id=person_id,
        customer_id=customer_id,
        draft=draft.to_dict(),
        remind_at=remind_at,
        created_at=now,
    )
    return None if made is None else int(made)


def get_record(session: Session, record_id: int) -> Record | None:
    row = session.get(RecordRow, record_id, populate_existing=True)
    return _record(row) if row else None


def lock_record(session: Session, record_id: int) -> Record | None:
    """The record, locked until the transaction ends (PostgreSQL; SQLite has one writer)."""
    row = session.scalar(sa.select(RecordRow).where(RecordRow.id == record_id).with_for_update())
    return _record(row) if row else None


def records_of(session: Session, memo_id: int) -> list[Record]:
    rows = session.scalars(
        sa.select(RecordRow).where(RecordRow.memo_id == memo_id).order_by(RecordRow.ordinal)
    )
    return [_record(row) for row in rows]


def latest_record(
    session: Session, person_id: int, *, states: tuple[str, ...], since: datetime
) -> Record | None:
    """The record that a reply such as 不对 or 撤销 means: the newest, last touched first."""
    touched = sa.func.coalesce(RecordRow.decided_at, RecordRow.created_at)
    row = session.scalar(
        sa.select(RecordRow)
        .where(RecordRow.person_id == person_id, RecordRow.state.in_(states), touched >= since)
        .order_by(touched.desc(), RecordRow.id.desc())
        .limit(1)
    )
    return _record(row) if row else None


def save(
    session: Session,
    record: Record,
    *,
    expected: tuple[str, ...],
    state: str | None = None,
    customer_id: int | None = None,
    drop_customer: bool = False,
    draft: Draft | None = None,
    decided_by: int | None = None,
    decided_at: datetime | None = None,
    remind_at: datetime | None = None,
) -> Record | None:
    """Compare (state in *expected*, same version) and set; None when somebody was faster.

    What is None stays as it is, but *drop_customer* takes the customer away.
    """
    values: dict[str, Any] = {"version": record.version + 1}
    if state is not None:
        values["state"] = state
        values["decided_by"], values["decided_at"] = decided_by, decided_at
        values["remind_at"] = remind_at
    if customer_id is not None or drop_customer:
        values["customer_id"] = customer_id
    if draft is not None:
        values["draft"] = draft.to_dict()
    won = changed(
        session,
        sa.update(RecordRow)
        .where(
            RecordRow.id == record.id,
            RecordRow.version == record.version,
            RecordRow.state.in_(expected),
        )
        .values(**values)
        .execution_options(synchronize_session=False),
    )
    return get_record(session, record.id) if won == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A filed record: what the program read, and what its person let stand.

    ``read`` is ``sales.facts.RecordFacts`` as JSON, None when the memo kept none.
    """

    record_id: int
    said_at: datetime
    text: str
    person: str
    customer: str
    read: dict[str, Any] | None
    draft: Draft


def confirmed(session: Session, *, since: datetime, limit: int = 100_000) -> Iterator[Confirmed]:
    """Filed records of memos said since then, the oldest first (F5)."""
    rows = session.execute(
        sa.select(RecordRow, MemoRow, CustomerRow.name, PersonRow.name)
        .join(MemoRow, MemoRow.id == RecordRow.memo_id)
        .join(CustomerRow, CustomerRow.id == RecordRow.customer_id)
        .join(PersonRow, PersonRow.id == RecordRow.person_id)
        .where(RecordRow.state == "filed", MemoRow.said_at >= since)
        .order_by(MemoRow.said_at, RecordRow.id)
        .limit(limit)
    )
    for record, memo, customer, person in rows:
        records = (memo.facts or {}).get("records") or []
        yield Confirmed(
            record_id=record.id,
            said_at=memo.said_at,
            text=memo.text or "",
            person=person,
            customer=customer,
            read=records[record.ordinal] if record.ordinal < len(records) else None,
            draft=Draft.from_dict(record.draft),
        )


def due_for_reminder(session: Session, *, now: datetime, limit: int = 100) -> list[Record]:
    rows = session.scalars(
        sa.select(RecordRow)
        .where(RecordRow.remind_at <= now, RecordRow.state.in_(("pending", "asking")))
        .order_by(RecordRow.remind_at)
        .limit(limit)
    )
    return [_record(row) for row in rows]


def _memo(row: MemoRow) -> Memo:
    return Memo(
        id=row.id,
        inbox_id=row.inbox_id,
        person_id=row.person_id,
        channel=row.channel,
        conversation=row.conversation,
        source=row.source,
        media_sha=row.media_sha,
        said_at=row.said_at,
        duration_ms=row.duration_ms,
        platform_text=row.platform_text,
        text=row.text,
        transcript=row.transcript,
        facts=row.facts,
        state=row.state,
        reason=row.reason,
        joined_into=row.joined_into,
    )


def _record(row: RecordRow) -> Record:
    return Record(
        id=row.id,
        memo_id=row.memo_id,
        ordinal=row.ordinal,
        person_id=row.person_id,
        version=row.version,
        state=row.state,
        customer_id=row.customer_id,
        draft=Draft.from_dict(row.draft),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        created_at=row.created_at,
    )
