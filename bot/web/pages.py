"""Home, console, customer, to-do, the queue; and whose eyes a page is drawn for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from bot.web import auth
from bot.web.deps import DEPS
from bot.web.draw import render
from handlers.cards import words
from sales.people import Person, may_see
from storage import audit, customers, page_reads, people
from storage.customers import Commitment, Customer
from storage.database import Session

ADMINS: Final = ("admin", "director")


class LinkOver(web.HTTPGone):
    """A short link that is over or never was."""


class NotAllowed(web.HTTPForbidden):
    """Somebody else's customer or memo (F49)."""


class WhoAreYou(web.HTTPForbidden):
    """A page about one's own things, asked for by the operator, who is nobody in the list."""


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", home),
        web.get("/console", console),
        web.get(r"/c/{id:\d{1,9}}", customer),
        web.get("/today", today),
        web.get("/jobs", jobs),
        web.post(r"/jobs/{id:\d{1,18}}/{act:retry|park}", change_job),
    ]


# --- whose eyes ---------------------------------------------------------------------------------


def with_viewer(path: str, person_id: int) -> str:
    """*path* as *person_id* sees it, for a visitor who may play several people."""
    parts = urlsplit(path)
    mark = f"{parts.query}&" if parts.query else ""
    return parts._replace(query=f"{mark}as={person_id}").geturl()


def linker(request: web.Request, viewer: Person | None) -> Callable[[str], str]:
    """Links that keep the eyes through which this page is drawn."""
    if viewer is None or auth.visitor(request).person_id == viewer.id:
        return lambda path: path
    return lambda path: with_viewer(path, viewer.id)


async def viewer_of(request: web.Request) -> Person | None:
    """Whose eyes: ``?as=`` where the visitor may play others, else the visitor's own.

    Raises:
        auth.NotForYou: ``?as=`` names somebody else.
    """
    deps, who = request.app[DEPS], auth.visitor(request)
    asked = request.query.get("as", "")
    if asked and not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        raise web.HTTPNotFound
    person_id = int(asked) if asked else who.person_id
    if person_id is None:
        return None
    if not auth.may_act_as(deps, who, person_id):
        raise auth.NotForYou
    found = await asyncio.to_thread(deps.db.read, partial(people.get, person_id=person_id))
    if found is None or not found.active:
        raise auth.NoSession  # left the company: the session is worth nothing
    return found


async def somebody(request: web.Request) -> Person:
    """The viewer, who must be a person of the list.

    Raises:
        WhoAreYou
    """
    viewer = await viewer_of(request)
    if viewer is None:
        raise WhoAreYou
    return viewer


# --- pages --------------------------------------------------------------------------------------


async def home(request: web.Request) -> web.Response:
    deps, viewer = request.app[DEPS], await viewer_of(request)
    everybody = await asyncio.to_thread(deps.db.read, people.everyone)
    who = auth.visitor(request)
    return render(
        request,
        "home.html",
        viewer=viewer,
        link=linker(request, viewer),
        people=[one for one in everybody if auth.may_act_as(deps, who, one.id)],
        admin=_is_admin(who, viewer),
        setup=deps.setup is not None and (who.person_id is None or _runs(who, viewer)),
    )


async def console(request: web.Request) -> web.Response:
    deps, who = request.app[DEPS], auth.visitor(request)
    settings = {
        "demo": deps.demo,
        "visitor": who.person_id,
        "samples": [{"title": one.title, "text": one.text} for one in deps.samples],
    }
    return render(request, "console.html", settings=settings)


async def customer(request: web.Request) -> web.Response:
    deps, viewer = request.app[DEPS], await somebody(request)
    read = partial(_customer, customer_id=int(request.match_info["id"]), viewer=viewer)
    found = await asyncio.to_thread(deps.db.read, read)
    if found is None:
        raise web.HTTPNotFound
    return render(
        request,
        "customer.html",
        viewer=viewer,
        link=linker(request, viewer),
        today=words.local_day(deps.clock.now()),
        now=deps.clock.now(),
        **found,
    )


