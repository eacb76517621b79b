"""What went through DingTalk lately, as far as our own rows tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.tables import CardRow, InboxRow

_CHANNEL = "dingtalk"
_BY_TEMPLATE = "card "  # how the handle of a card begins that a template drew


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """``cards``: how many cards a template drew, ``first_card_at`` the oldest of them."""

    message_at: datetime | None = None
    tap_at: datetime | None = None
    cards: int = 0
    first_card_at: datetime | None = None


def look(session: Session) -> Traffic:
    """A link button comes back as a message."""
    drawn = sa.select(sa.func.count(), sa.func.min(CardRow.created_at)).where(
        CardRow.channel == _CHANNEL, CardRow.handle.startswith(_BY_TEMPLATE)
    )
    cards, first_card_at = session.execute(drawn).one()
    return Traffic(
        message_at=_last(session, "msg:"),
        tap_at=_last(session, "tap:"),
        cards=cards,
        first_card_at=first_card_at,
    )


def _last(session: Session, kind: str) -> datetime | None:
    newest = sa.select(InboxRow.received_at).where(
        InboxRow.channel == _CHANNEL, InboxRow.event_key.startswith(kind)
    )
    return session.scalar(newest.order_by(InboxRow.id.desc()).limit(1))
