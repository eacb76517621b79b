"""How much was sent within a span of time, counted for all processes together.

Counts stand in buckets: each holds what was sent in a piece of time, and counts until the span has
passed since the bucket's end.  So never more than ``most`` fall into any span, wherever it begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.platform_tables import SendWindowRow
from storage.sql import changed, insert_new, insert_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most ``most`` of ``scope`` in any ``span_s`` seconds."""

    scope: str  # wecom:member:<user>:minute
    most: int
    span_s: int
    bucket_s: int


@dataclass(frozen=True, slots=True)
class Full:
    """The cap that is reached, and how long until one more fits."""

    cap: Cap
    wait_s: float


def take(session: Session, caps: Sequence[Cap], *, now: datetime) -> Full | None:
    """Count one sending under every cap, or under none when one of them is reached.

    Give the caps in the same order everywhere: on PostgreSQL each locks its row.
    """
    with session.begin_nested() as attempt:
        for cap in caps:
            _count(session, cap, now)
            if full := _over(session, cap, now):
                attempt.rollback()
                return full
    return None


def first_time(session: Session, scope: str, window: str, *, until: datetime) -> bool:
    """True once for each *window* of *scope*."""
    made = insert_new(session, SendWindowRow, scope=scope, window=window, count=1, until=until)
    return made is not None


def forget_old(session: Session, *, now: datetime) -> int:
    return changed(session, sa.delete(SendWindowRow).where(SendWindowRow.until <= now))


def _count(session: Session, cap: Cap, now: datetime) -> None:
    begins = now.timestamp() // cap.bucket_s * cap.bucket_s
    window = datetime.fromtimestamp(begins, UTC)
    add = insert_of(session, SendWindowRow).values(
        scope=cap.scope,
        window=window.strftime("%Y-%m-%dT%H:%M:%S"),
        count=1,
        until=window + timedelta(seconds=cap.bucket_s + cap.span_s),
    )
    grow = {"count": SendWindowRow.__table__.c.count + 1}
    session.execute(add.on_conflict_do_update(index_elements=["scope", "window"], set_=grow))


def _over(session: Session, cap: Cap, now: datetime) -> Full | None:
    counting = session.execute(
        sa.select(SendWindowRow.until, SendWindowRow.count)
        .where(SendWindowRow.scope == cap.scope, SendWindowRow.until > now)
        .order_by(SendWindowRow.until)
    ).all()
    excess = sum(count for _, count in counting) - cap.most
    if excess <= 0:
        return None
    for until, count in counting:
        excess -= count
        if excess <= 0:
            return Full(cap, (until - now).total_seconds())
    raise ValueError(f"a cap of {cap.most} lets nothing through")
