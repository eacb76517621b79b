"""A desk that WeCom can call: the real listener, the real channel, the fake platform."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from bot import callback_site
from bot.callback_site import Attempts
from bot.channels.wecom.callback import PATH, WeComCallback
from bot.channels.wecom.channel import WeCom, WeComOptions
from bot.channels.wecom.crypto import Codec
from bot.config_channels import WeCom as Settings
from storage import callback_attempts, lists
from storage.callback_attempts import Attempt
from tests.fakes.wecom.server import FakeWeCom
from tests.support.desk import MONDAY, Desk

T = TypeVar("T")


class Line:
    """``rep07`` is the desk's rep, ``Mgr01`` her manager, ``rep09`` a rep of another region."""

    def __init__(self, desk: Desk, fake: FakeWeCom, *, answer_s: float = 4.0) -> None:
        self.desk, self.fake = desk, fake
        self._answer_s = answer_s
        self.settings = Settings(
            enabled=True,
            corp_id=fake.corp_id,
            agent_id=fake.agent_id,
            secret=fake.secret,
            token=fake.token,
            aes_key=fake.aes_key,
            api_base=fake.base,
        )
        options = WeComOptions(base_url="https://genjin.example.com", link_key=b"k" * 32)
        self.channel = WeCom(self.settings, desk.db, desk.media, desk.clock, options)
        desk.work._channels = {"console": desk.console, "wecom": self.channel}
        self.attempts = Attempts(desk.db, desk.clock)
        codec = Codec(fake.token, fake.aes_key, fake.corp_id)
        self.callback = WeComCallback(
            codec,
            self.channel.accept,
            self.attempts,
            desk.db,
            desk.clock,
            max_skew_s=600,
            answer_s=answer_s,
        )
        self.port = 0

    def __enter__(self) -> Self:
        people = (("李娜", "rep07"), ("王磊", "Mgr01"), ("周凯", "rep09"))

        def known(session: Any) -> None:
            for name, user in people:
                lists.put_person(session, now=MONDAY, name=name, wecom=user)

        self.desk.db.write(known)
        for name, user in people:
            self.fake.add_member(user, name)
        self._running = self.later(self.channel.run(self.desk.intake.accept))
        self.runner = self.do(callback_site.start([self.callback], host="127.0.0.1", port=0))
        self.port = self.runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}{PATH}"
        self.fake.set_callback(self.url)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.do(self.runner.cleanup())
        self.do(self.attempts.close())
        self._running.cancel()
        concurrent.futures.wait([self._running], 10)
        self.do(self.channel.close())

    def later(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self.desk._loop)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.later(work).result(60)

    def kept_attempts(self) -> list[Attempt]:
        """Every attempt that the table holds, the newest first."""
        self.do(self.attempts.close())
        return self.desk.db.read(lambda s: callback_attempts.latest(s, "wecom", limit=1000))
