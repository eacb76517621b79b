"""The whole bot at work while the platform misbehaves: worker, sockets and people at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.worker import EmbeddedWorker
from storage.database import Database
from storage.jobs import queue_of
from storage.tables import InboxRow, MemoRow
from tests.support.ding_desk import TEMPLATE, DingDesk

MEMO = "今天拜访了恒基水泥，报价{number}万，周四前发合同"
SLOTS = {"tap": 2, "message": 2, "speech": 1, "push": 3}


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[DingDesk]:
    db = Database(sqlite_url)
    made = DingDesk(db, tmp_path, settings={"card_template_id": TEMPLATE, "connections": 2})
    made.use_template()
    made.fake.rules.qps = None
    made.up(2)

    async def begin() -> tuple[EmbeddedWorker, asyncio.Task[None]]:
        worker = EmbeddedWorker(db, made.desk.work, SLOTS)
        return worker, asyncio.create_task(worker.run())

    _, task = made.call(begin())
    yield made

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    made.call(end())
    made.close()
    db.close()


def quiet(desk: DingDesk) -> None:
    """Until nothing waits to be handled or sent."""

    def idle() -> bool:
        return not desk.db.read(lambda s: queue_of(s).listing(s, states=("queued", "running")))

    desk.until(idle, f"{desk.outbox()}")


def test_memos_taps_and_redraws_while_sockets_come_and_go(desk: DingDesk) -> None:
    desk.fake.rules.repush_s = 0.5
    desk.fake.rules.grace_s = 0.5
    desk.fake.rebalance(0.6)
    pushes = []
    for number in range(1, 21):
        for user in ("lina", "wanglei", "zhoukai"):
            pushes.append(desk.fake.say_text(user, MEMO.format(number=number)))
            if number % 4 == 0:
                desk.fake.again(pushes[-1])
        time.sleep(0.05)
    sent = [one for one in pushes if not one.lost]
    for one in sent:
        one.wait(20)
    quiet(desk)
    assert desk.desk.count(InboxRow) == len(sent)
    assert desk.desk.count(MemoRow) == len(sent)
    cards = {user: desk.fake.cards_of(user) for user in ("lina", "wanglei", "zhoukai")}
    assert sum(map(len, cards.values())) == len(sent)

    taps = []
    for user, shown in cards.items():
        for card in shown[:8]:
            button = desk.fake.buttons(user, card.out_track_id)[0]
            taps += [desk.fake.tap(user, card.out_track_id, button.params) for _ in range(2)]
    for tap in taps:
        tap.wait(20)
    answered = [one for one in taps if one.outcome == "answered"]
    assert len(answered) > len(taps) * 0.8  # the others hit a moment without a socket
    quiet(desk)
    desk.fake.rebalance(None)
    for tap in answered:
        seen = desk.fake.card_seen_by(tap.user, tap.card.out_track_id)
        assert seen["status"] == "done"
        assert len(tap.card.updates) == 1
    assert desk.fake.complaints == []  # no update before its answer, no late answer


def test_throttling_and_lost_answers_delay_and_double_nothing(desk: DingDesk) -> None:
    desk.fake.fail(
        "/v1.0/card/*", "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", status=403, times=3
    )
    desk.fake.lose_answer("/v1.0/card/instances/createAndDeliver", times=2)
    desk.fake.say_text("lina", MEMO.format(number=3)).wait()
    card: Any = desk.until(lambda: desk.fake.cards_of("lina"))[0]
    quiet(desk)
    assert len(desk.fake.cards_of("lina")) == 1
    assert len([one for one in desk.fake.seen("lina") if one.via == "card"]) == 1

    desk.fake.fail("PUT /v1.0/card/instances", "system.busy", times=2)
    desk.fake.press("lina", card.out_track_id, "确认入库").wait()
    desk.until(lambda: desk.fake.card_seen_by("lina", card.out_track_id)["status"] == "done")
    quiet(desk)
    assert desk.fake.complaints == []
