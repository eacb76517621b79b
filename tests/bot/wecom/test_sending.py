"""Words through the real channel to the fake platform, and people who get none."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from bot.channels.base import ChannelError, Sent
from bot.channels.wecom.channel import NotReady
from bot.work import SENT_AGAIN, Again, Parked
from handlers.messages import Inbound
from storage import card_handles, channel_states, outbox
from tests.support.desk import MONDAY
from tests.support.wecom_desk import (
    WeComDesk,
    problems,
    say,
    tell,
    text,
    texts,
)


def test_a_text_arrives(desk: WeComDesk) -> None:
    say(desk, tell(desk, "今天 3 件事\n第一件"))
    assert desk.run() == [None]
    assert texts(desk) == ["今天 3 件事\n第一件"]
    assert desk.said(desk.lina) == [("text", "sent", "")]


def test_markdown_arrives_as_such(desk: WeComDesk) -> None:
    say(desk, replace(tell(desk, "**粗** [看](https://a.example.com)"), markdown=True))
    desk.run()
    [seen] = desk.fake.inbox("lina")
    assert (seen.type, seen.text) == ("markdown", "**粗** [看](https://a.example.com)")


def test_a_long_text_comes_in_parts_that_are_not_cut_open(desk: WeComDesk) -> None:
    line = "第{}家：👨‍👩‍👧 恒基水泥，见 https://a.example.com/very/long/path/{} 。"
    words = "\n".join(line.format(n, n) for n in range(120))
    say(desk, tell(desk, words))
    desk.run()

    parts = texts(desk)
    assert len(parts) > 3
    assert all(len(one.encode()) <= 2048 for one in parts)
    assert parts[-1].endswith(f"（{len(parts)}/{len(parts)}）")
    whole = "\n".join(parts)
    assert all(line.format(n, n) in whole for n in range(120))


def test_after_a_refusal_in_the_middle_only_the_rest_is_sent(desk: WeComDesk) -> None:
    words = "\n".join(f"第 {n} 行" + "字" * 200 for n in range(10))
    say(desk, tell(desk, words))
    original = desk.wecom.client.send
    calls = 0

    async def third_is_refused(path: str, body: Any) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        if calls == 3:
            desk.fake.fail("message/send", errcode=-1)
        return await original(path, body)

    desk.wecom.client.send = third_is_refused  # type: ignore[method-assign]
    assert isinstance(desk.run()[-1], Again)
    assert len(texts(desk)) == 2
    desk.again()

    parts = texts(desk)
    assert len(set(parts)) == len(parts) == 4
    assert parts[-1].endswith("（4/4）")
    assert desk.said(desk.lina) == [("text", "sent", "")]


@pytest.mark.parametrize("after", [False, True])
def test_an_answer_that_was_lost_makes_no_second_message(desk: WeComDesk, after: bool) -> None:
    desk.fake.drop("message/send", after=after)
    say(desk, tell(desk, "收到 12 秒 语音"))
    assert isinstance(desk.run()[-1], Again)
    assert desk.said(desk.lina) == [("text", "sending", "")]

    desk.again()
    assert texts(desk) == ["收到 12 秒 语音"]
    assert desk.said(desk.lina) == [("text", "sent", "")]


def test_lost_twice_it_is_parked_for_the_admin(desk: WeComDesk) -> None:
    desk.fake.drop("message/send", times=2)
    say(desk, tell(desk, "收到"))
    desk.run()
    desk.again()
    assert desk.again()[-1] == Parked(SENT_AGAIN)


def test_what_is_said_again_on_purpose_arrives_again(desk: WeComDesk) -> None:
    for n in range(3):
        say(desk, tell(desk, "这张已经处理过。", key=f"k{n}"))
        desk.run()
    assert texts(desk) == ["这张已经处理过。"] * 3


def test_parts_that_are_alike_all_arrive(desk: WeComDesk) -> None:
    say(desk, tell(desk, "x" * 6000))
    desk.run()
    assert len(texts(desk)) == 3


def test_the_token_may_end_between_two_parts(desk: WeComDesk) -> None:
    say(desk, tell(desk, "好"), tell(desk, "字" * 3000, key="k2"))
    original = desk.wecom.client.send
    calls = 0

    async def revoked_on_the_way(path: str, body: Any) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        if calls in (2, 4):
            desk.fake.revoke_tokens(42001)
        return await original(path, body)

    desk.wecom.client.send = revoked_on_the_way  # type: ignore[method-assign]
    desk.run()
    assert "".join(texts(desk)).count("字") == 3000
    assert len(desk.fake.calls_to("gettoken")) == 3


@pytest.mark.parametrize("errcode", [40003, 46004, 60111, 60011, 60021, 50002, 81013])
def test_whoever_cannot_be_reached_is_told_to_the_admin(desk: WeComDesk, errcode: int) -> None:
    desk.fake.fail("message/send", errcode=errcode)
    say(desk, tell(desk, "好"))
    [outcome] = desk.run()

    assert isinstance(outcome, Parked)
    [(_, state, reason)] = desk.said(desk.lina)
    assert state == "parked"
    assert str(errcode) in reason
    assert problems(desk.db)["people"] in ("unknown_member", "out_of_range")


def test_left_the_company_and_came_back(desk: WeComDesk) -> None:
    desk.fake.state.members["lina"].status = 5
    say(desk, tell(desk, "好"))
    desk.run()
    assert [state for _, state, _ in desk.said(desk.lina)] == ["parked"]
    assert problems(desk.db) == {"people": "out_of_range"}

    desk.fake.state.members["lina"].status = 1
    say(desk, tell(desk, "欢迎回来", key="k2"))
    desk.run()
    assert problems(desk.db) == {}
    assert texts(desk) == ["欢迎回来"]


def test_without_a_licence_it_is_an_error_though_the_code_is_0(desk: WeComDesk) -> None:
    user = "LiNa"  # the platform answers in lower case
    sent = {"errcode": 0, "errmsg": "ok", "unlicenseduser": "lina", "msgid": "M"}
    desk.fake.garble("message/send", json.dumps(sent).encode())
    with pytest.raises(ChannelError) as caught:
        desk.do(desk.wecom.send(text(user, "好")))
    assert not caught.value.transient
    assert problems(desk.db) == {"people": "unlicensed"}


def test_some_of_several_are_missed(desk: WeComDesk) -> None:
    desk.fake.state.members["zhoukai"].status = 2
    sent = desk.do(desk.wecom.send(text("lina|zhoukai", "好")))
    assert sent.platform_id
    assert texts(desk) == ["好"]
    [one] = desk.db.read(channel_states.problems)
    assert (one.topic, one.detail) == ("people", {"users": ["zhoukai"]})


def test_events_are_accepted_while_it_runs(desk: WeComDesk) -> None:
    event = Inbound(
        channel="wecom",
        event_key="e",
        kind="text",
        user="lina",
        conversation="wecom:lina",
        at=MONDAY,
    )

    async def play() -> list[bool]:
        with pytest.raises(NotReady):
            await desk.wecom.accept(event)
        running = asyncio.create_task(desk.wecom.run(desk.intake.accept))
        await asyncio.sleep(0)
        accepted = [await desk.wecom.accept(event), await desk.wecom.accept(event)]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        with pytest.raises(NotReady):
            await desk.wecom.accept(event)
        return accepted

    assert desk.do(play()) == [True, False]


def test_sent_without_an_outbox_row_works_too(desk: WeComDesk) -> None:
    assert isinstance(desk.do(desk.wecom.send(text("lina", "试一下"))), Sent)
    assert texts(desk) == ["试一下"]
    assert desk.db.read(lambda s: outbox.get(s, 1)) is None
    assert desk.db.read(lambda s: card_handles.usable(s, "x", "e", now=MONDAY)) == []
