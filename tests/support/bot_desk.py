"""A desk whose people use the 智能机器人: the real channel, connected to the fake service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.channels.base import Accept, Outgoing
from bot.channels.wecom_bot.channel import WeComBot
from bot.channels.wecom_bot.link import Pace
from bot.config_channels import WeComBot as BotSettings
from bot.work import Outcome, Work
from handlers.messages import Say
from handlers.post import post
from nlp.audio import duration_s
from storage import channel_states
from storage.database import Database
from storage.jobs import queue_of
from storage.tables import InboxRow, OutboxRow, PersonRow
from tests.fakes.aibot import FakeAibot
from tests.support.desk import Desk

T = TypeVar("T")

BASE_URL = "https://bot.example.com"
QUICK = Pace(
    ack_s=1.0,
    first_wait_s=0.02,
    most_wait_s=0.1,
    slow_wait_s=0.3,
    interim_s=0.01,
    patience_s=2.0,
    look_s=0.02,
)
PATIENT = replace(QUICK, interim_s=600.0)  # no word before the answer


class BotDesk:
    """李娜 is ``lina`` on WeCom, 王磊 ``wanglei``.  Stop it with ``close``."""

    def __init__(
        self, db: Database, folder: Path, *, pace: Pace = QUICK, secret: str = "", **options: Any
    ) -> None:
        self.desk = Desk(db, folder)
        self.db, self.clock = db, self.desk.clock
        db.write(_on_wecom)
        self._loop = self.desk._loop
        self.fake = self.call(_start())
        self.settings = BotSettings(
            enabled=True,
            bot_id=self.fake.bot_id,
            secret=secret or self.fake.secret,
            ws_url=self.fake.url,
        )
        self._running: list[asyncio.Task[None]] = []
        self.bot = self.start(pace=pace, **options)
        channels = {"console": self.desk.console, "wecom_bot": self.bot}
        self.desk.work = Work(db, self.desk.tools, channels, self._loop, duration_s)

    def start(
        self,
        *,
        pace: Pace = QUICK,
        db: Database | None = None,
        accept: Accept | None = None,
        **options: Any,
    ) -> WeComBot:
        """One more process's channel."""
        options.setdefault("base_url", BASE_URL)

        async def begin() -> WeComBot:
            bot = WeComBot(
                self.settings,
                db or self.db,
                self.desk.media,
                self.clock,
                pace=pace,
                **options,
            )
            self._running.append(asyncio.create_task(bot.run(accept or self.desk.intake.accept)))
            return bot

        return self.call(begin())

    def stop(self, number: int = 0) -> None:
        """End a process's channel, as a shutdown does."""

        async def end() -> None:
            task = self._running.pop(number)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self.call(end())

    def close(self) -> None:
        while self._running:
            self.stop()
        self.call(self.fake.__aexit__())
        self.desk.close()

    # --- running --------------------------------------------------------------------------------

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def until(self, true: Callable[[], Any], what: str = "") -> None:
        """Wait for something that is on its way."""
        last = time.monotonic() + 20
        while not true():
            assert time.monotonic() < last, what or "it never came"
            time.sleep(0.01)

    def up(self) -> None:
        self.until(lambda: self.fake.connected, "connected")

    def later(self, seconds: float) -> None:
        """Time goes on for the bot and for the platform."""
        self.clock.move(timedelta(seconds=seconds))
        self.fake.later(seconds)

    def send(self, **given: Any) -> Any:
        given = {"kind": "text", "conversation": "wecom_bot:lina", "user": "lina", **given}
        return self.call(self.bot.send(Outgoing(**given)))

    def stored(self, count: int) -> None:
        """Until so many events were accepted."""
        self.until(lambda: self.desk.count(InboxRow) >= count, f"{count} events stored")

    def said(self, count: int = 1) -> None:
        """Until the messages are stored and 李娜 sees that one is being worked on."""
        self.stored(count)
        self.until(lambda: any(not one.finished for one in self.fake.shown.get("lina", ())))

    def push(self, key: str, text: str, *, person: int = 0, **given: Any) -> None:
        """Something to say that answers nothing."""
        say = Say(effect_key=key, person_id=person or self.desk.lina, text=text, **given)
        self.db.write(lambda s: post(s, [say], now=self.clock.now()))

    def run(self) -> list[Outcome]:
        return self.desk.run()

    def again(self) -> list[Outcome]:
        """Do now what waits for later."""
        for job in self.db.read(lambda s: queue_of(s).listing(s, states=("queued",))):
            self.db.write(lambda s, job=job: queue_of(s).retry(s, job.id))
        return self.desk.run()

    # --- looking --------------------------------------------------------------------------------

    def problem(self) -> str:
        found = self.db.read(lambda s: channel_states.get(s, "wecom_bot", "connection"))
        return found.problem if found else ""

    def outbox(self) -> list[tuple[str, str]]:
        rows = sa.select(OutboxRow.state, OutboxRow.reason).order_by(OutboxRow.id)
        return [(state, reason) for state, reason in self.db.read(lambda s: s.execute(rows).all())]

    def inbox(self) -> list[dict[str, Any]]:
        rows = sa.select(InboxRow.payload).order_by(InboxRow.id)
        return list(self.db.read(lambda s: s.scalars(rows).all()))


async def _start() -> FakeAibot:
    return await FakeAibot().__aenter__()


def _on_wecom(session: Any) -> None:
    for name, user in (("李娜", "lina"), ("王磊", "wanglei"), ("周凯", "zhoukai")):
        session.execute(sa.update(PersonRow).where(PersonRow.name == name).values(wecom_id=user))
