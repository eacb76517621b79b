"""What the console's panes show.  The key of a message is unique: sent twice, it is there once.

``changed`` numbers every change in commit order, so that a browser that was away asks for what came
after the last number it saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.tables import ConsoleMessageRow

_ORDER_LOCK: Final = 0x67656E6A  # any number that nobody else locks


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleMessage:
    id: int
    key: str
    person_id: int
    direction: str
    kind: str
    card_id: str | None
    payload: dict[str, Any]
    at: datetime
    changed: int


def put(
    session: Session,
    *,
    key: str,
    person_id: int,
    direction: str,
    kind: str,
    payload: dict[str, Any],
    at: datetime,
    card_id: str | None = None,
) -> ConsoleMessage:
    """Add a message, or replace its payload where it stands; the same payload changes nothing."""
    _in_order(session)
    row = session.scalar(sa.select(ConsoleMessageRow).where(ConsoleMessageRow.key == key))
    if row is None:
        row = ConsoleMessageRow(
            key=key, person_id=person_id, direction=direction, kind=kind, card_id=card_id, at=at
        )
        session.add(row)
    elif row.payload == payload:
        return _message(row)
    row.payload, row.changed = payload, last_change(session) + 1
    session.flush()
    return _message(row)


def get(session: Session, key: str) -> ConsoleMessage | None:
    row = session.scalar(sa.select(ConsoleMessageRow).where(ConsoleMessageRow.key == key))
    return _message(row) if row else None


def by_id(session: Session, message_id: int) -> ConsoleMessage | None:
    row = session.get(ConsoleMessageRow, message_id)
    return _message(row) if row else None


def last_change(session: Session) -> int:
    with session.no_autoflush:
        return session.scalar(sa.select(sa.func.max(ConsoleMessageRow.changed))) or 0


def since(
    session: Session, people: Sequence[int], after: int, *, limit: int = 200
) -> list[ConsoleMessage]:
    """What changed after number *after* in these people's panes, in the order it changed."""
    rows = session.scalars(
        sa.select(ConsoleMessageRow)
        .where(ConsoleMessageRow.person_id.in_(people), ConsoleMessageRow.changed > after)
        .order_by(ConsoleMessageRow.changed)
        .limit(limit)
    )
    return [_message(row) for row in rows]


def latest(session: Session, person_id: int, *, limit: int = 60) -> list[ConsoleMessage]:
    """The newest messages of one pane, oldest first."""
    rows = session.scalars(
        sa.select(ConsoleMessageRow)
        .where(ConsoleMessageRow.person_id == person_id)
        .order_by(ConsoleMessageRow.at.desc(), ConsoleMessageRow.id.desc())
        .limit(limit)
    )
    return [_message(row) for row in rows][::-1]


def _in_order(session: Session) -> None:
    """One writer at a time, or a reader could see number 6 before 5 is committed and miss 5."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_ORDER_LOCK)))


def _message(row: ConsoleMessageRow) -> ConsoleMessage:
    return ConsoleMessage(
        id=row.id,
        key=row.key,
        person_id=row.person_id,
        direction=row.direction,
        kind=row.kind,
        card_id=row.card_id,
        payload=row.payload,
        at=row.at,
        changed=row.changed,
    )
