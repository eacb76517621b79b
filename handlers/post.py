"""From what a handler returns to outbox rows, in the handler's own transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from handlers.messages import Outbound, Say
from storage import cards, outbox, people
from storage.database import Session


def post(session: Session, said: Iterable[Outbound], *, now: datetime) -> None:
    """Every effect once; a card that exists is redrawn where it is."""
    for one in said:
        channel, conversation, user = people.address(session, one.person_id)
        if isinstance(one, Say):
            outbox.put(
                session,
                effect_key=one.effect_key,
                channel=channel,
                conversation=conversation,
                person_id=one.person_id,
                user=user,
                kind="text",
                payload={"text": one.text},
                now=now,
            )
            continue
        payload = one.card.to_dict()
        card, fresh = cards.show(
            session,
            effect_key=one.card_key,
            kind=one.card.kind,
            subject_kind=one.subject_kind,
            subject_id=one.subject_id,
            person_id=one.person_id,
            channel=channel,
            conversation=conversation,
            payload=payload,
            now=now,
        )
        # A card lives in the chat that it was first shown in, wherever the person writes now.
        if not fresh and card.channel != channel:
            channel, conversation = card.channel, card.conversation
            user = people.user_on(session, one.person_id, channel)
        outbox.put(
            session,
            effect_key=f"{one.card_key}:v{card.version}",
            channel=channel,
            conversation=conversation,
            person_id=one.person_id,
            user=user,
            kind="card" if fresh else "rewrite",
            payload={"card": payload, "nonce": card.nonce, "version": card.version},
            card_id=card.id,
            now=now,
        )
