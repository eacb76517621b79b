"""Keeps the connection: connects, subscribes, comes back after every end, and knows when not to."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import aiohttp
import structlog

from bot.channels.base import ChannelAway, ChannelError
from bot.channels.wecom_bot.frames import Frame, Refused
from bot.channels.wecom_bot.lease import Lease
from bot.channels.wecom_bot.link import Link, Pace

log = structlog.get_logger()

UNREACHABLE_AFTER: Final = 3  # failures in a row until it counts as a problem
_CLOSE_S: Final = 2.0

# What the admin must know: a code of ``channel_state``, or '' when all is well.
Find = Callable[[str, dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class End:
    """How a connection ended, or why there was none."""

    how: Literal["closed", "failed", "refused", "evicted"]
    detail: dict[str, Any] = field(default_factory=dict)


class Supervisor:
    """``link()`` is the connection for a sender; callbacks go to ``on_callback``."""

    def __init__(
        self,
        *,
        url: str,
        bot_id: str,
        secret: str,
        pace: Pace,
        lease: Lease,
        http: Callable[[], aiohttp.ClientSession],
        on_callback: Callable[[Frame, Link], None],
        on_end: Callable[[Link], None],
        find: Find,
    ) -> None:
        self._url = url
        self._bot_id = bot_id
        self._secret = secret
        self._pace = pace
        self._lease = lease
        self._http = http
        self._on_callback = on_callback
        self._on_end = on_end
        self._find = find
        self._current: Link | None = None
        self._lost_at = 0.0  # on the loop's clock
        self._up = asyncio.Event()
        self._wake = asyncio.Event()

    async def link(self) -> Link:
        """The live connection.

        Raises:
            ChannelAway: there is none, and waiting a little did not help.
        """
        # Not during a longer outage: whoever waits here keeps a worker busy.
        patience_s = self._lost_at + self._pace.patience_s - asyncio.get_running_loop().time()
        if self._lease.held.is_set() and not self._up.is_set() and patience_s > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._up.wait(), patience_s)
        link = self._current
        if link is None or not link.alive:
            raise ChannelAway("not connected")
        return link

    def wake(self) -> None:
        """Do not wait for the next try: the settings changed, or an admin asks."""
        self._wake.set()

    def drop(self) -> None:
        """Another process may connect now: let go."""
        self._up.clear()
        if self._current:
            self._closing = asyncio.create_task(self._current.close())

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        self._lost_at = loop.time()
        failures = 0
        while True:
            await self._lease.held.wait()
            begun = loop.time()
            try:
                end = await self._connect()
            except Exception as error:  # a bug here must not end the whole program
                log.exception("aibot: connecting failed")
                end = End("failed", {"error": type(error).__name__})
            if end.how == "evicted" and not await self._lease.renew():
                continue  # by one of our own, which has the lease now
            if end.how in ("refused", "evicted"):
                # Trying again at once would lock the bot's address out, or fight over the place.
                await self._tell(end.how, end.detail)
                failures = 0
                await self._pause(self._pace.slow_wait_s)
                continue
            lived_s = loop.time() - begun
            failures = 0 if lived_s >= self._pace.steady_s else failures + 1
            if end.how == "failed" and failures >= UNREACHABLE_AFTER:
                await self._tell("unreachable", end.detail)
            await self._pause(self._back_off(failures))

    async def _connect(self) -> End:
        """One connection from beginning to end."""
        try:
            socket = await asyncio.wait_for(self._open(), self._pace.connect_s)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            log.warning("aibot: no connection", error=type(error).__name__)
            return End("failed", {"error": type(error).__name__})
        link = Link(
            socket,
            bot_id=self._bot_id,
            secret=self._secret,
            pace=self._pace,
            on_callback=self._on_callback,
        )
        reading = asyncio.create_task(link.serve())
        try:
            await link.subscribe()
            if not self._lease.held.is_set():
                return End("closed")  # lost meanwhile: the place is another process's
            self._current = link
            self._up.set()
            log.info("aibot: connected")
            await self._tell("", {})
            await asyncio.wait([reading])
        except Refused as refused:
            if refused.transient:
                return End("failed", {"errcode": refused.errcode})
            return End("refused", {"errcode": refused.errcode})
        except ChannelError as error:
            return End("failed", {"error": str(error)})
        finally:
            if self._current:
                self._lost_at = asyncio.get_running_loop().time()
            self._up.clear()
            self._current = None
            await link.close()
            await asyncio.gather(reading, return_exceptions=True)
            self._on_end(link)
        log.warning("aibot: the connection ended", code=socket.close_code, evicted=link.evicted)
        return End("evicted" if link.evicted else "closed")

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        closing = aiohttp.ClientWSTimeout(ws_close=_CLOSE_S)
        return await self._http().ws_connect(self._url, timeout=closing)

    async def _tell(self, problem: str, detail: dict[str, Any]) -> None:
        try:
            await self._find(problem, detail)
        except (
            Exception
        ) as error:  # the database is away: the connection is worth keeping all the same
            log.error(
                "aibot: a finding could not be stored", problem=problem, error=type(error).__name__
            )

    async def _pause(self, seconds: float) -> None:
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    def _back_off(self, failures: int) -> float:
        wait_s = self._pace.first_wait_s * 2.0 ** min(max(0, failures - 1), 10)
        return min(wait_s, self._pace.most_wait_s) * random.uniform(0.8, 1.2)
