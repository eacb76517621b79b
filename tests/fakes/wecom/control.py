"""Plays the fake from another process: POST /_fake/NAME with its arguments as JSON."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from tests.fakes.wecom.pushing import Delivery
from tests.fakes.wecom.state import Copy

# Methods of FakeWeCom, and what their arguments "data" hold: bytes in base64.
_MAY: Final = frozenset(
    (
        *("text", "image", "voice", "video", "location", "link", "file", "event", "enter"),
        *("tap", "menu", "sys_event", "inbox", "cards", "last_card", "card", "texts"),
        *("add_member", "add_department", "set_callback", "save_callback", "verify"),
        *("forward", "revoke_tokens", "fail", "slow", "drop", "garble", "heal", "oauth_code"),
    )
)


class Control:
    def __init__(self, fake: object) -> None:
        self._fake = fake

    async def answer(self, request: web.Request) -> web.Response:
        """A push is answered when the program has answered, or the platform gave up."""
        name = request.match_info["name"]
        if name not in _MAY:
            return _json({"error": f"no {name}; there are {sorted(_MAY)}"}, 404)
        body = await request.read()
        arguments: dict[str, Any] = json.loads(body) if body else {}
        if "data" in arguments:
            arguments["data"] = base64.b64decode(arguments["data"])
        method: Callable[..., Any] = getattr(self._fake, name)
        try:
            return _json(await asyncio.to_thread(_do, method, arguments))
        except (AssertionError, LookupError, TypeError) as error:
            return _json({"error": str(error)}, 400)


def _do(method: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    made = method(**arguments)
    return made.wait() if isinstance(made, Delivery) else made


def _plain(value: Any) -> Any:
    if isinstance(value, Delivery):
        return {
            "acked": value.acked,
            "msg_id": value.msg_id,
            "response_code": value.response_code,
            "attempts": [_plain(one) for one in value.attempts],
        }
    if isinstance(value, Copy):
        shown = {"type": value.type, "msgid": value.msgid, "task_id": value.task_id}
        return {**shown, "body": value.body, "grey": value.grey}
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return vars(value) if hasattr(value, "__dict__") else str(value)


def _json(said: Any, status: int = 200) -> web.Response:
    text = json.dumps(said, ensure_ascii=False, default=_plain)
    return web.Response(text=text, status=status, content_type="application/json")
