"""The Stream gateway: tickets, sockets, frames and their acknowledgements (protocol sheet, 1.2)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import WSMsgType, web

from tests.fakes.dingtalk.acks import check_data, check_shape, event_status, inner
from tests.fakes.dingtalk.errors import V1Error, bad
from tests.fakes.dingtalk.gate import Ask, Route, need_json
from tests.fakes.dingtalk.pushes import Attempt, HttpPusher, Push
from tests.fakes.dingtalk.state import App, Json, World


@dataclass(eq=False)
class Ticket:
    app: App
    topics: set[tuple[str, str]]
    ends: datetime
    used: bool = False


@dataclass(eq=False)
class Connection:
    """One socket of an app."""

    id: str
    app: App
    topics: set[tuple[str, str]]
    socket: web.WebSocketResponse
    request: web.Request
    opened: float
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    open: bool = True
    leaving: bool = False  # told to disconnect: nothing is pushed any more
    zombie: bool = False  # TCP is fine, and nobody is there
    pings: dict[str, str] = field(default_factory=dict)  # message id -> opaque, unanswered
    pongs: int = 0
    client_pings: int = 0
    frames: dict[str, tuple[Push, Attempt]] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        return self.open and not self.leaving

    def takes(self, push: Push) -> bool:
        kind = "EVENT" if push.kind == "event" else "CALLBACK"
        wanted = push.anywhere or (kind, push.topic) in self.topics
        return self.healthy and self.app is push.app and wanted


class Stream:
    def __init__(self, world: World, http: HttpPusher) -> None:
        self._world = world
        self._http = http
        self.tickets: dict[str, Ticket] = {}
        self.connections: list[Connection] = []
        self.pushes: list[Push] = []
        self.lost: list[Push] = []
        self.held: list[Push] = []
        self.failed_events: list[Push] = []
        self.silent = False  # no SYSTEM pings
        self._tasks: set[asyncio.Task[None]] = set()
        self._rebalance: asyncio.Task[None] | None = None

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/v1.0/gateway/connections/open", self._open, "v1", "none"),
            Route("GET", "/connect", self._connect, "edge", "none"),
            Route("GET", "/call_back/get_call_back_failed_result", self._failed, "oapi"),
        ]

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        for connection in self.connections:
            if connection.open and connection.request.transport is not None:
                connection.request.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Registering and connecting

    async def _open(self, ask: Ask) -> Json | web.Response:
        body = need_json(ask)
        app = self._world.apps.get(str(body.get("clientId")))
        if app is None or app.client_secret != body.get("clientSecret"):
            raise V1Error(401, "invalidClientIdOrSecret", "无效的clientId或者clientSecret")
        topics = set()
        listed = body.get("subscriptions")
        for one in listed if isinstance(listed, list) else []:
            if one.get("type") not in ("EVENT", "CALLBACK", "SYSTEM") or not one.get("topic"):
                raise bad("invalidSubscription", json.dumps(one))
            topics.add((one["type"], one["topic"]))
        if not topics:
            raise bad("missingSubscriptions")
        text = self._world.draw("", 32)
        ends = self._world.after(self._world.rules.ticket_life_s)
        self.tickets[text] = Ticket(app, topics, ends)
        endpoint = self._world.bases["edge"].replace("http", "ws", 1) + "/connect"
        if "application/json" in ask.request.headers.get("Accept", ""):
            return {"endpoint": endpoint, "ticket": text}
        words = f"<endpoint>{escape(endpoint)}</endpoint><ticket>{text}</ticket>"
        answer = f"<ConnectionsOpenResponse>{words}</ConnectionsOpenResponse>"
        return web.Response(text=answer, content_type="application/xml")

    async def _connect(self, ask: Ask) -> web.StreamResponse:
        request = ask.request
        ticket = self.tickets.get(request.query.get("ticket", ""))
        if ticket is None or ticket.used or ticket.ends <= self._world.now():
            raise V1Error(401, "invalidTicket", "the ticket is unknown, used or expired")
        alive = [one for one in self.connections if one.open and one.app is ticket.app]
        if len(alive) >= self._world.rules.connections:
            raise V1Error(403, "tooManyConnections")
        ticket.used = True
        socket = web.WebSocketResponse(autoping=False)
        connection = Connection(
            id=self._world.draw("c-", 10),
            app=ticket.app,
            topics=ticket.topics,
            socket=socket,
            request=request,
            opened=time.monotonic(),
        )
        # Known before the client knows: what is said from now on is not lost.
        self.connections.append(connection)
        pinging = self.spawn(self._ping(connection))
        try:
            await socket.prepare(request)
            connection.ready.set()
            self._world.tell()
            held, self.held = self.held, []
            for push in held:
                self.start(push)
            await self._read(connection)
        finally:
            connection.open = False
            pinging.cancel()
            self._world.tell()
        return socket

    async def _ping(self, connection: Connection) -> None:
        while True:
            await asyncio.sleep(self._world.rules.ping_every_s)
            if not self.silent and not connection.zombie and connection.healthy:
                await self.ping(connection)

    async def ping(self, connection: Connection) -> None:
        opaque = self._world.draw("", 16)
        number = self._world.draw("m-", 10)
        connection.pings[number] = opaque
        data = json.dumps({"opaque": opaque})
        await self._send(connection, "SYSTEM", "ping", number, data)

    async def _read(self, connection: Connection) -> None:
        async for message in connection.socket:
            if connection.zombie:
                continue
            if message.type is WSMsgType.PING:
                connection.client_pings += 1
                await connection.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._answered(connection, message.data)
            elif message.type is WSMsgType.BINARY:
                self._world.complain("a frame in binary")

    # Acknowledgements

    def _answered(self, connection: Connection, text: str) -> None:
        problem, answer, number = check_shape(text)
        if number in connection.pings:
            opaque = connection.pings.pop(number)
            if problem or answer["code"] != 200 or inner(answer["data"]) != {"opaque": opaque}:
                self._world.complain(f"ping answered wrongly: {text}")
            connection.pongs += 1
            self._world.tell()
            return
        if number not in connection.frames:
            self._world.complain(f"an answer to no frame: {problem or text}")
            return
        push, attempt = connection.frames.pop(number)  # one answer for each frame
        attempt.answer = answer
        attempt.code = answer.get("code", 0) if isinstance(answer.get("code"), int) else 0
        attempt.ack_delay_s = time.monotonic() - attempt.sent
        attempt.problem = problem or check_data(push, answer)
        if attempt.problem:
            self._world.complain(f"bad ACK of {push.kind} {push.id}: {attempt.problem}")
        elif attempt.ack_delay_s > self._world.rules.stream_deadline_s:
            self._world.complain(f"ACK of {push.kind} {push.id} after {attempt.ack_delay_s:.1f} s")
        self._settle(push, attempt)

    def _settle(self, push: Push, attempt: Attempt) -> None:
        if not attempt.problem and attempt.code == 200:
            data = attempt.answer
            if push.kind == "event":
                push.done = push.done or event_status(push, attempt) == "SUCCESS"
            else:
                if push.kind == "card" and not push.done:
                    push.answer = data if push.route[0] else inner(data["data"])["response"]
                push.done = True
        if push.on_ack is not None:
            push.on_ack(push, attempt)
        self._world.tell()

    # Pushing

    def start(self, push: Push) -> Push:
        push.world = self._world
        if push not in self.pushes:
            self.pushes.append(push)
        self.spawn(self._deliver(push))
        return push

    async def _deliver(self, push: Push) -> None:
        """Until it is acknowledged or the platform has had enough."""
        for pause_s in (*self._pauses(push), None):
            if not await self._attempt(push):
                return
            if pause_s is None:
                break
            await asyncio.sleep(pause_s)
            if push.done:
                return
        if push.kind == "event" and not push.done:
            self.failed_events.append(push)
        push.gave_up = not push.done
        self._world.tell()

    def _pauses(self, push: Push) -> tuple[float, ...]:
        rules = self._world.rules
        if push.kind == "event":
            return rules.event_retry_s
        return () if rules.repush_s is None else (rules.repush_s,) * rules.repush_times

    async def _attempt(self, push: Push) -> bool:
        """False when the push is lost or waits for a socket."""
        same = self._world.rules.repush_same_message_id and push.attempts
        number = push.attempts[0].id if same else self._world.draw("m-", 12)
        attempt = Attempt(number, "", time.monotonic())
        if self._by_http(push):
            push.attempts.append(attempt)
            await self._http.push(push, attempt)
            self._settle(push, attempt)
            return True
        connection = self._pick(push)
        if connection is None:
            if push.kind == "event" or push.attempts:
                return True  # comes again
            if self._world.rules.offline == "hold":
                self.held.append(push)
            else:
                push.lost = True
                self.lost.append(push)
            self._world.tell()
            return False
        attempt.to = connection.id
        push.attempts.append(attempt)
        self._world.tell()
        await self.frame(connection, push, attempt)
        return True

    def _by_http(self, push: Push) -> bool:
        if push.kind == "message":
            return bool(push.app.message_url)
        return bool(push.app.event_url if push.kind == "event" else push.route[0])

    def _pick(self, push: Push) -> Connection | None:
        able = [one for one in self.connections if one.takes(push)]
        if not able:
            return None
        return able[-1] if self._world.rules.fan_out == "newest" else self._world.dice.choice(able)

    async def frame(self, connection: Connection, push: Push, attempt: Attempt) -> None:
        if connection.zombie:
            return
        connection.frames[attempt.id] = (push, attempt)
        kind = "EVENT" if push.kind == "event" else "CALLBACK"
        as_it_is = isinstance(push.data, str)
        data = push.data if as_it_is else json.dumps(push.data, ensure_ascii=False)
        await self._send(connection, kind, push.topic, attempt.id, data, **push.headers)

    async def _send(
        self,
        connection: Connection,
        kind: str,
        topic: str,
        number: str,
        data: str,
        **more: str,
    ) -> None:
        headers = {
            "appId": f"app-{connection.app.agent_id}",
            "connectionId": connection.id,
            "contentType": "application/json",
            "messageId": number,
            "time": str(self._world.now_ms()),
            "topic": topic,
        }
        frame = {"specVersion": "1.0", "type": kind, "headers": headers | more, "data": data}
        with contextlib.suppress(ConnectionError, RuntimeError):
            await connection.ready.wait()
            await connection.socket.send_str(json.dumps(frame, ensure_ascii=False))

    async def send_raw(self, text: str) -> None:
        """Any text to every socket, such as a frame with an unknown topic."""
        for connection in self.connections:
            if connection.healthy:
                await connection.socket.send_str(text)

    # Taking sockets away

    async def disconnect(self, connection: Connection, reason: str) -> None:
        """The friendly way: told, left alone for the grace time, closed."""
        if not connection.healthy:
            return
        connection.leaving = True
        self._world.tell()
        number = self._world.draw("m-", 10)
        data = json.dumps({"reason": reason})
        await self._send(connection, "SYSTEM", "disconnect", number, data)
        await asyncio.sleep(self._world.rules.grace_s)
        if connection.open:
            await connection.socket.close()

    async def rebalance(self, every_s: float, at_once: bool) -> None:
        """The oldest socket gets its disconnect frame, or all do, again and again."""
        while True:
            await asyncio.sleep(every_s)
            healthy = [one for one in self.connections if one.healthy]
            for connection in healthy if at_once else healthy[:1]:
                self.spawn(self.disconnect(connection, "connection is expired"))

    def set_rebalance(self, every_s: float | None, *, at_once: bool) -> None:
        if self._rebalance is not None:
            self._rebalance.cancel()
            self._rebalance = None
        if every_s is not None:
            self._rebalance = self.spawn(self.rebalance(every_s, at_once))

    def abort(self, connection: Connection) -> None:
        connection.leaving = True
        if connection.request.transport is not None:
            connection.request.transport.abort()

    async def _failed(self, ask: Ask) -> Json:
        taken, self.failed_events = self.failed_events[:200], self.failed_events[200:]
        listed = [{"event_time": self._world.now_ms(), **push.data} for push in taken]
        more = bool(self.failed_events)
        return {"errcode": 0, "errmsg": "ok", "has_more": more, "failed_list": listed}
