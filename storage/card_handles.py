"""The codes with which a card can be changed: each works once, for three days.

One comes with the answer to a sending, one with every tap.  A code is marked before it is used; the
effect that it was spent on may use it again, since a crash leaves open whether the platform saw it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.platform_tables import CardHandleRow
from storage.sql import changed, insert_new
from storage.tables import CardRow, OutboxRow, PersonRow

CHANNEL: Final = "wecom"  # the only platform whose cards need codes
WORKS_FOR: Final = timedelta(hours=71, minutes=50)  # the platform says 72 hours, by its own clock
_LAYOUTS: Final = ("buttons", "form", "checklist")
_SHOW_AGAIN_FOR: Final = timedelta(days=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    id: int
    code: str
    used_for: str


def add(
    session: Session, card_id: str, code: str, *, source: Literal["send", "tap"], now: datetime
) -> None:
    """Keep a code; nothing happens for one that is known, or for a card that is nobody's."""
    if session.get(CardRow, card_id) is None:
        return
    insert_new(session, CardHandleRow, card_id=card_id, code=code, source=source, got_at=now)


def tapped(session: Session, card_id: str, code: str, *, nonce: str, now: datetime) -> bool:
    """Keep the code of a tap, unless it belongs to a message that was replaced by a later one.

    Returns:
        False when the card is unknown or the code is of no use.
    """
    card = session.get(CardRow, card_id)
    if card is None:
        return False
    sendings = session.scalar(
        sa.select(sa.func.count()).where(
            CardHandleRow.card_id == card_id, CardHandleRow.source == "send"
        )
    )
    if nonce != card.nonce and (sendings or 0) > 1:
        return False  # perhaps a tap on the older message: its code would change that one
    add(session, card_id, code, source="tap", now=now)
    return True


def usable(session: Session, card_id: str, effect: str, *, now: datetime) -> list[Handle]:
    """Codes that *effect* may use: the one it had begun to use, then unused ones, newest first."""
    mine = CardHandleRow.used_for == effect
    rows = session.scalars(
        sa.select(CardHandleRow)
        .where(
            CardHandleRow.card_id == card_id,
            CardHandleRow.got_at > now - WORKS_FOR,
            sa.or_(CardHandleRow.used_at.is_(None), mine),
        )
        .order_by(mine.desc(), CardHandleRow.got_at.desc(), CardHandleRow.id.desc())
    )
    return [_handle(row) for row in rows]


def of_earlier(session: Session, card_id: str, effect: str, *, now: datetime) -> list[Handle]:
    """Codes of the messages that showed the card before *effect* sends it anew, newest first.

    What came since the effect was decided on belongs to its own message, sent before a crash.
    """
    decided_at = session.scalar(
        sa.select(OutboxRow.created_at).where(OutboxRow.effect_key == effect)
    )
    if decided_at is None:
        return []
    rows = session.scalars(
        sa.select(CardHandleRow)
        .where(
            CardHandleRow.card_id == card_id,
            CardHandleRow.got_at > now - WORKS_FOR,
            CardHandleRow.got_at < decided_at,
            CardHandleRow.used_at.is_(None),
        )
        .order_by(CardHandleRow.got_at.desc(), CardHandleRow.id.desc())
    )
    return [_handle(row) for row in rows]


def spend(session: Session, handle_id: int, effect: str, *, now: datetime) -> bool:
    """Compare and set: mark a code for *effect*; False when another effect has it."""
    free = sa.update(CardHandleRow).where(
        CardHandleRow.id == handle_id,
        sa.or_(CardHandleRow.used_at.is_(None), CardHandleRow.used_for == effect),
    )
    return changed(session, free.values(used_at=now, used_for=effect)) == 1


def retire(session: Session, handle_ids: list[int], effect: str, *, now: datetime) -> None:
    """These belong to a message that is void: nothing may use them any more."""
    session.execute(
        sa.update(CardHandleRow)
        .where(CardHandleRow.id.in_(handle_ids), CardHandleRow.used_at.is_(None))
        .values(used_at=now, used_for=effect)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """An open card whose last code is about to expire."""

    effect_key: str
    kind: str
    subject_kind: str
    subject_id: int
    person_id: int
    user: str
    conversation: str
    payload: dict[str, Any]
    created_at: datetime


def ageing(
    session: Session, *, now: datetime, older_than: timedelta, limit: int = 200
) -> list[Ageing]:
    """Open cards that a person still has to tap, and whose last code is that old.

    They stay locked until the transaction ends, so that none is closed meanwhile.
    """
    last = (
        sa.select(sa.func.max(CardHandleRow.got_at))
        .where(CardHandleRow.card_id == CardRow.id)
        .scalar_subquery()
    )
    # One that is on its way, or whose answer brought no code, is no older than its sending.
    recent = sa.exists().where(
        OutboxRow.card_id == CardRow.id,
        sa.or_(
            OutboxRow.state.in_(("queued", "sending", "unknown")),
            sa.and_(OutboxRow.kind == "card", OutboxRow.sent_at > now - older_than),
        ),
    )
    rows = session.execute(
        sa.select(CardRow, PersonRow.wecom_id)
        .join(PersonRow, PersonRow.id == CardRow.person_id)
        .where(
            CardRow.channel == CHANNEL,
            CardRow.created_at > now - _SHOW_AGAIN_FOR,
            CardRow.created_at <= now - older_than,
            CardRow.payload["status"].as_string() == "pending",
            CardRow.payload["layout"].as_string().in_(_LAYOUTS),
            sa.func.coalesce(last, CardRow.created_at) <= now - older_than,
            ~recent,
            PersonRow.active,
            PersonRow.wecom_id.is_not(None),
        )
        .order_by(CardRow.created_at)
        .limit(limit)
        .with_for_update(of=CardRow, skip_locked=True)
    )
    return [
        Ageing(
            effect_key=card.effect_key,
            kind=card.kind,
            subject_kind=card.subject_kind,
            subject_id=card.subject_id,
            person_id=card.person_id,
            user=user or "",
            conversation=card.conversation,
            payload=card.payload,
            created_at=card.created_at,
        )
        for card, user in rows
    ]


def forget_old(session: Session, *, before: datetime) -> int:
    """Codes that no platform takes any more."""
    return changed(session, sa.delete(CardHandleRow).where(CardHandleRow.got_at < before))


def _handle(row: CardHandleRow) -> Handle:
    return Handle(id=row.id, code=row.code, used_for=row.used_for)
