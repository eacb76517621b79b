"""What is wrong with a channel now.  Doctor and the set-up page turn it into words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.platform_tables import ChannelStateRow
from storage.sql import changed, insert_new


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """``problem`` is a code such as ``untrusted_ip``; ``detail`` holds what its words need."""

    channel: str
    topic: str
    problem: str
    detail: dict[str, Any]
    since: datetime


def get(session: Session, channel: str, topic: str) -> State | None:
    """The problem with *topic*; None when there is none."""
    row = session.get(ChannelStateRow, (channel, topic))
    return _state(row) if row and row.problem else None


def note(
    session: Session,
    channel: str,
    topic: str,
    problem: str,
    detail: dict[str, Any],
    *,
    now: datetime,
) -> bool:
    """Remember a problem; True when it is another one than before.  ``since`` is its beginning."""
    key = {"channel": channel, "topic": topic}
    if insert_new(session, ChannelStateRow, **key, problem=problem, detail=detail, since=now):
        return True
    row = session.get_one(ChannelStateRow, (channel, topic), with_for_update=True)
    if (row.problem, row.detail) == (problem, detail):
        return False
    fresh = row.problem != problem
    row.problem, row.detail = problem, detail
    if fresh:
        row.since = now
    session.flush()
    return fresh


def clear(session: Session, channel: str, topic: str, *, now: datetime) -> bool:
    """It works again; False when nothing was wrong.  ``since`` is then the end of the trouble."""
    wrong = sa.update(ChannelStateRow).where(
        ChannelStateRow.channel == channel,
        ChannelStateRow.topic == topic,
        ChannelStateRow.problem != "",
    )
    return changed(session, wrong.values(problem="", detail={}, since=now)) == 1


def problems(session: Session, channel: str = "") -> list[State]:
    """What is wrong now, the oldest first; with *channel*, of that one only."""
    wrong = sa.select(ChannelStateRow).where(ChannelStateRow.problem != "")
    if channel:
        wrong = wrong.where(ChannelStateRow.channel == channel)
    return [_state(row) for row in session.scalars(wrong.order_by(ChannelStateRow.since))]


def _state(row: ChannelStateRow) -> State:
    return State(
        channel=row.channel,
        topic=row.topic,
        problem=row.problem,
        detail=row.detail,
        since=row.since,
    )
