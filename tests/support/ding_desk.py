"""A desk whose people sit in DingTalk: the real channel against the fake platform."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.channels.base import Accept, Outgoing
from bot.channels.dingtalk import template_files
from bot.channels.dingtalk.channel import DingTalk, Options
from bot.channels.dingtalk.link import Pace
from bot.config_channels import DingTalk as Settings
from bot.work import Outcome, Work
from handlers.cards.model import Button, Card, Choice, Question
from nlp.audio import duration_s
from storage import cards, channel_states
from storage.cards import CardView
from storage.database import Database
from storage.jobs import queue_of
from storage.tables import CardRow, InboxRow, OutboxRow, PersonRow
from tests.fakes.dingtalk.server import FakeDingTalk
from tests.support.desk import Desk
from tests.support.sample_cards import CARD

T = TypeVar("T")

BASE_URL = "https://bot.example.com"
GROUP = "cidgroup=="
TEMPLATE = "11111111-aaaa-bbbb-cccc-222222222222.schema"
VARIABLES = frozenset(template_files.VARIABLES) | frozenset(template_files.PRIVATE)
QUICK = Pace(
    open_s=2.0,
    first_wait_s=0.02,
    most_wait_s=0.1,
    slow_wait_s=0.2,
    most_slow_s=0.4,
    drain_s=1.0,
    least_life_s=0.0,
    tell_s=0.2,
)
FORM = Card(
    kind="memo.confirm",
    layout="form",
    source="销售助手·语音纪要",
    title="恒基水泥｜改哪几项？",
    text="【修改】恒基水泥。直接回复要改的内容",
    questions=(
        Question(
            id="customer",
            title="客户",
            choices=(Choice(id="7", text="恒基水泥"), Choice(id="new", text="新建客户")),
            selected="7",
        ),
        Question(id="amount", title="金额", entry="number", value="12000"),
    ),
    submit=Button(text="保存并入库", action="memo.save"),
)


class DingDesk:
    """李娜 is ``lina`` on DingTalk, 王磊 ``wanglei``, 周凯 ``zhoukai``.  End it with ``close``."""

    def __init__(
        self,
        db: Database,
        folder: Path,
        *,
        pace: Pace = QUICK,
        settings: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.desk = Desk(db, folder)
        self.db, self.clock = db, self.desk.clock
        db.write(_on_dingtalk)
        self._loop = self.desk._loop
        self.fake = FakeDingTalk(clock=self.clock)
        self.fake.start()
        _company(self.fake)
        self.settings = settings_of(self.fake, **(settings or {}))
        self._options: dict[str, Any] = {"pace": pace, "settle_s": 0.05, **options}
        self._running: list[asyncio.Task[None]] = []
        self.bot = self.start()
        channels = {"console": self.desk.console, "dingtalk": self.bot}
        self.desk.work = Work(db, self.desk.tools, channels, self._loop, duration_s)

    def start(self, accept: Accept | None = None, **given: Any) -> DingTalk:
        """One more process's channel; *given* changes its settings."""
        options = Options(**{"base_url": BASE_URL, "link_key": b"k" * 32, **self._options})
        settings = self.settings.model_copy(update=given)

        async def begin() -> DingTalk:
            bot = DingTalk(settings, self.db, self.desk.media, self.clock, options)
            self._running.append(asyncio.create_task(bot.run(accept or self.desk.intake.accept)))
            return bot

        return self.call(begin())

    def stop(self, number: int = 0) -> asyncio.Task[None]:
        """End a process's channel, as a shutdown does."""

        async def end() -> asyncio.Task[None]:
            task = self._running.pop(number)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return task

        return self.call(end())

    def close(self) -> None:
        while self._running:
            self.stop()
        self.call(self.bot.close())
        self.fake.stop()
        self.desk.close()

    # --- running --------------------------------------------------------------------------------

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def until(self, true: Callable[[], Any], what: str = "") -> Any:
        """Wait for something that is on its way."""
        last = time.monotonic() + 20
        while not (found := true()):
            assert time.monotonic() < last, what or "it never came"
            time.sleep(0.01)
        return found

    def up(self, connections: int = 1) -> None:
        self.fake.wait_connected(connections)

    def send(self, kind: str = "text", **given: Any) -> Any:
        made = {"effect_key": "e:1", "conversation": "dingtalk:lina", "user": "lina", **given}
        return self.call(self.bot.send(Outgoing(kind=kind, **made)))  # type: ignore[arg-type]

    def run(self) -> list[Outcome]:
        return self.desk.run()

    def again(self) -> list[Outcome]:
        """Do now what waits for later."""
        for job in self.db.read(lambda s: queue_of(s).listing(s, states=("queued",))):
            self.db.write(lambda s, job=job: queue_of(s).retry(s, job.id))
        return self.desk.run()

    def stored(self, count: int) -> list[dict[str, Any]]:
        """The events, once there are so many."""
        self.until(lambda: self.desk.count(InboxRow) >= count, f"{count} events stored")
        return self.inbox()

    # --- cards that are sent by the channel alone -----------------------------------------------

    def card(self, card: Card = CARD, key: str = "memo.confirm:1") -> CardView:
        """A row for *card* in the database, as a handler makes it; again: its next drawing."""
        return self.db.write(
            lambda s: cards.show(
                s,
                effect_key=key,
                kind=card.kind,
                subject_kind="memo_record",
                subject_id=1,
                person_id=self.desk.lina,
                channel="dingtalk",
                conversation="dingtalk:lina",
                payload=card.to_dict(),
                now=self.clock.now(),
            )
        )[0]

    def show(self, card: Card = CARD, key: str = "memo.confirm:1") -> tuple[CardView, Any]:
        """Draw *card* and send it, as the outbox does; the handle is kept."""
        view = self.card(card, key)
        handle = self.db.read(lambda s: s.get_one(CardRow, view.id).handle)
        sent = self.send(
            "card" if view.version == 1 else "rewrite",
            effect_key=f"{key}:v{view.version}",
            card=card,
            card_id=view.id,
            nonce=view.nonce,
            version=view.version,
            handle=handle,
        )
        if sent.handle:
            self.db.write(lambda s: cards.remember_handle(s, view.id, sent.handle))
        return view, sent

    def use_template(self, **given: Any) -> str:
        self.fake.add_template(
            TEMPLATE, variables=VARIABLES, private=frozenset({"canAct"}), **given
        )
        return TEMPLATE

    # --- looking --------------------------------------------------------------------------------

    def problems(self) -> dict[str, str]:
        """Topic to problem, once everything that is on its way to the database is there."""
        self.db.write(lambda s: None)
        found = self.db.read(lambda s: channel_states.problems(s, "dingtalk"))
        return {one.topic: one.problem for one in found}

    def outbox(self) -> list[tuple[str, str]]:
        rows = sa.select(OutboxRow.state, OutboxRow.reason).order_by(OutboxRow.id)
        return [(state, reason) for state, reason in self.db.read(lambda s: s.execute(rows).all())]

    def inbox(self) -> list[dict[str, Any]]:
        rows = sa.select(InboxRow.payload).order_by(InboxRow.id)
        return list(self.db.read(lambda s: s.scalars(rows).all()))


def settings_of(fake: FakeDingTalk, **given: Any) -> Settings:
    made = {
        "enabled": True,
        "client_id": fake.app.client_id,
        "client_secret": fake.app.client_secret,
        "api_base": fake.api_base,
        "oapi_base": fake.oapi_base,
        "agent_id": fake.app.agent_id,
    }
    return Settings(**{**made, **given})


def _company(fake: FakeDingTalk) -> None:
    fake.add_person("wanglei", "王磊", leads=[1])
    fake.add_person("lina", "李娜", manager="wanglei")
    fake.add_person("zhoukai", "周凯")
    fake.add_group(GROUP, "华东销售群", {"lina", "wanglei"})


def _on_dingtalk(session: Any) -> None:
    for name, user in (("李娜", "lina"), ("王磊", "wanglei"), ("周凯", "zhoukai")):
        chosen = sa.update(PersonRow).where(PersonRow.name == name)
        session.execute(chosen.values(dingtalk_id=user))
