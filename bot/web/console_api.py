"""What the console's page asks for: state, events, and everything that a person does there."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any, Final

from aiohttp import web

from bot.channels.console.server import MAX_UPLOAD, Upload, known_people
from bot.channels.console.view import shown
from bot.web.auth import NotForYou, may_act_as, visitor
from bot.web.deps import DEPS, WebDeps
from bot.web.media import send_file
from bot.web.sse import CHANGES, open_stream, write_event
from sales.clock import COMPANY_ZONE
from storage import console as messages
from storage.database import Session

_EVENT_KEY: Final = re.compile(r"[0-9A-Za-z_-]{8,64}")
_STATUS_EVERY_S: Final = 3.0
_HEARTBEAT_S: Final = 15.0
_MAX_TEXT: Final = 200_000


def routes() -> list[web.RouteDef]:
    return [
        web.get("/console/api/state", state),
        web.get("/console/events", events),
        web.post("/console/api/say", say),
        web.post("/console/api/upload", upload),
        web.post("/console/api/sample", sample),
        web.post("/console/api/tap", tap),
        web.post("/console/api/clock", move_clock),
        web.get("/console/media/{id}", media),
        web.get("/console/sample/{number}", sample_sound),
    ]


class BadRequest(web.HTTPBadRequest):
    """The page sent something that it never sends."""


async def state(request: web.Request) -> web.Response:
    """Everything that the page draws at first; later changes come as events after ``last``."""
    deps = request.app[DEPS]
    wanted = _people(request, deps) if request.query.get("people") else []

    def load(session: Session) -> dict[str, Any]:
        everybody = [one for one in known_people(session) if _mine(request, deps, one["id"])]
        return {
            "last": messages.last_change(session),
            "people": everybody,
            "messages": [
                shown(message)
                for person_id in wanted
                for message in messages.latest(session, person_id)
            ],
        }

    found = await asyncio.to_thread(deps.db.read, load)
    return web.json_response(found | {"status": await _status(deps)})


async def events(request: web.Request) -> web.StreamResponse:
    """Changes of these people's panes; resumes after Last-Event-ID."""
    wanted = _people(request, request.app[DEPS])
    after = _number(request.headers.get("Last-Event-ID") or request.query.get("after", "0"))
    response = await open_stream(request)
    with contextlib.suppress(ConnectionResetError):  # the page was closed
        await _stream(request, response, wanted, after)
    return response


async def _stream(
    request: web.Request, response: web.StreamResponse, wanted: list[int], after: int
) -> None:
    deps, changes = request.app[DEPS], request.app[CHANGES]
    loop = asyncio.get_running_loop()
    said: Any = None
    status_at = heard_at = 0.0
    with changes.listener() as listener:
        while not changes.closing:
            if loop.time() >= status_at:
                status_at = loop.time() + _STATUS_EVERY_S
                status = await _status(deps)
                if status != said or loop.time() - heard_at > _HEARTBEAT_S:
                    said, heard_at = status, loop.time()
                    await write_event(response, "status", status)
            since = partial(messages.since, people=wanted, after=after)
            new = await asyncio.to_thread(deps.db.read, since)
            for message in new:
                after = message.changed
                await write_event(response, "message", shown(message), number=after)
            if not new:
                await listener.changed(max(0.05, status_at - loop.time()))


