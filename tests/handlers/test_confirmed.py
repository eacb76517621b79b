"""The company's own accuracy: what was read against what its people filed (F5)."""

from __future__ import annotations

from datetime import timedelta

from nlp.evaluate import format_weeks, score_confirmed
from nlp.evaluate.confirmed import expected
from storage import memos
from tests.handlers.test_memo_journey import S1
from tests.support.desk import MONDAY, Desk


def scored(desk: Desk) -> dict:
    filed = desk.db.read(
        lambda session: list(memos.confirmed(session, since=MONDAY - timedelta(weeks=1)))
    )
    return score_confirmed(
        (
            one.said_at.strftime("%G-W%V"),
            str(one.record_id),
            one.read,
            expected(one.draft, one.customer),
        )
        for one in filed
    )


def test_what_was_filed_as_read_is_right(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    assert scored(desk)[""].rows == 0  # nothing is confirmed yet
    desk.tap(desk.lina, "memo.ok")

    tables = scored(desk)
    assert list(tables) == ["2026-W48", ""]
    assert {name: one.f1 for name, one in tables[""].fields.items()} == dict.fromkeys(
        tables[""].fields, 1.0
    )


def test_an_edit_counts_against_its_field_alone(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    desk.say(desk.lina, "不对 是下周三")
    desk.tap(desk.lina, "memo.ok")

    table = scored(desk)[""]
    wrong = [name for name, one in table.fields.items() if one.f1 < 1]
    assert wrong == ["due dates"]
    assert "2026-12-01" in table.errors[0] and "2026-12-02" in table.errors[0]


def test_weeks_are_lines(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    desk.tap(desk.lina, "memo.ok")
    desk.clock.move(timedelta(days=7))
    desk.say(desk.lina, "今天拜访了恒基水泥的赵经理 他说价格太贵 我周五之前重新报价")
    desk.tap(desk.lina, "memo.ok")

    lines = format_weeks(scored(desk)).splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["week", "memos"], ["2026-W48", "1"], ["2026-W49", "1"], ["all", "2"],
    ]  # fmt: skip
