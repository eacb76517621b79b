"""What a callback says, as an event of ours (protocol sheet, sections 1.6 and 2).

Everything here stands inside the cipher, so it comes from WeCom; it may still be of a kind that
nobody has described yet.  Such a message is answered politely, such an event is left alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree.ElementTree import Element

from bot.channels.wecom.markup import parse, text
from bot.rendering.wecom import card_of, parse_key
from handlers.messages import Inbound
from sales.clock import COMPANY_ZONE

CHANNEL: Final = "wecom"
SYSTEM: Final = "sys"  # who "sends" what concerns the app and nobody in particular


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing follows from it; ``reason`` is a code for the list of attempts."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something about the app that its admin must know; ``problem`` '' says that it is over."""

    topic: str
    problem: str
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DirectoryChanged:
    """Members came, went or moved: the directory should be read again."""

    reason: str


Told = Inbound | Ignored | Trouble | DirectoryChanged

_TROUBLES: Final = {
    "inactive_alert": "inactive_soon",
    "low_active_alert": "inactive_soon",
    "low_active": "inactive",
    "close_inactive_agent": "closed",
    "reopen_inactive_agent": "",
    "active_restored": "",
}
_IGNORED: Final = {
    "location": "position",  # sent on entering the chat where the member agreed to it
    "view": "menu_link",
    "view_miniprogram": "menu_link",
    "scancode_push": "menu_scan",
    "pic_sysphoto": "menu_picture",  # the pictures themselves come as messages
    "pic_photo_or_album": "menu_picture",
    "pic_weixin": "menu_picture",
    "open_approval_change": "approval",
    "sys_approval_change": "approval",
    "share_agent_change": "sharing",
    "share_chain_change": "sharing",
}
_DIRECTORY: Final = ("change_contact", "unsubscribe", "batch_job_result")
_TAPS: Final = ("template_card_event", "template_card_menu_event")
_MANY: Final = "vote_interaction"  # the only card on which several answers may be ticked


def read(plain: bytes, *, now: datetime) -> Told:
    """What *plain*, the decrypted message, says.  *now* stands in for a missing time.

    Raises:
        BadXml: it is no plain XML.
    """
    root = parse(plain)
    sender = text(root, "FromUserName")
    if not sender:
        return Ignored("nobody")
    kind = text(root, "MsgType").lower()
    if kind == "event":
        return _event(root, plain, now)
    if not kind:
        return Ignored("unreadable")
    return _inbound(root, _message_key(root, plain), now, **_message(root))


# --- messages -----------------------------------------------------------------------------------


def _message(root: Element) -> dict[str, Any]:
    kind = text(root, "MsgType").lower()
    media = text(root, "MediaId")
    if kind == "text":
        return {"kind": "text", "text": text(root, "Content")}
    if media and kind == "image":
        return {"kind": "photo", "media_ref": media}
    if media and kind == "voice":
        # The documents know no Recognition; where one comes it is only a hint.
        heard = text(root, "Recognition")
        return {"kind": "voice", "media_ref": media, "platform_text": heard}
    if media and kind in ("video", "shortvideo"):
        return {"kind": "file", "media_ref": media, "media_name": "video.mp4"}
    if media and kind == "file":
        return {"kind": "file", "media_ref": media, "media_name": text(root, "FileName", "Title")}
    return {"kind": "other", "arg": kind, "text": _OTHER.get(kind, _nothing)(root)}


def _nothing(_: Element) -> str:
    return ""


def _place(root: Element | None) -> str:
    return text(root, "Label") or f"{text(root, 'Location_X')},{text(root, 'Location_Y')}"


def _link(root: Element) -> str:
    return " ".join(part for part in (text(root, "Title"), text(root, "Url")) if part)


_OTHER: Final[dict[str, Callable[[Element], str]]] = {"location": _place, "link": _link}


# --- events -------------------------------------------------------------------------------------


