"""What a callback says, as events of ours (protocol sheet 6.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from bot.channels.wecom_bot.media import make_ref
from bot.rendering.wecom import card_of, parse_key
from handlers.messages import Inbound

CHANNEL: Final = "wecom_bot"
_MANY: Final = "vote_interaction"  # the only card on which several answers may be ticked
_MENTION = re.compile(r"^\s*@\S+\s*")


def sender(body: Mapping[str, Any]) -> str:
    """Who wrote or tapped, as the platform calls them; '' when it does not say."""
    return str(_part(body, "from").get("userid") or "")


def in_group(body: Mapping[str, Any]) -> bool:
    return body.get("chattype") == "group"


def conversation_of(user: str) -> str:
    """Always the chat with that one person: what is said there does not concern a group."""
    return f"{CHANNEL}:{user}"


def chat_of(conversation: str, user: str) -> str:
    """The id to send to: as the platform spelled it, or the person's id when they never wrote."""
    name, _, chat = conversation.partition(":")
    return chat if name == CHANNEL and chat else user


def read(body: Mapping[str, Any], *, user: str, at: datetime, req_id: str) -> tuple[Inbound, ...]:
    """The events of one message, the explaining text last.

    *user*: the person's plain user id.  Nothing when the message has no id.
    """
    msgid = str(body.get("msgid") or "")
    if not msgid:
        return ()
    parts = _parts(body)
    return tuple(
        Inbound(
            channel=CHANNEL,
            event_key=msgid if number == len(parts) - 1 else f"{msgid}#{number}",
            user=user,
            conversation=conversation_of(sender(body)),
            at=at,
            handle=req_id,
            values=_quoted(body),
            **part,
        )
        for number, part in enumerate(parts)
    )


def read_tap(body: Mapping[str, Any], *, user: str, at: datetime, req_id: str) -> Inbound | None:
    """A button, a form sent or a menu entry; None when the event has no id."""
    clicked = _part(_part(body, "event"), "template_card_event")
    msgid = str(body.get("msgid") or "")
    if not msgid:
        return None
    tap = parse_key(str(clicked.get("event_key") or ""))
    return Inbound(
        channel=CHANNEL,
        event_key=msgid,
        kind="action",
        user=user,
        conversation=conversation_of(sender(body)),
        at=at,
        action=tap.action,
        nonce=tap.nonce,
        arg=tap.arg,
        card_id=card_of(task_of(body)),
        handle=req_id,
        values=_chosen(clicked),
    )


def task_of(body: Mapping[str, Any]) -> str:
    """The task id of the card that was tapped."""
    return str(_part(_part(body, "event"), "template_card_event").get("task_id") or "")


# --- the parts of a message ---------------------------------------------------------------------


def _parts(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    kind = str(body.get("msgtype") or "")
    if kind != "mixed":
        return [_one(kind, _part(body, kind), group=in_group(body))]
    items = _part(body, "mixed").get("msg_item")
    made = [
        _one(str(item.get("msgtype") or ""), _part(item, str(item.get("msgtype"))), group=False)
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict)
    ]
    texts = [part["text"] for part in made if part["kind"] == "text" and part["text"]]
    others = [part for part in made if part["kind"] != "text"]
    said = _without_mention("\n".join(texts)) if in_group(body) else "\n".join(texts)
    # The text explains the pictures, so it comes after them.
    return [*others, {"kind": "text", "text": said}] if said or not others else others


def _one(kind: str, part: Mapping[str, Any], *, group: bool) -> dict[str, Any]:
    if kind == "text":
        text = str(part.get("content") or "")
        return {"kind": "text", "text": _without_mention(text) if group else text}
    if kind == "voice":
        # The platform's own transcript; the sound itself is not given to bots.
        return {"kind": "voice", "platform_text": str(part.get("content") or "").strip()}
    url = str(part.get("url") or "")
    if kind in ("image", "file", "video") and url:
        ref = make_ref(url, str(part.get("aeskey") or ""))
        return {"kind": "photo" if kind == "image" else "file", "media_ref": ref}
    return {"kind": "other", "arg": kind}  # nobody described it yet: answered politely


def _without_mention(text: str) -> str:
    return _MENTION.sub("", text, count=1)


def _quoted(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the person quoted, kept beside their words."""
    quote = _part(body, "quote")
    kind = str(quote.get("msgtype") or "")
    text = _part(quote, kind).get("content") if kind in ("text", "voice") else ""
    return {"quote": {"kind": kind, "text": str(text or "")}} if kind else {}


def _chosen(clicked: Mapping[str, Any]) -> dict[str, Any]:
    """Question to the chosen option; to a list of options where several may be ticked."""
    many = clicked.get("card_type") == _MANY
    found: dict[str, Any] = {}
    for item in _list(_part(clicked, "selected_items").get("selected_item")):
        if not isinstance(item, dict):
            continue
        options = [str(one) for one in _list(_part(item, "option_ids").get("option_id"))]
        if many or len(options) > 1:
            found[str(item.get("question_key") or "")] = options
        elif options:
            found[str(item.get("question_key") or "")] = options[0]
    return found


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}


def _list(value: Any) -> list[Any]:
    """A list; a single thing stands for a list of one, as XML-minded platforms send it."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
