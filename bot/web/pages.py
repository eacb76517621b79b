"""Home, console, to-do, and whose eyes a page is drawn for."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from bot.web import auth
from bot.web.deps import DEPS
from bot.web.draw import render
from sales.people import Person
from storage import people


class LinkOver(web.HTTPGone):
    """A short link that is over or never was."""


def routes() -> list[web.RouteDef]:
    return [web.get("/", home), web.get("/console", console)]


def with_viewer(path: str, person_id: int) -> str:
    """*path* as *person_id* sees it, for a visitor who may play several people."""
    parts = urlsplit(path)
    mark = f"{parts.query}&" if parts.query else ""
    return parts._replace(query=f"{mark}as={person_id}").geturl()


async def viewer_of(request: web.Request) -> Person | None:
    """Whose eyes: ``?as=`` where the visitor may play others, else the visitor's own.

    Raises:
        auth.NotForYou: ``?as=`` names somebody else.
    """
    deps, who = request.app[DEPS], auth.visitor(request)
    asked = request.query.get("as", "")
    if asked and not (asked.isdigit() and len(asked) < 10):
        raise web.HTTPNotFound
    person_id = int(asked) if asked else who.person_id
    if person_id is None:
        return None
    if not auth.may_act_as(deps, who, person_id):
        raise auth.NotForYou
    return await asyncio.to_thread(deps.db.read, lambda session: people.get(session, person_id))


async def home(request: web.Request) -> web.Response:
    deps, viewer = request.app[DEPS], await viewer_of(request)
    everybody = await asyncio.to_thread(deps.db.read, people.everyone)
    shown = [one for one in everybody if auth.may_act_as(deps, auth.visitor(request), one.id)]
    return render(request, "home.html", viewer=viewer, people=shown)


async def console(request: web.Request) -> web.Response:
    deps, who = request.app[DEPS], auth.visitor(request)
    settings = {
        "demo": deps.demo,
        "visitor": who.person_id,
        "samples": [sample.title for sample in deps.samples] if deps.demo else [],
    }
    return render(request, "console.html", settings=settings)


ADMINS: Final = ("admin", "director")
