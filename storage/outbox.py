"""Everything to say.  The effect key is unique, so a handler that runs twice says it once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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


def id_of(session: Session, effect_key: str) -> int | None:
    row = _by_key(session, effect_key)
    return row.id if row else None


def exists(session: Session, effect_key: str) -> bool:
    return _by_key(session, effect_key) is not None


def said_before(session: Session, effect_key: str, *, within: timedelta) -> bool:
    """Whether the same words, or the same file, went there not long before this effect."""
    row = _by_key(session, effect_key)
    if row is None:
        return False
    what = "media_sha" if "media_sha" in row.payload else "text"
    same = sa.exists().where(
        OutboxRow.conversation == row.conversation,
        OutboxRow.id < row.id,
        OutboxRow.created_at >= row.created_at - within,
        OutboxRow.kind == row.kind,
        OutboxRow.payload[what].as_string() == row.payload.get(what, ""),
    )
    return session.scalar(sa.select(same)) is True


def waiting(session: Session, conversation: str) -> int:
    """How many effects are still to be sent there."""
    unsent = sa.select(sa.func.count()).where(
        OutboxRow.conversation == conversation,
        OutboxRow.state.in_(("queued", "sending", "unknown")),
    )
    return session.scalar(unsent) or 0


def parts_sent(session: Session, effect_key: str) -> tuple[str, ...]:
    """The platform's ids of the parts of a long text that have arrived."""
    row = _by_key(session, effect_key)
    return tuple(row.payload.get("parts_sent", ())) if row else ()


def keep_parts_sent(session: Session, effect_key: str, ids: Sequence[str]) -> None:
    row = _by_key(session, effect_key)
    if row is not None:
        row.payload = {**row.payload, "parts_sent": list(ids)}


def _by_key(session: Session, effect_key: str) -> OutboxRow | None:
    return session.scalar(sa.select(OutboxRow).where(OutboxRow.effect_key == effect_key))


def close(session: Session, outbox_id: int, *, state: str, reason: str = "") -> None:
    """``superseded`` by a later redraw, ``unknown`` after a crash while sending, or ``parked``."""
    session.execute(
        sa.update(OutboxRow)
        .where(OutboxRow.id == outbox_id, OutboxRow.state != "sent")
        .values(state=state, reason=reason)
    )
