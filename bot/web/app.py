"""The web application: every route in one screen, and the checks around each request."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Final

import prometheus_client
import structlog
from aiohttp import web

from bot.channels.base import ChannelError
from bot.web import auth, console_api, memo_page, oauth, pages, setup
from bot.web.deps import DEPS, WebDeps
from bot.web.draw import render
from bot.web.sse import CHANGES, Changes
from sales.errors import BotError
from storage import links, people
from storage.links import Link

log = structlog.get_logger(__name__)

_CSP: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # same-origin, not no-referrer: with the latter browsers send "Origin: null" with our own forms
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
}
_JSON_PATHS: Final = ("/console/api/", "/console/events")
_KEEP_LINKS: Final = timedelta(days=2)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_web(deps: WebDeps) -> web.Application:
    """Pages, console and health.  The caller runs it: ``web.AppRunner`` and a site."""
    app = web.Application(middlewares=[_guard], client_max_size=2 * 1024 * 1024)
    app[DEPS] = deps
    app[CHANGES] = Changes()
    app.on_startup.append(_start)
    app.on_shutdown.append(_stop)
    app.on_response_prepare.append(_secure)
    app.router.add_routes(
        [
            web.get("/livez", livez),
            web.get("/readyz", readyz),
            web.get("/metrics", metrics),
            web.get("/login", login_page),
            web.post("/login", login),
            web.post("/logout", logout),
            web.get("/go/{code}", go),
            web.get("/favicon.ico", favicon),
            *pages.routes(),
            *memo_page.routes(),
            *console_api.routes(),
            *oauth.routes(),
            *setup.routes(),
        ]
    )
    static = Path(str(resources.files("bot.web") / "static"))
    assets = Path(str(resources.files("bot.channels.console") / "assets"))
    app.router.add_static("/static/", static)
    app.router.add_static("/console/assets/", assets)
    return app


async def _start(app: web.Application) -> None:
    app[CHANGES].start()
    app[DEPS].db.after_commit.append(app[CHANGES].wake)


async def _stop(app: web.Application) -> None:
    """Open event streams end at once; the program would wait for them else."""
    app[DEPS].db.after_commit.remove(app[CHANGES].wake)
    app[CHANGES].stop()


# --- around every request -----------------------------------------------------------------------


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        await auth.check(request)
        return await handler(request)
    except (web.HTTPRedirection, web.HTTPSuccessful):
        raise
    except auth.NoSession as error:
        return oauth.begin(request) or _refusal(request, error.status, "no_session")
    except auth.NotForYou as error:
        return _refusal(request, error.status, "not_yours", whose=error.whose)
    except web.HTTPException as error:
        return _refusal(request, error.status, _why(error))
    except ChannelError:
        return _refusal(request, 503, "starting")
    except BotError as error:
        log.warning("web.refused", code=error.code)
        full = error.code == "storage_full"
        return _refusal(request, 507 if full else 500, error.code)
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("web.bug", path=request.match_info.route.name or request.path)
        return _refusal(request, 500, "bug")


def _why(error: web.HTTPException) -> str:
    names: dict[type[web.HTTPException], str] = {
        auth.ForeignRequest: "foreign",
        pages.LinkOver: "link_over",
        pages.NotAllowed: "not_allowed",
        pages.WhoAreYou: "who_are_you",
        web.HTTPMisdirectedRequest: "host",
        web.HTTPNotFound: "not_found",
        web.HTTPRequestEntityTooLarge: "too_big",
    }
    return next((name for kind, name in names.items() if isinstance(error, kind)), "bad_request")


def _refusal(request: web.Request, status: int, why: str, **facts: str) -> web.Response:
    """In words: as JSON for the console's script, as a page for a person."""
    if request.path.startswith(_JSON_PATHS):
        return web.json_response({"error": why}, status=status)
    return render(request, "error.html", status=status, why=why, **facts)


async def _secure(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    if "Cache-Control" not in response.headers:
        static = request.path.startswith(("/static/", "/console/assets/"))
        response.headers["Cache-Control"] = "no-cache" if static else "no-store"


# --- log-in -------------------------------------------------------------------------------------


async def login_page(request: web.Request) -> web.Response:
    """A page with one button: opening alone spends nothing, since browsers fetch links ahead."""
    code = request.query.get("code", "")
    return render(request, "login.html", code=code)


async def login(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    code = str((await request.post()).get("code", ""))
    now = deps.wall.now()
    spend = functools.partial(links.use_login, code=code, now=now)
    found = await asyncio.to_thread(deps.db.write, spend)
    if not isinstance(found, Link):
        if auth.maybe_visitor(request) is not None:  # a second click on the same link
            raise web.HTTPSeeOther("/console")
        return render(request, "login.html", status=403, refused=found)
    await asyncio.to_thread(
        deps.db.write, functools.partial(links.forget_old, before=now - _KEEP_LINKS)
    )
    response = web.HTTPSeeOther(auth.own_path(found.target))
    cookie = auth.sign_in(deps.key, found.person_id, now=now)
    auth.set_cookie(request, response, cookie, secure=auth.is_https(request, deps))
    raise response


async def logout(request: web.Request) -> web.Response:
    response = web.HTTPSeeOther("/login")
    response.del_cookie(auth.cookie_name(request), path="/")
    raise response


async def go(request: web.Request) -> web.Response:
    """A card's short link: shows, never acts."""
    deps = request.app[DEPS]
    look = functools.partial(links.open_go, code=request.match_info["code"], now=deps.clock.now())
    found = await asyncio.to_thread(deps.db.read, look)
    if not isinstance(found, Link):
        raise pages.LinkOver
    target = auth.own_path(found.target)
    if found.person_id is not None:
        who = auth.visitor(request)
        if not auth.may_act_as(deps, who, found.person_id):
            get = functools.partial(people.get, person_id=found.person_id)
            owner = await asyncio.to_thread(deps.db.read, get)
            raise auth.NotForYou(owner.name if owner else "")
        if who.person_id != found.person_id:
            target = pages.with_viewer(target, found.person_id)
    raise web.HTTPSeeOther(target)


# --- health -------------------------------------------------------------------------------------


async def livez(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.Response:
    """503 with the reasons while something that answers people is missing."""
    deps = request.app[DEPS]
    try:
        reasons: list[Any] = await asyncio.to_thread(deps.unready)
        await asyncio.to_thread(
            deps.db.read, lambda session: links.open_go(session, "", now=_now(deps))
        )
    except Exception as error:
        log.warning("web.unready", error=type(error).__name__)
        reasons = ["database"]
    body = json.dumps({"ready": not reasons, "missing": reasons}, ensure_ascii=False)
    return web.Response(text=body, status=503 if reasons else 200, content_type="application/json")


def _now(deps: WebDeps) -> Any:
    return deps.wall.now()


async def metrics(request: web.Request) -> web.Response:
    text = await asyncio.to_thread(prometheus_client.generate_latest)
    return web.Response(body=text, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})


async def favicon(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(Path(str(resources.files("bot.web") / "static" / "icon.svg")))
