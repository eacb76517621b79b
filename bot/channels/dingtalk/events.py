"""What DingTalk says, as events of ours (protocol sheet, sections 2 and 5.4).

The same JSON comes through Stream and through the HTTP callback.  Nothing in it is trusted beyond
who sent it: a card's parameters are not signed, so the handlers check them against our own record.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from bot.channels.dingtalk.errors import Finding
from bot.channels.dingtalk.findings import CHANNEL
from handlers.messages import Inbound

Json = Mapping[str, Any]

GROUP: Final = f"{CHANNEL}:group:"  # then the group's openConversationId
NOBODY: Final = f"{CHANNEL}:chat:"  # somebody whom only their own chat's webhook can answer
_PRIVATE: Final = "1"
# What a link button of an action card makes the person say: 确认入库 #Ab3dEf6hIj0l
_SAID_BUTTON = re.compile(r"^(?P<label>\S.{0,19}?)\s*#(?P<nonce>[A-Za-z0-9_-]{12})$")
_UNKNOWN_KIND: Final = "unknown"
_FUTURE_S: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one message comes to.

    ``group_session``: the webhook of the group that it came from, to say that the answer comes in
    private.  ``lost_by``: whose message came without its words, because the quota is used up.
    """

    inbounds: tuple[Inbound, ...] = ()
    findings: tuple[Finding, ...] = ()
    group_session: str = ""
    lost_by: str = ""
    reason: str = ""  # why nothing follows


@dataclass(frozen=True, slots=True)
class SaidButton:
    """A text that a link button made the person send."""

    label: str
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """*robot_code* is ours; *webhook_hosts* are where a reply may go besides ``*.dingtalk.com``."""

    robot_code: str
    webhook_hosts: frozenset[str] = field(default_factory=frozenset)

    def message(self, data: Json, *, now: datetime) -> Heard:
        """A message to the robot: one event, or several for a text with pictures."""
        if (code := data.get("errorCode") or data.get("errCode")) is not None and not _body(data):
            return self._over_quota(data, str(code))
        user, findings = self._sender(data)
        private = str(data.get("conversationType") or _PRIVATE) == _PRIVATE
        chat = _text(data, "conversationId")
        session = self.webhook(data)
        if not user and not session:
            return Heard(findings=tuple(findings), reason="nobody")
        first = Inbound(
            channel=CHANNEL,
            event_key=_message_key(data),
            kind="other",
            # No API takes the encrypted id, but it tells one stranger from another.
            user=user or _text(data, "senderId") or "?",
            # Answers always go to the person: groups must not see what is said about customers.
            conversation=f"{CHANNEL}:{user}" if user else f"{NOBODY}{chat}",
            at=_at(data, now),
            handle=session if private or not user else "",
        )
        return Heard(
            inbounds=tuple(self._parts(data, first)),
            findings=tuple(findings),
            group_session="" if private or not user else session.partition(" ")[2],
        )

    def tap(self, data: Json, *, now: datetime) -> Inbound | None:
        """A button of a card, or its form; None when it says nothing that we know."""
        content = _object(data.get("content") or data.get("value"))
        private = _object(content.get("cardPrivateData"))
        params: dict[str, Any] = {}
        for place in (data, content, private):  # seen beside cardPrivateData as well
            params |= _object(place.get("params"))
        values = _object(params.get("form"))
        given = _params(params) | {key: values[key] for key in ("a", "n", "g") if key in values}
        card, user = _text(data, "outTrackId"), _text(data, "userId")
        action = str(given.get("a") or "")
        if not (card and user and action):
            return None
        made = Inbound(
            channel=CHANNEL,
            event_key="",
            kind="action",
            user=user,
            conversation=f"{CHANNEL}:{user}",
            at=now,
            action=action,
            arg=str(given.get("g") or ""),
            card_id=card.partition("~")[0],
            nonce=str(given.get("n") or ""),
            values={
                str(name): _value(value)
                for name, value in values.items()
                if name not in ("a", "n", "g")
            },
        )
        # Callbacks have no number.  The nonce changes with every drawing, so the same tap again is
        # a repeat, whoever sends it.
        told = json.dumps([made.arg, dict(made.values)], sort_keys=True, default=str)
        key = f"tap:{card}:{user}:{made.nonce}:{action}:{_digest(told.encode())[:16]}"
        return replace(made, event_key=key[:400])

    def webhook(self, data: Json) -> str:
        """``<ms until> <address>`` of the chat's session webhook; '' when it is not DingTalk's."""
        url, until = _text(data, "sessionWebhook"), data.get("sessionWebhookExpiredTime")
        parts = urlsplit(url)
        ours = parts.netloc in self.webhook_hosts
        theirs = parts.scheme == "https" and (parts.hostname or "").endswith(".dingtalk.com")
        if not (ours or theirs) or "@" in parts.netloc:
            return ""
        return f"{_int(until)} {url}"

    def _sender(self, data: Json) -> tuple[str, list[Finding]]:
        """The sender's user id, '' when no API could reach them, and what the admin should know."""
        findings: list[Finding] = []
        robot = _text(data, "robotCode")
        if robot and robot != self.robot_code:
            detail = {"got": robot, "expected": self.robot_code}
            findings.append(Finding(topic="addressee", problem="other_robot", detail=detail))
        home, theirs = _text(data, "chatbotCorpId"), _text(data, "senderCorpId")
        if home and theirs and home != theirs:
            return "", findings  # ids are unique within one company only
        user = _text(data, "senderStaffId")
        if not user and home and theirs:
            findings.append(Finding(topic="sender", problem="no_staff_id"))
        return user, findings

    def _over_quota(self, data: Json, code: str) -> Heard:
        words = str(data.get("errorMessage") or data.get("errMsg") or "")[:200]
        detail = {"code": code, "words": words}
        return Heard(
            findings=(Finding(topic="quota:push", problem="quota_spent", detail=detail),),
            lost_by=_text(data, "senderStaffId"),
            reason=f"quota:{code}",
        )

    def _parts(self, data: Json, first: Inbound) -> list[Inbound]:
        kind = _text(data, "msgtype")
        content = _object(data.get("content"))
        robot = _text(data, "robotCode") or self.robot_code
        ref = _ref(robot, content)
        match kind:
            case "text":
                return [replace(first, kind="text", text=_said(_object(data.get("text"))))]
            case "picture" | "image" if ref:
                return [replace(first, kind="photo", media_ref=ref)]
            case "audio" if ref:
                heard = str(content.get("recognition") or "").strip()
                return [replace(first, kind="voice", media_ref=ref, platform_text=heard)]
            case "video" if ref:
                return [replace(first, kind="file", media_ref=ref, media_name="video.mp4")]
            case "file" if ref:
                name = str(content.get("fileName") or "")
                return [replace(first, kind="file", media_ref=ref, media_name=name)]
            case "richText":
                if parts := _rich(content, first, robot):
                    return parts
        # Cards, places, forwarded chats: the platform calls them unknown and may say what it was.
        hint = str(content.get("unknownMsgType") or "")
        name = _UNKNOWN_KIND if kind == "unknownMsgType" else kind
        return [replace(first, kind="other", arg=name[:40], text=hint)]


