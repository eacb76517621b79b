"""A WeCom on loopback: a real HTTP server, as strict as the protocol sheet.

    with FakeWeCom() as fake:
        fake.add_member("rep07", "李娜")
        fake.set_callback("http://127.0.0.1:8081/callback/wecom")
        fake.text("rep07", "今天有啥要跟的").ack()

It runs in a thread with a loop of its own, so tests may block, and the program under test may be
another process.  In a test that runs the program in its own loop, ``await`` deliveries instead of
``.wait()`` or ``.ack()``.  Times come from *clock*; spacing and deadlines of callbacks are real.

Set-up      base, corp_id, agent_id, secret, token, aes_key, rules (limits and switches: state.Rules),
            add_member, add_department, add_tag, add_app, add_webhook, contact_secret, forward (clock)
Tokens      token_for (a valid one), revoke_tokens
REST faults fail, slow, drop, garble, heal; rules.trusted_ips (60020), rules.* (rates)
Seen        calls_to, inbox, card, cards, last_card, message, warnings, dropped, chat, webhook
Media       add_media, break_media, expire_media
Callback    set_callback, verify, save_callback; text, image, voice, video, location, link, file,
            event, enter, every_event; tap, menu, card_event; push, again, shuffled, deliveries
Forging     envelope, xml, forgeries, throw, decrypt
Pages       oauth_code, browser_user, add_open_id

A push gives a ``Delivery`` (pushing.py): ``.ack()``, ``.wait()``, ``await``, ``.attempts``.
What a member sees is a ``Copy`` (state.py): ``.text``, ``.card``, ``.title``, ``.rows``,
``.buttons``, ``.menu``, ``.grey``, ``.recalled``.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

from tests.fakes.wecom import crypto, tokens
from tests.fakes.wecom.control import Control
from tests.fakes.wecom.envelope import Envelopes, Forgery, Query, forgeries, xml_of
from tests.fakes.wecom.errors import ApiError
from tests.fakes.wecom.looking import Looking
from tests.fakes.wecom.people import authorize, new_oauth_code
from tests.fakes.wecom.pushing import Delivery, Pusher, Verification
from tests.fakes.wecom.state import (
    App,
    Department,
    Member,
    Rules,
    State,
    Webhook,
)
from tests.fakes.wecom.talking import Talking
from tests.fakes.wecom.wire import Fault, Wire


class FakeWeCom(Looking, Talking):
    def __init__(
        self,
        *,
        corp_id: str = "wwfake0000000001",
        agent_id: int = 1000042,
        secret: str = "fakeSecretOfTheSalesAppxxxxxxxxxxxxxxxxxxxx",
        token: str = "fakeToken01",
        aes_key: str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        callback_url: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        crypto_by: Literal["auto", "python", "node"] = "auto",
        port: int = 0,
    ) -> None:
        self.state = State(corp_id, clock)
        self.corp_id, self.agent_id, self.secret = corp_id, agent_id, secret
        self.token, self.aes_key = token, aes_key
        self.contact_secret = "fakeSecretOfTheContactSync"
        self.state.departments[1] = Department(1, "公司")
        self.state.apps.append(App(agent_id, secret, token, aes_key, callback_url))
        self.state.apps.append(App(0, self.contact_secret, kind="contacts"))
        self.box = crypto.open_box(crypto_by)
        self.envelopes = Envelopes(self.state, self.box)
        self.pusher = Pusher(self.state, self.envelopes)
        self.wire = Wire(self.state)
        self.base = ""  # http://127.0.0.1:PORT once it runs
        self._port = port
        self._thread = threading.Thread(target=self._run, name="fake-wecom", daemon=True)
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failed: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(20)
        if self._failed:
            raise self._failed
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        assert self._loop and self._stop
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        self.box.close()

    # --- set-up ---------------------------------------------------------------------------------

    @property
    def rules(self) -> Rules:
        return self.state.rules

    @property
    def app(self) -> App:
        return self.state.app(self.agent_id)

    def add_member(
        self,
        userid: str,
        name: str = "",
        *,
        departments: list[int] | None = None,
        leads: list[int] | None = None,
        leader: str = "",
        **more: Any,
    ) -> Member:
        """*leads* are departments of the member's own, *leader* is the direct one."""
        made = Member(
            userid,
            name or userid,
            departments or [1],
            leads or [],
            [leader] if leader else [],
            **more,
        )
        with self.state.lock:
            self.state.members[made.key] = made
        return made

    def add_department(
        self, number: int, name: str, *, parent: int = 1, leaders: list[str] | None = None
    ) -> Department:
        made = Department(number, name, parent, leaders=leaders or [])
        with self.state.lock:
            self.state.departments[number] = made
        return made

    def add_tag(self, number: int, *userids: str) -> None:
        with self.state.lock:
            self.state.tags[number] = {one.lower() for one in userids}

    def add_app(self, agent_id: int, secret: str, **more: Any) -> App:
        made = App(agent_id, secret, **more)
        with self.state.lock:
            self.state.apps.append(made)
        return made

    def add_webhook(self, key: str) -> Webhook:
        """``webhook/send?key=...``; what it was sent stands in ``.messages``."""
        made = Webhook(key)
        with self.state.lock:
            self.state.webhooks[key] = made
        return made

    def forward(self, **span: float) -> None:
        """Move the platform's clock: ``fake.forward(hours=72)``."""
        with self.state.lock:
            self.state.ahead += timedelta(**span)

    # --- tokens and faults ------------------------------------------------------------------------

    def token_for(self, app: App | None = None) -> str:
        """A valid token, without ending any other."""
        with self.state.lock:
            return tokens.issue(self.state, app or self.app).value

    def revoke_tokens(self, errcode: int = 40014) -> None:
        """End every token early: 40014 (invalid) or 42001 (expired)."""
        with self.state.lock:
            for one in self.state.tokens.values():
                one.dead = one.dead or errcode

    def fail(
        self,
        path: str = "",
        *,
        errcode: int = 0,
        errmsg: str = "",
        status: int = 200,
        times: int | None = 1,
        after: bool = False,
    ) -> None:
        """The next *times* calls of *path* get *errcode*, or the HTTP *status*.

        *path* like ``message/send``; '' is every path.  *after*: the work is done all the same.
        *times* None: until ``heal()``.
        """
        self._break(
            Fault(path, "fail", times, errcode=errcode, errmsg=errmsg, status=status, after=after)
        )

    def slow(self, path: str, seconds: float, *, times: int | None = None) -> None:
        self._break(Fault(path, "slow", times, seconds=seconds))

    def drop(self, path: str, *, times: int | None = 1, after: bool = False) -> None:
        """The connection closes without an answer; *after*: the work was done."""
        self._break(Fault(path, "drop", times, after=after))

    def garble(
        self, path: str, body: bytes = b"<html>", *, status: int = 200, times: int | None = 1
    ) -> None:
        """An answer that is not the platform's, as broken proxies give."""
        self._break(Fault(path, "garble", times, status=status, body=body))

    def heal(self) -> None:
        with self.state.lock:
            self.wire.faults.clear()

    def _break(self, fault: Fault) -> None:
        fault.path = fault.path.removeprefix("/").removeprefix("cgi-bin/")
        with self.state.lock:
            self.wire.faults.append(fault)

    # --- callback and forging -----------------------------------------------------------------------

    def set_callback(self, url: str, *, app: App | None = None) -> None:
        """Without the console's verification; that is ``save_callback``."""
        (app or self.app).callback_url = url

    def verify(self, url: str = "", *, echo: str = "") -> Verification:
        """The GET that the admin console makes; 1 s for the answer.  Blocks."""
        echo = echo or str(self.state.random.getrandbits(62))
        return self.pusher.verify(self.app, url or self.app.callback_url, echo).result(30)

    def save_callback(self, url: str) -> Verification:
        found = self.verify(url)
        if found.ok:
            self.set_callback(url)
        return found

    @property
    def deliveries(self) -> list[Delivery]:
        return list(self.pusher.deliveries)

    def again(
        self, delivery: Delivery, times: int = 1, *, same_bytes: bool = False
    ) -> list[Delivery]:
        """Push it again although it was acknowledged: all *times* at once."""
        return self.pusher.repeat(delivery, times, same_bytes=same_bytes)

    @contextmanager
    def shuffled(self, seed: int = 1) -> Iterator[None]:
        """What is pushed inside goes out at the end, in another order."""
        self.pusher.held = []
        try:
            yield
        finally:
            self.pusher.release(seed)

    def envelope(self, xml: str | bytes, **knobs: Any) -> tuple[Query, bytes]:
        """Query and body of a POST; the knobs are those of ``Envelopes.seal``."""
        return self.envelopes.seal(xml, **knobs)

    def xml(self, fields: Mapping[str, Any]) -> str:
        return xml_of(fields)

    def forgeries(self, xml: str = "") -> list[Forgery]:
        """Requests of which nothing may be stored, and which never get a 5xx."""
        return forgeries(self.envelopes, xml or self.text_xml("rep07", "伪造"), self.app)

    def throw(self, query: Query, body: bytes) -> Delivery:
        """One POST as it stands."""
        return self.pusher.throw(self.app, query, body)

    def decrypt(self, cipher: str) -> tuple[str, str]:
        return self.box.decrypt(self.aes_key, cipher)

    # --- pages --------------------------------------------------------------------------------------

    def oauth_code(self, user: str) -> str:
        with self.state.lock:
            return new_oauth_code(self.state, user, self.app)

    @property
    def browser_user(self) -> str:
        return self.state.browser_user

    @browser_user.setter
    def browser_user(self, user: str) -> None:
        self.state.browser_user = user

    def add_open_id(self, open_id: str, userid: str) -> None:
        with self.state.lock:
            self.state.open_ids[open_id] = userid

    # --- the server ---------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failed = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        pages = web.Application(client_max_size=64 * 1024 * 1024)
        pages.router.add_get("/connect/oauth2/authorize", self._authorize)
        pages.router.add_post("/_fake/{name}", Control(self).answer)
        pages.router.add_route("*", "/cgi-bin/{path:.+}", self.wire.answer)
        runner = web.AppRunner(pages, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        await self.pusher.open()
        self.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await self._stop.wait()
        await self.pusher.close()
        await runner.cleanup()

    async def _authorize(self, request: web.Request) -> web.Response:
        try:
            with self.state.lock:
                target = authorize(self.state, dict(request.query))
        except ApiError as error:
            said = {"errcode": error.code, "errmsg": str(error)}
            return web.Response(text=json.dumps(said), content_type="application/json")
        return web.Response(status=302, headers={"Location": target})