async def today(request: web.Request) -> web.Response:
    deps, viewer = request.app[DEPS], await somebody(request)
    day = words.local_day(deps.clock.now())

    def read(session: Session) -> dict[str, Any]:
        promises = customers.commitments(session, person_id=viewer.id)
        return {
            "waiting": page_reads.open_records(session, viewer.id),
            "groups": [
                ("逾期", [one for one in promises if one.due and one.due < day]),
                ("今天", [one for one in promises if one.due == day]),
                ("以后", [one for one in promises if one.due and one.due > day]),
                ("没定日子", [one for one in promises if one.due is None]),
            ],
        }

    found = await asyncio.to_thread(deps.db.read, read)
    return render(
        request,
        "today.html",
        viewer=viewer,
        link=linker(request, viewer),
        today=day,
        late=_late(found["groups"][0][1], day),
        **found,
    )


async def jobs(request: web.Request) -> web.Response:
    deps, viewer = request.app[DEPS], await viewer_of(request)
    _admins_only(request, viewer)
    listed = await asyncio.to_thread(deps.db.read, deps.list_jobs)
    return render(
        request,
        "jobs.html",
        viewer=viewer,
        link=linker(request, viewer),
        jobs=sorted(listed, key=lambda job: (job.state != "parked", -job.id)),
        done=request.query.get("done", ""),
    )


async def change_job(request: web.Request) -> web.Response:
    """Run a job again, or park it; kept in the audit log."""
    deps, viewer = request.app[DEPS], await viewer_of(request)
    _admins_only(request, viewer)
    job_id, act = int(request.match_info["id"]), request.match_info["act"]

    def work(session: Session) -> bool:
        if act == "retry":
            if not deps.retry_job(session, job_id):
                return False
        else:
            deps.park_job(session, job_id, "网页上停住")
        audit.note(
            session,
            at=deps.clock.now(),
            who=viewer.name if viewer else "operator",
            person_id=viewer.id if viewer else None,
            action=f"job.{act}",
            subject=f"job:{job_id}",
        )
        return True

    changed = await asyncio.to_thread(deps.db.write, work)
    where = linker(request, viewer)("/jobs")
    mark = "&" if "?" in where else "?"
    raise web.HTTPSeeOther(f"{where}{mark}done={act if changed else 'busy'}")


# --- reading ------------------------------------------------------------------------------------


def may_see_customer(session: Session, viewer: Person, found: Customer) -> bool:
    """The owner and those above; a customer without owner is its region's."""
    if found.owner_id is None:
        return not found.region or found.region == viewer.region or may_see(viewer, 0, ())
    return may_see(viewer, found.owner_id, people.managers_of(session, found.owner_id))


def _customer(session: Session, customer_id: int, viewer: Person) -> dict[str, Any] | None:
    found = customers.get(session, customer_id)
    if found is None:
        return None
    if not may_see_customer(session, viewer, found):
        raise NotAllowed
    history = customers.interactions(session, customer_id)
    owner = people.get(session, found.owner_id) if found.owner_id else None
    promises = customers.commitments(session, customer_id=customer_id)
    return {
        "customer": found,
        "owner": owner.name if owner else "",
        "contacts": customers.contacts(session, customer_id),
        "deals": customers.open_opportunities(session, customer_id),
        "ours": [one for one in promises if one.who == "us"],
        "theirs": [one for one in promises if one.who == "customer"],
        "objections": customers.objections(session, customer_id),
        "interactions": history,
        "memo_of": page_reads.memo_ids(
            session, [one.record_id for one in history if one.record_id is not None]
        ),
    }


def _late(promises: list[Commitment], day: Any) -> int:
    """The longest delay in days."""
    return max(((day - one.due).days for one in promises if one.due), default=0)


def _is_admin(who: auth.Visitor, viewer: Person | None) -> bool:
    return viewer.role in ADMINS if viewer else who.person_id is None


def _runs(who: auth.Visitor, viewer: Person | None) -> bool:
    """An admin as themselves: the set-up page shows keys."""
    return viewer is not None and viewer.id == who.person_id and viewer.role == "admin"


def _admins_only(request: web.Request, viewer: Person | None) -> None:
    if not _is_admin(auth.visitor(request), viewer):
        raise NotAllowed
