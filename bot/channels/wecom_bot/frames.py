"""Frames of the long connection (protocol sheet 6.4) and what its refusals mean."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from bot.channels.base import ChannelError

SUBSCRIBE: Final = "aibot_subscribe"
PING: Final = "ping"
MESSAGE: Final = "aibot_msg_callback"
EVENT: Final = "aibot_event_callback"
RESPOND: Final = "aibot_respond_msg"
WELCOME: Final = "aibot_respond_welcome_msg"
UPDATE: Final = "aibot_respond_update_msg"
SEND: Final = "aibot_send_msg"

NOT_SUBSCRIBED: Final = 846609
TOO_OFTEN: Final = 45009
NEVER_WROTE: Final = (93006, 93001)
# The request that this answers is gone: its connection, its stream or its five seconds.
STALE: Final = (846605, 846608)
# Seconds until another try.  Whatever is not here stays refused.
_WAIT_S: Final = {-1: 2.0, 6000: 2.0, 45035: 2.0, 45033: 5.0, TOO_OFTEN: 60.0, NOT_SUBSCRIBED: 5.0}

# As Tencent's own SDK does: what they type or say may hold what JSON must not.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Refused(ChannelError):
    """The platform said no: certainly nothing happened."""

    code = "aibot_refused"

    def __init__(self, errcode: int, errmsg: str) -> None:
        why = " (this person has not written to the bot yet)" if errcode in NEVER_WROTE else ""
        super().__init__(
            f"{errcode}: {errmsg[:200]}{why}",
            transient=errcode in _WAIT_S,
            retry_after_s=_WAIT_S.get(errcode, 5.0),
        )
        self.errcode = errcode


class BadFrame(ValueError):
    """Not a frame of this protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """``cmd`` is '' in an acknowledgement, ``req_id`` '' in an error about who knows what."""

    cmd: str
    req_id: str
    body: dict[str, Any] = field(default_factory=dict)
    errcode: int = 0
    errmsg: str = ""


def parse(raw: str) -> Frame:
    """Raises BadFrame."""
    try:
        data = json.loads(_CONTROL.sub("", raw), strict=False)
    except (ValueError, RecursionError):
        raise BadFrame("no JSON") from None
    if not isinstance(data, dict):
        raise BadFrame("no object")
    headers, body = data.get("headers"), data.get("body")
    errcode = data.get("errcode")
    return Frame(
        cmd=str(data.get("cmd") or ""),
        req_id=str(headers.get("req_id") or "") if isinstance(headers, dict) else "",
        body=body if isinstance(body, dict) else {},
        errcode=errcode if isinstance(errcode, int) else 0,
        errmsg=str(data.get("errmsg") or ""),
    )


def build(cmd: str, req_id: str, body: dict[str, Any] | None) -> str:
    made: dict[str, Any] = {"cmd": cmd, "headers": {"req_id": req_id}}
    if body is not None:
        made["body"] = body
    return json.dumps(made, ensure_ascii=False)


def new_id(prefix: str) -> str:
    """An id of ours; the platform's own ids never begin like this."""
    return f"{prefix}_{secrets.token_hex(8)}"
