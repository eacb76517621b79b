"""The long connection: subscribing, pings, every way to lose it, and who may hold it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import ChannelAway, ChannelError, OutcomeUnknown, Outgoing
from bot.channels.wecom_bot.frames import Refused
from bot.channels.wecom_bot.link import Pace
from storage import leases
from storage.database import Database
from tests.support.bot_desk import PATIENT, BotDesk
from tests.support.desk import MONDAY


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def make(db: Database, tmp_path: Path) -> Iterator[Any]:
    made: list[BotDesk] = []

    def make(*, pace: Pace = PATIENT, **options: Any) -> BotDesk:
        made.append(BotDesk(db, tmp_path, pace=pace, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_it_subscribes_first_and_answers_on_the_same_connection(make: Any) -> None:
    site = make()
    site.up()
    assert site.call(site.fake.say("lina", "你好"))
    site.stored(1)
    site.run()

    first, *others = site.fake.frames
    assert (first["cmd"], first["body"]) == (
        "aibot_subscribe",
        {"bot_id": "BOT", "secret": site.fake.secret},
    )
    assert {one["cmd"] for one in others} == {"aibot_respond_msg"}
    assert [text.startswith("你好，李娜") for text in site.fake.texts("lina")] == [True]
    assert (site.fake.refused, site.problem()) == ([], "")


def test_two_missed_pings_are_a_dead_connection(make: Any) -> None:
    site = make(pace=replace(PATIENT, ping_s=0.02, ack_s=0.2))
    site.up()
    site.fake.silent.add("ping")
    site.until(lambda: site.fake.subscribed >= 2, "connected again")
    site.fake.silent.clear()

    pings = [one for one in site.fake.frames if one["cmd"] == "ping"]
    assert len(pings) >= 2
    assert all("body" not in one for one in pings)


def test_pings_that_are_answered_keep_the_connection(make: Any) -> None:
    site = make(pace=replace(PATIENT, ping_s=0.01))
    site.up()
    site.until(lambda: sum(one["cmd"] == "ping" for one in site.fake.frames) > 20)
    assert site.fake.subscribed == 1


@pytest.mark.parametrize("code", [1000, 1001, 1011])
def test_every_close_is_followed_by_a_connection(make: Any, code: int) -> None:
    site = make()
    for times in (1, 2, 3):
        site.until(lambda times=times: site.fake.subscribed == times and site.fake.connected)
        site.call(site.fake.kick(code))
    site.until(lambda: site.fake.subscribed == 4)


def test_a_line_that_breaks_and_a_machine_that_is_away(make: Any) -> None:
    site = make()
    site.up()
    site.call(site.fake.unlisten())
    site.call(_now(site.fake.cut))
    site.until(lambda: site.problem() == "unreachable", "found")
    with pytest.raises(ChannelAway):
        site.send(effect_key="digest:1:d", text="日报")
    site.call(site.fake.listen())
    site.up()
    site.until(lambda: site.problem() == "", "over")


def test_a_wrong_secret_is_a_finding_and_is_not_tried_over_and_over(make: Any) -> None:
    site = make(pace=replace(PATIENT, slow_wait_s=600.0), secret="wrong")
    site.until(lambda: site.problem() == "refused", "found")
    tries = len(site.fake.frames)
    site.call(_sleep(0.3))
    assert len(site.fake.frames) == tries == 1

    site.fake.secret = "wrong"  # put right in the admin console
    site.call(_now(site.bot.wake))
    site.up()
    site.until(lambda: site.problem() == "", "over")


def test_a_busy_platform_is_tried_again_soon(make: Any) -> None:
    site = make(pace=replace(PATIENT, slow_wait_s=600.0))
    site.up()
    site.fake.answer_code["aibot_subscribe"] = [45009, -1]
    site.call(site.fake.kick())
    site.until(lambda: site.fake.subscribed == 2)
    site.until(lambda: site.problem() == "", "over")


def test_evicted_by_a_stranger_it_waits_and_says_so(make: Any) -> None:
    site = make(pace=replace(PATIENT, slow_wait_s=600.0))
    site.up()
    site.call(site.fake.evict())
    site.until(lambda: site.problem() == "evicted", "found")
    site.call(_sleep(0.3))
    assert site.fake.subscribed == 1

    site.call(_now(site.bot.wake))
    site.up()
    site.until(lambda: site.problem() == "", "over")


def test_one_of_two_processes_connects_and_the_other_takes_over(
    database: Database, tmp_path: Path
) -> None:
    """They share nothing but the database."""
    pace = replace(PATIENT, lease_s=0.6)
    site = BotDesk(database, tmp_path, pace=pace, alone=False)
    other = Database(database.url)
    try:
        site.up()
        second = site.start(pace=pace, db=other, alone=False)
        site.call(_sleep(0.5))
        assert (site.fake.subscribed, site.fake.evictions) == (1, 0)
        with pytest.raises(ChannelAway):
            site.call(_send(second, "digest:1:d"))

        site.stop(0)  # lets go of the lease
        site.until(lambda: site.fake.subscribed == 2 and site.fake.connected, "taken over")
        assert (site.fake.evictions, site.problem()) == (0, "")
    finally:
        site.close()
        other.close()


def test_a_process_that_lost_the_lease_lets_go_of_the_connection(make: Any, db: Database) -> None:
    site = make(pace=replace(PATIENT, lease_s=0.3))
    site.up()
    site.until(lambda: _holder(site) != "")
    late = site.clock.now() + timedelta(days=1)
    db.write(lambda s: leases.take(s, "wecom_bot:BOT", holder="another", now=late, for_s=60))
    site.until(lambda: not site.fake.connected, "let go")
    site.call(_sleep(0.3))
    assert (site.fake.subscribed, site.problem()) == (1, "")


def test_a_dead_process_on_the_same_folder_is_not_waited_for(make: Any, db: Database) -> None:
    db.write(lambda s: leases.take(s, "wecom_bot:BOT", holder="killed", now=MONDAY, for_s=9999))
    make().up()


def test_a_forgotten_subscription_is_made_again(make: Any) -> None:
    site = make()
    site.up()
    site.call(site.fake.say("lina", "你好"))
    site.stored(1)
    site.call(_now(site.fake.forget_subscription))

    site.send(effect_key="digest:1:d", text="日报")

    assert site.fake.texts("lina")[-1] == "日报"
    assert site.fake.subscribed == 2


def test_answers_without_headers_and_without_an_answer(make: Any) -> None:
    site = make(pace=replace(PATIENT, ack_s=0.2))
    site.up()
    site.call(site.fake.say("lina", "你好"))
    site.stored(1)
    site.fake.headerless = [40058]  # of whom else could it be said
    with pytest.raises(Refused) as refused:
        site.send(effect_key="digest:1:d", text="日报")
    assert (refused.value.errcode, refused.value.transient) == (40058, False)

    site.fake.silent.add("aibot_send_msg")
    with pytest.raises(OutcomeUnknown):
        site.send(effect_key="digest:3:d", text="日报")
    site.fake.silent.clear()
    site.send(effect_key="digest:4:d", text="又好了")
    assert site.fake.texts("lina")[-1] == "又好了"


def test_an_error_that_could_be_about_two_requests_decides_neither(make: Any) -> None:
    site = make(pace=replace(PATIENT, ack_s=0.5))
    site.up()
    site.fake.silent.add("aibot_send_msg")

    async def both() -> list[Any]:
        tasks = [asyncio.create_task(_send(site.bot, f"digest:{who}:d", who)) for who in "ab"]
        while sum(one["cmd"] == "aibot_send_msg" for one in site.fake.frames) < 2:
            await asyncio.sleep(0.01)
        await site.fake._live.send_str('{"errcode":40058,"errmsg":"missing field"}')
        return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes = site.call(both())
    assert [type(one) for one in outcomes] == [OutcomeUnknown, OutcomeUnknown]
    assert sorted(str(one) for one in outcomes) == ["40058: which?", "aibot_send_msg: no answer"]


def test_control_characters_and_nonsense_do_not_stop_the_reading(make: Any) -> None:
    site = make()
    site.up()
    site.fake.noise = "\x07\x00\x1b"
    site.call(site.fake.say("lina", "你\x08好"))
    site.fake.noise = ""
    for raw in ("", "[]", "{", '"x"', '{"headers":7,"body":[]}', '{"cmd":"aibot_msg_callback"}'):
        site.call(site.fake._live.send_str(raw))
    site.call(site.fake._live.send_bytes(b"\xff\xfe{}"))
    site.call(site.fake.say("lina", "待办"))
    site.stored(2)
    assert [one["text"] for one in site.inbox()] == ["你\x08好", "待办"]
    assert site.fake.subscribed == 1


def test_errors_that_mean_later_and_errors_that_mean_never(make: Any) -> None:
    site = make()
    site.up()
    site.call(site.fake.say("lina", "你好"))
    site.stored(1)
    for code, transient in ((-1, True), (45033, True), (40058, False), (93006, False)):
        site.fake.answer_code["aibot_send_msg"] = [code]
        with pytest.raises(ChannelError) as caught:
            site.send(effect_key=f"digest:{code}:d", text="日报")
        assert (caught.value.transient, isinstance(caught.value, ChannelAway)) == (
            transient,
            False,
        )
    site.fake.answer_code["aibot_send_msg"] = [45009]
    with pytest.raises(ChannelAway) as away:
        site.send(effect_key="digest:1:d", text="日报")
    assert away.value.retry_after_s == 60


async def _now(act: Any) -> None:
    act()


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def _send(bot: Any, key: str, user: str = "lina") -> None:
    await bot.send(
        Outgoing(
            effect_key=key,
            kind="text",
            conversation=f"wecom_bot:{user}",
            user=user,
            text="日报",
        )
    )


def _holder(site: BotDesk) -> str:
    return site.db.read(lambda s: leases.holder(s, "wecom_bot:BOT", now=site.clock.now()))
