"""A channel is a channel: the same journeys in every home, each through the running program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.samples import spoken_memos
from tests.contracts.homes import HOMES, Home, Seen, acquainted, count, opened
from tests.support.program import eventually

MEMO = "今天去了恒基水泥 赵总说电动闸板阀要十五台 预算三十五万 下周三之前我把报价发给他"
OTHER = "下午去了宝丰钢铁 安全阀要三十个 预算二十万 我后天发技术协议"
SPOKEN = {one.path.stem: one.path for one in spoken_memos()}


@pytest.fixture(scope="module", params=list(HOMES))
def home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """One running program for all tests of a channel; each test is another person's day."""
    with opened(tmp_path_factory.mktemp(request.param), request.param) as made:
        yield made


def card(home: Home, who: str, words: str, *, within_s: float = 30) -> Seen:
    """The newest card of *who* with *words* in its title."""
    return eventually(
        lambda: [one for one in home.cards(who) if words in one.title],
        within_s=within_s,
        what=f"a card with {words}",
    )[-1]


def test_heard_corrected_confirmed_taken_back(home: Home) -> None:
    who = "lina"
    acquainted(home, who)
    home.voice(who, SPOKEN["s1"].read_bytes())
    first = card(home, who, "恒基水泥", within_s=90)
    assert {"确认入库", "修改", "作废"} <= set(first.buttons)

    home.say(who, "不对 是下周四")
    eventually(lambda: "周四" in card(home, who, "恒基水泥").rows["下一步"])
    home.tap(who, card(home, who, "恒基水泥"), "确认入库")
    done = card(home, who, "已入库")
    assert "确认入库" not in done.buttons
    assert count(home, "interaction", who, "withdrawn_at IS NULL") == 1

    home.say(who, "撤销")
    home.program.settle()
    assert count(home, "interaction", who, "withdrawn_at IS NULL") == 0


def test_five_times_delivered_once_done(home: Home) -> None:
    who = "zhoukai"
    acquainted(home, who)
    again = home.say(who, MEMO)
    for _ in range(4):
        again()
    tap_again = home.tap(who, card(home, who, "恒基水泥"), "确认入库")
    for _ in range(4):
        tap_again()
    card(home, who, "已入库")
    home.program.settle()

    assert count(home, "memo", who) == 1
    assert count(home, "interaction", who) == 1
    assert len([one for one in home.cards(who) if "恒基" in one.title]) == 1


def test_acknowledged_then_killed(home: Home) -> None:
    who = "chenjing"
    acquainted(home, who)
    home.say(who, MEMO)
    home.restart()
    home.tap(who, card(home, who, "恒基水泥", within_s=60), "确认入库")
    home.restart()
    card(home, who, "已入库", within_s=60)
    home.program.settle(within_s=60)

    assert count(home, "memo", who) == 1
    assert count(home, "interaction", who) == 1


def test_words_alone_go_the_whole_way(home: Home) -> None:
    who = "zhaomin"
    acquainted(home, who)
    home.say(who, MEMO)
    card(home, who, "恒基水泥")
    home.say(who, "1")
    card(home, who, "已入库")
    home.say(who, OTHER)
    card(home, who, "宝丰钢铁")
    home.say(who, "3")
    card(home, who, "已作废")
    home.say(who, "待办")
    eventually(lambda: any("报价" in text for text in home.texts(who)))
    home.program.settle()

    assert count(home, "interaction", who) == 1


def test_broken_sound_is_told_and_kept(home: Home) -> None:
    who = "sunyue"
    acquainted(home, who)
    before = len(home.texts(who))
    home.voice(who, b"#!AMR\n")
    eventually(lambda: any("录音" in text for text in home.texts(who)[before:]))
    assert count(home, "memo", who, "state = 'failed' AND media_sha IS NOT NULL") == 1
