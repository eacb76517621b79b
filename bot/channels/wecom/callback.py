"""The HTTP callback of the company's own app (protocol sheet, section 1).

WeCom hangs up after 5 s and sends again, and may give an event up for good.  So: check, store,
answer; everything else happens afterwards.  An empty 200 says that it is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import unquote

import structlog
from aiohttp import web

from bot.callback_site import Attempts
from bot.channels.base import Accept
from bot.channels.wecom import events
from bot.channels.wecom.crypto import Codec, Refused
from bot.channels.wecom.events import DirectoryChanged, Ignored, Told, Trouble
from bot.channels.wecom.markup import BadXml, parse, text
from sales.clock import Clock
from sales.errors import BotError
from storage import channel_states, settings
from storage.callback_attempts import REFUSED
from storage.database import Database, Session

log = structlog.get_logger()

PATH: Final = "/callback/wecom"
ANSWER_S: Final = 4.0  # the platform waits for 5
DIRECTORY_WANTED: Final = "directory_wanted:wecom"  # since when it should be read again


class WeComCallback:
    """*clock* is the wall clock: the platform's times are real ones, whatever the demo plays."""

    path = PATH

    def __init__(
        self,
        codec: Codec,
        accept: Accept,
        attempts: Attempts,
        db: Database,
        clock: Clock,
        *,
        max_skew_s: int,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._codec = codec
        self._accept = accept
        self._attempts = attempts
        self._db = db
        self._clock = clock
        self._max_skew_s = max_skew_s
        self._answer_s = answer_s

    async def verify(self, request: web.Request) -> web.Response:
        """The admin pressed 保存: answer with what the cipher holds, and nothing around it."""
        try:
            query = _query(request, "echostr")
            said = self._codec.open(
                query["echostr"].replace(" ", "+"),  # some proxy turned it into a space
                signature=query["msg_signature"],
                timestamp=query["timestamp"],
                nonce=query["nonce"],
            )
        except Refused as refused:
            return self._refuse(request, refused)
        self._attempts.note(events.CHANNEL, request, "verified", "")
        return web.Response(body=said, content_type="text/plain")

    async def receive(self, request: web.Request) -> web.Response:
        told: Told | None = None
        try:
            async with asyncio.timeout(self._answer_s):
                told = self._read(request, await _body(request))
                outcome, reason = await self._keep(told)
        except Refused as refused:
            return self._refuse(request, refused)
        except TimeoutError:
            if told is None:
                return self._refuse(request, Refused("slow_body", status=408))
            # It may still be stored; then the platform's second try finds it there.
            return self._refuse(request, Refused("slow_storage", status=503))
        except BotError as error:
            log.warning("callback not stored", error=str(error))
            return self._refuse(request, Refused(error.code, status=503))
        self._attempts.note(events.CHANNEL, request, outcome, reason)
        return web.Response()

    def _read(self, request: web.Request, body: bytes) -> Told:
        """Raises Refused for whatever does not come from WeCom, now."""
        query = _query(request)
        try:
            sealed = text(parse(body), "Encrypt")
        except BadXml:
            raise Refused("not_xml", status=400) from None
        if not sealed:
            raise Refused("no_cipher", status=400)
        plain = self._codec.open(
            sealed,
            signature=query["msg_signature"],
            timestamp=query["timestamp"],
            nonce=query["nonce"],
        )
        now = self._clock.now()
        self._check_time(query["timestamp"], now)
        try:
            return events.read(plain, now=now)
        except BadXml:
            # From WeCom, but nothing that a second sending would mend.
            log.warning("wecom: unreadable message", size=len(plain))
            return Ignored("unreadable")

    def _check_time(self, timestamp: str, now: datetime) -> None:
        """Signed once, valid for some minutes; within them the event's own key stops a repeat."""
        if not timestamp.isdecimal() or len(timestamp) > 12:
            raise Refused("timestamp", status=400)
        if abs(now.timestamp() - int(timestamp)) > self._max_skew_s:
            raise Refused("stale")

    async def _keep(self, told: Told) -> tuple[str, str]:
        """Store what *told* asks for; what to note about the attempt."""
        match told:
            case Ignored(reason):
                return "ignored", reason
            case Trouble():
                await self._write(partial(_remember, trouble=told, now=self._clock.now()))
                return "accepted", f"app:{told.problem or 'fine'}"
            case DirectoryChanged(reason):
                await self._write(partial(_want_directory, at=self._clock.now()))
                return "accepted", f"directory:{reason[:40]}"
            case _:
                if told.action == "welcome":  # came into the visible range, perhaps unknown here
                    await self._write(partial(_want_directory, at=self._clock.now()))
                fresh = await self._accept(told)
                return ("accepted" if fresh else "repeat"), told.kind

    async def _write(self, work: Callable[[Session], object]) -> None:
        # Shielded: the writer must find the future as it left it.
        await asyncio.shield(asyncio.wrap_future(self._db.submit(work)))

    def _refuse(self, request: web.Request, refused: Refused) -> web.Response:
        self._attempts.note(events.CHANNEL, request, REFUSED, refused.reason)
        return web.Response(status=refused.status)


def _want_directory(session: Session, at: datetime) -> None:
    settings.put(session, DIRECTORY_WANTED, at.isoformat())


def _remember(session: Session, trouble: Trouble, now: datetime) -> None:
    if trouble.problem:
        detail = dict(trouble.detail)
        channel_states.note(
            session, events.CHANNEL, trouble.topic, trouble.problem, detail, now=now
        )
    else:
        channel_states.clear(session, events.CHANNEL, trouble.topic, now=now)


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refused("too_big", status=413) from None
    except (web.RequestPayloadError, ConnectionError):
        raise Refused("cut_off", status=400) from None


def _query(request: web.Request, *more: str) -> dict[str, str]:
    """The values as they were sent, decoded once; a ``+`` stays one, or base64 breaks.

    Raises:
        Refused: one is missing.
    """
    found: dict[str, str] = {}
    for pair in request.raw_path.partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        found.setdefault(name, unquote(value))
    for name in ("msg_signature", "timestamp", "nonce", *more):
        if not found.get(name):
            raise Refused("missing", status=400)
    return found
