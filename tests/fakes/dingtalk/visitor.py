"""A bare app for the tests of the fake itself: raw calls, raw frames, a raw callback server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import aiohttp

from tests.fakes.dingtalk.pushes import BOT, CARD
from tests.fakes.dingtalk.server import FakeDingTalk
from tests.fakes.dingtalk.state import App, Json

EVERYTHING = (("EVENT", "*"), ("CALLBACK", BOT), ("CALLBACK", CARD))
Headers = dict[str, str]


class Visitor:
    """An app's client with a loop of its own, so that a test reads from top to bottom."""

    def __init__(self, fake: FakeDingTalk, app: App | None = None) -> None:
        self.fake = fake
        self.app = app or fake.app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._session: aiohttp.ClientSession | None = None
        self.token = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self._session = self.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._http.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    @property
    def _http(self) -> aiohttp.ClientSession:
        assert self._session is not None
        return self._session

    def run(self, work: Coroutine[Any, Any, Any], timeout_s: float = 10) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def sign_on(self) -> str:
        """Fetch the app's token and use it from now on."""
        body = {"appKey": self.app.client_id, "appSecret": self.app.client_secret}
        self.token = self.post("/v1.0/oauth2/accessToken", body)[1]["accessToken"]
        return self.token

    def post(self, path: str, body: Any, **how: Any) -> tuple[int, Any]:
        return self.call("POST", path, json=body, **how)

    def put(self, path: str, body: Any) -> tuple[int, Any]:
        return self.call("PUT", path, json=body)

    def oapi(self, path: str, body: Any) -> Json:
        """With the token in the query; the answer's status is always 200."""
        url = f"{self.fake.oapi_base}{path}"
        status, answer = self.post(url, body, params={"access_token": self.token})
        assert status == 200
        assert isinstance(answer, dict)
        return answer

    def call(
        self, method: str, path: str, headers: Headers | None = None, **how: Any
    ) -> tuple[int, Any]:
        """Status and body: parsed when it is JSON, bytes otherwise."""
        own = path.startswith("/")
        url = self.fake.api_base + path if own else path
        sent = dict(headers or {})
        if own and self.token:
            sent.setdefault("x-acs-dingtalk-access-token", self.token)

        async def ask() -> tuple[int, Any]:
            async with self._http.request(
                method, url, headers=sent, allow_redirects=False, **how
            ) as response:
                raw = await response.read()
                is_json = response.content_type == "application/json"
                location = response.headers.get("Location")
                return response.status, location or (json.loads(raw) if is_json else raw)

        found: tuple[int, Any] = self.run(ask())
        return found

    def register(self, topics: tuple[tuple[str, str], ...] = EVERYTHING) -> tuple[int, Any]:
        body = {
            "clientId": self.app.client_id,
            "clientSecret": self.app.client_secret,
            "subscriptions": [{"type": kind, "topic": topic} for kind, topic in topics],
        }
        path = "/v1.0/gateway/connections/open"
        return self.post(path, body, headers={"Accept": "application/json"})

    def socket(self, topics: tuple[tuple[str, str], ...] = EVERYTHING) -> Socket:
        _, given = self.register(topics)
        return self.connect(given)

    def connect(self, given: Json) -> Socket:
        dial = self._http.ws_connect(
            given["endpoint"], params={"ticket": given["ticket"]}, autoping=False
        )

        async def dialled() -> aiohttp.ClientWebSocketResponse:
            return await dial

        return Socket(self, self.run(dialled()))


class Socket:
    def __init__(self, visitor: Visitor, raw: aiohttp.ClientWebSocketResponse) -> None:
        self._visitor = visitor
        self._raw = raw

    def frame(self, timeout_s: float = 5) -> Json:
        """The next frame; TimeoutError when none comes, EOFError when the socket has ended."""
        message = self._visitor.run(self._raw.receive(timeout_s))
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise EOFError(str(message.type))
        found: Json = json.loads(message.data)
        return found

    def send(self, frame: Any) -> None:
        text = frame if isinstance(frame, str) else json.dumps(frame)
        self._visitor.run(self._raw.send_str(text))

    def ack(self, frame: Json, data: Any = None, *, code: int = 200) -> None:
        """``data`` None: what a robot message gets."""
        inner = {"response": None} if data is None else data
        headers = {
            "messageId": frame["headers"]["messageId"],
            "contentType": "application/json",
        }
        self.send({"code": code, "headers": headers, "message": "OK", "data": json.dumps(inner)})

    def pinged(self, timeout_s: float) -> bool:
        """Whether a websocket ping is answered."""
        self._visitor.run(self._raw.ping(b"hello"))
        try:
            message = self._visitor.run(self._raw.receive(timeout_s))
        except TimeoutError:
            return False
        return message.type is aiohttp.WSMsgType.PONG

    def close(self) -> None:
        self._visitor.run(self._raw.close())


class Callee:
    """The app's own address for HTTP mode: keeps what comes and answers ``answer(request)``."""

    def __init__(self, answer: Callable[[Json], Any]) -> None:
        self.requests: list[Json] = []
        callee = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request: Json = {"path": self.path, "headers": headers, "body": json.loads(raw)}
                callee.requests.append(request)
                made = json.dumps(answer(request)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(made)))
                self.end_headers()
                self.wfile.write(made)

            def log_message(self, *_: Any) -> None:
                """No lines on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/callback/dingtalk"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
