"""From what a handler returns to outbox rows, in the handler's own transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from handlers.messages import Attachment, GroupSay, Outbound, Picture, Say, Show
from storage import cards, outbox, people
from storage.database import Session


def post(session: Session, said: Iterable[Outbound], *, now: datetime) -> None:
    """Every effect once; a card that exists is redrawn where it is."""
    for one in said:
        if isinstance(one, Show):
            _show(session, one, now)
        elif isinstance(one, GroupSay):
            outbox.put(
                session,
                effect_key=one.effect_key,
                channel=one.channel,
                conversation=f"{one.channel}:{one.group}",
                person_id=None,
                user=one.group,
                kind="group",
                payload={"text": one.text},
                now=now,
            )
        else:
            kind, payload = _plain(one)
            channel, conversation, user = people.address(session, one.person_id)
            outbox.put(
                session,
                effect_key=one.effect_key,
                channel=channel,
                conversation=conversation,
                person_id=one.person_id,
                user=user,
                kind=kind,
                payload=payload,
                now=now,
            )


def _plain(one: Say | Picture | Attachment) -> tuple[str, dict[str, Any]]:
    match one:
        case Say():
            return ("markdown" if one.markdown else "text"), {"text": one.text}
        case Picture():
            return "image", {"media_sha": one.media_sha, "media_name": one.name}
        case Attachment():
            return "file", {"media_sha": one.media_sha, "media_name": one.name}


def _show(session: Session, one: Show, now: datetime) -> None:
    channel, conversation, user = people.address(session, one.person_id)
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
