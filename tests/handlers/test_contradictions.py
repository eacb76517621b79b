"""G6 through the real bot: a memo against the file, the question, the answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.rendering import dingtalk, limits, wecom
from handlers.cards import contradiction as cards
from handlers.cards.memo import View
from handlers.cards.model import Card
from sales.contradictions import Contradiction
from sales.drafts import Draft
from sales.facts import RecordFacts
from storage import lists
from storage.tables import AuditRow, CardRow, CommitmentRow, InteractionRow, RecordRow
from tests.handlers.g6 import BEFORE, NOW, asked, file, memo_card, rows, tap
from tests.support.desk import Desk

KIND = CardRow.effect_key.like("contradiction:%")


def notes(desk: Desk, action: str) -> list[dict[str, Any]]:
    query = sa.select(AuditRow.new).where(AuditRow.action == action).order_by(AuditRow.id)
    return [one or {} for one in desk.db.read(lambda s: s.scalars(query).all())]


def test_a_new_memo_is_held_against_the_file(desk: Desk) -> None:
    file(desk)
    seen = desk.say(desk.lina, NOW)

    assert seen[0].startswith("【纪要】")  # the record first
    money, day = asked(desk)
    assert money["card"]["title"] == "恒基水泥｜预算对不上"
    assert rows(money) == {"上次": "50 万 · 11-23 周一 李娜", "这次": "70 万（“七十万”）"}
    assert money["card"]["body"] == "以哪个为准？"
    assert [one["text"] for one in money["card"]["buttons"]] == [
        "以这次为准",
        "以上次为准",
        "都对",
    ]
    assert day["card"]["title"] == "恒基水泥｜日期对不上"
    assert rows(day)["上次"].startswith("12-01 周二")
    assert rows(day)["这次"].startswith("12-04 周五")
    assert rows(day)["改期"] == "第 1 次"


def test_the_same_again_asks_nothing(desk: Desk) -> None:
    file(desk)
    desk.say(desk.lina, BEFORE)
    assert asked(desk) == []


def test_a_day_that_was_moved_before_says_so(desk: Desk) -> None:
    file(desk)
    file(desk, NOW)
    desk.say(desk.lina, NOW.replace("下周五", "12月8号"))
    [*_, day] = asked(desk)
    assert (rows(day)["上次"][:8], rows(day)["改期"]) == ("12-04 周五", "第 2 次")


def test_the_last_value_may_stand(desk: Desk) -> None:
    file(desk)
    desk.say(desk.lina, NOW)
    money, day = asked(desk)

    desk.clock.move(timedelta(minutes=5))
    tap(desk, desk.lina, money, "before")
    tap(desk, desk.lina, day, "before")

    shown = memo_card(desk)["card"]["rows"]
    changed = {row["key"]: (row["value"], row["old"], row["source"]) for row in shown if row["old"]}
    assert changed["金额"] == ("预算 50 万", "70 万", "以上次为准")
    assert changed["下一步"][0].startswith("12-01 周二")
    closed = desk.card(desk.lina)
    assert closed["footer"] == "李娜 11-23 11:05 以上次为准"
    assert (closed["layout"], closed["buttons"], closed["status"]) == ("notice", [], "done")
    assert len(notes(desk, "memo.edit")) == 2
    assert [one["answer"] for one in notes(desk, "contradiction.answer")] == ["before", "before"]
    desk.tap(desk.lina, "memo.ok", card=memo_card(desk))
    assert desk.count(CommitmentRow, CommitmentRow.due == date(2026, 12, 1)) == 2


@pytest.mark.parametrize("answer", ["now", "both"])
def test_this_value_or_both_change_nothing_and_are_kept(desk: Desk, answer: str) -> None:
    file(desk)
    desk.say(desk.lina, NOW)
    before = memo_card(desk)
    money = asked(desk)[0]

    tap(desk, desk.lina, money, answer)

    assert memo_card(desk)["nonce"] == before["nonce"]  # not drawn again
    assert desk.card(desk.lina)["footer"].endswith(cards.VERDICTS[answer])
    assert [one["answer"] for one in notes(desk, "contradiction.answer")] == [answer]
    desk.tap(desk.lina, "memo.ok", card=before)
    assert desk.count(InteractionRow) == 2


def test_a_second_tap_has_no_effect_and_is_answered(desk: Desk) -> None:
    file(desk)
    desk.say(desk.lina, NOW)
    money = asked(desk)[0]
    tap(desk, desk.lina, money, "now")

    [older] = tap(desk, desk.lina, money, "before")
    fresh = next(one for one in asked(desk) if one["card_id"] == money["card_id"])
    [again] = tap(desk, desk.lina, fresh, "before", arg="1")
    [unknown] = tap(desk, desk.lina, fresh, "before", arg="7")

    assert "看最新的内容" in older
    assert again == "这张已经处理过：李娜 11:00 以这次为准。"
    assert "看最新的内容" in unknown
    assert len(notes(desk, "contradiction.answer")) == 1
    assert "70 万" in str(memo_card(desk)["card"]["rows"])


def test_a_foreign_tap_has_no_effect(desk: Desk) -> None:
    file(desk)
    desk.say(desk.lina, NOW)
    [answer] = tap(desk, desk.wanglei, asked(desk)[0], "before")
    assert answer == "这张是发给李娜的，你点不会生效。"
    assert notes(desk, "contradiction.answer") == []


def test_once_filed_or_of_another_customer_it_is_too_late(desk: Desk) -> None:
    file(desk)
    desk.say(desk.lina, NOW)
    desk.say(desk.lina, "客户是宝丰钢铁")
    [other] = tap(desk, desk.lina, asked(desk)[0], "before")
    assert "换了客户" in other

    desk.say(desk.lina, "客户是恒基水泥")
    desk.tap(desk.lina, "memo.ok", card=memo_card(desk))
    [late] = tap(desk, desk.lina, asked(desk)[0], "before")
    assert late.startswith("这张已经处理过：李娜 11:00 确认入库")
    assert notes(desk, "contradiction.answer") == []


def test_a_withdrawn_entry_and_another_customer_do_not_count(desk: Desk) -> None:
    desk.say(desk.lina, BEFORE)
    desk.tap(desk.lina, "memo.ok")
    desk.say(desk.lina, "撤销")
    file(desk, BEFORE.replace("恒基水泥的赵国强", "宝丰钢铁的刘总"))
    desk.say(desk.lina, NOW)
    assert asked(desk) == []


def test_at_most_two_and_each_once_whatever_is_drawn_again(desk: Desk) -> None:
    file(desk, BEFORE + " 赵国强拍板")
    desk.say(desk.lina, NOW + " 刘总拍板")
    assert desk.count(CardRow, KIND) == 2

    desk.say(desk.lina, "金额 80万")
    desk.tap(desk.lina, "memo.edit", card=memo_card(desk))

    assert desk.count(CardRow, KIND) == 2
    assert len(notes(desk, "contradiction.ask")) == 2
    drawn = desk.db.read(lambda s: s.scalars(sa.select(CardRow.nonce).where(KIND)).all())
    assert {one["nonce"] for one in asked(desk)} == set(drawn)


def test_another_decision_maker_than_the_list_has(desk: Desk) -> None:
    desk.db.write(
        lambda s: lists.put_contact(
            s,
            now=desk.clock.now(),
            customer="青松制药股份有限公司",
            name="周国平",
            role="总经理",
            decision_maker=True,
        )
    )
    desk.say(desk.lina, "今天去了青松制药 陈总拍板")
    [one] = asked(desk)
    assert one["card"]["title"] == "青松制药｜拍板人对不上"
    assert rows(one) == {"上次": "周国平 · 档案", "这次": "陈总"}

    tap(desk, desk.lina, one, "before")
    shown = {row["key"]: row["value"] for row in memo_card(desk)["card"]["rows"]}
    assert shown["决策人"] == "周国平（总经理）"
    assert shown["联系人"].startswith("陈")


@pytest.mark.parametrize("number", [0, 1])
def test_the_way_in_words_that_a_card_offers_works(desk: Desk, number: int) -> None:
    file(desk)
    desk.say(desk.lina, NOW)
    offered = asked(desk)[number]["card"]["text"].partition("请回复“")[2].partition("”")[0]

    desk.say(desk.lina, offered)

    old = [row["key"] for row in memo_card(desk)["card"]["rows"] if row["old"]]
    assert old == [["金额", "下一步"][number]]
    assert desk.count(RecordRow) == 2


LONG = "浙江省杭州市余杭区星河智能装备精密机械制造股份有限公司"
AT = datetime(2026, 11, 20, 6, 5, tzinfo=UTC)
VIEW = View(
    record_id=1,
    memo_id=1,
    draft=Draft(facts=RecordFacts(customer=None)),
    text="",
    source="text",
    said_at=AT,
    duration_ms=None,
    customer=LONG,
    short=LONG,
    customer_id=1,
)
SUM = Contradiction(
    kind="amount",
    key="k",
    what="单价",
    path="amounts.0",
    before=123_456_789.0,
    now=(123_456_789.0, 234_567_891.0),
    said_at=AT,
    said_by="欧阳慕容司徒",
    before_words="一亿二千三百四十五万六千七百八十九块",
    now_words="一亿二千三百四十五万六千七百八十九到两亿三千万",
    product=LONG,
)
DAY = replace(SUM, kind="due", what=LONG, before=date(2026, 12, 31), now=date(2027, 1, 4), moved=12)
PERSON = replace(SUM, kind="decision_maker", what="", before="欧阳慕容", now="刘", product="")
COUNT = replace(SUM, kind="quantity", what=LONG, before=1234567.5, now=3.0, unit="公斤")


@pytest.mark.parametrize("one", [SUM, DAY, PERSON, COUNT], ids=lambda one: one.kind)
def test_its_texts_are_within_the_limits(one: Contradiction) -> None:
    open_card = cards.question(VIEW, one, 1)
    closed = cards.decided(VIEW, one, cards.BEFORE, who="欧阳慕容司徒", at=AT)
    assert all(len(button.text) <= limits.BUTTON for button in open_card.buttons)
    for card in (open_card, closed):
        assert len(card.source) <= limits.SOURCE
        assert len(card.subtitle) <= limits.DESC
        assert len(card.rows) <= limits.ROWS
        assert all(len(row.key) <= limits.KEY for row in card.rows)
        assert Card.from_dict(card.to_dict()) == card
        drawn = wecom.render(card, card_id="memo-contradiction-0123456789ab", nonce="n")
        assert len(drawn["main_title"]["title"]) <= limits.TITLE
        for row in drawn["horizontal_content_list"]:
            assert len(row["value"]) <= limits.VALUE
        shown = dingtalk.render(card, card_id="c", nonce="n")
        assert all(len(str(v).encode()) <= limits.VARIABLE_BYTES for v in shown.values())
