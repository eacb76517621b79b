"""The half of the fake 智能机器人 service that a bot talks to: connection, commands, quotas."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.fakes.aibot_cards import Wrong, check_card
from tests.fakes.aibot_uploads import Uploads

STREAM_S = 6 * 60
REPLY_S = 24 * 3600
EVENT_S = 5
MEDIA_S = 5 * 60
TEXT_BYTES = 20480
PUSHABLE = ("markdown", "template_card", "image", "file", "voice", "video")


@dataclass
class Bubble:
    """One message of the bot as its person sees it."""

    kind: str  # stream markdown text card
    content: str = ""
    card: dict[str, Any] = field(default_factory=dict)
    finished: bool = True
    pushed: bool = False  # by aibot_send_msg, not as an answer
    redrawn: int = 0
    began: float = 0.0
    req_id: str = ""
    stream_id: str = ""
    data: bytes = b""


@dataclass
class Callback:
    """Something that the bot was told, and what it may do about it."""

    chat: str
    kind: str  # message enter_chat template_card_event other
    at: float
    socket: web.WebSocketResponse
    bubble: Bubble | None = None  # that was tapped
    stream: Bubble | None = None
    carded: bool = False
    answered: bool = False


class Service:
    def __init__(self, *, bot_id: str = "BOT", secret: str = "s3cret") -> None:
        self.bot_id, self.secret = bot_id, secret
        self.frames: list[dict[str, Any]] = []
        self.refused: list[tuple[str, int, str]] = []
        self.shown: dict[str, list[Bubble]] = {}
        self.subscribed = 0
        self.evictions = 0
        self.closes: list[int | None] = []
        # Faults to order:
        self.silent: set[str] = set()  # commands that get no acknowledgement
        self.lost_acks: set[str] = set()  # commands that are done, but their answer gets lost
        self.subscribe_code = 0  # refuse to subscribe with this
        self.headerless: list[int] = []  # answer the next commands with an error without headers
        self.answer_code: dict[str, list[int]] = {}  # refuse the next frames of a command
        self.noise = ""  # put raw into each frame, as some inputs do
        self.ack_after_s = 0.0
        self._skew = 0.0
        self._wrote: set[str] = set()
        self._groups: set[str] = set()
        self.uploads = Uploads(self.now)
        self._sent: dict[str, list[float]] = {}
        self._tasks: set[str] = set()
        self._callbacks: dict[str, Callback] = {}
        self._in_hand: set[str] = set()
        self._files: dict[str, tuple[bytes, float]] = {}
        self._numbers = itertools.count(1)
        self._live: web.WebSocketResponse | None = None
        self._open: set[web.WebSocketResponse] = set()
        self._working: set[asyncio.Task[None]] = set()

    # --- life -----------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/ws", self._connected)
        app.router.add_get("/file/{name}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await self.listen()
        return self

    async def listen(self) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", getattr(self, "port", 0))
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    async def unlisten(self) -> None:
        """New connections are refused by the machine itself."""
        await self._site.stop()

    async def __aexit__(self, *_: object) -> None:
        for socket in [*self._open]:
            await socket.close()
        for task in [*self._working]:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def connected(self) -> bool:
        return self._live is not None and not self._live.closed

    def now(self) -> float:
        return time.monotonic() + self._skew

    def later(self, seconds: float) -> None:
        """The platform's own clock goes on."""
        self._skew += seconds

    # --- the connection -------------------------------------------------------------------------

    async def _connected(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=True, timeout=0.5)
        await socket.prepare(request)
        self._open.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    task = asyncio.create_task(self._received(socket, message.data))
                    self._working.add(task)
                    task.add_done_callback(self._working.discard)
        finally:
            self._open.discard(socket)
            self.closes.append(socket.close_code)
            if self._live is socket:
                self._live = None
        return socket

    async def _received(self, socket: web.WebSocketResponse, raw: str) -> None:
        try:
            frame = json.loads(raw)
            cmd, req_id = frame["cmd"], frame["headers"]["req_id"]
            assert isinstance(cmd, str) and isinstance(req_id, str) and 0 < len(req_id) <= 256
        except (ValueError, KeyError, TypeError, AssertionError):
            self.refused.append(("?", 40058, raw[:80]))
            await self._send(socket, {"errcode": 40058, "errmsg": "missing field"})
            return
        self.frames.append(frame)
        if cmd in self.silent:
            return
        if self.headerless and cmd != "ping":
            code = self.headerless.pop(0)
            await self._send(socket, {"errcode": code, "errmsg": "something is wrong"})
            return
        if req_id in self._in_hand:
            wrong: Wrong | None = Wrong(6000, "answers to one request at the same time")
            answer = None
        else:
            self._in_hand.add(req_id)
            await asyncio.sleep(self.ack_after_s)
            done = await self._command(socket, cmd, req_id, frame.get("body"))
            self._in_hand.discard(req_id)
            wrong, answer = (done, None) if isinstance(done, Wrong) else (None, done)
        if wrong:
            self.refused.append((cmd, wrong.code, wrong.why))
        if cmd in self.lost_acks:
            return
        ack: dict[str, Any] = {"headers": {"req_id": req_id}}
        ack["errcode"] = wrong.code if wrong else 0
        if answer is not None:
            ack["body"] = answer
        await self._send(socket, {**ack, "errmsg": wrong.why if wrong else "ok"})

    async def _command(
        self, socket: web.WebSocketResponse, cmd: str, req_id: str, body: Any
    ) -> Wrong | dict[str, Any] | None:
        try:
            if self.answer_code.get(cmd):
                raise Wrong(self.answer_code[cmd].pop(0), "as ordered")
            if cmd == "aibot_subscribe":
                await self._subscribe(socket, body)
                return None
            if socket is not self._live:
                raise Wrong(846609, "not subscribed")
            if cmd == "ping":
                if body is not None:
                    raise Wrong(40058, "a ping has no body")
                return None
            if not isinstance(body, dict):
                raise Wrong(40058, "missing field body")
            if cmd == "aibot_send_msg":
                self._push(body)
            elif cmd.startswith("aibot_upload_media_"):
                return self.uploads.take(cmd.removeprefix("aibot_upload_media_"), body)
            elif cmd == "aibot_respond_msg":
                self._respond(self._callback(socket, req_id, "message", REPLY_S), req_id, body)
            elif cmd == "aibot_respond_welcome_msg":
                self._welcome(self._callback(socket, req_id, "enter_chat", EVENT_S), body)
            elif cmd == "aibot_respond_update_msg":
                self._update(self._callback(socket, req_id, "template_card_event", EVENT_S), body)
            else:
                raise Wrong(40058, f"unknown cmd {cmd}")
        except Wrong as wrong:
            return wrong
        return None

    async def _subscribe(self, socket: web.WebSocketResponse, body: Any) -> None:
        if self.subscribe_code:
            raise Wrong(self.subscribe_code, "as ordered")
        if not isinstance(body, dict) or body.get("bot_id") != self.bot_id:
            raise Wrong(40058, "no such bot")
        if body.get("secret") != self.secret:
            raise Wrong(40001, "invalid secret")
        earlier, self._live = self._live, socket
        self.subscribed += 1
        if earlier is not None and earlier is not socket:
            await self._evict(earlier)

    async def _evict(self, socket: web.WebSocketResponse) -> None:
        self.evictions += 1
        if self._live is socket:
            self._live = None
        body = {"msgtype": "event", "event": {"eventtype": "disconnected_event"}}
        frame = {"cmd": "aibot_event_callback", "headers": {"req_id": "bye"}, "body": body}
        await self._send(socket, frame)
        await socket.close()

    async def _tell(
        self, cmd: str, body: dict[str, Any], *, chat: str, kind: str, **given: Any
    ) -> str:
        socket = self._live
        if socket is None or socket.closed:
            return ""
        req_id = f"cb{next(self._numbers)}"
        self._callbacks[req_id] = Callback(
            chat=chat, kind=kind, at=self.now(), socket=socket, **given
        )
        sent = await self._send(socket, {"cmd": cmd, "headers": {"req_id": req_id}, "body": body})
        return req_id if sent else ""

    async def _send(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> bool:
        raw = json.dumps(frame, ensure_ascii=False)
        if self.noise:
            raw = raw.replace('"msgtype": "', self.noise + '"msgtype": "')
        try:
            await socket.send_str(raw)
        except (ConnectionError, RuntimeError):
            return False
        return True

    # --- the commands ---------------------------------------------------------------------------

    def _callback(
        self, socket: web.WebSocketResponse, req_id: str, kind: str, within_s: float
    ) -> Callback:
        found = self._callbacks.get(req_id)
        if found is None or found.socket is not socket or found.kind != kind:
            raise Wrong(846605, "invalid req_id")
        if self.now() - found.at > within_s:
            raise Wrong(846605, "too late")
        return found

    def _respond(self, callback: Callback, req_id: str, body: dict[str, Any]) -> None:
        match body.get("msgtype"):
            case "stream":
                self._stream(callback, req_id, body.get("stream"))
            case "markdown":
                content = _text(body.get("markdown"))
                self._show(callback.chat, Bubble("markdown", content, req_id=req_id))
            case "template_card":
                if callback.carded:
                    raise Wrong(40058, "one card for each message")
                bubble = Bubble("card", card=self._new_card(body), req_id=req_id)
                self._show(callback.chat, bubble)
                callback.carded = True
            case _:
                raise Wrong(40008, "invalid msgtype")

    def _stream(self, callback: Callback, req_id: str, stream: Any) -> None:
        if not isinstance(stream, dict) or not stream.get("id"):
            raise Wrong(40058, "missing field stream.id")
        content = _text(stream)
        finish = stream.get("finish", False)
        if not isinstance(finish, bool):
            raise Wrong(40058, "finish")
        old = callback.stream
        if old is None:
            callback.stream = Bubble(
                "stream",
                content,
                finished=finish,
                began=self.now(),
                req_id=req_id,
                stream_id=stream["id"],
            )
            self._show(callback.chat, callback.stream)
            return
        if stream["id"] != old.stream_id or old.finished:
            raise Wrong(40058, "this message has its stream")
        if self.now() - old.began > STREAM_S:
            raise Wrong(846608, "stream too old")
        self._count(callback.chat)
        old.content, old.finished = content, finish

    def _welcome(self, callback: Callback, body: dict[str, Any]) -> None:
        if callback.answered:
            raise Wrong(846605, "answered already")
        if body.get("msgtype") != "text":
            raise Wrong(40008, "invalid msgtype")
        self._show(callback.chat, Bubble("text", _text(body.get("text"))))
        callback.answered = True

    def _update(self, callback: Callback, body: dict[str, Any]) -> None:
        if callback.answered:
            raise Wrong(846605, "answered already")
        if body.get("response_type") != "update_template_card":
            raise Wrong(40058, "missing field response_type")
        card = body.get("template_card")
        check_card(card)
        bubble = callback.bubble
        assert bubble is not None and isinstance(card, dict)
        if card.get("task_id") != bubble.card.get("task_id"):
            raise Wrong(42016, "another task_id than the card's")
        self._count(callback.chat)
        bubble.card, bubble.redrawn = card, bubble.redrawn + 1
        callback.answered = True

    def _push(self, body: dict[str, Any]) -> None:
        chat, kind = body.get("chatid"), body.get("msgtype")
        if not isinstance(chat, str) or not chat:
            raise Wrong(40058, "missing field chatid")
        if body.get("chat_type") not in (1, 2):
            raise Wrong(93001, "tried as a group: no such chat")
        if kind not in PUSHABLE:
            raise Wrong(40008, "invalid msgtype")
        if body["chat_type"] == (1 if chat in self._groups else 2):
            raise Wrong(93001, "no such chat")
        if chat not in self._wrote:
            raise Wrong(93006, "not allowed to push")
        if kind == "template_card":
            bubble = Bubble("card", card=self._new_card(body), pushed=True)
        elif kind == "markdown":
            bubble = Bubble("markdown", _text(body.get("markdown")), pushed=True)
        else:
            given = body.get(kind)
            media_id = given.get("media_id") if isinstance(given, dict) else None
            bubble = Bubble(kind, data=self.uploads.data(media_id, kind), pushed=True)
        self._show(chat, bubble)

    def _new_card(self, body: dict[str, Any]) -> dict[str, Any]:
        card = body.get("template_card")
        check_card(card)
        assert isinstance(card, dict)
        task = card.get("task_id", "")
        if task and task in self._tasks:
            raise Wrong(42014, "task_id used before")
        self._tasks.add(task)
        return card

    def _show(self, chat: str, bubble: Bubble) -> None:
        self._count(chat)
        self.shown.setdefault(chat, []).append(bubble)

    def _count(self, chat: str) -> None:
        """30 a minute and 1000 an hour, answers and messages together."""
        now, sent = self.now(), self._sent.setdefault(chat, [])
        sent[:] = [at for at in sent if at > now - 3600]
        if len(sent) >= 1000 or sum(at > now - 60 for at in sent) >= 30:
            raise Wrong(45009, "api freq out of limit")
        sent.append(now)

    async def _file(self, request: web.Request) -> web.Response:
        data, until = self._files.get(request.match_info["name"], (b"", 0.0))
        if not data or self.now() > until:
            return web.Response(status=403, text="expired")
        return web.Response(
            body=data, headers={"Content-Disposition": 'attachment; filename="a.bin"'}
        )


def _text(part: Any) -> str:
    content = part.get("content") if isinstance(part, dict) else None
    if not isinstance(content, str) or not content:
        raise Wrong(44004, "empty content")
    if len(content.encode()) > TEXT_BYTES:
        raise Wrong(45002, "content too long")
    return content
