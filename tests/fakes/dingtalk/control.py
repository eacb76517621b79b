"""Driving a fake that runs in a process of its own::

    POST <login_base>/_fake/say_text  {"user": "lina", "content": "..."}
    POST <login_base>/_fake/seen      {"user": "lina"}

Any name below; the body's keys are the method's arguments, bytes are given in base64.
"""

from __future__ import annotations

import base64
import dataclasses
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from tests.fakes.dingtalk.gate import Ask, Route
from tests.fakes.dingtalk.state import App, World

NAMES: Final = frozenset(
    {
        *("say_text", "say_picture", "say_rich", "say_audio", "say_video", "say_file"),
        *("say_unknown", "say_raw", "event", "check_url", "tap", "press", "submit_form"),
        *("buttons", "card_seen_by", "cards_of", "seen", "seen_in", "texts", "count"),
        *("add_person", "change_person", "add_department", "add_group", "auth_code", "sign_in"),
        *("add_template", "disconnect", "close_abruptly", "make_zombies", "rebalance"),
        *("fail", "slow", "drop", "lose_answer", "garble", "heal"),
        *("expire_tokens", "expire_sessions", "expire_codes", "flow_control"),
    }
)
_HIDDEN: Final = (App, World)


class Control:
    def __init__(self, fake: Any) -> None:
        self._fake = fake

    def routes(self) -> list[Route]:
        return [Route("POST", "/_fake/{name}", self._call, "edge", "none")]

    async def _call(self, ask: Ask) -> web.Response:
        name = ask.request.match_info["name"]
        given = dict(ask.body)
        if name == "complaints":
            return web.json_response(self._fake.complaints)
        if name not in NAMES:
            return web.json_response({"error": f"no {name}; there are {sorted(NAMES)}"}, status=404)
        if "data" in given and name != "event":
            given["data"] = base64.b64decode(given["data"])
        try:
            return web.json_response(plain(getattr(self._fake, name)(**given)))
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": repr(error)}, status=400)


def plain(value: Any) -> Any:
    """What JSON can say of it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if not isinstance(getattr(value, field.name), _HIDDEN)
            and not callable(getattr(value, field.name))
        }
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
