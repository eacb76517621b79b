"""Sends callbacks as the platform does: one answer within 5 s, or it comes again.

Protocol sheet 1.2, 1.3 and 1.5.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
import os
import random
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from tests.fakes.wecom.envelope import Envelopes, Query
from tests.fakes.wecom.state import App, State


@dataclass
class Attempt:
    """One request to the callback.  ``status`` 0: no answer came."""

    query: Query
    at: datetime  # by the platform's clock
    status: int = 0
    body: bytes = b""
    took_s: float = 0.0
    error: str = ""

    @property
    def ok(self) -> bool:
        return self.status == 200


@dataclass
class Verification:
    """What the admin console says after it tried the address."""

    ok: bool
    reason: str
    attempt: Attempt


@dataclass
class Delivery:
    """One push and what came of it.  ``wait()`` in a thread, ``await`` in a loop."""

    app: App
    user: str
    xml: str
    msg_id: str = ""
    response_code: str = ""
    attempts: list[Attempt] = field(default_factory=list)
    sealed: tuple[Query, bytes] | None = None  # the bytes that went out last
    _over: concurrent.futures.Future[None] = field(default_factory=concurrent.futures.Future)

    @property
    def acked(self) -> bool:
        return any(one.ok for one in self.attempts)

    def wait(self, timeout_s: float = 60) -> Delivery:
        """Until it was acknowledged or the platform gave up."""
        self._over.result(timeout_s)
        return self

    def ack(self, timeout_s: float = 60) -> Delivery:
        """``wait`` and insist: answered 200, and with nothing (or ``success``)."""
        self.wait(timeout_s)
        assert self.acked, f"not acknowledged: {self.attempts}"
        assert self.attempts[-1].body in (b"", b"success"), self.attempts[-1]
        return self

    def __await__(self) -> Generator[Any, None, Delivery]:
        yield from asyncio.wrap_future(self._over).__await__()
        return self

    def end(self, error: Exception | None = None) -> None:
        if self._over.done():
            return
        if error:
            self._over.set_exception(error)
        else:
            self._over.set_result(None)


class Pusher:
    def __init__(self, state: State, envelopes: Envelopes) -> None:
        self.state = state
        self.envelopes = envelopes
        self.deliveries: list[Delivery] = []
        self.held: list[Delivery] | None = None  # pushes that wait to be shuffled
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: dict[str, asyncio.Lock] = {}

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        connector = aiohttp.TCPConnector(limit=0, force_close=not self.state.rules.keep_alive)
        self._session = aiohttp.ClientSession(connector=connector)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for one in self.deliveries:
            one.end()
        if self._session:
            await self._session.close()

    def push(self, delivery: Delivery) -> Delivery:
        assert delivery.app.callback_url, "no callback address: fake.set_callback(url)"
        self.deliveries.append(delivery)
        if self.held is not None:
            self.held.append(delivery)
        else:
            self._run(self._deliver(delivery))
        return delivery

    def release(self, seed: int) -> None:
        """What was held goes out in another order than it came, each on its own."""
        waiting, self.held = self.held or [], None
        random.Random(seed).shuffle(waiting)
        for one in waiting:
            self._run(self._deliver(one, alone=True))

    def repeat(self, first: Delivery, times: int, *, same_bytes: bool) -> list[Delivery]:
        """The same message again, whatever was answered before; all at once."""
        made = []
        for _ in range(times):
            one = Delivery(first.app, first.user, first.xml, first.msg_id, first.response_code)
            made.append(one)
            self.deliveries.append(one)
            self._run(self._deliver(one, alone=True, sealed=first.sealed if same_bytes else None))
        return made

    def throw(self, app: App, query: Query, body: bytes) -> Delivery:
        """One request as it stands, never again."""
        one = Delivery(app, "", body.decode(errors="replace"))
        self._run(self._throw(one, query, body))
        return one

    def verify(self, app: App, url: str, echo: str) -> concurrent.futures.Future[Verification]:
        assert self._loop
        return asyncio.run_coroutine_threadsafe(self._verify(app, url, echo), self._loop)

    # --- in the loop ----------------------------------------------------------------------------

    def _run(self, work: Any) -> None:
        loop = self._loop
        assert loop, "the fake is not running"

        def begin() -> None:
            task = loop.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        loop.call_soon_threadsafe(begin)

    async def _deliver(
        self,
        one: Delivery,
        *,
        alone: bool = False,
        sealed: tuple[Query, bytes] | None = None,
    ) -> None:
        """A member's pushes start in order; what fails comes again later, out of order."""
        rules = self.state.rules
        turn = asyncio.Lock() if alone else self._turns.setdefault(one.user, asyncio.Lock())
        try:
            async with turn:
                await self._attempt(one, sealed)
            for _ in range(rules.redeliveries):
                if not self._again(one.attempts[-1]):
                    break
                await asyncio.sleep(rules.redelivery_gap_s)
                await self._attempt(one, one.sealed if rules.same_bytes else None)
        except Exception as error:
            one.end(error)
        finally:
            one.end()

    def _again(self, attempt: Attempt) -> bool:
        """Only silence is tried again, a 5xx where the rules say so (sheet 1.5)."""
        if attempt.status == 0:
            return True
        return self.state.rules.retry_5xx and attempt.status >= 500

    async def _throw(self, one: Delivery, query: Query, body: bytes) -> None:
        try:
            await self._attempt(one, (query, body))
        except Exception as error:
            one.end(error)
        finally:
            one.end()

    async def _attempt(self, one: Delivery, sealed: tuple[Query, bytes] | None) -> None:
        """With *sealed*, the same bytes; otherwise the same message in a new envelope."""
        one.sealed = sealed or self.envelopes.seal(one.xml, app=one.app)
        query, body = one.sealed
        made = Attempt(query, self.state.now())
        await self._ask(
            made,
            "POST",
            one.app.callback_url,
            self.state.rules.deadline_s,
            params=query,
            data=io.BytesIO(body),
            headers={"Content-Type": "text/xml; charset=utf-8", "User-Agent": "Mozilla/4.0"},
        )
        one.attempts.append(made)

    async def _ask(
        self, made: Attempt, method: str, url: str, deadline_s: float, **options: Any
    ) -> None:
        assert self._session
        limit = aiohttp.ClientTimeout(total=deadline_s)
        begun = time.monotonic()
        try:
            async with self._session.request(
                method, url, timeout=limit, allow_redirects=False, **options
            ) as answer:
                body = await answer.read()
                made.status, made.body = answer.status, body
        except TimeoutError:
            made.error = f"no answer within {deadline_s} s"
        except (aiohttp.ClientError, OSError) as error:
            made.error = f"{type(error).__name__}: {error}"
        made.took_s = time.monotonic() - begun

    async def _verify(self, app: App, url: str, echo: str) -> Verification:
        drawn = os.urandom(16)
        box = self.envelopes.box
        cipher = box.encrypt(app.aes_key, echo, self.state.corp_id, drawn)
        query = {**self.envelopes.sign(app, cipher), "echostr": cipher}
        made = Attempt(query, self.state.now())
        await self._ask(made, "GET", url, self.state.rules.verify_deadline_s, params=query)
        if made.error:
            return Verification(False, made.error, made)
        if made.status != 200:
            return Verification(False, f"status {made.status}", made)
        if made.body != echo.encode():
            return Verification(False, "the body is not the decrypted echostr", made)
        return Verification(True, "", made)
