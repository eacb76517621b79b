"""Open cards whose code is about to expire are sent anew (message sheet, section 3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from handlers.cards import again
from handlers.cards.model import Card
from storage import card_handles, cards, outbox
from storage.card_handles import Ageing
from storage.database import Session

AFTER: Final = timedelta(hours=60)  # the platform takes a code for 72


def sweep(session: Session, *, now: datetime) -> int:
    """Send every such card once more in each span of 60 hours; how many."""
    ageing = card_handles.ageing(session, now=now, older_than=AFTER)
    return sum(_again(session, one, now) for one in ageing)


def _again(session: Session, one: Ageing, now: datetime) -> bool:
    window = (now - one.created_at) // AFTER
    key = f"{one.effect_key}:again:{window}"
    if outbox.exists(session, key):
        return False
    payload = again.resent(Card.from_dict(one.payload)).to_dict()
    card, _ = cards.show(
        session,
        effect_key=one.effect_key,
        kind=one.kind,
        subject_kind=one.subject_kind,
        subject_id=one.subject_id,
        person_id=one.person_id,
        channel=card_handles.CHANNEL,
        conversation=one.conversation,
        payload=payload,
        now=now,
    )
    return outbox.put(
        session,
        effect_key=key,
        channel=card.channel,
        conversation=card.conversation,
        person_id=card.person_id,
        user=one.user,
        kind="card",
        payload={"card": payload, "nonce": card.nonce, "version": card.version},
        card_id=card.id,
        now=now,
    )
