"""One live websocket of Stream mode: frames in, acknowledgements out (protocol sheet 1.2)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import structlog

from sales.errors import BotError

log = structlog.get_logger()

OK, BAD_DATA, NO_HANDLER = 200, 400, 404
_MOST_IN_HAND: Final = 200
_MOST_FRAME: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds.  Tests make them short."""

    open_s: float = 10.0  # for registering, and for connecting
    ping_s: float = 25.0
    idle_s: float = 60.0  # so long without a word and the connection is dead, whatever TCP says
    first_wait_s: float = 1.0  # before the first reconnection; it doubles
    most_wait_s: float = 60.0
    steady_s: float = 60.0  # a connection that lived so long starts the waiting anew
    slow_wait_s: float = 120.0  # after a refusal that only an admin can mend; it doubles
    most_slow_s: float = 600.0
    drain_s: float = 10.0  # how long a socket that is leaving may finish its answers
    least_life_s: float = 0.5  # sockets told to leave at once must not make us spin
    tell_s: float = 30.0  # without any connection for so long, the admin is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    type: str  # SYSTEM EVENT CALLBACK
    topic: str
    message_id: str
    data: str  # JSON
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``data`` becomes the JSON string of the acknowledgement."""

    code: int = OK
    message: str = "OK"
    data: Mapping[str, Any] = field(default_factory=dict)


# Everything that follows is committed when it returns; BotError: nothing was, so no answer.
OnFrame = Callable[[Frame], Awaitable[Answer]]


class Link:
    """``serve`` reads until the connection ends; ``leaving`` is set when another one must come."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, on_frame: OnFrame, pace: Pace
    ) -> None:
        self.leaving = asyncio.Event()
        self._socket = socket
        self._on_frame = on_frame
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._ends_at = float("inf")
        self._in_hand: set[asyncio.Task[None]] = set()

    async def serve(self) -> str:
        """Why it ended."""
        beat = asyncio.create_task(self._beat())
        try:
            return await self._read()
        finally:
            beat.cancel()
            with contextlib.suppress(asyncio.CancelledError, TimeoutError, aiohttp.ClientError):
                # What is in hand gets its answer out, unless we are in a hurry.
                async with asyncio.timeout(self._pace.drain_s / 5):
                    while self._in_hand:
                        await asyncio.wait(set(self._in_hand))
            for task in self._in_hand:
                task.cancel()
            await self._socket.close()
            await asyncio.gather(beat, *self._in_hand, return_exceptions=True)

    async def _read(self) -> str:
        while True:
            now = self._loop.time()
            left_s = min(self._heard_at + self._pace.idle_s, self._ends_at) - now
            if left_s <= 0:
                return "left" if self.leaving.is_set() else "silent"
            try:
                async with asyncio.timeout(left_s):
                    message = await self._socket.receive()
            except TimeoutError:
                continue
            match message.type:
                case aiohttp.WSMsgType.TEXT:
                    self._heard_at = self._loop.time()
                    await self._take(message.data)
                case aiohttp.WSMsgType.PING:
                    self._heard_at = self._loop.time()
                    await self._socket.pong(message.data)
                case aiohttp.WSMsgType.PONG:
                    pass  # some machine on the way answers these even when the gateway is gone
                case aiohttp.WSMsgType.BINARY:
                    log.warning("dingtalk: a binary frame")
                case _:
                    return "left" if self.leaving.is_set() else "closed"

    async def _take(self, text: str) -> None:
        frame = parse(text)
        if frame is None:
            log.warning("dingtalk: a frame that cannot be read", chars=len(text))
            return
        if frame.type == "SYSTEM":
            await self._system(frame)
            return
        while len(self._in_hand) >= _MOST_IN_HAND:
            await asyncio.wait(set(self._in_hand), return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._answer(frame))
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)

    async def _system(self, frame: Frame) -> None:
        if frame.topic == "ping":
            await self._send(frame, OK, "OK", frame.data)
        elif frame.topic == "disconnect":
            # Routine, and no answer is wanted: the platform balances its load.
            log.debug("dingtalk: the gateway asks us to leave")
            self._ends_at = self._loop.time() + self._pace.drain_s
            self.leaving.set()

    async def _answer(self, frame: Frame) -> None:
        try:
            answer = await self._on_frame(frame)
        except BotError as error:
            # Not stored, so not acknowledged: it comes again.
            log.warning("dingtalk: not stored", topic=frame.topic, why=str(error))
            return
        except Exception:
            log.exception("dingtalk: frame", topic=frame.topic)
            return
        data = json.dumps(dict(answer.data), ensure_ascii=False)
        await self._send(frame, answer.code, answer.message, data)

    async def _send(self, frame: Frame, code: int, message: str, data: str) -> None:
        headers = {"messageId": frame.message_id, "contentType": "application/json"}
        told = {"code": code, "headers": headers, "message": message, "data": data}
        try:
            async with asyncio.timeout(self._pace.open_s):
                await self._socket.send_str(json.dumps(told, ensure_ascii=False))
        except (aiohttp.ClientError, ConnectionError, TimeoutError, RuntimeError) as error:
            # The socket is gone; the platform sends again, and the repeat is known by its key.
            log.info("dingtalk: an answer did not get out", why=repr(error))

    async def _beat(self) -> None:
        while not self._socket.closed:
            await asyncio.sleep(self._pace.ping_s)
            with contextlib.suppress(aiohttp.ClientError, ConnectionError, RuntimeError):
                await self._socket.ping()


def parse(text: str) -> Frame | None:
    """None for what is no frame of this protocol."""
    if len(text) > _MOST_FRAME:
        return None
    try:
        made = json.loads(text)
    except (ValueError, RecursionError):
        return None
    headers = made.get("headers") if isinstance(made, dict) else None
    if not isinstance(headers, dict) or not headers.get("messageId"):
        return None
    data = made.get("data")
    return Frame(
        type=str(made.get("type") or ""),
        topic=str(headers.get("topic") or ""),
        message_id=str(headers["messageId"]),
        data=data if isinstance(data, str) else json.dumps(data, ensure_ascii=False),
        headers=headers,
    )
