"""Nothing is sent faster than the platform delivers, and nothing is lost by waiting."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from bot.channels.base import Outgoing
from bot.channels.wecom.limits import Limits, OverLimit
from bot.work import Again
from handlers import replies
from sales.clock import FixedClock
from storage.database import Database
from tests.fakes.wecom.server import FakeWeCom
from tests.support.desk import MONDAY
from tests.support.sample_cards import CARD
from tests.support.wecom_desk import WeComDesk, channel_of, problems, say, tell, texts


def test_nobody_gets_more_in_a_minute_than_the_platform_delivers(desk: WeComDesk) -> None:
    for n in range(40):
        say(desk, tell(desk, f"第 {n} 条", key=f"k{n}"))
    outcomes = desk.run()
    assert [type(one) for one in outcomes].count(Again) == 15
    assert texts(desk)[:25] == [f"第 {n} 条" for n in range(25)]
    assert texts(desk)[25:] == [replies.many_waiting(15)]

    wait_s = next(one.after_s for one in outcomes if isinstance(one, Again))
    desk.later(seconds=wait_s)
    desk.again()
    arrived = [one for one in texts(desk) if one.startswith("第")]
    assert arrived == [f"第 {n} 条" for n in range(40)]
    assert desk.fake.dropped == []


def test_waiting_for_the_rate_uses_up_no_tries(desk: WeComDesk) -> None:
    """However long somebody's queue is: nothing is parked for having waited."""
    desk.fake.rules.member_per_min = 5
    desk.wecom._limiter.limits = Limits(member_minute=1)
    for n in range(11):
        say(desk, tell(desk, f"第 {n} 条", key=f"k{n}"))
    desk.run()
    for _ in range(10):
        desk.later(seconds=71)
        desk.again()

    arrived = [one for one in texts(desk) if one.startswith("第")]
    assert arrived == [f"第 {n} 条" for n in range(11)]
    assert {state for _, state, _ in desk.said(desk.lina)} == {"sent"}
    assert desk.fake.dropped == []


def test_after_long_waiting_a_busy_platform_is_still_tried_again(desk: WeComDesk) -> None:
    desk.fake.rules.trusted_ips = set()
    say(desk, tell(desk, "好"))
    for _ in range(12):
        desk.again()
        desk.later(minutes=2)
    desk.fake.rules.trusted_ips = None
    desk.fake.fail("message/send", errcode=-1, times=2)
    assert isinstance(desk.again()[-1], Again)
    assert isinstance(desk.again()[-1], Again)
    desk.again()
    assert texts(desk) == ["好"]


def test_an_hour_has_its_own_limit(desk: WeComDesk) -> None:
    desk.wecom._limiter.limits = Limits(member_minute=100, member_hour=10)
    for n in range(11):
        say(desk, tell(desk, f"第 {n} 条", key=f"k{n}"))
    last = desk.run()[-1]
    assert isinstance(last, Again)
    assert 3600 < last.after_s <= 3900


def test_two_hundred_cards_to_a_hundred_managers(
    sqlite_url: str, tmp_path: Path, fake: FakeWeCom
) -> None:
    """Four at a time as the worker does, within the app's rate and each manager's."""
    clock, db = FixedClock(MONDAY), Database(sqlite_url)
    fake.rules.member_per_min = 1
    fake.rules.api_per_min = 60
    for n in range(100):
        fake.add_member(f"mgr{n:02}")
    limits = Limits(member_minute=1, app_minute=50)
    channel = channel_of(fake, db, tmp_path, clock, limits=limits)
    waiting = [
        Outgoing(
            effect_key=f"approval:{card}:{user}:v1",
            kind="card",
            conversation=f"wecom:mgr{user:02}",
            user=f"mgr{user:02}",
            card=CARD,
            card_id=f"approval-{card}-{user}",
            nonce="n",
        )
        for card in range(2)
        for user in range(100)
    ]
    minutes = 0

    async def one(message: Outgoing, slots: asyncio.Semaphore) -> Outgoing | None:
        async with slots:
            try:
                await channel.send(message)
            except OverLimit:
                return message
            return None

    async def all_of_them() -> None:
        nonlocal waiting, minutes
        slots = asyncio.Semaphore(4)
        while waiting:
            left = await asyncio.gather(*(one(message, slots) for message in waiting))
            waiting = [message for message in left if message is not None]
            clock.move(timedelta(seconds=70))
            fake.forward(seconds=70)
            minutes += 1
        await channel.close()

    asyncio.run(all_of_them())
    db.close()

    assert minutes == 4
    assert fake.dropped == []
    assert [len(fake.cards(f"mgr{n:02}")) for n in range(100)] == [2] * 100
    assert {one.errcode for one in fake.calls_to("message/send")} == {0}
    assert fake.warnings == []


def test_too_many_calls_of_others_are_waited_for(desk: WeComDesk) -> None:
    desk.fake.fail("message/send", errcode=45009, errmsg="reach daily limit")
    say(desk, tell(desk, "好"))
    [outcome] = desk.run()
    assert isinstance(outcome, Again)
    assert outcome.after_s == 14 * 3600 + 300

    for _ in range(12):  # somebody is impatient: no call, and no try used up
        assert isinstance(desk.again()[-1], Again)
    assert len(desk.fake.calls_to("message/send")) == 1
    desk.later(hours=15)
    desk.again()
    assert texts(desk) == ["好"]


def test_what_the_admin_must_mend_is_waited_for(desk: WeComDesk) -> None:
    desk.fake.rules.trusted_ips = set()
    say(desk, tell(desk, "好"))
    for _ in range(12):
        desk.again()
        desk.later(minutes=10)
    assert problems(desk.db) == {"ip": "untrusted_ip"}

    desk.fake.rules.trusted_ips = None
    desk.again()
    assert texts(desk) == ["好"]
    assert problems(desk.db) == {}
