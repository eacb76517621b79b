"""Memos and their cards in the 智能机器人, from the first word to the filed record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from bot.channels.wecom_bot import chat_words as words
from handlers import replies
from storage.tables import InboxRow, MemoRow
from tests.support.bot_desk import PATIENT

MEMO = "今天拜访了恒基水泥，电动闸板阀报价十二万，下周三前给他们参数表。"


def test_a_spoken_memo_is_read_and_filed_without_any_sound(bot_site_on_both: Any) -> None:
    site = bot_site_on_both()
    site.call(site.fake.speak("lina", MEMO))
    site.said()
    assert site.fake.texts("lina") == [words.HEARD]

    site.run()

    [bubble], [card] = [
        [one for one in site.fake.shown["lina"] if (one.kind == "card") is is_card]
        for is_card in (False, True)
    ]
    assert (bubble.content, bubble.finished) == (words.SEE_CARD, True)
    assert card.card["main_title"]["title"] == "恒基水泥｜这样记对吗？"
    assert card.req_id == bubble.req_id
    memo = site.db.read(
        lambda s: s.execute(sa.select(MemoRow.source, MemoRow.text, MemoRow.media_sha)).one()
    )
    assert tuple(memo) == ("voice", MEMO, None)

    site.call(site.fake.tap("lina", card, "确认入库"))
    site.stored(2)
    site.run()

    assert card.card["main_title"]["title"].startswith("已入库｜恒基水泥")
    assert card.redrawn == 1
    assert len(site.fake.shown["lina"]) == 2
    assert site.fake.refused == []


def test_a_typed_memo_and_its_form(bot_site: Any) -> None:
    site = bot_site()
    site.call(site.fake.say("lina", MEMO))
    site.said()
    site.run()
    [card] = site.fake.cards("lina")
    site.call(site.fake.tap("lina", card, "修改"))
    site.stored(2)
    site.run()
    assert card.card["card_type"] == "multiple_interaction"

    customer = next(one for one in card.card["select_list"] if one["question_key"] == "customer")
    chosen = {"customer": [customer["selected_id"]], "follow_up": ["1"]}
    site.call(site.fake.tap("lina", card, "保存并入库", selected=chosen))
    site.stored(3)
    site.run()

    assert card.card["main_title"]["title"].startswith("已入库｜恒基水泥")
    assert (card.redrawn, site.fake.refused) == (2, [])
    assert site.inbox()[-1]["values"] == {
        "customer": customer["selected_id"],
        "follow_up": "1",
    }


def test_nothing_was_understood_by_the_platform(bot_site: Any) -> None:
    site = bot_site(pace=PATIENT)
    site.call(site.fake.speak("lina", " "))
    site.stored(1)
    site.run()
    assert site.fake.texts("lina") == [replies.HEARING_FAILED]


def test_a_spoken_correction_changes_the_open_memo(bot_site: Any) -> None:
    site = bot_site(pace=PATIENT)
    site.call(site.fake.speak("lina", MEMO))
    site.stored(1)
    site.run()
    [old] = site.fake.cards("lina")
    site.call(site.fake.speak("lina", "不对，是十五万"))
    site.stored(2)
    site.run()

    new = site.fake.cards("lina")[-1]
    rows = {row["keyname"]: row["value"] for row in new.card["horizontal_content_list"]}
    assert "15" in rows["金额"]
    assert new.card["task_id"] != old.card["task_id"]

    site.call(site.fake.tap("lina", old, "确认入库"))
    site.stored(3)
    site.run()
    assert site.fake.texts("lina")[-1] == replies.STALE_CARD

    site.call(site.fake.tap("lina", new, "确认入库"))
    site.stored(4)
    site.run()
    assert new.card["main_title"]["title"].startswith("已入库｜")
    assert site.fake.refused == []


def test_a_tap_that_is_handled_too_late_is_answered_in_words(bot_site: Any) -> None:
    site = bot_site(pace=PATIENT)
    site.call(site.fake.say("lina", MEMO))
    site.stored(1)
    site.run()
    [card] = site.fake.cards("lina")
    site.call(site.fake.tap("lina", card, "确认入库"))
    site.stored(2)
    site.later(6)
    site.run()

    last = site.fake.shown["lina"][-1]
    assert last.content.startswith("【已入库】恒基水泥，李娜 ")
    assert last.content.endswith(words.NOT_REDRAWN)
    assert (card.redrawn, last.pushed, site.fake.refused) == (0, True, [])


def test_a_tap_that_the_platform_takes_for_late(bot_site: Any) -> None:
    site = bot_site(pace=PATIENT)
    site.call(site.fake.say("lina", MEMO))
    site.stored(1)
    site.run()
    [card] = site.fake.cards("lina")
    site.call(site.fake.tap("lina", card, "作废"))
    site.stored(2)
    site.fake.later(6)
    site.run()
    assert [code for _, code, _ in site.fake.refused] == [846605]
    assert site.fake.texts("lina")[-1].endswith(words.NOT_REDRAWN)


def test_an_edit_that_comes_too_late_brings_a_new_card(bot_site: Any) -> None:
    site = bot_site(pace=PATIENT)
    site.call(site.fake.say("lina", MEMO))
    site.stored(1)
    site.run()
    site.call(site.fake.tap("lina", site.fake.cards("lina")[0], "修改"))
    site.stored(2)
    site.later(6)
    site.run()
    old, form = site.fake.cards("lina")
    assert (old.redrawn, form.pushed) == (0, True)
    assert form.card["card_type"] == "multiple_interaction"


def test_the_same_message_and_the_same_tap_again_change_nothing(bot_site_on_both: Any) -> None:
    site = bot_site_on_both(pace=PATIENT)
    for _ in range(5):
        site.call(site.fake.say("lina", MEMO, msgid="M7"))
    site.stored(1)
    site.run()
    [card] = site.fake.cards("lina")
    for _ in range(5):
        site.call(site.fake.tap("lina", card, "确认入库", msgid="E7"))
    site.call(site.fake.say("lina", "你好"))
    site.stored(3)
    site.run()
    assert site.desk.count(InboxRow) == 3
    assert len(site.fake.shown["lina"]) == 2
    assert card.redrawn == 1


def test_words_that_change_a_card_are_answered_under_themselves(bot_site_on_both: Any) -> None:
    site = bot_site_on_both()
    site.call(site.fake.say("lina", MEMO))
    site.said()
    site.run()
    site.call(site.fake.say("lina", "不对，是十五万"))
    site.said(count=2)
    site.run()
    card = site.fake.cards("lina")[-1]
    assert (card.pushed, card.req_id) == (False, site.inbox()[1]["handle"])

    site.call(site.fake.say("lina", "确认"))
    site.said(count=3)
    site.run()
    last = site.fake.shown["lina"][-1]
    assert last.content.startswith("【已入库】恒基水泥，李娜 ")
    assert (last.finished, last.req_id) == (True, site.inbox()[2]["handle"])
    assert all(one.finished for one in site.fake.shown["lina"])
    assert site.fake.refused == []


def test_a_card_whose_acknowledgement_got_lost_is_not_sent_twice(bot_site: Any) -> None:
    site = bot_site(pace=replace(PATIENT, ack_s=0.2))
    site.call(site.fake.say("lina", MEMO))
    site.stored(1)
    site.fake.lost_acks.add("aibot_respond_msg")
    site.run()
    site.again()
    assert len(site.fake.cards("lina")) == 1
    assert site.outbox() == [("sent", "")]
