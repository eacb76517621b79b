"""What DingTalk's messages and cards left behind that an answer needs."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.cards import CardView, get
from storage.tables import CardRow, InboxRow

_LOOK_BACK = 2_000  # events; a webhook older than those is over anyhow, and this needs no index


def last_handle(session: Session, channel: str, conversation: str) -> str:
    """The ``Inbound.handle`` of the newest message of *conversation*; '' when none is near."""
    newest = session.scalar(sa.select(sa.func.max(InboxRow.id))) or 0
    rows = session.scalars(
        sa.select(InboxRow.payload)
        .where(
            InboxRow.id > newest - _LOOK_BACK,
            InboxRow.channel == channel,
            InboxRow.conversation == conversation,
            InboxRow.kind != "action",
        )
        .order_by(InboxRow.id.desc())
        .limit(5)
    )
    return next((handle for row in rows if (handle := str(row.get("handle") or ""))), "")


def card_by_nonce(session: Session, nonce: str) -> tuple[CardView, dict[str, object]] | None:
    """The card that is drawn with *nonce* now, and what it shows."""
    row = session.scalar(sa.select(CardRow).where(CardRow.nonce == nonce))
    found = get(session, row.id) if row else None
    return (found, row.payload) if row and found else None