def said_button(text: str) -> SaidButton | None:
    found = _SAID_BUTTON.match(text.strip())
    return SaidButton(found["label"].strip(), found["nonce"]) if found else None


def split_ref(ref: str) -> tuple[str, str]:
    """Robot code and download code of a ``media_ref``."""
    robot, _, code = ref.partition(" ")
    return robot, code


def _rich(content: Json, first: Inbound, robot: str) -> list[Inbound]:
    """The words as one event, each picture as its own."""
    items = content.get("richText")
    items = [_object(one) for one in items] if isinstance(items, list) else []
    words = "".join(str(one["text"]) for one in items if isinstance(one.get("text"), str)).strip()
    made = [replace(first, kind="text", text=words)] if words else []
    for item in items:
        if ref := _ref(robot, item):
            made.append(replace(first, kind="photo", media_ref=ref))
    return [
        replace(one, event_key=f"{first.event_key}:{number}") if number else one
        for number, one in enumerate(made)
    ]


def _ref(robot: str, content: Json) -> str:
    """What ``download`` needs: a code works for the robot only that received it."""
    code = content.get("downloadCode") or content.get("pictureDownloadCode")
    return f"{robot} {code}" if code else ""


def _said(text: Json) -> str:
    """In a group the words begin with a space, where the robot's name was cut out."""
    return str(text.get("content") or "").replace("\u200b", "").strip()


def _params(params: Mapping[str, Any]) -> dict[str, Any]:
    """A button's parameters: as they are, or as JSON in one of them."""
    if "a" in params:
        return dict(params)
    for value in params.values():
        if "a" in (inner := _object(value)):
            return inner
    return {}


def _value(value: Any) -> Any:
    """A form's answer: the chosen id, the list of them, or what was typed."""
    if isinstance(value, Mapping):
        value = value.get("value")
    if isinstance(value, list):
        return [str(_value(one)) for one in value]
    return value if isinstance(value, bool) else str(value if value is not None else "")


def _body(data: Json) -> bool:
    return bool(data.get("text") or data.get("content"))


def _message_key(data: Json) -> str:
    number = _text(data, "msgId")
    if 0 < len(number) <= 200:
        return f"msg:{number}"
    return f"msg:{_digest(json.dumps(data, sort_keys=True, default=str).encode())}"


def _at(data: Json, now: datetime) -> datetime:
    """When it was said; now when that is missing or still to come."""
    try:
        at = datetime.fromtimestamp(_int(data.get("createAt")) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return at if 0 < at.timestamp() <= now.timestamp() + _FUTURE_S else now


def _object(value: Any) -> dict[str, Any]:
    """An object, also where it comes as JSON in a string; empty for anything else."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return dict(value) if isinstance(value, Mapping) else {}


def _text(data: Json, name: str) -> str:
    value = data.get(name)
    return str(value).strip() if isinstance(value, (str, int)) else ""


def _int(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:40]
