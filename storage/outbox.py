"""Everything to say.  The effect key is unique, so a handler that runs twice says it once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import jobs
from storage.sql import changed, insert_new
from storage.tables import CardRow, OutboxRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ToSend:
    id: int
    effect_key: str
    channel: str
    conversation: str
    user: str
    kind: str
    card_id: str | None
    payload: dict[str, Any]
    state: str
    reason: str
    nonce: str
    handle: str
    outdated: bool  # a later redraw of the same card is on its way


def put(
    session: Session,
    *,
    effect_key: str,
    channel: str,
    conversation: str,
    person_id: int | None,
    user: str,
    kind: str,
    payload: dict[str, Any],
    now: datetime,
    card_id: str | None = None,
) -> bool:
    """Add one effect and its job; False when it was said before."""
    outbox_id = insert_new(
        session,
        OutboxRow,
        effect_key=effect_key,
        channel=channel,
        conversation=conversation,
        person_id=person_id,
        kind=kind,
        card_id=card_id,
        payload={**payload, "user": user},
        created_at=now,
    )
    if outbox_id is None:
        return False
    jobs.put(
        session,
        jobs.NewJob(kind="outbox", ref=outbox_id, lane="push", lock=conversation),
    )
    return True


def get(session: Session, outbox_id: int) -> ToSend | None:
    row = session.get(OutboxRow, outbox_id)
    if row is None:
        return None
    card = session.get(CardRow, row.card_id) if row.card_id else None
    return ToSend(
        id=row.id,
        effect_key=row.effect_key,
        channel=row.channel,
        conversation=row.conversation,
        user=row.payload["user"],
        kind=row.kind,
        card_id=row.card_id,
        payload=row.payload,
        state=row.state,
        reason=row.reason,
        nonce=row.payload.get("nonce", ""),
        handle=card.handle if card else "",
        outdated=bool(card and card.version > row.payload.get("version", 0)),
    )


def sending(session: Session, outbox_id: int) -> bool:
    """Mark the attempt before the platform is called; False when it is done already."""
    open_states = ("queued", "sending", "unknown", "parked")
    mark = sa.update(OutboxRow).where(OutboxRow.id == outbox_id, OutboxRow.state.in_(open_states))
    return changed(session, mark.values(state="sending", attempts=OutboxRow.attempts + 1)) == 1


def sent(session: Session, outbox_id: int, *, platform_id: str, handle: str, now: datetime) -> None:
    row = session.get_one(OutboxRow, outbox_id)
    row.state, row.platform_id, row.sent_at, row.reason = "sent", platform_id, now, ""
    if row.card_id and handle:
        session.get_one(CardRow, row.card_id).handle = handle


def close(session: Session, outbox_id: int, *, state: str, reason: str = "") -> None:
    """``superseded`` by a later redraw, ``unknown`` after a crash while sending, or ``parked``."""
    session.execute(
        sa.update(OutboxRow)
        .where(OutboxRow.id == outbox_id, OutboxRow.state != "sent")
        .values(state=state, reason=reason)
    )
