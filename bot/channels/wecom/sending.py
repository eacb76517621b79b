"""Bodies of messages, and what the answers to them say (protocol sheet, section 4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.rendering.fit import split_text
from bot.rendering.limits import TEXT_BYTES

MsgType = Literal["text", "markdown", "image", "file", "template_card"]

# An identical request within so many seconds is not shown again: our second try after a crash.
REPEAT_S: Final = 3600
_WEBHOOK_TEXT: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """``code`` changes the card once; ``missed`` did not get it, though nothing else failed."""

    message_id: str = ""
    code: str = ""
    missed: tuple[str, ...] = ()
    unlicensed: tuple[str, ...] = ()


def parts(text: str) -> list[str]:
    """The text as messages that the platform does not cut; the last says how many they are."""
    return split_text(text, TEXT_BYTES)


def to_members(
    agent_id: int,
    users: Sequence[str],
    kind: MsgType,
    content: dict[str, Any],
    *,
    once: bool,
) -> dict[str, Any]:
    """A ``message/send``.  *once*: the platform drops a second request with the same words."""
    body: dict[str, Any] = {"touser": "|".join(users), "msgtype": kind, "agentid": agent_id}
    body[kind] = content
    if once:
        body |= {"enable_duplicate_check": 1, "duplicate_check_interval": REPEAT_S}
    return body


def change(agent_id: int, users: Sequence[str], code: str, card: dict[str, Any]) -> dict[str, Any]:
    """A ``message/update_template_card``; the card keeps the task id that it was sent with."""
    shown = {name: value for name, value in card.items() if name != "task_id"}
    return {
        "userids": list(users),
        "agentid": agent_id,
        "response_code": code,
        "template_card": shown,
    }


def to_chat(chat_id: str, text: str) -> dict[str, Any]:
    return {"chatid": chat_id, "msgtype": "text", "text": {"content": text}}


def to_webhook(text: str) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": text}}


def receipt(answer: dict[str, Any], users: Iterable[str]) -> Receipt:
    """Read the answer: with ``errcode`` 0 some may still have got nothing.

    The platform writes ids in lower case, whatever we wrote.
    """
    wanted = {one.lower(): one for one in users}

    def among(name: str) -> tuple[str, ...]:
        found = answer.get(name) or ()
        listed = found.split("|") if isinstance(found, str) else found
        return tuple(wanted[one.lower()] for one in listed if one.lower() in wanted)

    unlicensed = among("unlicenseduser")
    return Receipt(
        message_id=str(answer.get("msgid") or ""),
        code=str(answer.get("response_code") or ""),
        missed=tuple(dict.fromkeys((*among("invaliduser"), *unlicensed))),
        unlicensed=unlicensed,
    )
