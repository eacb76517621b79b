"""What people say to the 智能机器人 and where the answers appear."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from bot.channels.wecom_bot import chat_words as words
from handlers import replies
from handlers.messages import GroupSay
from handlers.post import post
from storage.tables import AuditRow
from tests.support.bot_desk import PATIENT, QUICK


def test_each_answer_stands_under_its_own_question(bot_site: Any) -> None:
    site = bot_site(pace=PATIENT)
    for text in ("你好", "待办", "帮助"):
        site.call(site.fake.say("lina", text))
    site.stored(3)
    site.run()
    hello, todo, help_text = site.fake.shown["lina"]
    assert hello.content.startswith("你好，李娜")
    assert "你可以" in help_text.content or "帮助" in help_text.content
    assert [one.pushed for one in (hello, todo, help_text)] == [False] * 3
    assert [one.req_id for one in (hello, todo, help_text)] == [
        one["handle"] for one in site.inbox()
    ]


def test_interim_and_answer_never_meet_under_one_question(bot_site: Any) -> None:
    site = bot_site(pace=replace(QUICK, interim_s=0.0))
    site.fake.ack_after_s = 0.02
    for number in range(6):
        site.call(site.fake.say("lina", "你好"))
        site.stored(number + 1)
        site.run()
    assert site.fake.refused == []
    assert [one.finished for one in site.fake.shown["lina"]] == [True] * 6


def test_a_welcome_once_a_day(bot_site_on_both: Any) -> None:
    site = bot_site_on_both()
    for _ in range(3):
        site.call(site.fake.event("lina", "enter_chat"))
    site.until(lambda: site.fake.texts("lina"))
    site.later(24 * 3600)
    site.call(site.fake.event("lina", "enter_chat"))
    site.until(lambda: len(site.fake.texts("lina")) == 2)
    site.call(site.fake.event("wanglei", "enter_chat"))
    site.until(lambda: site.fake.texts("wanglei"))
    assert site.fake.texts("lina") == [words.WELCOME] * 2
    assert site.fake.refused == []


def test_what_people_think_of_an_answer_is_kept_once(bot_site: Any) -> None:
    site = bot_site()
    detail = {"id": "cb1", "type": 2, "content": "客户听错了", "inaccurate_reason_list": [2]}
    for _ in range(3):
        site.call(site.fake.event("lina", "feedback_event", detail, msgid="F1"))
    rated = AuditRow.action == "wecom_bot.feedback"
    site.until(lambda: site.desk.count(AuditRow, rated))
    site.call(site.fake.say("lina", "你好"))
    site.stored(1)
    [row] = site.db.read(
        lambda s: s.execute(sa.select(AuditRow.who, AuditRow.new).where(rated)).all()
    )
    assert (row.who, row.new["type"], row.new["content"]) == ("lina", 2, "客户听错了")


def test_events_that_mean_nothing_to_us_are_left_alone(bot_site: Any) -> None:
    site = bot_site()
    site.call(site.fake.event("lina", "something_new"))
    site.call(site.fake.message("lina", "hologram", {"x": 1}))
    site.stored(1)
    site.run()
    assert site.inbox()[0]["kind"] == "other"
    assert len(site.fake.texts("lina")) == 1


def test_a_group_gets_one_line_and_the_person_the_answer(bot_site: Any) -> None:
    site = bot_site(pace=PATIENT)
    site.call(site.fake.say("lina", "你好"))
    site.call(site.fake.say("lina", "@跟进 待办", group="G1"))
    site.stored(2)
    site.run()
    assert site.fake.texts("G1") == [words.IN_PRIVATE]
    assert site.inbox()[1]["text"] == "待办"
    assert len(site.fake.texts("lina")) == 2
    assert site.fake.refused == []


def test_what_was_quoted_is_kept_beside_the_words(bot_site: Any) -> None:
    site = bot_site()
    quote = {"msgtype": "text", "text": {"content": "周三交"}}
    site.call(site.fake.say("lina", "改成周四", quote=quote))
    site.stored(1)
    [event] = site.inbox()
    assert (event["text"], event["values"]) == (
        "改成周四",
        {"quote": {"kind": "text", "text": "周三交"}},
    )


def test_encrypted_ids_become_people_and_are_asked_for_once(bot_site_on_both: Any) -> None:
    asked: list[list[str]] = []

    async def resolve(ids: Any) -> dict[str, str]:
        asked.append(list(ids))
        if len(asked) == 1:
            raise OSError("away")
        return {"wo-secret-1": "lina"} if "wo-secret-1" in ids else {}

    site = bot_site_on_both(pace=PATIENT, resolve=resolve)
    for text in ("你好", "待办"):
        site.call(site.fake.say("wo-secret-1", text))
    site.stored(2)
    site.run()
    hello = site.fake.texts("wo-secret-1")[0]
    assert hello.startswith("你好，李娜")
    assert [one["text"] for one in site.inbox()] == ["你好", "待办"]
    assert {one["user"] for one in site.inbox()} == {"lina"}
    assert asked == [["wo-secret-1"]] * 2

    site.call(site.fake.say("wanglei", "你好"))
    site.call(site.fake.say("wo-nobody", "你好"))
    site.stored(4)
    site.run()
    assert site.fake.texts("wanglei")[0].startswith("你好，王磊")
    assert site.fake.texts("wo-nobody") == [replies.UNKNOWN_PERSON]
    assert asked[2:] == [["wo-nobody"]]


def test_no_word_before_an_answer_that_was_given_or_will_not_come(bot_site: Any) -> None:
    site = bot_site(pace=replace(QUICK, interim_s=0.3))
    site.call(site.fake.say("lina", "你好"))
    site.call(site.fake.say("a-stranger", "你好"))
    site.stored(2)
    site.run()
    site.call(asyncio.sleep(0.4))
    assert [one.finished for one in site.fake.shown["lina"]] == [True]
    assert site.fake.texts("a-stranger") == [replies.UNKNOWN_PERSON]


def test_markdown_stays_and_a_group_gets_its_own(bot_site: Any) -> None:
    site = bot_site(pace=PATIENT)
    site.call(site.fake.say("lina", "你好"))
    site.call(site.fake.say("lina", "@跟进 你好", group="G1"))
    site.stored(2)
    site.run()
    site.push("digest:1:d", "**日报** 138****0000", markdown=True)
    site.push("digest:2:d", "138****0000")
    group = GroupSay(effect_key="team:1:d", channel="wecom_bot", group="G1", text="*3* 件")
    site.db.write(lambda s: post(s, [group], now=site.clock.now()))
    site.run()
    assert site.fake.texts("lina")[-2:] == ["**日报** 138****0000", "138＊＊＊＊0000"]
    assert site.fake.texts("G1")[-1] == "＊3＊ 件"
    assert site.fake.refused == []
