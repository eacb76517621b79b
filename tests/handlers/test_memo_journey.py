"""The first journey, through the real bot: a memo in, a card, a correction, the file, and back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage.tables import (
    AuditRow,
    CommitmentRow,
    ContactRow,
    CorrectionRow,
    InteractionRow,
    MemoRow,
    ObjectionRow,
    OutboxRow,
    RecordRow,
)
from tests.support.desk import Desk

S1 = (
    "今天拜访了恒基水泥的赵经理 电动闸板阀要十五台 报价每台一万二 他说交期太长 "
    "我答应下周二之前给他加急方案"
)
S4 = (
    "上午去了宝丰钢铁 安全阀要三十个 预算二十万 我明天发技术协议 "
    "下午去了山泉饮料 蝶阀要样品 我周五送过去"
)
AMR = b"#!AMR\n" + b"\x3c" + b"\x00" * 31


def test_a_voice_memo_is_received_at_once_and_comes_back_as_a_card(desk: Desk) -> None:
    seen = desk.voice(desk.lina, AMR, platform_text=S1)

    assert seen[0].startswith("收到")
    rows = desk.rows(desk.lina)
    assert rows["客户"] == "恒基水泥有限公司"
    assert rows["金额"].endswith("1.2 万")
    assert rows["下一步"].startswith("12-01 周二")
    assert [button["text"] for button in desk.card(desk.lina)["buttons"]] == [
        "确认入库",
        "修改",
        "作废",
    ]
    assert desk.count(InteractionRow) == 0  # nothing is filed before the tap


def test_a_correction_changes_only_its_field_and_keeps_the_old_value(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    before = desk.rows(desk.lina)

    desk.say(desk.lina, "不对 是下周三")

    after = desk.card(desk.lina)["rows"]
    changed = [row for row in after if row["old"]]
    assert [(row["key"], row["old"]) for row in changed] == [("下一步", "12-01 周二")]
    assert changed[0]["value"].startswith("12-02 周三")
    assert changed[0]["source"] == "不对 是下周三"
    assert {k: v for k, v in before.items() if k != "下一步"} == {
        row["key"]: row["value"] for row in after if row["key"] != "下一步"
    }
    assert len(desk.cards(desk.lina)) == 1  # redrawn where it is


def test_a_correction_may_be_spoken(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    desk.voice(desk.lina, AMR, platform_text="不对是下周三")

    assert desk.rows(desk.lina)["下一步"].startswith("12-02 周三")
    assert desk.count(RecordRow) == 1


def test_confirmed_it_stands_in_the_file_and_in_the_to_do(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    desk.say(desk.lina, "不对 是下周三")
    desk.tap(desk.lina, "memo.ok")

    assert desk.card(desk.lina)["title"].startswith("已入库｜恒基水泥")
    assert "李娜" in desk.card(desk.lina)["subtitle"]
    [todo] = desk.say(desk.lina, "待办")
    assert "12-02 周三 · 恒基水泥" in todo
    assert "加急方案" in todo
    [looked_up] = desk.say(desk.lina, "查 恒基")
    assert "异议：交期" in looked_up
    assert "承诺：我方 12-02 周三" in looked_up
    assert desk.count(InteractionRow) == 1
    assert desk.count(AuditRow, AuditRow.action == "memo.file") == 1


def test_undone_within_ten_minutes_it_is_as_before(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    contacts = desk.count(ContactRow)
    desk.tap(desk.lina, "memo.ok")
    desk.clock.move(timedelta(minutes=9))

    seen = desk.say(desk.lina, "撤销")

    assert "已撤回" in " ".join(seen)
    assert desk.card(desk.lina)["title"].endswith("这样记对吗？")
    assert desk.count(CommitmentRow, CommitmentRow.state == "open") == 0
    assert desk.count(ObjectionRow, ObjectionRow.state == "open") == 0
    assert desk.count(ContactRow) == contacts
    [todo] = desk.say(desk.lina, "待办")
    assert "没有待办" in todo
    # ... and may be confirmed again
    desk.tap(desk.lina, "memo.ok")
    assert desk.count(CommitmentRow, CommitmentRow.state == "open") == 1


def test_undone_too_late_it_stays(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    desk.tap(desk.lina, "memo.ok")
    desk.clock.move(timedelta(minutes=11))

    [answer] = desk.say(desk.lina, "撤销")

    assert "撤不回了" in answer
    assert desk.count(CommitmentRow, CommitmentRow.state == "open") == 1


def test_dropped_and_brought_back(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    desk.tap(desk.lina, "memo.drop")
    assert desk.card(desk.lina)["title"].startswith("已作废")

    desk.say(desk.lina, "恢复")

    assert desk.card(desk.lina)["title"].endswith("这样记对吗？")
    assert desk.count(InteractionRow) == 0


def test_the_same_tap_three_times_has_one_effect_and_is_answered(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    card = desk.cards(desk.lina)[-1]
    desk.tap(desk.lina, "memo.ok", card=card)

    for _ in range(2):
        [answer] = desk.tap(desk.lina, "memo.ok", card=card)
        assert answer == "这张已经处理过：李娜 10:00 确认入库。"
    assert desk.count(InteractionRow) == 1


def test_the_same_event_delivered_again_is_no_new_event(desk: Desk) -> None:
    event = desk.event(desk.lina, text=S1)
    assert desk.accept(event)
    assert not desk.accept(event)
    desk.run()
    assert not desk.accept(event)
    desk.run()
    assert desk.count(MemoRow) == 1
    assert desk.count(RecordRow) == 1


def test_a_foreign_tap_has_no_effect(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    card = desk.cards(desk.lina)[-1]

    [answer] = desk.tap(desk.wanglei, "memo.ok", card=card)

    assert answer == "这张是发给李娜的，你点不会生效。"
    assert desk.count(InteractionRow) == 0


def test_a_tap_on_an_older_drawing_does_not_file_what_it_did_not_show(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    older = desk.cards(desk.lina)[-1]
    desk.say(desk.lina, "不对 是下周三")

    [answer] = desk.tap(desk.lina, "memo.ok", card=older)

    assert "看最新的内容" in answer
    assert desk.count(InteractionRow) == 0


def test_two_customers_are_two_cards(desk: Desk) -> None:
    desk.say(desk.lina, S4)

    first, second = desk.cards(desk.lina)
    assert first["card"]["title"].startswith("宝丰钢铁")
    assert second["card"]["title"].startswith("山泉饮料")
    desk.tap(desk.lina, "memo.ok", card=second)
    desk.tap(desk.lina, "memo.ok", card=first)
    assert desk.count(InteractionRow) == 2


def test_a_tie_is_chosen_by_the_person_and_remembered(desk: Desk) -> None:
    desk.say(desk.lina, "今天去了汇通 减压阀预算十二万 我明天发报价")
    card = desk.card(desk.lina)
    assert card["buttons"][0]["text"] == "选客户"
    assert "待选" in desk.rows(desk.lina)["客户"]

    desk.tap(desk.lina, "memo.pick")
    choices = desk.card(desk.lina)["questions"][0]["choices"]
    wanted = next(one["id"] for one in choices if one["text"] == "汇通热力")
    desk.tap(desk.lina, "memo.picked", customer=wanted)

    assert desk.rows(desk.lina)["客户"] == "汇通热力公司"
    assert desk.count(CorrectionRow) == 1
    desk.tap(desk.lina, "memo.ok")
    assert desk.count(InteractionRow) == 1
    # the next memo has it right (G3)
    desk.say(desk.lina, "又去了汇通 减压阀要十台 我后天回复他")
    assert desk.rows(desk.lina)["客户"] == "汇通热力公司"


def test_another_customer_in_words(desk: Desk) -> None:
    desk.say(desk.lina, "今天去了致远教育 安全阀预算十二万 我明天发报价")
    desk.say(desk.lina, "客户是驰远不是致远")

    [row] = [row for row in desk.card(desk.lina)["rows"] if row["key"] == "客户"]
    assert row["value"] == "驰远车灯有限公司"
    assert row["old"] == "致远教育"


def test_an_unclear_correction_asks_which_field(desk: Desk) -> None:
    desk.say(desk.lina, "今天拜访了恒基水泥 我明天发报价 后天寄样品")
    [question] = desk.say(desk.lina, "不对 是下周三")
    assert question.startswith("改哪一项")

    desk.say(desk.lina, "2")

    steps = [row for row in desk.card(desk.lina)["rows"] if row["key"] == "下一步"]
    assert sum(bool(row["old"]) for row in steps) == 1
    assert any(row["value"].startswith("12-02") for row in steps)


def test_the_form_changes_and_files_in_one_go(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    desk.tap(desk.lina, "memo.edit")
    assert desk.card(desk.lina)["layout"] == "form"

    desk.tap(desk.lina, "memo.save", amount="11500", follow_up="1", due__0="2026-12-03")

    assert desk.card(desk.lina)["title"].startswith("已入库")
    assert desk.count(CommitmentRow) == 1
    rows = desk.rows(desk.lina)
    assert rows["金额"].endswith("1.15 万")
    assert rows["下一步"].startswith("12-03")


def test_a_form_value_that_cannot_be_read_changes_nothing(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    desk.tap(desk.lina, "memo.edit")
    [answer] = desk.tap(desk.lina, "memo.save", amount="一堆")
    assert "没看懂这个金额" in answer
    assert desk.count(InteractionRow) == 0


def test_words_alone_carry_the_whole_journey(desk: Desk) -> None:
    [card] = desk.say(desk.lina, S1)
    assert "回复 1" in card
    desk.say(desk.lina, "1")
    assert desk.count(InteractionRow) == 1
    desk.say(desk.lina, "撤销")
    desk.say(desk.lina, "3")
    assert desk.card(desk.lina)["title"].startswith("已作废")


def test_a_text_about_nothing_is_not_filed(desk: Desk) -> None:
    for words in ("今天天气不错", "😀😀", "。。。"):
        [answer] = desk.say(desk.lina, words)
        assert answer.startswith("没看懂")
    assert desk.count(RecordRow) == 0


def test_fifty_thousand_characters_are_kept_and_answered(desk: Desk) -> None:
    [answer] = desk.say(desk.lina, "恒基" * 25_000)
    assert "50,000" in answer
    assert desk.count(MemoRow, MemoRow.state == "failed") == 1


@pytest.mark.parametrize("words", ["你好", "帮助", "待办", "查 恒基", "恒基最近咋样"])
def test_small_talk_and_commands_are_answered_once(desk: Desk, words: str) -> None:
    assert len(desk.say(desk.lina, words)) == 1
    assert desk.count(MemoRow) == 0


def test_a_promise_is_ticked_off_by_its_number(desk: Desk) -> None:
    desk.say(desk.lina, S1)
    desk.tap(desk.lina, "memo.ok")
    [answer] = desk.say(desk.lina, "完成 1")
    assert "已完成" in answer
    assert desk.count(CommitmentRow, CommitmentRow.state == "done") == 1


def test_customers_of_another_region_stay_closed(desk: Desk) -> None:
    [answer] = desk.say(desk.zhoukai, "查 恒基")
    assert "没有查看权限" in answer
    [answer] = desk.say(desk.wanglei, "查 恒基")
    assert "恒基水泥有限公司" in answer


def test_a_stranger_is_told_what_to_do(desk: Desk) -> None:
    event = desk.event(desk.lina, user="9999", conversation="console:9999", text="你好")
    desk.accept(event)
    desk.run()
    assert desk.count(OutboxRow, OutboxRow.payload["text"].as_string().like("还不认识你%")) == 1
