"""A desk whose people sit in WeCom: the real channel against the fake platform."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.channels.base import Outgoing
from bot.channels.wecom.channel import WeCom, WeComOptions
from bot.channels.wecom.limits import Limits
from bot.work import Outcome, Work
from handlers import replies
from handlers.cards.model import Button, Card, Choice, Question
from handlers.messages import Inbound, Outbound, Say, Show
from handlers.post import post
from nlp.audio import duration_s
from sales.clock import Clock
from storage import channel_states, lists
from storage.database import Database
from storage.media import MediaStore
from storage.tables import JobRow, OutboxRow, PersonRow
from tests.fakes.wecom.server import FakeWeCom
from tests.fakes.wecom.state import Copy
from tests.support.desk import Desk
from tests.support.sample_cards import CARD

T = TypeVar("T")

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # by the machine's clock, which the queue keeps
BASE_URL = "https://bot.example.com"


FORM = Card(
    kind="memo.ask",
    layout="form",
    source="销售助手·语音纪要",
    title="还差 1 项就能入库",
    text="还差 1 项",
    questions=(
        Question(
            id="close",
            title="预计什么时候签",
            choices=(Choice(id="1", text="本月"), Choice(id="2", text="下月")),
        ),
    ),
    submit=Button(text="补上", action="ask.save"),
)


@dataclass(frozen=True)
class App:
    """What ``bot.config.WeCom`` holds."""

    corp_id: str
    agent_id: int
    secret: str
    api_base: str


def app_of(fake: FakeWeCom, **given: Any) -> App:
    made = {
        "corp_id": fake.corp_id,
        "agent_id": fake.agent_id,
        "secret": fake.secret,
        "api_base": fake.base,
    }
    return App(**{**made, **given})


def channel_of(
    fake: FakeWeCom,
    db: Database,
    folder: Path,
    clock: Clock,
    *,
    limits: Limits | None = None,
    **given: Any,
) -> WeCom:
    options = WeComOptions(
        base_url=BASE_URL,
        link_key=b"key of a test",
        limits=limits or Limits(),
        webhooks={"east": "hook-key-0001"},
    )
    return WeCom(app_of(fake, **given), db, MediaStore(folder / "media"), clock, options)


def text(user: str, words: str, key: str = "in:1:1") -> Outgoing:
    return Outgoing(
        effect_key=key, kind="text", conversation=f"wecom:{user}", user=user, text=words
    )


def problems(db: Database) -> dict[str, str]:
    """Topic to the code of what is wrong."""
    return {one.topic: one.problem for one in db.read(channel_states.problems)}


class WeComDesk(Desk):
    """李娜 is ``lina``, 王磊 ``WangLei``, 周凯 ``zhoukai``; jobs run as in ``Desk``."""

    def __init__(self, db: Database, folder: Path, fake: FakeWeCom, **given: Any) -> None:
        super().__init__(db, folder, **given)
        self.fake = fake
        self.wecom = channel_of(fake, db, folder, self.clock)
        self.work = Work(
            db,
            self.tools,
            {"console": self.console, "wecom": self.wecom},
            self._loop,
            duration_s,
        )
        for name, user in (("李娜", "lina"), ("王磊", "wanglei"), ("周凯", "zhoukai")):
            fake.add_member(user, name)
            db.write(
                lambda s, name=name, user=user: lists.put_person(
                    s, now=self.clock.now(), name=name, wecom=user
                )
            )

    def close(self) -> None:
        self.do(self.wecom.close())
        super().close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def said(self, person: int) -> list[tuple[str, str, str]]:
        """Everything said to *person*: kind, state, reason."""
        found = sa.select(OutboxRow.kind, OutboxRow.state, OutboxRow.reason)
        found = found.where(OutboxRow.person_id == person).order_by(OutboxRow.id)
        return [tuple(row) for row in self.db.read(lambda s: s.execute(found).all())]

    def later(self, **span: float) -> None:
        """Our clock and the platform's go on together."""
        self.clock.move(timedelta(**span))
        self.fake.forward(**span)

    def again(self) -> list[Outcome]:
        """The time of whatever waits has come; its tries count on."""
        due = sa.update(JobRow).where(JobRow.state == "queued").values(run_at=LONG_AGO)
        self.db.write(lambda s: s.execute(due))
        return self.run()

    def user(self, person: int) -> str:
        return self.db.read(lambda s: s.get_one(PersonRow, person).wecom_id or "")


def say(desk: WeComDesk, *said: Outbound) -> None:
    desk.db.write(lambda s: post(s, said, now=desk.clock.now()))


def tell(desk: WeComDesk, words: str, key: str = "k1") -> Say:
    return Say(effect_key=key, person_id=desk.lina, text=words)


def card(desk: WeComDesk, shown: Card = CARD, key: str = "memo.confirm:1") -> Show:
    return Show(card_key=key, person_id=desk.lina, card=shown, subject_kind="record", subject_id=1)


def texts(desk: WeComDesk, user: str = "lina") -> list[str]:
    return desk.fake.texts(user)


def sent(desk: WeComDesk) -> Copy:
    """The card, sent to 李娜."""
    say(desk, card(desk))
    desk.run()
    return desk.fake.last_card("lina")


def tap(desk: WeComDesk, seen: Copy, button: str = "确认入库") -> str:
    """A tap as the callback hands it over; only its code matters here."""
    with desk.fake.state.lock:
        code = desk.fake.state.new_code(seen.message)
    key = seen.buttons[button]
    event = Inbound(
        channel="wecom",
        event_key=f"tap:{code}",
        kind="action",
        user="lina",
        conversation="wecom:lina",
        at=desk.clock.now(),
        action="noop",
        card_id=seen.task_id.rpartition("-")[0],
        nonce=key.split("|")[1],
        handle=code,
    )
    before = len(texts(desk))
    assert desk.accept(event)
    desk.run()
    assert texts(desk)[before:] == [replies.STALE_CARD]  # nobody knows this action
    return code
