"""A message to see whether a platform delivers: from the set-up page and ``genjin send-test``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from bot import channel_words, dingtalk_words
from sales.people import Person
from storage import outbox, people
from storage.database import Session
from storage.jobs import queue_of

_EFFECT: Final = "test:"
_REFUSED = re.compile(r"^wecom (\d+)\b[^:]*: ?(.*)$", re.S)
# v1.0: status, code, path; oapi: number, path; asked for a token: status, code.
_DINGTALK = re.compile(r"^dingtalk (\d+)(?: ([\w.]*))?(?: at ([^\s:]+))?: ?(.*)$", re.S)
_OFF = re.compile(r"channel (\w+) is off")
_FROM_IP = re.compile(r"from ip:\s*([0-9a-fA-F.:]*[0-9a-fA-F])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of it; ``why`` in words where it has not been sent."""

    state: Literal["sent", "waiting", "failed"]
    why: str = ""


def text(now: datetime) -> str:
    return channel_words.TEST_TEXT.format(at=channel_words.local(now))


def put(session: Session, channel: str, person: Person, *, key: str, now: datetime) -> int | None:
    """Queue one for *person*; None when they have no id there.  The same *key* is the same message.

    Returns:
        The number to ask ``fate`` with.
    """
    user = people.user_on(session, person.id, channel)
    if not user:
        return None
    told, conversation, _ = people.address(session, person.id)
    effect = f"{_EFFECT}{channel}:{key}"
    outbox.put(
        session,
        effect_key=effect,
        channel=channel,
        conversation=conversation if told == channel else f"{channel}:{user}",
        person_id=person.id,
        user=user,
        kind="text",
        payload={"text": text(now)},
        now=now,
    )
    return outbox.id_of(session, effect)


def fate(session: Session, outbox_id: int) -> Fate | None:
    """None when that is no test message."""
    row = outbox.get(session, outbox_id)
    if row is None or not row.effect_key.startswith(_EFFECT):
        return None
    if row.state == "sent":
        return Fate(state="sent")
    if row.state == "parked":
        return Fate(state="failed", why=why(row.reason, row.user))
    waiting = queue_of(session).listing(session, states=("queued", "running", "parked"), limit=1000)
    job = next((one for one in waiting if (one.kind, one.ref) == ("outbox", outbox_id)), None)
    return Fate(state="waiting", why=why(job.reason, row.user) if job and job.reason else "")


def why(reason: str, user: str) -> str:
    """A channel's reason in words, where its error code is known."""
    if off := _OFF.fullmatch(reason):
        title = channel_words.TITLES.get(off[1], off[1])
        return channel_words.TEST_NO_CHANNEL.format(title=title)
    if reason.startswith("dingtalk"):
        return _on_dingtalk(reason, user)
    found = _REFUSED.match(reason)
    if found is None:
        return reason
    detail: dict[str, Any] = {"errcode": int(found[1]), "words": found[2], "users": [user]}
    if ip := _FROM_IP.search(found[2]):
        detail["ip"] = ip[1]
    return refusal(detail)


def refusal(detail: Mapping[str, Any]) -> str:
    """What an error code of WeCom means, and what to do about it."""
    from bot.channels.wecom.errors import rule_for

    code = rule_for(int(detail["errcode"])).problem
    if not code:
        return channel_words.REFUSED.format(**detail)
    return channel_words.SENTENCE.format(*channel_words.problem("wecom", code, detail))


def _on_dingtalk(reason: str, user: str) -> str:
    from bot.channels.dingtalk import errors

    for begin, words in dingtalk_words.REASONS.items():
        if reason.startswith(begin):
            return words
    found = _DINGTALK.match(reason)
    if found is None:
        return reason
    number, code, path, told = int(found[1]), found[2] or "", found[3] or "", found[4]
    if not path:
        error = errors.bad_secret(number, {"code": code, "message": told})
    elif path.startswith("/v1.0/"):
        error = errors.from_v1(number, {"code": code, "message": told}, path)
    else:
        error = errors.from_oapi(number, told, path)
    finding: errors.Finding | None = getattr(error, "finding", None)
    if isinstance(error, errors.PersonUnreachable):
        finding = errors.Finding(topic="people", problem="out_of_range", detail={"users": [user]})
    if finding is None:
        return dingtalk_words.REFUSED.format(code=code or number, words=told)
    said = channel_words.problem("dingtalk", finding.problem, finding.detail, topic=finding.topic)
    return channel_words.SENTENCE.format(*said)
