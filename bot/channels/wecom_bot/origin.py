"""Which message of a person an effect answers, and whether one is still being worked on."""

from __future__ import annotations

from typing import Final

from bot.channels.wecom_bot.inbound import CHANNEL
from storage import inbox, memos, people
from storage.database import Session

_OF_EVENTS: Final = ("in", "inbox", "media_gone")
_OF_RECORDS: Final = ("memo.confirm", "contradiction")
_OF_MEMOS: Final = ("memo", "memo.failed", "memo.join")


def origin(session: Session, effect_key: str) -> str:
    """The ``req_id`` of that message; '' when the effect answers none, as a digest does."""
    kind, _, rest = effect_key.removeprefix("parked:").partition(":")
    number = rest.partition(":")[0]
    if not number.isdigit():
        return ""
    inbox_id = _inbox_id(session, kind, int(number))
    arrived = inbox.get(session, inbox_id) if inbox_id else None
    if arrived is None or arrived.channel != CHANNEL:
        return ""
    return str(arrived.payload.get("handle") or "")


def _inbox_id(session: Session, kind: str, number: int) -> int | None:
    if kind in _OF_EVENTS:
        return number
    if kind in _OF_RECORDS:
        record = memos.get_record(session, number)
        number = record.memo_id if record else 0
    elif kind not in _OF_MEMOS:
        return None
    memo = memos.get(session, number)
    return memo.inbox_id if memo else None


def busy(session: Session, event_key: str) -> bool:
    """Whether an answer to that message may still come; a stranger's gets none of its own."""
    inbox_id = inbox.id_of(session, CHANNEL, event_key)
    arrived = inbox.get(session, inbox_id) if inbox_id else None
    if inbox_id is None or arrived is None:
        return False
    if arrived.state == "received":
        user = str(arrived.payload.get("user") or "")
        return people.by_platform(session, CHANNEL, user) is not None
    memo = memos.of_inbox(session, inbox_id)
    return memo is not None and memo.state in ("received", "heard")
