"""Sign-in by the platform whose browser it is: there and back, then our own session.

The way back must end in the browser that began it: ``state`` is random and stands, signed, in a
cookie of that browser too, together with the page that was asked for.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from datetime import timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from bot import channel_words
from bot.channels.base import ChannelError
from bot.web import auth
from bot.web.deps import DEPS, CodeOver, Outsider, SignIn, UntrustedDomain, WebDeps
from bot.web.draw import render
from storage import channel_states, people

log = structlog.get_logger(__name__)

_LASTS: Final = timedelta(minutes=10)
_RESTARTS: Final = 1
_PURPOSE: Final = "oauth"
_MOST_ARRIVALS, _ARRIVALS_S = 4, 15
TOPIC: Final = "oauth"  # of the channel's state
_NO_PERMISSION: Final = "no_permission"


def routes() -> list[web.RouteDef]:
    return [web.get(r"/oauth/{channel:[a-z_]{1,20}}", landed)]


def begin(request: web.Request) -> web.Response | None:
    """Send a page's visitor, who is not signed in, to their platform; None where that cannot be."""
    deps = request.app[DEPS]
    agent = request.headers.get("User-Agent", "")
    way = next((one for one in deps.sign_ins if one.fits(agent)), None)
    if way is None or not deps.public_url or request.method != "GET":
        return None
    if request.path.startswith(("/console/api/", "/console/events")):
        return None  # a script, which no other page can answer
    if _arrivals(request) >= _MOST_ARRIVALS:
        return None  # a browser that does not keep our session would go round for ever
    return _away(request, deps, way, target=request.path_qs, restarts=0)


async def landed(request: web.Request) -> web.Response:
    """Back from the platform with a code."""
    deps, asked = request.app[DEPS], request.match_info["channel"]
    way = next((one for one in deps.sign_ins if one.channel == asked), None)
    if way is None:
        raise web.HTTPNotFound
    refused = partial(_refused, request, platform=channel_words.PLATFORMS[way.channel])
    kept = _kept(request, deps, way)
    if kept is None:
        return refused("oauth_state")
    query = request.query
    try:
        user = await way.user(query.get("authCode") or query.get("code", ""))
    except CodeOver:
        if kept["n"] < _RESTARTS:
            return _away(request, deps, way, target=kept["t"], restarts=kept["n"] + 1)
        return refused("oauth_code")
    except Outsider:
        return refused("oauth_outsider")
    except UntrustedDomain:
        domain = urlsplit(deps.public_url).hostname or ""
        await _note(deps, way, "untrusted_domain", {"domain": domain})
        return refused("oauth_domain", domain=domain)
    except ChannelError as error:
        log.warning("nobody signed in", channel=way.channel, why=str(error))
        finding = getattr(error, "finding", None)
        if finding is not None and finding.problem == _NO_PERMISSION:
            await _note(deps, way, finding.problem, finding.detail)
            return refused("oauth_rights")
        return refused("oauth_away", status=503)
    find = partial(people.by_platform, channel=way.channel, user=user)
    person = await asyncio.to_thread(deps.db.read, find)
    if person is None:
        return refused("oauth_unknown")
    await _note(deps, way)
    # A page of ours that goes on by itself, no redirect: some browsers keep a SameSite=Strict
    # cookie back on a way that began at another site.
    answer = render(request, "arrived.html", target=auth.own_path(kept["t"]))
    cookie = auth.sign_in(deps.key, person.id, now=deps.wall.now())
    auth.set_cookie(request, answer, cookie, secure=auth.is_https(request, deps))
    answer.del_cookie(_cookie(request), path="/oauth/")
    answer.set_cookie(
        f"{_cookie(request)}_n",
        str(_arrivals(request) + 1),
        httponly=True,
        samesite="Lax",
        secure=auth.is_https(request, deps),
        path="/",
        max_age=_ARRIVALS_S,
    )
    return answer


def _away(
    request: web.Request, deps: WebDeps, way: SignIn, *, target: str, restarts: int
) -> web.Response:
    state = secrets.token_hex(24)
    back = f"{deps.public_url.rstrip('/')}/oauth/{way.channel}"
    answer = web.Response(status=302, headers={"Location": way.address(back, state)})
    body = {"c": way.channel, "s": state, "t": auth.own_path(target), "n": restarts}
    answer.set_cookie(
        _cookie(request),
        auth.seal(deps.key, _PURPOSE, body, until=deps.wall.now() + _LASTS),
        httponly=True,
        samesite="Lax",  # it must come along on the way back from the platform
        secure=auth.is_https(request, deps),
        path="/oauth/",
        max_age=int(_LASTS.total_seconds()),
    )
    return answer


def _kept(request: web.Request, deps: WebDeps, way: SignIn) -> dict[str, Any] | None:
    """What this browser kept when it began with *way*, if this is the way back from that."""
    sealed = request.cookies.get(_cookie(request), "")
    kept = auth.unseal(deps.key, _PURPOSE, sealed, now=deps.wall.now())
    given = request.query.get("state", "").encode("utf-8", "replace")
    if kept is None or not hmac.compare_digest(given, str(kept["s"]).encode()):
        return None
    return kept if kept.get("c") == way.channel else None


def _refused(request: web.Request, why: str, *, status: int = 403, **facts: str) -> web.Response:
    answer = render(request, "error.html", status=status, why=why, **facts)
    answer.del_cookie(_cookie(request), path="/oauth/")
    return answer


async def _note(
    deps: WebDeps, way: SignIn, problem: str = "", detail: dict[str, Any] | None = None
) -> None:
    """For the set-up page: what an admin must mend; '' when all is well."""
    state = await asyncio.to_thread(
        deps.db.read, partial(channel_states.get, channel=way.channel, topic=TOPIC)
    )
    now = deps.wall.now()
    if problem:
        note = partial(
            channel_states.note,
            channel=way.channel,
            topic=TOPIC,
            problem=problem,
            detail=detail or {},
            now=now,
        )
        await asyncio.to_thread(deps.db.write, note)
    elif state is not None:
        clear = partial(channel_states.clear, channel=way.channel, topic=TOPIC, now=now)
        await asyncio.to_thread(deps.db.write, clear)


def _arrivals(request: web.Request) -> int:
    """How often this browser came back signed in within the last seconds."""
    said = request.cookies.get(f"{_cookie(request)}_n", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 4 else 0


def _cookie(request: web.Request) -> str:
    return f"{auth.cookie_name(request)}_oauth"
