"""Templates to responses; everything that people typed is escaped."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Final

import jinja2
from aiohttp import web

from bot.web.auth import maybe_visitor
from bot.web.deps import DEPS
from handlers.cards import words
from sales import money

ROLES: Final = {
    "rep": "销售",
    "manager": "销售经理",
    "finance": "财务",
    "director": "总监",
    "engineer": "工程师",
    "trainer": "培训",
    "subscriber": "订阅",
    "admin": "管理员",
}


def render(
    request: web.Request, template: str, *, status: int = 200, **values: Any
) -> web.Response:
    """*template* for whoever asks; ``token`` is what a form must send back."""
    who = maybe_visitor(request)
    known = {
        "demo": request.app[DEPS].demo,
        "token": who.token if who else "",
        "logged_in": who is not None,
        "event_key": lambda: secrets.token_hex(16),  # a form sent twice is one event
        "viewer": None,
        "status": status,
        "link": lambda path: path,
        **values,
    }
    text = _environment().get_template(template).render(known)
    return web.Response(text=text, status=status, content_type="text/html")


def _environment() -> jinja2.Environment:
    global _made  # noqa: PLW0603 - compiled templates, the same for everybody
    if _made is None:
        folders = [
            Path(str(resources.files("bot.web") / "templates")),
            Path(str(resources.files("bot.channels.console") / "assets")),
        ]
        _made = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folders),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters: dict[str, Callable[..., str]] = {
            "moment": words.moment,
            "day": lambda value: words.day(_day(value)),
            "duration": words.length,
            "yuan": money.short,
            "fen": lambda fen: money.short(fen / 100),
            "role": lambda role: ROLES.get(role) or str(role),
            "masked": masked,
        }
        _made.filters.update(filters)
    return _made


_made: jinja2.Environment | None = None


def masked(phone: str) -> str:
    """138****0000: the middle of a number is nobody's business on a screen."""
    digits = phone.strip()
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 8 else "****"


def _day(value: date | datetime) -> date:
    return words.local_day(value) if isinstance(value, datetime) else value
