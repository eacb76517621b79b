"""The fake's thread, its loop, its three listeners and its parts."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Self, TypeVar

from aiohttp import web

from tests.fakes.dingtalk.cards import PUBLIC_TEMPLATE, Cards, Template
from tests.fakes.dingtalk.contacts import Contacts
from tests.fakes.dingtalk.control import Control
from tests.fakes.dingtalk.gate import Gate, Route
from tests.fakes.dingtalk.inbound import Inbound
from tests.fakes.dingtalk.media import Media
from tests.fakes.dingtalk.notices import Notices
from tests.fakes.dingtalk.pushes import HttpPusher
from tests.fakes.dingtalk.sending import Sending
from tests.fakes.dingtalk.sessions import Sessions
from tests.fakes.dingtalk.state import App, Clock, RealClock, Rules, World
from tests.fakes.dingtalk.stream import Stream
from tests.fakes.dingtalk.tapping import Tapping, json_buttons
from tests.fakes.dingtalk.tokens import Tokens

_T = TypeVar("_T")


class Base:
    def __init__(self, *, port: int = 0, clock: Clock | None = None, seed: int = 1) -> None:
        """``port``: of the v1.0 addresses; oapi gets the next one, files and sockets the one
        after.  0 lets the system choose all three."""
        self._port = port
        self.world = World(clock or RealClock(), seed)
        self.gate = Gate(self.world)
        self.tokens = Tokens(self.world)
        self.http = HttpPusher(self.world)
        self.stream = Stream(self.world, self.http)
        self.media = Media(self.world)
        self.sessions = Sessions(self.world)
        self.inbound = Inbound(self.world, self.media, self.sessions)
        self.sending = Sending(self.world, self.media.uploads)
        self.notices = Notices(self.world, self.media.uploads)
        self.cards = Cards(self.world)
        self.tapping = Tapping(self.world, self.cards, self.stream)
        self.contacts = Contacts(self.world)
        self.app = self.add_app("dingexample0001", "example-secret-0001", agent_id=1001)
        public = frozenset({"title", "logo", "markdown", "tips", "sys_full_json_obj"})
        self.cards.templates[PUBLIC_TEMPLATE] = Template(
            PUBLIC_TEMPLATE, public, frozenset(), json_buttons
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fake-dingtalk", daemon=True)
        self._started: Future[None] = Future()
        self._stopping = asyncio.Event()

    def add_app(self, client_id: str, client_secret: str, *, agent_id: int) -> App:
        app = App(client_id, client_secret, agent_id)
        self.world.apps[client_id] = app
        return app

    @property
    def rules(self) -> Rules:
        return self.world.rules

    @property
    def api_base(self) -> str:
        return self.world.bases["api"]

    @property
    def oapi_base(self) -> str:
        return self.world.bases["oapi"]

    @property
    def login_base(self) -> str:
        """In the place of https://login.dingtalk.com."""
        return self.world.bases["edge"]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()
        self._started.result(10)

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # stopped already
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def do(self, work: Callable[[], _T]) -> _T:
        """Run on the fake's own thread, so that nothing changes under a running request."""
        if threading.current_thread() is self._thread or not self._thread.is_alive():
            return work()
        done: Future[_T] = Future()

        def run() -> None:
            try:
                done.set_result(work())
            except BaseException as error:
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return done.result(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        parts = (
            self.tokens,
            self.stream,
            self.media,
            self.sessions,
            self.sending,
            self.notices,
            self.cards,
            self.contacts,
            Control(self),
        )
        routes = [route for part in parts for route in part.routes()]
        runners = [
            await self._listen(name, family, at, routes)
            for at, (name, family) in enumerate((("api", "v1"), ("oapi", "oapi"), ("edge", "edge")))
        ]
        await self.http.start()
        self._started.set_result(None)
        await self._stopping.wait()
        await self.stream.stop()
        await self.http.stop()
        for runner in runners:
            await runner.cleanup()

    async def _listen(self, name: str, family: str, at: int, routes: list[Route]) -> web.AppRunner:
        app = self.gate.build([route for route in routes if route.family == family])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port + at if self._port else 0)
        await site.start()
        port = runner.addresses[0][1]
        self.world.bases[name] = f"http://127.0.0.1:{port}"
        return runner