async def say(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    body = await _body(request)
    text = _text(body, "text", most=_MAX_TEXT)
    if not text.strip():
        raise BadRequest(reason="empty text")
    message = await deps.console.say(
        person_id=await _person(request, deps, body), event_key=_event_key(body), text=text
    )
    return web.json_response({"message": shown(message)})


async def upload(request: web.Request) -> web.Response:
    """The file is the body; the rest stands in the address, so that nothing is copied twice."""
    deps = request.app[DEPS]
    about: Mapping[str, Any] = {**request.query, "person": _number(request.query.get("person", ""))}
    person_id = await _person(request, deps, about)
    key = _event_key(about)
    if (request.content_length or 0) > MAX_UPLOAD:
        raise web.HTTPRequestEntityTooLarge(MAX_UPLOAD, request.content_length or 0)
    data = bytearray()
    async for piece in request.content.iter_chunked(1 << 18):
        data += piece
        if len(data) > MAX_UPLOAD:
            raise web.HTTPRequestEntityTooLarge(MAX_UPLOAD, len(data))
    file = Upload(
        data=bytes(data),
        name=_text(about, "name", most=200),
        recorded=about.get("recorded") == "1",
    )
    message = await deps.console.upload(person_id=person_id, event_key=key, file=file)
    return web.json_response({"message": shown(message)})


async def sample(request: web.Request) -> web.Response:
    """Say one of the demo's recordings."""
    deps = request.app[DEPS]
    body = await _body(request)
    chosen = _sample(deps, body.get("number"))
    data = await asyncio.to_thread(chosen.path.read_bytes)
    message = await deps.console.upload(
        person_id=await _person(request, deps, body),
        event_key=_event_key(body),
        file=Upload(data=data, name=chosen.path.name, recorded=True),
    )
    return web.json_response({"message": shown(message)})


async def tap(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    body = await _body(request)
    values = body.get("values") or {}
    if not isinstance(values, dict) or len(values) > 30:
        raise BadRequest(reason="values")
    fresh = await deps.console.tap(
        person_id=await _person(request, deps, body),
        event_key=_event_key(body),
        card_id=_text(body, "card_id", most=64),
        action=_text(body, "action", most=64),
        arg=_text(body, "arg", most=64),
        nonce=_text(body, "nonce", most=64),
        values=values,
    )
    return web.json_response({"fresh": fresh})


async def move_clock(request: web.Request) -> web.Response:
    """Demo only: ``{"by_s": 3600}``, or ``{"to": "morning"}`` for tomorrow at nine."""
    deps = request.app[DEPS]
    if deps.move_clock is None or not deps.demo:
        raise NotForYou
    body = await _body(request)
    if body.get("to") == "morning":
        delta = _next_morning(deps.clock.now()) - deps.clock.now()
    else:
        delta = timedelta(seconds=_number(body.get("by_s")))
    if not timedelta(0) < delta <= timedelta(days=400):
        raise BadRequest(reason="by_s")
    await asyncio.to_thread(deps.move_clock, delta)
    request.app[CHANGES].wake()
    return web.json_response(await _status(deps))


async def media(request: web.Request) -> web.StreamResponse:
    """A file that stands in a pane; for the people who may see that pane."""
    deps = request.app[DEPS]
    number = _number(request.match_info["id"])
    message = await asyncio.to_thread(deps.db.read, lambda session: messages.by_id(session, number))
    if message is None or "sha" not in message.payload:
        raise web.HTTPNotFound
    if not _mine(request, deps, message.person_id):
        raise NotForYou
    file = message.payload
    return send_file(request, deps.media.path(file["sha"]), kind=file["type"], name=file["name"])


async def sample_sound(request: web.Request) -> web.StreamResponse:
    chosen = _sample(request.app[DEPS], _number(request.match_info["number"]))
    return send_file(request, chosen.path, kind="audio/ogg", name=chosen.path.name)


# --- reading what came in -----------------------------------------------------------------------


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise BadRequest(reason="not JSON") from None
    if not isinstance(body, dict):
        raise BadRequest(reason="not an object")
    return body


def _people(request: web.Request, deps: WebDeps) -> list[int]:
    wanted = [_number(one) for one in request.query.get("people", "").split(",") if one]
    if not wanted or len(wanted) > 6:
        raise BadRequest(reason="people")
    if not all(_mine(request, deps, one) for one in wanted):
        raise NotForYou
    return wanted


async def _person(request: web.Request, deps: WebDeps, body: Mapping[str, Any]) -> int:
    """Whom the visitor plays; somebody we know."""
    person_id = _number(body.get("person"))
    if not _mine(request, deps, person_id):
        raise NotForYou
    everybody = await asyncio.to_thread(deps.db.read, known_people)
    if person_id not in {one["id"] for one in everybody}:
        raise web.HTTPNotFound
    return person_id


def _mine(request: web.Request, deps: WebDeps, person_id: int) -> bool:
    return may_act_as(deps, visitor(request), person_id)


def _event_key(body: Mapping[str, Any]) -> str:
    key = body.get("event_key")
    if not isinstance(key, str) or not _EVENT_KEY.fullmatch(key):
        raise BadRequest(reason="event_key")
    return key


def _text(body: Mapping[str, Any], name: str, *, most: int) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise BadRequest(reason=name)
    return value


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise BadRequest(reason="number")
    try:
        number = int(value)
    except ValueError:
        raise BadRequest(reason="number") from None
    if not -(2**31) < number < 2**31:
        raise BadRequest(reason="number")
    return number


def _sample(deps: WebDeps, number: object) -> Any:
    at = _number(number)
    if not 0 <= at < len(deps.samples):
        raise web.HTTPNotFound
    return deps.samples[at]


async def _status(deps: WebDeps) -> dict[str, Any]:
    known = dict(await asyncio.to_thread(deps.status))
    known["demo"] = deps.demo
    if deps.demo:
        # To the minute: the page counts on by itself.
        offset = deps.clock.now() - deps.wall.now()
        known["clock_offset_s"] = round(offset.total_seconds())
    return known


def _next_morning(now: datetime) -> datetime:
    local = now.astimezone(COMPANY_ZONE)
    return datetime.combine(local.date() + timedelta(days=1), time(9), COMPANY_ZONE)
