"""Everything that a platform gave us: stored before it is acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import jobs
from storage.sql import changed, insert_new
from storage.tables import InboxRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    id: int
    channel: str
    state: str
    payload: dict[str, Any]


def add(
    session: Session,
    *,
    channel: str,
    event_key: str,
    kind: str,
    user: str,
    conversation: str,
    payload: dict[str, Any],
    now: datetime,
) -> int | None:
    """Store one event and its job; None when it is a repeat."""
    inbox_id = insert_new(
        session,
        InboxRow,
        channel=channel,
        event_key=event_key,
        kind=kind,
        user=user,
        conversation=conversation,
        payload=payload,
        received_at=now,
    )
    if inbox_id is None:
        return None
    lane = "tap" if kind == "action" else "message"
    jobs.put(
        session,
        jobs.NewJob(kind="inbox", ref=inbox_id, lane=lane, lock=conversation),
    )
    return int(inbox_id)


def get(session: Session, inbox_id: int) -> Arrived | None:
    row = session.get(InboxRow, inbox_id)
    if row is None:
        return None
    return Arrived(id=row.id, channel=row.channel, state=row.state, payload=row.payload)


def finish(session: Session, inbox_id: int, *, now: datetime) -> bool:
    """Compare and set to done; False when another run was faster."""
    done = sa.update(InboxRow).where(InboxRow.id == inbox_id, InboxRow.state != "done")
    return changed(session, done.values(state="done", reason="", done_at=now)) == 1


def park(session: Session, inbox_id: int, *, reason: str) -> None:
    session.execute(
        sa.update(InboxRow)
        .where(InboxRow.id == inbox_id, InboxRow.state == "received")
        .values(state="parked", reason=reason)
    )
