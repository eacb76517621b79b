"""/m/{id}: the memo's words, its fields, its recording, and what may still be done with it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from aiohttp import web

from bot.web import pages
from bot.web.auth import NotForYou
from bot.web.deps import DEPS, WebDeps
from bot.web.draw import render
from bot.web.media import playable, send_file
from bot.web.memo_view import Field, fields_of, pieces
from sales.drafts import within_undo
from sales.people import Person, may_see
from storage import customers, media, memos, page_reads, people
from storage.database import Session
from storage.media import Stored
from storage.memos import Memo, Record
from storage.page_reads import RecordCard

STATES: Final = {
    "pending": "等你确认",
    "asking": "还差几项",
    "draft": "草稿",
    "filed": "已入库",
    "dropped": "已作废",
    "replaced": "并到另一条里",
}
_OPEN: Final = ("pending", "asking", "draft")
_ACTIONS: Final = frozenset({"memo.ok", "memo.drop", "memo.undo"})
_KEY: Final = re.compile(r"[0-9a-f]{32}")
_WAIT_S: Final = 3.0  # for the result of a button, before the page says that it is on its way


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One customer's record on the page.  ``actions``: ``(action, words, look)``."""

    record: Record
    customer: str
    card: RecordCard | None
    decided_by: str
    fields: tuple[Field, ...]
    actions: tuple[tuple[str, str, str], ...]

    @property
    def state(self) -> str:
        return STATES.get(self.record.state, self.record.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    memo: Memo
    speaker: Person
    sound: Stored | None  # only for the speaker
    parts: tuple[Part, ...]
    unplaced: tuple[str, ...]


def routes() -> list[web.RouteDef]:
    return [
        web.get(r"/m/{id:\d{1,9}}", show),
        web.get(r"/m/{id:\d{1,9}}/sound", sound),
        web.post(r"/m/{id:\d{1,9}}/act", act),
    ]


async def show(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    viewer, page = await _load(request)
    fields = [field for part in page.parts for field in part.fields]
    segments = (page.memo.transcript or {}).get("segments", [])
    sound = page.sound
    there = sound is not None and await asyncio.to_thread(deps.media.path(sound.sha256).is_file)
    return render(
        request,
        "memo.html",
        viewer=viewer,
        link=pages.linker(request, viewer),
        page=page,
        pieces=pieces(page.memo.text or "", fields, segments),
        playable=bool(sound and there and playable(sound.kind)),
        saved=bool(sound and there),
        sent=request.query.get("sent", ""),
        undo_minutes=deps.undo_minutes,
    )


async def sound(request: web.Request) -> web.StreamResponse:
    """The recording, for the one who spoke."""
    _, page = await _load(request)
    if page.sound is None:
        raise NotForYou if page.memo.media_sha else web.HTTPNotFound
    name = page.sound.name or f"memo-{page.memo.id}"
    path = request.app[DEPS].media.path(page.sound.sha256)
    return send_file(request, path, kind=page.sound.kind, name=name)


async def act(request: web.Request) -> web.Response:
    """A button of the page: the same tap as on the card, through the same path."""
    deps = request.app[DEPS]
    viewer, page = await _load(request)
    form = {name: str(value) for name, value in (await request.post()).items()}
    part = next((p for p in page.parts if str(p.record.id) == form.get("record")), None)
    key, action = form.get("event_key", ""), form.get("action", "")
    if part is None or part.card is None or action not in _ACTIONS or not _KEY.fullmatch(key):
        raise web.HTTPBadRequest
    if part.record.person_id != viewer.id:
        raise NotForYou
    await deps.console.tap(
        person_id=viewer.id,
        event_key=key,
        card_id=part.card.id,
        action=action,
        arg="",
        nonce=form.get("nonce", ""),
        values={},
    )
    done = await _redrawn(deps, part.record.id, part.card.version)
    where = pages.linker(request, viewer)(f"/m/{page.memo.id}")
    mark = "&" if "?" in where else "?"
    raise web.HTTPSeeOther(f"{where}{mark}sent={'done' if done else 'wait'}")


async def _load(request: web.Request) -> tuple[Person, Page]:
    """The memo for this viewer.

    Raises:
        web.HTTPNotFound, NotForYou, pages.WhoAreYou
    """
    viewer = await pages.somebody(request)
    memo_id = int(request.match_info["id"])
    deps = request.app[DEPS]
    page = await asyncio.to_thread(
        deps.db.read, partial(_read, memo_id=memo_id, viewer=viewer, deps=deps)
    )
    if page is None:
        raise web.HTTPNotFound
    return viewer, page


def _read(session: Session, memo_id: int, viewer: Person, deps: WebDeps) -> Page | None:
    memo = memos.get(session, memo_id)
    speaker = people.get(session, memo.person_id) if memo else None
    if memo is None or speaker is None:
        return None
    chain = people.managers_of(session, speaker.id)
    if not may_see(viewer, speaker.id, chain):
        raise pages.NotAllowed
    mine = viewer.id == speaker.id
    parts: list[Part] = []
    count = 0
    for record in memos.records_of(session, memo.id):
        part = _part(session, record, deps, mine=mine, first_number=count)
        count += len(part.fields)
        parts.append(part)
    facts: dict[str, Any] = memo.facts or {}
    return Page(
        memo=memo,
        speaker=speaker,
        sound=media.find(session, memo.media_sha) if mine and memo.media_sha else None,
        parts=tuple(parts),
        unplaced=tuple(str(one["text"]) for one in facts.get("unplaced", ())),
    )


def _part(
    session: Session, record: Record, deps: WebDeps, *, mine: bool, first_number: int
) -> Part:
    customer = customers.get(session, record.customer_id) if record.customer_id else None
    by = people.get(session, record.decided_by) if record.decided_by else None
    name = customer.name if customer else ""
    return Part(
        record=record,
        customer=name,
        card=page_reads.card_of_record(session, record.id),
        decided_by=by.name if by else "",
        fields=tuple(fields_of(record.draft, name, first_number)),
        actions=_actions(record, deps) if mine else (),
    )


def _actions(record: Record, deps: WebDeps) -> tuple[tuple[str, str, str], ...]:
    if record.state in _OPEN:
        return (("memo.ok", "确认入库", "primary"), ("memo.drop", "作废", "danger"))
    decided = record.decided_at if record.state in ("filed", "dropped") else None
    if decided and within_undo(decided, deps.clock.now(), deps.undo_minutes):
        return (("memo.undo", "撤回" if record.state == "filed" else "恢复", "tool"),)
    return ()


async def _redrawn(deps: WebDeps, record_id: int, version: int) -> bool:
    """Wait until the record's card was drawn again, which the tap's handler does when it acts."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _WAIT_S
    while loop.time() < until:
        card = await asyncio.to_thread(
            deps.db.read, lambda session: page_reads.card_of_record(session, record_id)
        )
        if card and card.version > version:
            return True
        await asyncio.sleep(0.1)
    return False
