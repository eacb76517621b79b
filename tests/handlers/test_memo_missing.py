"""M2: what is missing is asked, at most twice, and may be left open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from handlers.context import MemoSettings
from storage.database import Database
from storage.tables import InteractionRow, OutboxRow, RecordRow
from tests.support.desk import Desk

TEXT = "今天拜访了恒基水泥的赵经理 他说交期太长 我答应下周二之前给他加急方案"


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    required = ("customer", "amount", "close", "decision_maker")
    made = Desk(database, tmp_path, memo=MemoSettings(required=required))
    yield made
    made.close()


def test_what_can_be_picked_is_asked_first_then_the_sum(desk: Desk) -> None:
    desk.say(desk.lina, TEXT)
    desk.tap(desk.lina, "memo.ok")
    card = desk.card(desk.lina)
    assert card["title"] == "还差 2 项就能入库"
    assert [question["id"] for question in card["questions"]] == ["close", "decision_maker"]

    desk.tap(desk.lina, "ask.save", close="month", decision_maker="赵国强")
    assert desk.card(desk.lina)["title"] == "金额没听清，是多少？"

    desk.say(desk.lina, "120万")
    assert desk.card(desk.lina)["title"].startswith("已入库")
    assert desk.rows(desk.lina)["金额"] == "120 万"


def test_a_sum_that_cannot_be_read_is_asked_again_in_words(desk: Desk) -> None:
    desk.say(desk.lina, TEXT)
    desk.tap(desk.lina, "memo.ok")
    desk.tap(desk.lina, "ask.save", close="unknown", decision_maker="unknown")
    [answer] = desk.say(desk.lina, "很多")
    assert "没看懂这个金额" in answer
    desk.say(desk.lina, "空着")
    assert desk.card(desk.lina)["title"].startswith("已入库")
    assert desk.count(InteractionRow) == 1


def test_after_a_day_a_reminder_after_three_a_draft_never_filed(desk: Desk) -> None:
    from handlers import waiting

    def sweep() -> None:
        desk.db.write(lambda s: waiting.sweep(s, desk.tools.memo, now=desk.clock.now()))
        desk.run()

    desk.say(desk.lina, TEXT)
    desk.clock.move(timedelta(hours=23))
    sweep()
    assert desk.count(OutboxRow, OutboxRow.effect_key.like("memo.remind:%")) == 0
    desk.clock.move(timedelta(hours=2))
    sweep()
    sweep()
    assert desk.count(OutboxRow, OutboxRow.effect_key.like("memo.remind:%")) == 1
    desk.clock.move(timedelta(hours=48))
    sweep()
    sweep()
    assert desk.card(desk.lina)["title"].startswith("转为草稿")
    assert desk.count(RecordRow, RecordRow.state == "draft") == 1
    assert desk.count(InteractionRow) == 0
