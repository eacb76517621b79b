"""What people say to the 智能机器人 and what they see: the whole way through the real bot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.channels.wecom_bot import chat_words as words
from handlers import replies
from handlers.messages import GroupSay, Inbound, Say
from handlers.post import post
from storage.database import Database, StorageFull
from storage.tables import AuditRow, InboxRow, MemoRow, PersonRow
from tests.support.bot_desk import PATIENT, QUICK, BotDesk

MEMO = "今天拜访了恒基水泥，电动闸板阀报价十二万，下周三前给他们参数表。"

LONG = "\n".join(f"第{n}行：" + "汉" * 300 for n in range(50))


@pytest.fixture
def make(database: Database, tmp_path: Path) -> Iterator[Any]:
    made: list[BotDesk] = []

    def make(**options: Any) -> BotDesk:
        made.append(BotDesk(database, tmp_path, **options))
        made[-1].up()
        return made[-1]

    yield make
    for one in made:
        one.close()


def said(site: BotDesk, *, count: int = 1) -> None:
    """Until the messages are stored and the word that they are being read is out."""
    site.stored(count)
    site.until(lambda: sum(not one.finished for one in site.fake.shown.get("lina", ())))


def test_a_spoken_memo_is_read_and_filed_without_any_sound(make: Any) -> None:
    site = make()
    site.call(site.fake.speak("lina", MEMO))
    said(site)
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


def test_a_typed_memo_and_its_form(make: Any) -> None:
    site = make()
    site.call(site.fake.say("lina", MEMO))
    said(site)
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


def test_nothing_was_understood_by_the_platform(make: Any) -> None:
    site = make(pace=PATIENT)
    site.call(site.fake.speak("lina", " "))
    site.stored(1)
    site.run()
    assert site.fake.texts("lina") == [replies.HEARING_FAILED]


def test_a_spoken_correction_changes_the_open_memo(make: Any) -> None:
    site = make(pace=PATIENT)
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


def test_a_tap_that_is_handled_too_late_is_answered_in_words(make: Any) -> None:
    site = make(pace=PATIENT)
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


def test_a_tap_that_the_platform_takes_for_late(make: Any) -> None:
    site = make(pace=PATIENT)
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


def test_an_edit_that_comes_too_late_brings_a_new_card(make: Any) -> None:
    site = make(pace=PATIENT)
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


def test_the_same_message_and_the_same_tap_again_change_nothing(make: Any) -> None:
    site = make(pace=PATIENT)
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


def test_each_answer_stands_under_its_own_question(make: Any) -> None:
    site = make(pace=PATIENT)
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


def test_interim_and_answer_never_meet_under_one_question(make: Any) -> None:
    site = make(pace=replace(QUICK, interim_s=0.0))
    site.fake.ack_after_s = 0.02
    for number in range(6):
        site.call(site.fake.say("lina", "你好"))
        site.stored(number + 1)
        site.run()
    assert site.fake.refused == []
    assert [one.finished for one in site.fake.shown["lina"]] == [True] * 6


def test_after_a_reconnection_old_questions_are_answered_by_messages(make: Any) -> None:
    site = make()
    site.call(site.fake.say("lina", "你好"))
    said(site)
    site.call(site.fake.kick())
    site.until(lambda: site.fake.subscribed == 2)
    site.run()
    last = site.fake.shown["lina"][-1]
    assert (last.kind, last.pushed, site.fake.refused) == ("markdown", True, [])
    assert last.content.startswith("你好，李娜")


def test_a_stream_that_the_platform_closed_is_followed_by_a_message(make: Any) -> None:
    site = make()
    site.call(site.fake.say("lina", "你好"))
    said(site)
    site.fake.later(361)
    site.run()
    assert [code for _, code, _ in site.fake.refused] == [846608]
    assert site.fake.shown["lina"][-1].pushed


def test_a_stream_is_closed_in_words_before_the_platform_does(make: Any) -> None:
    site = make()
    site.call(site.fake.say("lina", "你好"))
    said(site)
    site.later(300)
    site.until(lambda: site.fake.shown["lina"][0].finished)
    assert site.fake.texts("lina") == [words.STILL_BUSY]
    site.run()
    assert site.fake.texts("lina")[1].startswith("你好，李娜")
    assert site.fake.refused == []


def test_a_minute_holds_thirty_and_the_rest_waits(make: Any) -> None:
    site = make(pace=PATIENT)
    for number in range(31):
        site.call(site.fake.say("lina", f"完成 {number + 1}"))
    site.stored(31)
    site.run()
    assert len(site.fake.shown["lina"]) == 30
    states = [state for state, _ in site.outbox()]
    assert (states.count("sent"), states.count("queued")) == (30, 1)
    assert site.fake.refused == []

    site.later(66)
    site.again()
    assert len(site.fake.shown["lina"]) == 31


def test_words_before_an_answer_leave_room_for_the_answers(make: Any) -> None:
    site = make()
    for number in range(22):
        site.call(site.fake.say("lina", f"完成 {number + 1}"))
    site.stored(22)
    site.until(lambda: len(site.fake.shown["lina"]) == 20)
    site.run()
    assert sum(one.finished for one in site.fake.shown["lina"]) == 10
    assert site.fake.refused == []


def test_a_limit_that_we_did_not_know_of_makes_it_wait(make: Any) -> None:
    site = make(pace=PATIENT)
    site.call(site.fake.say("lina", "你好"))
    site.stored(1)
    site.fake.answer_code["aibot_respond_msg"] = [45009]
    [*_, outcome] = site.run()
    assert outcome.after_s >= 60
    site.again()
    assert len(site.fake.shown["lina"]) == 1


def test_a_long_text_is_split_by_bytes_and_goes_on_where_it_stopped(make: Any) -> None:
    site = make(pace=PATIENT)
    site.call(site.fake.say("lina", "你好"))
    site.stored(1)
    site.run()
    site.fake.shown["lina"].clear()

    push(site, "digest:1:d", LONG)
    site.run()
    parts = site.fake.texts("lina")
    assert len(parts) == 3
    assert max(len(part.encode()) for part in parts) <= 20480

    site.fake.shown["lina"].clear()
    site.fake.answer_code["aibot_send_msg"] = [0, 45009]
    push(site, "digest:2:d", LONG)
    [outcome] = site.run()
    assert outcome.after_s >= 60
    site.again()
    assert site.fake.texts("lina") == parts[1:]  # the first was taken without being shown


def push(site: BotDesk, key: str, text: str, *, person: int = 0, **given: Any) -> None:
    """Something to say that answers nothing."""
    say = Say(effect_key=key, person_id=person or site.desk.lina, text=text, **given)
    site.db.write(lambda s: post(s, [say], now=site.clock.now()))


def test_a_lost_acknowledgement_is_followed_by_one_more_try(make: Any) -> None:
    site = make(pace=replace(PATIENT, ack_s=0.1))
    site.call(site.fake.say("lina", "你好"))
    site.stored(1)
    site.fake.lost_acks.add("aibot_respond_msg")
    site.run()
    assert site.outbox()[0][0] == "sending"
    site.again()
    assert [one.kind for one in site.fake.shown["lina"]] == ["stream", "markdown"]
    assert site.outbox()[0] == ("sent", "")


def test_who_never_wrote_cannot_be_written_to_and_the_admin_sees_why(make: Any) -> None:
    site = make()

    site.db.write(
        lambda s: s.execute(
            sa.update(PersonRow).where(PersonRow.name == "王磊").values(channel="wecom_bot")
        )
    )
    push(site, "digest:2:d", "日报", person=site.desk.wanglei)
    site.run()
    [(state, reason)] = site.outbox()
    assert state == "parked"
    assert reason.startswith("93006") and "not written" in reason


def test_a_welcome_once_a_day(make: Any) -> None:
    site = make()
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


def test_what_people_think_of_an_answer_is_kept_once(make: Any) -> None:
    site = make()
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


def test_events_that_mean_nothing_to_us_are_left_alone(make: Any) -> None:
    site = make()
    site.call(site.fake.event("lina", "something_new"))
    site.call(site.fake.message("lina", "hologram", {"x": 1}))
    site.stored(1)
    site.run()
    assert site.inbox()[0]["kind"] == "other"
    assert len(site.fake.texts("lina")) == 1


def test_a_group_gets_one_line_and_the_person_the_answer(make: Any) -> None:
    site = make(pace=PATIENT)
    site.call(site.fake.say("lina", "你好"))
    site.call(site.fake.say("lina", "@跟进 待办", group="G1"))
    site.stored(2)
    site.run()
    assert site.fake.texts("G1") == [words.IN_PRIVATE]
    assert site.inbox()[1]["text"] == "待办"
    assert len(site.fake.texts("lina")) == 2
    assert site.fake.refused == []


def test_what_was_quoted_is_kept_beside_the_words(make: Any) -> None:
    site = make()
    quote = {"msgtype": "text", "text": {"content": "周三交"}}
    site.call(site.fake.say("lina", "改成周四", quote=quote))
    site.stored(1)
    [event] = site.inbox()
    assert (event["text"], event["values"]) == (
        "改成周四",
        {"quote": {"kind": "text", "text": "周三交"}},
    )


def test_encrypted_ids_become_people_and_are_asked_for_once(make: Any) -> None:
    asked: list[list[str]] = []

    async def resolve(ids: Any) -> dict[str, str]:
        asked.append(list(ids))
        if len(asked) == 1:
            raise OSError("away")
        return {"wo-secret-1": "lina"} if "wo-secret-1" in ids else {}

    site = make(pace=PATIENT, resolve=resolve)
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


def test_what_cannot_be_stored_is_said_so(make: Any) -> None:
    site = make()
    site.stop()

    async def full(event: Inbound) -> bool:
        raise StorageFull("no space")

    site.start(accept=full)
    site.until(lambda: site.fake.subscribed == 2)
    site.call(site.fake.say("lina", MEMO))
    site.until(lambda: site.fake.texts("lina"))
    assert site.fake.texts("lina") == [words.NOT_STORED]


def test_a_full_disk_is_said_so_and_does_not_cost_the_connection(
    sqlite_url: str, tmp_path: Path
) -> None:
    db = Database(sqlite_url)
    site = BotDesk(db, tmp_path, pace=replace(PATIENT, lease_s=0.2))
    try:
        site.up()

        def fill(session: Any) -> None:
            pages = session.execute(sa.text("PRAGMA page_count")).scalar()
            session.execute(sa.text(f"PRAGMA max_page_count = {pages}"))

        db.write(fill)
        site.call(site.fake.say("lina", "满" * 300_000))
        site.until(lambda: site.fake.texts("lina"))
        assert site.fake.texts("lina") == [words.NOT_STORED]
        assert (site.desk.count(InboxRow), site.fake.subscribed) == (0, 1)
    finally:
        site.close()
        db.close()


def test_an_outage_parks_nothing_however_long_it_takes(make: Any) -> None:
    site = make(pace=replace(PATIENT, patience_s=0.01))
    site.call(site.fake.say("lina", "你好"))
    site.stored(1)
    site.call(site.fake.unlisten())
    site.call(site.fake.kick())
    site.until(lambda: site.problem() == "unreachable")
    for _ in range(20):
        site.again()
    assert site.outbox() == [("queued", "")]
    site.call(site.fake.listen())
    site.up()
    site.again()
    assert site.outbox() == [("sent", "")]
    assert len(site.fake.shown["lina"]) == 1


def test_a_connection_that_is_closed_over_and_over_loses_nothing(make: Any) -> None:
    site = make(pace=PATIENT)
    people = ["lina", "wanglei", "zhoukai"]

    async def storm() -> set[str]:
        delivered = set()
        for closing in range(12):
            while not site.fake.connected:
                await asyncio.sleep(0.01)
            for who in people:
                delivered.add(await site.fake.say(who, f"完成 {closing + 1}"))
            if closing % 3 == 2:  # and once more what it had already
                await site.fake.say("lina", "完成 1", msgid=sorted(delivered)[0])
            await site.fake.kick((1000, 1001, 1011)[closing % 3])
        return delivered

    delivered = site.call(storm()) - {""}
    site.stored(len(delivered))
    site.up()
    site.run()
    site.until(lambda: site.fake.connected)
    site.again()
    keys = site.db.read(lambda s: s.scalars(sa.select(InboxRow.event_key)).all())
    assert (sorted(keys), len(delivered)) == (sorted(delivered), 36)
    answers = [one for who in people for one in site.fake.shown[who]]
    assert len(answers) == 36
    assert {state for state, _ in site.outbox()} == {"sent"}


def test_words_that_change_a_card_are_answered_under_themselves(make: Any) -> None:
    site = make()
    site.call(site.fake.say("lina", MEMO))
    said(site)
    site.run()
    site.call(site.fake.say("lina", "不对，是十五万"))
    said(site, count=2)
    site.run()
    card = site.fake.cards("lina")[-1]
    assert (card.pushed, card.req_id) == (False, site.inbox()[1]["handle"])

    site.call(site.fake.say("lina", "确认"))
    said(site, count=3)
    site.run()
    last = site.fake.shown["lina"][-1]
    assert last.content.startswith("【已入库】恒基水泥，李娜 ")
    assert (last.finished, last.req_id) == (True, site.inbox()[2]["handle"])
    assert all(one.finished for one in site.fake.shown["lina"])
    assert site.fake.refused == []


def test_a_word_before_an_answer_that_went_elsewhere_is_closed(make: Any) -> None:
    site = make()
    site.call(site.fake.say("lina", "你好"))
    said(site)
    site.db.write(lambda s: s.execute(sa.update(InboxRow).values(state="done")))
    site.until(lambda: site.fake.shown["lina"][0].finished)
    assert site.fake.texts("lina") == [words.DONE]


def test_no_word_before_an_answer_that_was_given_or_will_not_come(make: Any) -> None:
    site = make(pace=replace(QUICK, interim_s=0.3))
    site.call(site.fake.say("lina", "你好"))
    site.call(site.fake.say("a-stranger", "你好"))
    site.stored(2)
    site.run()
    site.call(asyncio.sleep(0.4))
    assert [one.finished for one in site.fake.shown["lina"]] == [True]
    assert site.fake.texts("a-stranger") == [replies.UNKNOWN_PERSON]


def test_markdown_stays_and_a_group_gets_its_own(make: Any) -> None:
    site = make(pace=PATIENT)
    site.call(site.fake.say("lina", "你好"))
    site.call(site.fake.say("lina", "@跟进 你好", group="G1"))
    site.stored(2)
    site.run()
    push(site, "digest:1:d", "**日报** 138****0000", markdown=True)
    push(site, "digest:2:d", "138****0000")
    group = GroupSay(effect_key="team:1:d", channel="wecom_bot", group="G1", text="*3* 件")
    site.db.write(lambda s: post(s, [group], now=site.clock.now()))
    site.run()
    assert site.fake.texts("lina")[-2:] == ["**日报** 138****0000", "138＊＊＊＊0000"]
    assert site.fake.texts("G1")[-1] == "＊3＊ 件"
    assert site.fake.refused == []


def test_a_card_whose_acknowledgement_got_lost_is_not_sent_twice(make: Any) -> None:
    site = make(pace=replace(PATIENT, ack_s=0.2))
    site.call(site.fake.say("lina", MEMO))
    site.stored(1)
    site.fake.lost_acks.add("aibot_respond_msg")
    site.run()
    site.again()
    assert len(site.fake.cards("lina")) == 1
    assert site.outbox() == [("sent", "")]
