"""The last attempts on our callback addresses, so that an admin sees why nothing arrives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.platform_tables import CallbackAttemptRow

REFUSED: Final = "refused"
KEPT: Final = 30  # of each channel: so many refused ones, and so many others


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """``outcome``: accepted repeat ignored verified refused.  ``reason`` is a code."""

    channel: str
    at: datetime
    remote: str
    outcome: str
    reason: str = ""


def add(session: Session, attempts: Iterable[Attempt]) -> None:
    """Keep these, and let the oldest go.  Refused ones never push the others out, nor they them."""
    channels = set()
    for one in attempts:
        session.add(
            CallbackAttemptRow(
                channel=one.channel,
                at=one.at,
                remote=one.remote,
                outcome=one.outcome,
                reason=one.reason,
            )
        )
        channels.add(one.channel)
    session.flush()
    for channel in channels:
        refused = CallbackAttemptRow.outcome == REFUSED
        for kind in (refused, ~refused):
            _prune(session, CallbackAttemptRow.channel == channel, kind)


def latest(session: Session, channel: str, *, limit: int = 20) -> list[Attempt]:
    """The newest first, refused ones among them."""
    rows = session.scalars(
        sa.select(CallbackAttemptRow)
        .where(CallbackAttemptRow.channel == channel)
        .order_by(CallbackAttemptRow.at.desc(), CallbackAttemptRow.id.desc())
        .limit(limit)
    )
    return [
        Attempt(
            channel=row.channel,
            at=row.at,
            remote=row.remote,
            outcome=row.outcome,
            reason=row.reason,
        )
        for row in rows
    ]


def _prune(session: Session, *which: sa.ColumnElement[bool]) -> None:
    last_gone = session.scalar(
        sa.select(CallbackAttemptRow.id)
        .where(*which)
        .order_by(CallbackAttemptRow.id.desc())
        .offset(KEPT)
        .limit(1)
    )
    if last_gone is not None:
        session.execute(
            sa.delete(CallbackAttemptRow).where(*which, CallbackAttemptRow.id <= last_gone)
        )
