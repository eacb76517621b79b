"""Who is at the browser: one-time log-in, signed cookie, and the checks before every request.

No other site may read or write here: the cookie is SameSite=Strict and HttpOnly, a write needs our
own Origin and the session's token, and a Host that is not ours is refused (DNS rebinding).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from bot.web.deps import DEPS, WebDeps

SESSION_FOR: Final = timedelta(days=14)
TOKEN_HEADER: Final = "X-Genjin-Token"
_SAFE: Final = frozenset({"GET", "HEAD"})
_PUBLIC: Final = (
    "/static/", "/login", "/oauth/", "/livez", "/readyz", "/metrics", "/favicon.ico", "/WW_verify_",
)  # fmt: skip
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """``person_id`` is None for the operator, who came by ``genjin link`` without a name."""

    person_id: int | None
    token: str  # goes with every write


def visitor(request: web.Request) -> Visitor:
    """Who sent *request*, once ``check`` let it pass.

    Raises:
        NoSession: on a public page, when nobody is logged in.
    """
    if (found := maybe_visitor(request)) is None:
        raise NoSession
    return found


def maybe_visitor(request: web.Request) -> Visitor | None:
    deps = request.app[DEPS]
    cookie = request.cookies.get(cookie_name(request), "")
    return visitor_of(deps.key, cookie, now=deps.wall.now())


class NoSession(web.HTTPForbidden):
    """Nobody is logged in, or the log-in is over."""


class NotForYou(web.HTTPForbidden):
    """Logged in, but this is somebody else's: *whose*, where that may be said."""

    def __init__(self, whose: str = "") -> None:
        super().__init__()
        self.whose = whose


class ForeignRequest(web.HTTPForbidden):
    """A write that did not come from our own page."""


def sign_in(key: bytes, person_id: int | None, *, now: datetime) -> str:
    """The cookie's value."""
    body = {"p": person_id, "n": secrets.token_urlsafe(12)}
    return seal(key, "session", body, until=now + SESSION_FOR)


def visitor_of(key: bytes, cookie: str, *, now: datetime) -> Visitor | None:
    """Who holds *cookie*; None when it is forged, broken or over."""
    body = unseal(key, "session", cookie, now=now)
    if body is None or "p" not in body:
        return None
    return Visitor(person_id=body["p"], token=_mac(key, "token", cookie.partition(".")[0]))


def seal(key: bytes, purpose: str, body: dict[str, Any], *, until: datetime) -> str:
    """*body* for a browser to keep: readable there, but nobody else can make or change it."""
    text = json.dumps({**body, "x": int(until.timestamp())}, ensure_ascii=False)
    payload = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"{payload}.{_mac(key, purpose, payload)}"


def unseal(key: bytes, purpose: str, sealed: str, *, now: datetime) -> dict[str, Any] | None:
    """What ``seal`` was given; None when it is forged, broken or over."""
    payload, _, mac = sealed.partition(".")
    if not hmac.compare_digest(mac.encode(), _mac(key, purpose, payload).encode()):
        return None
    try:
        body: dict[str, Any] = json.loads(
            base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        )
        until = body["x"]
    except (ValueError, KeyError, binascii.Error):
        return None
    return body if until > now.timestamp() else None


def own_path(target: str) -> str:
    """Only our own pages: never //elsewhere."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def cookie_name(request: web.Request) -> str:
    """One per port: cookies of one machine are shared by all its ports."""
    return f"genjin_{request.url.port or 80}"


def set_cookie(
    request: web.Request, response: web.StreamResponse, value: str, *, secure: bool
) -> None:
    response.set_cookie(
        cookie_name(request),
        value,
        httponly=True,
        samesite="Strict",
        secure=secure,
        path="/",
        max_age=int(SESSION_FOR.total_seconds()),
    )


def is_https(request: web.Request, deps: WebDeps) -> bool:
    return request.secure or deps.public_url.startswith("https:")


def may_act_as(deps: WebDeps, who: Visitor, person_id: int) -> bool:
    """In the demo one plays everybody; else only oneself, and the operator anybody."""
    return deps.demo or who.person_id is None or who.person_id == person_id


async def check(request: web.Request) -> None:
    """Raise unless *request* may go on; afterwards ``visitor(request)`` says who it is.

    Raises:
        web.HTTPMisdirectedRequest: the Host is not ours.
        NoSession, ForeignRequest
    """
    deps = request.app[DEPS]
    if not _is_our_host(request, deps):
        raise web.HTTPMisdirectedRequest
    public = request.path.startswith(_PUBLIC)
    if request.method not in _SAFE and not _is_our_origin(request, deps):
        raise ForeignRequest
    if public:
        return
    found = visitor(request)
    if request.method not in _SAFE and not await _has_token(request, found):
        raise ForeignRequest


def _is_our_host(request: web.Request, deps: WebDeps) -> bool:
    try:
        name = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
    except ValueError:
        return False
    ours = {*_LOOPBACK, *(one.lower() for one in deps.hosts)}
    if deps.public_url:
        ours.add((urlsplit(deps.public_url).hostname or "").lower())
    return name in ours


def _is_our_origin(request: web.Request, deps: WebDeps) -> bool:
    origin = request.headers.get("Origin", "")
    if deps.public_url and origin == "{0.scheme}://{0.netloc}".format(urlsplit(deps.public_url)):
        return True
    return origin == f"{request.scheme}://{request.headers.get('Host', '')}"


async def _has_token(request: web.Request, holder: Visitor) -> bool:
    given = request.headers.get(TOKEN_HEADER, "")
    if not given and request.content_type == "application/x-www-form-urlencoded":
        given = str((await request.post()).get("token", ""))
    return hmac.compare_digest(given.encode("utf-8", "replace"), holder.token.encode())


def _mac(key: bytes, purpose: str, payload: str) -> str:
    made = hmac.new(key, f"{purpose}:{payload}".encode("utf-8", "replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(made.digest()).decode().rstrip("=")
