"""Everything that a platform gave us: stored before it is acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import jobs
from storage.sql import changed, insert_of
from storage.tables import InboxRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    id: int
    channel: str
    state: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as it is stored; ``(channel, event_key)`` is unique."""

    channel: str
    event_key: str
    kind: str
    user: str
    conversation: str
    payload: dict[str, Any]


def add(session: Session, events: Sequence[Event], *, now: datetime) -> list[bool]:
    """Store events and their jobs, in this order; False for each that is a repeat."""
    insert = insert_of(session, InboxRow).on_conflict_do_nothing()
    made = session.execute(
        insert.returning(InboxRow.id, InboxRow.channel, InboxRow.event_key),
        [
            {
                "channel": event.channel,
                "event_key": event.event_key,
                "kind": event.kind,
                "user": event.user,
                "conversation": event.conversation,
                "payload": event.payload,
                "received_at": now,
            }
            for event in events
        ],
    ).all()
    ids = {(channel, key): inbox_id for inbox_id, channel, key in made}
    new = []
    fresh = []
    for event in events:
        # pop: of two equal events in one batch the first is new
        inbox_id = ids.pop((event.channel, event.event_key), None)
        fresh.append(inbox_id is not None)
        if inbox_id is not None:
            lane = "tap" if event.kind == "action" else "message"
            new.append(jobs.NewJob(kind="inbox", ref=inbox_id, lane=lane, lock=event.conversation))
    if new:
        jobs.put(session, *new)
    return fresh


def get(session: Session, inbox_id: int) -> Arrived | None:
    row = session.get(InboxRow, inbox_id)
    if row is None:
        return None
    return Arrived(id=row.id, channel=row.channel, state=row.state, payload=row.payload)


def id_of(session: Session, channel: str, event_key: str) -> int | None:
    return session.scalar(
        sa.select(InboxRow.id).where(InboxRow.channel == channel, InboxRow.event_key == event_key)
    )


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
