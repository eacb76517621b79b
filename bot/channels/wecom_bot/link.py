"""One live websocket: requests and their acknowledgements, pings, callbacks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakValueDictionary

import aiohttp
import structlog

from bot.channels.base import ChannelAway, OutcomeUnknown
from bot.channels.wecom_bot import frames
from bot.channels.wecom_bot.frames import BadFrame, Frame, Refused

log = structlog.get_logger()

MISSED_PINGS: Final = 2  # so many in a row and the connection is dead


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds.  Tests make them short."""

    ping_s: float = 30.0
    ack_s: float = 5.0
    connect_s: float = 15.0
    first_wait_s: float = 1.0  # before the first reconnection; it doubles
    most_wait_s: float = 60.0
    steady_s: float = 60.0  # a connection that lived so long starts the waiting anew
    slow_wait_s: float = 600.0  # after a wrong secret, or when somebody else took the connection
    lease_s: float = 20.0
    patience_s: float = 3.0  # a sender waits so long for a connection that is just coming back
    interim_s: float = 0.5  # an answer that comes sooner needs no word before it
    look_s: float = 5.0  # how often streams are looked at that nobody finished


class Link:
    """From ``subscribe`` until the connection ends; nothing of it outlives the connection."""

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        *,
        bot_id: str,
        secret: str,
        pace: Pace,
        on_callback: Callable[[Frame, Link], None],
    ) -> None:
        self.evicted = False  # somebody else subscribed with the same bot
        self._socket = socket
        self._bot_id = bot_id
        self._secret = secret
        self._pace = pace
        self._on_callback = on_callback
        self._pending: dict[str, asyncio.Future[Frame]] = {}  # oldest first
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._subscribing = asyncio.Lock()
        self._subscribed = 0  # how often
        self._ended = False

    @property
    def alive(self) -> bool:
        return not self._ended and not self._socket.closed

    async def serve(self) -> None:
        """Read until the connection ends, whoever ends it."""
        beat = asyncio.create_task(self._beat())
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._read(message.data)
                elif message.type is aiohttp.WSMsgType.BINARY:
                    self._read(message.data.decode("utf-8", "replace"))
                if self.evicted:
                    break
        finally:
            self._ended = True
            beat.cancel()
            for answer in self._pending.values():
                if not answer.done():
                    answer.set_exception(OutcomeUnknown("connection lost", transient=True))
            await asyncio.gather(beat, return_exceptions=True)

    async def close(self) -> None:
        with contextlib.suppress(aiohttp.ClientError, OSError, RuntimeError):
            await self._socket.close()

    async def subscribe(self) -> None:
        """Raises Refused, OutcomeUnknown, ChannelAway."""
        body = {"bot_id": self._bot_id, "secret": self._secret}
        await self._exchange(frames.SUBSCRIBE, body, frames.new_id(frames.SUBSCRIBE))
        self._subscribed += 1

    async def ask(
        self,
        cmd: str,
        body: dict[str, Any] | None,
        *,
        req_id: str = "",
        within_s: float | None = None,
    ) -> dict[str, Any]:
        """Send and wait for the acknowledgement; its body.

        *req_id*: of the callback that this answers.  Answers to one callback go one by one.

        Raises:
            Refused: the platform said no.
            OutcomeUnknown: no acknowledgement came.
            ChannelAway: it was not even sent.
        """
        subscribed = self._subscribed
        try:
            return await self._exchange(cmd, body, req_id or frames.new_id(cmd), within_s)
        except Refused as refused:
            if refused.errcode != frames.NOT_SUBSCRIBED:
                raise
        await self._subscribe_again(subscribed)
        return await self._exchange(cmd, body, req_id or frames.new_id(cmd), within_s)

    async def _subscribe_again(self, seen: int) -> None:
        async with self._subscribing:
            if self._subscribed != seen:
                return  # another request noticed it first
            log.warning("aibot: the platform forgot the subscription")
            try:
                await self.subscribe()
            except Exception as error:
                await self.close()  # the supervisor knows how to begin again
                raise ChannelAway("not subscribed") from error

    async def _exchange(
        self,
        cmd: str,
        body: dict[str, Any] | None,
        req_id: str,
        within_s: float | None = None,
    ) -> dict[str, Any]:
        turn = self._turns.setdefault(req_id, asyncio.Lock())
        async with turn:
            if not self.alive:
                raise ChannelAway("the connection ended")
            answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
            self._pending[req_id] = answer
            try:
                async with asyncio.timeout(within_s or self._pace.ack_s):
                    await self._write(frames.build(cmd, req_id, body))
                    ack = await answer
            except TimeoutError:
                raise OutcomeUnknown(f"{cmd}: no answer", transient=True) from None
            finally:
                del self._pending[req_id]
            if ack.errcode:
                raise Refused(ack.errcode, ack.errmsg)
            return ack.body

    async def _write(self, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, ConnectionError) as error:
            raise ChannelAway("the connection is closing") from error

    def _read(self, raw: str) -> None:
        try:
            frame = frames.parse(raw)
        except BadFrame:
            log.warning("aibot: a frame that cannot be read", chars=len(raw))
            return
        if frame.cmd:
            if frame.cmd == frames.EVENT and event_type(frame.body) == "disconnected_event":
                self.evicted = True
            else:
                self._on_callback(frame, self)
        elif frame.req_id:
            answer = self._pending.get(frame.req_id)
            if answer and not answer.done():
                answer.set_result(frame)
        else:
            self._headerless(frame)

    def _headerless(self, frame: Frame) -> None:
        """An error that does not say what it is about: about the oldest request, most likely.

        With one request open there is no doubt; with several its outcome counts as unknown.
        """
        log.warning("aibot: an error without headers", errcode=frame.errcode, errmsg=frame.errmsg)
        waiting = [answer for answer in self._pending.values() if not answer.done()]
        if not waiting or not frame.errcode:
            return
        if len(waiting) == 1:
            waiting[0].set_result(frame)
        else:
            waiting[0].set_exception(OutcomeUnknown(f"{frame.errcode}: which?", transient=True))

    async def _beat(self) -> None:
        missed = 0
        while missed < MISSED_PINGS:
            await asyncio.sleep(self._pace.ping_s)
            try:
                await self.ask(frames.PING, None)
                missed = 0
            except OutcomeUnknown:
                missed += 1
            except Refused as refused:  # an answer is an answer
                log.warning("aibot: ping refused", errcode=refused.errcode)
            except ChannelAway:
                break
        log.warning("aibot: the connection is dead")
        await self.close()


def event_type(body: dict[str, Any]) -> str:
    event = body.get("event")
    return str(event.get("eventtype") or "") if isinstance(event, dict) else ""
