"""Limits, late answers and outages: nothing is lost, little is said twice, people are told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.channels.wecom_bot import chat_words as words
from handlers.messages import Inbound
from storage.database import Database, StorageFull
from storage.jobs import queue_of
from storage.platform_tables import SendWindowRow
from storage.tables import InboxRow, PersonRow
from tests.support.bot_desk import PATIENT, BotDesk

MEMO = "今天拜访了恒基水泥，电动闸板阀报价十二万，下周三前给他们参数表。"


LONG = "\n".join(f"第{n}行：" + "汉" * 300 for n in range(50))


def test_after_a_reconnection_old_questions_are_answered_by_messages(bot_site: Any) -> None:
    site = bot_site()
    site.call(site.fake.say("lina", "你好"))
    site.said()
    site.call(site.fake.kick())
    site.until(lambda: site.fake.subscribed == 2)
    site.run()
    last = site.fake.shown["lina"][-1]
    assert (last.kind, last.pushed, site.fake.refused) == ("markdown", True, [])
    assert last.content.startswith("你好，李娜")


def test_a_stream_that_the_platform_closed_is_followed_by_a_message(bot_site: Any) -> None:
    site = bot_site()
    site.call(site.fake.say("lina", "你好"))
    site.said()
    site.fake.later(361)
    site.run()
    assert [code for _, code, _ in site.fake.refused] == [846608]
    assert site.fake.shown["lina"][-1].pushed


def test_a_stream_is_closed_in_words_before_the_platform_does(bot_site: Any) -> None:
    site = bot_site()
    site.call(site.fake.say("lina", "你好"))
    site.said()
    site.later(300)
    site.until(lambda: site.fake.shown["lina"][0].finished)
    assert site.fake.texts("lina") == [words.STILL_BUSY]
    site.run()
    assert site.fake.texts("lina")[1].startswith("你好，李娜")
    assert site.fake.refused == []


def test_a_minute_holds_thirty_and_the_rest_waits(bot_site_on_both: Any) -> None:
    site = bot_site_on_both(pace=PATIENT)
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


def test_words_before_an_answer_leave_room_for_the_answers(bot_site: Any) -> None:
    site = bot_site()
    for number in range(22):
        site.call(site.fake.say("lina", f"完成 {number + 1}"))
    site.stored(22)
    site.until(lambda: len(site.fake.shown["lina"]) == 20)
    site.run()
    assert sum(one.finished for one in site.fake.shown["lina"]) == 10
    assert site.fake.refused == []


def test_a_limit_that_others_used_up_makes_it_wait(bot_site: Any) -> None:
    site = bot_site(pace=PATIENT)
    site.call(site.fake.say("lina", "你好"))
    site.stored(1)
    site.run()
    for number in range(30):
        site.push(f"digest:{number}:d", f"第{number}条")
        site.run()
        # As if another program had sent it: our own count knows nothing of it.
        site.db.write(lambda s: s.execute(sa.delete(SendWindowRow)))
    assert [code for _, code, _ in site.fake.refused] == [45009]
    assert len(site.fake.shown["lina"]) == 30
    [job] = site.db.read(lambda s: queue_of(s).listing(s, states=("queued",)))
    assert (job.run_at - datetime.now(UTC)).total_seconds() > 30

    site.later(61)
    site.again()
    assert site.fake.texts("lina")[-1] == "第29条"


def test_a_long_text_is_split_by_bytes_and_goes_on_where_it_stopped(bot_site_on_both: Any) -> None:
    site = bot_site_on_both(pace=PATIENT)
    site.call(site.fake.say("lina", "你好"))
    site.stored(1)
    site.run()
    site.fake.shown["lina"].clear()

    site.push("digest:1:d", LONG)
    site.run()
    parts = site.fake.texts("lina")
    assert len(parts) == 3
    assert max(len(part.encode()) for part in parts) <= 20480

    site.fake.shown["lina"].clear()
    site.fake.answer_code["aibot_send_msg"] = [0, 45009]
    site.push("digest:2:d", LONG)
    [outcome] = site.run()
    assert outcome.after_s >= 60
    site.again()
    assert site.fake.texts("lina") == parts[1:]  # the first was taken without being shown


def test_a_lost_acknowledgement_is_followed_by_one_more_try(bot_site: Any) -> None:
    site = bot_site(pace=replace(PATIENT, ack_s=0.1))
    site.call(site.fake.say("lina", "你好"))
    site.stored(1)
    site.fake.lost_acks.add("aibot_respond_msg")
    site.run()
    assert site.outbox()[0][0] == "sending"
    site.again()
    assert [one.kind for one in site.fake.shown["lina"]] == ["stream", "markdown"]
    assert site.outbox()[0] == ("sent", "")


def test_who_never_wrote_cannot_be_written_to_and_the_admin_sees_why(bot_site: Any) -> None:
    site = bot_site()

    site.db.write(
        lambda s: s.execute(
            sa.update(PersonRow).where(PersonRow.name == "王磊").values(channel="wecom_bot")
        )
    )
    site.push("digest:2:d", "日报", person=site.desk.wanglei)
    site.run()
    [(state, reason)] = site.outbox()
    assert state == "parked"
    assert reason.startswith("93006") and "not written" in reason


def test_what_cannot_be_stored_is_said_so(bot_site: Any) -> None:
    site = bot_site()
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


def test_an_outage_parks_nothing_however_long_it_takes(bot_site: Any) -> None:
    site = bot_site(pace=replace(PATIENT, patience_s=0.01))
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


def test_a_connection_that_is_closed_over_and_over_loses_nothing(bot_site_on_both: Any) -> None:
    site = bot_site_on_both(pace=PATIENT)
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


def test_a_word_before_an_answer_that_went_elsewhere_is_closed(bot_site: Any) -> None:
    site = bot_site()
    site.call(site.fake.say("lina", "你好"))
    site.said()
    site.db.write(lambda s: s.execute(sa.update(InboxRow).values(state="done")))
    site.until(lambda: site.fake.shown["lina"][0].finished)
    assert site.fake.texts("lina") == [words.DONE]
