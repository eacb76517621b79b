"""What the platform pushes to the app, and over HTTP how (protocol sheet, sections 1.1, 5.4, 7.1).

Whether it goes by Stream or by HTTP is decided for each app (robot, events) or card.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp

from tests.fakes.dingtalk import crypto
from tests.fakes.dingtalk.state import App, Json, World

BOT = "/v1.0/im/bot/messages/get"
CARD = "/v1.0/card/instances/callback"


@dataclass(eq=False)
class Attempt:
    """One frame or one request."""

    id: str  # messageId of the frame
    to: str  # connection id, or the address
    sent: float  # monotonic seconds
    code: int = 0  # of the ACK, or the HTTP status
    answer: Any = None
    ack_delay_s: float | None = None
    problem: str = ""


@dataclass(eq=False)
class Push:
    """A message, event or card tap on its way to the app."""

    kind: Literal["message", "event", "card"]
    app: App
    topic: str
    data: Any  # an object; a string goes out as it is
    id: str  # msgId, eventId, or the tap's own number
    user: str = ""  # who wrote
    anywhere: bool = False  # to sockets too that have not subscribed to the topic
    headers: dict[str, str] = field(default_factory=dict)  # more ones of an EVENT frame
    route: tuple[str, str] = ("", "")  # address and secret of a card's HTTP callback
    attempts: list[Attempt] = field(default_factory=list)
    lost: bool = False  # no socket was there, and it will not come again
    done: bool = False  # acknowledged
    gave_up: bool = False
    answer: Json | None = None  # "response" of a tap's ACK
    on_ack: Callable[[Push, Attempt], None] | None = None
    world: World | None = None

    @property
    def acked(self) -> bool:
        return self.done

    @property
    def ack_delay_s(self) -> float | None:
        """Of the first attempt that was acknowledged."""
        return next((a.ack_delay_s for a in self.attempts if a.ack_delay_s is not None), None)

    def wait(self, timeout_s: float = 10.0) -> Push:
        """Until it is acknowledged.  From a loop: ``await asyncio.to_thread(push.wait)``."""
        assert self.world is not None
        self.world.wait_for(lambda: self.done, timeout_s)
        return self


class HttpPusher:
    """Robot messages, events and taps as requests to the app's own server."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession()

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def push(self, push: Push, attempt: Attempt) -> None:
        if push.kind == "message":
            attempt.to = push.app.message_url
            await self._message(push, attempt)
        elif push.kind == "event":
            attempt.to = push.app.event_url
            await self._event(push, attempt)
        else:
            attempt.to = push.route[0]
            await self._tap(push, attempt)

    async def _message(self, push: Push, attempt: Attempt) -> None:
        timestamp = str(self._world.now_ms())
        headers = {
            "timestamp": timestamp,
            "sign": crypto.robot_sign(push.app.client_secret, timestamp),
        }
        body = await self._post(attempt, push.data, headers, self._world.rules.http_deadline_s)
        if body is not None:
            attempt.answer = _object(body)
            if not attempt.problem and "msgtype" not in attempt.answer:
                self._world.complain(f"a robot message was answered with {body[:80]!r}")

    async def _tap(self, push: Push, attempt: Attempt) -> None:
        timestamp = str(self._world.now_ms())
        headers = {
            "x-ddpaas-signature-timestamp": timestamp,
            "x-ddpaas-signature": crypto.card_sign(push.route[1], timestamp),
        }
        body = await self._post(attempt, push.data, headers, self._world.rules.card_deadline_s)
        if body is not None:
            attempt.answer = _object(body)

    async def _event(self, push: Push, attempt: Attempt) -> None:
        app = push.app
        timestamp, nonce = str(self._world.now_ms()), self._world.draw("", 8)
        text = json.dumps(push.data, ensure_ascii=False)
        random = self._world.draw("", 16).encode()
        sealed = crypto.encrypt(app.event_aes_key, app.client_id, text, random)
        query = {
            "msg_signature": crypto.event_sign(app.event_token, timestamp, nonce, sealed),
            "signature": crypto.event_sign(app.event_token, timestamp, nonce, sealed),
            "timestamp": timestamp,
            "nonce": nonce,
        }
        attempt.to = f"{app.event_url}?{urlencode(query)}"
        body = await self._post(attempt, {"encrypt": sealed}, {}, self._world.rules.http_deadline_s)
        if body is None:
            return
        attempt.answer = _object(body)
        attempt.problem = self._wrong_success(app, attempt.answer)

    def _wrong_success(self, app: App, answer: Json) -> str:
        try:
            signed = crypto.event_sign(
                app.event_token,
                str(answer["timeStamp"]),
                str(answer["nonce"]),
                str(answer["encrypt"]),
            )
            if signed != answer["msg_signature"]:
                return "the answer's signature is wrong"
            text = crypto.decrypt(app.event_aes_key, app.client_id, str(answer["encrypt"]))
        except (KeyError, ValueError) as error:
            return f"the answer is no encrypted success: {error!r}"
        return "" if text == "success" else f"the answer says {text!r}"

    async def _post(
        self, attempt: Attempt, body: Json, headers: dict[str, str], deadline_s: float
    ) -> bytes | None:
        """The answer's body, None when there was none in time; the rest goes into ``attempt``."""
        assert self._session is not None
        attempt.sent = time.monotonic()
        data = json.dumps(body, ensure_ascii=False).encode()
        headers = headers | {"Content-Type": "application/json; charset=utf-8"}
        limit = aiohttp.ClientTimeout(total=deadline_s)
        try:
            async with self._session.post(
                attempt.to, data=data, headers=headers, timeout=limit
            ) as response:
                answer = await response.read()
        except (TimeoutError, aiohttp.ClientError) as error:
            attempt.problem = f"no answer: {error!r}"
            return None
        attempt.code = response.status
        attempt.ack_delay_s = time.monotonic() - attempt.sent
        if response.status != 200:
            attempt.problem = f"status {response.status}"
        return answer


def _object(body: bytes) -> Json:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
