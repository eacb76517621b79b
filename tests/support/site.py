"""The web application around a desk: log in, ask for pages, post like the page's own script."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientResponse, ClientSession, CookieJar, web

from bot.web.app import build_web
from bot.web.deps import WebDeps
from sales.clock import FixedClock
from storage import links
from tests.support.desk import MONDAY, Desk

Test = Callable[["Site"], Awaitable[None]]


class Site:
    def __init__(self, desk: Desk, session: ClientSession, base: str, deps: WebDeps) -> None:
        self.desk, self.session, self.base, self.deps = desk, session, base, deps
        self.token = ""
        self.stop: Callable[[], Awaitable[None]]  # ends the server before the test does
        self._keys = (f"event-{n:08}" for n in itertools.count(1))

    def key(self) -> str:
        return next(self._keys)

    async def log_in(self, person_id: int | None = None) -> None:
        self.session.cookie_jar.clear()
        code = self.link(person_id)
        answer = await self.post("/login", data={"code": code})
        assert answer.status == 303, answer.status
        page = await (await self.get("/console")).text()
        found = re.search(r'name="token" content="([^"]+)"', page)
        assert found
        self.token = found[1]

    def link(self, person_id: int | None = None, *, now: Any = None) -> str:
        at = now or self.deps.wall.now()
        return self.desk.db.write(lambda s: links.add_login(s, now=at, person_id=person_id))

    async def get(self, path: str, **options: Any) -> ClientResponse:
        options.setdefault("allow_redirects", False)
        return await self.session.get(self.base + path, **options)

    async def text(self, path: str) -> str:
        answer = await self.get(path)
        assert answer.status == 200, (path, answer.status, await answer.text())
        return await answer.text()

    async def post(
        self, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> ClientResponse:
        """With our own Origin and token unless *headers* say otherwise."""
        sent = {"Origin": self.base, "X-Genjin-Token": self.token, **(headers or {})}
        kept = {name: value for name, value in sent.items() if value}
        return await self.session.post(
            self.base + path, headers=kept, allow_redirects=False, **options
        )

    async def say(self, person: int, text: str, *, key: str = "") -> ClientResponse:
        body = {"person": person, "event_key": key or self.key(), "text": text}
        return await self.post("/console/api/say", json=body)

    async def work(self) -> None:
        """Let the bot do everything that waits."""
        await asyncio.to_thread(self.desk.run)

    async def pane(self, person: int) -> list[dict[str, Any]]:
        state = await (await self.get(f"/console/api/state?people={person}")).json()
        messages: list[dict[str, Any]] = state["messages"]
        return messages


def on_site(desk: Desk, test: Test, **options: Any) -> None:
    """Run *test* against the served pages; *options* go to ``WebDeps``."""

    async def run() -> None:
        async with _served(desk, options) as site:
            await test(site)

    asyncio.run(run())


@asynccontextmanager
async def _served(desk: Desk, options: dict[str, Any]) -> AsyncIterator[Site]:
    deps = WebDeps(
        **{
            "db": desk.db,
            "media": desk.media,
            "clock": desk.clock,
            "wall": FixedClock(MONDAY),
            "console": desk.console,
            "key": b"k" * 32,
            **options,
        }
    )
    channel = asyncio.create_task(desk.console.run(desk.intake.accept))
    runner = web.AppRunner(build_web(deps), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
            site = Site(desk, session, base, deps)
            site.stop = runner.cleanup
            yield site
    finally:
        if runner.server is not None:
            await runner.cleanup()
        channel.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await channel
