"""Which card shows what, and to whom."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.tables import CardRow


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    id: str
    kind: str
    subject_kind: str
    subject_id: int
    person_id: int
    channel: str
    conversation: str
    nonce: str
    version: int


def show(
    session: Session,
    *,
    effect_key: str,
    kind: str,
    subject_kind: str,
    subject_id: int,
    person_id: int,
    channel: str,
    conversation: str,
    payload: dict[str, Any],
    now: datetime,
) -> tuple[CardView, bool]:
    """Create the card, or redraw it: its version grows by one.

    Returns:
        The card and whether it is new.
    """
    row = session.scalar(
        sa.select(CardRow).where(CardRow.effect_key == effect_key).with_for_update()
    )
    fresh = row is None
    if row is None:
        row = CardRow(
            id=f"{kind.replace('.', '-')}-{secrets.token_hex(6)}",
            effect_key=effect_key,
            kind=kind,
            subject_kind=subject_kind,
            subject_id=subject_id,
            person_id=person_id,
            channel=channel,
            conversation=conversation,
            handle="",
            created_at=now,
            version=0,
        )
        session.add(row)
    # A new nonce with every drawing: a tap on an older drawing is known as such.
    row.nonce = secrets.token_urlsafe(9)
    row.version, row.payload, row.updated_at, row.kind = row.version + 1, payload, now, kind
    session.flush()
    return _view(row), fresh


def get(session: Session, card_id: str) -> CardView | None:
    row = session.get(CardRow, card_id)
    return _view(row) if row else None


def chosen(session: Session, card_id: str) -> dict[str, str]:
    """What the drawing shows as chosen in its drop-downs: question to option."""
    row = session.get(CardRow, card_id)
    questions = row.payload.get("questions", ()) if row else ()
    return {
        one["id"]: one["selected"]
        for one in questions
        if one["choices"] and one["selected"] and not one["multiple"]
    }


def exists(session: Session, effect_key: str) -> bool:
    return session.scalar(sa.select(sa.exists().where(CardRow.effect_key == effect_key))) is True


def remember_handle(session: Session, card_id: str, handle: str) -> None:
    session.execute(sa.update(CardRow).where(CardRow.id == card_id).values(handle=handle))


def _view(row: CardRow) -> CardView:
    return CardView(
        id=row.id,
        kind=row.kind,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        person_id=row.person_id,
        channel=row.channel,
        conversation=row.conversation,
        nonce=row.nonce,
        version=row.version,
    )