def _event(root: Element, plain: bytes, now: datetime) -> Told:
    name = text(root, "Event").lower()  # some senders write CLICK and LOCATION
    if name in _TROUBLES:
        detail = {"event": name, "effect_at": text(root, "EffectTime")}
        return Trouble(topic="app", problem=_TROUBLES[name], detail=detail)
    if name in _DIRECTORY:
        return DirectoryChanged(text(root, "ChangeType") or name)
    if name in _IGNORED:
        return Ignored(_IGNORED[name])
    if text(root, "FromUserName").lower() == SYSTEM:
        return Ignored(f"system:{name[:40]}")
    key = _event_key(root, name, plain)
    if name in _TAPS:
        return _inbound(root, key, now, **_tap(root))
    if name == "subscribe":
        return _inbound(root, key, now, kind="event", action="welcome")
    if name == "enter_agent":
        return _inbound(root, _once_a_day(root, name, now), now, kind="event", action="enter")
    if name == "click":
        return _inbound(root, key, now, kind="event", action="menu", arg=text(root, "EventKey"))
    if name == "scancode_waitmsg":
        scanned = text(root.find("ScanCodeInfo"), "ScanResult")
        return _inbound(root, key, now, kind="other", arg="scan", text=scanned)
    if name == "location_select":
        place = _place(root.find("SendLocationInfo"))
        return _inbound(root, key, now, kind="other", arg="location", text=place)
    return Ignored(f"unknown:{name[:40]}")


def _tap(root: Element) -> dict[str, Any]:
    tap = parse_key(text(root, "EventKey"))
    return {
        "kind": "action",
        "action": tap.action,
        "nonce": tap.nonce,
        "arg": tap.arg,
        "card_id": card_of(text(root, "TaskId", "TaskID")),
        "handle": text(root, "ResponseCode"),
        "values": _values(root),
    }


def _values(root: Element) -> dict[str, Any]:
    """Question to the chosen option; to a list of options where several may be ticked."""
    many = text(root, "CardType").lower() == _MANY
    found: dict[str, Any] = {}
    for item in root.iterfind("SelectedItems/SelectedItem"):
        options = [(one.text or "").strip() for one in item.iterfind("OptionIds/OptionId")]
        if many or len(options) > 1:
            found[text(item, "QuestionKey")] = options
        elif options:
            found[text(item, "QuestionKey")] = options[0]
    return found


# --- what every event has -----------------------------------------------------------------------


def _inbound(root: Element, key: str, now: datetime, **given: Any) -> Inbound:
    user = _user(root)
    return Inbound(
        channel=CHANNEL,
        event_key=key,
        user=user,
        conversation=f"{CHANNEL}:{user}",
        at=_at(root, now),
        **given,
    )


def _user(root: Element) -> str:
    """User ids differ by more than capitals."""
    return text(root, "FromUserName").lower()


def _at(root: Element, now: datetime) -> datetime:
    said = text(root, "CreateTime")
    try:
        return datetime.fromtimestamp(int(said), UTC) if said else now
    except (ValueError, OverflowError, OSError):
        return now


def _message_key(root: Element, plain: bytes) -> str:
    number = text(root, "MsgId")
    return f"msg:{number}" if 0 < len(number) <= 32 else f"msg:{_digest(plain)}"


def _event_key(root: Element, name: str, plain: bytes) -> str:
    """Events have no number.  Sender and second are too weak: see the sheet, 1.6."""
    approval = root.find("ApprovalInfo")
    telling = (
        text(root, "EventKey"),
        text(root, "TaskId", "TaskID"),
        text(root, "ResponseCode"),
        text(root, "ChangeType"),
        text(approval, "ThirdNo", "SpNoStr", "SpNo"),
    )
    parts = [
        text(root, "AgentID", "AgentId"),
        name,
        _user(root),
        text(root, "CreateTime"),
        *telling,
    ]
    if not any(telling):
        parts.append(_digest(plain))
    return f"{name}:{_digest(json.dumps(parts).encode())}"


def _once_a_day(root: Element, name: str, now: datetime) -> str:
    day = _at(root, now).astimezone(COMPANY_ZONE).date()
    return f"{name}:{text(root, 'AgentID', 'AgentId')}:{_user(root)}:{day}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:40]
