"""The listener that the platforms call: its own port, nothing else behind it.

Whatever arrives here comes from anybody.  A platform's own part checks it; this one sees to it that
nobody is told more than yes or no, and that every attempt can be looked at later.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Protocol

import structlog
from aiohttp import web

from sales.clock import Clock
from storage import callback_attempts
from storage.callback_attempts import KEPT, REFUSED, Attempt
from storage.database import Database

log = structlog.get_logger()

MAX_BODY: Final = 1024 * 1024
_FLUSH_AFTER_S: Final = 0.5
_KEEP_ALIVE_S: Final = 75.0

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Receiver(Protocol):
    """One platform's address."""

    path: str

    async def verify(self, request: web.Request) -> web.Response:
        """GET: the platform asks whether we know its secret."""

    async def receive(self, request: web.Request) -> web.Response:
        """POST: an event.  Acknowledged only once it is stored."""


class Attempts:
    """Keeps the last attempts.  Written in batches beside the traffic; best effort."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        # A flood of one kind leaves the other's alone, here as in the table.
        self._waiting: dict[bool, deque[Attempt]] = {
            refused: deque(maxlen=KEPT) for refused in (True, False)
        }
        self._flushing: asyncio.Task[None] | None = None

    def note(self, channel: str, request: web.Request, outcome: str, reason: str) -> None:
        made = Attempt(
            channel=channel,
            at=self._clock.now(),
            remote=_remote(request),
            outcome=outcome,
            reason=reason,
        )
        self._waiting[outcome == REFUSED].append(made)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush_soon())

    async def close(self) -> None:
        """Write what still waits."""
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.wait([self._flushing])
        await self._flush()

    async def _flush_soon(self) -> None:
        while any(self._waiting.values()):
            await asyncio.sleep(_FLUSH_AFTER_S)
            await self._flush()

    async def _flush(self) -> None:
        batch = [one for waiting in self._waiting.values() for one in waiting]
        for waiting in self._waiting.values():
            waiting.clear()
        if not batch:
            return
        batch.sort(key=lambda one: one.at)
        try:
            work = self._db.submit(partial(callback_attempts.add, attempts=batch))
            await asyncio.shield(asyncio.wrap_future(work))
        except Exception as error:
            log.warning("callback attempts not kept", count=len(batch), error=repr(error))


def _remote(request: web.Request) -> str:
    """The caller's address; behind a proxy on this machine what that one says."""
    remote = request.remote or ""
    told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    if not told:
        return remote
    try:
        return (
            str(ipaddress.ip_address(told)) if ipaddress.ip_address(remote).is_loopback else remote
        )
    except ValueError:
        return remote


def _or_not_taken(handler: Handler) -> Handler:
    """A fault of ours is told as "not taken", so that the platform sends it again."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except (web.HTTPException, asyncio.CancelledError):
            raise
        except Exception:
            log.exception("callback", path=request.path)
            return web.Response(status=503)

    return handle


def build(receivers: Sequence[Receiver]) -> web.Application:
    app = web.Application(client_max_size=MAX_BODY)
    for receiver in receivers:
        app.router.add_get(receiver.path, _or_not_taken(receiver.verify), allow_head=False)
        app.router.add_post(receiver.path, _or_not_taken(receiver.receive))
    return app


async def start(receivers: Sequence[Receiver], *, host: str, port: int) -> web.AppRunner:
    """Listen.  Raises OSError when the port is taken."""
    runner = web.AppRunner(
        build(receivers),
        access_log=None,
        handle_signals=False,
        keepalive_timeout=_KEEP_ALIVE_S,
        auto_decompress=False,  # no platform packs its events; a small body stays a small body
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner
