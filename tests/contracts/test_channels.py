"""A channel is a channel: the same journeys in every home, each through the running program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.samples import spoken_memos
from tests.contracts.homes import HOMES, Home, Seen, acquainted, opened
from tests.support.program import eventually

MEMO = "今天去了恒基水泥 赵总说电动闸板阀要十五台 预算三十五万 下周三之前我把报价发给他"
OTHER = "下午去了宝丰钢铁 安全阀要三十个 预算二十万 我后天发技术协议"
SPOKEN = {one.path.stem: one.path for one in spoken_memos()}


@pytest.fixture(params=list(HOMES))
def home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    with opened(tmp_path_factory.mktemp(request.param), request.param) as made:
        acquainted(made, "lina")
        yield made


def card(home: Home, words: str, who: str = "lina", *, within_s: float = 30) -> Seen:
    """The newest card of *who* with *words* in its title."""
    return eventually(
        lambda: [one for one in home.cards(who) if words in one.title],
        within_s=within_s,
        what=f"a card with {words}",
    )[-1]


def test_heard_corrected_confirmed_taken_back(home: Home) -> None:
    home.voice("lina", SPOKEN["s1"].read_bytes())
    first = card(home, "恒基水泥", within_s=90)
    assert {"确认入库", "修改", "作废"} <= set(first.buttons)

    home.say("lina", "不对 是下周四")
    eventually(lambda: "周四" in card(home, "恒基水泥").rows["下一步"])
    home.tap("lina", card(home, "恒基水泥"), "确认入库")
    done = card(home, "已入库")
    assert "确认入库" not in done.buttons
    assert home.program.one("SELECT count(*) FROM interaction WHERE withdrawn_at IS NULL") == 1

    home.say("lina", "撤销")
    home.program.settle()
    assert home.program.one("SELECT count(*) FROM interaction WHERE withdrawn_at IS NULL") == 0


def test_five_times_delivered_once_done(home: Home) -> None:
    again = home.say("lina", MEMO)
    for _ in range(4):
        again()
    shown = card(home, "恒基水泥")
    tap_again = home.tap("lina", shown, "确认入库")
    for _ in range(4):
        tap_again()
    card(home, "已入库")
    home.program.settle()

    assert home.program.one("SELECT count(*) FROM memo") == 1
    assert home.program.one("SELECT count(*) FROM interaction") == 1
    assert len([one for one in home.cards("lina") if "恒基" in one.title]) == 1


def test_acknowledged_then_killed(home: Home) -> None:
    home.say("lina", MEMO)
    home.restart()
    shown = card(home, "恒基水泥", within_s=60)
    home.tap("lina", shown, "确认入库")
    home.restart()
    card(home, "已入库", within_s=60)
    home.program.settle(within_s=60)

    assert home.program.one("SELECT count(*) FROM memo") == 1
    assert home.program.one("SELECT count(*) FROM interaction") == 1


def test_words_alone_go_the_whole_way(home: Home) -> None:
    home.say("lina", MEMO)
    card(home, "恒基水泥")
    home.say("lina", "1")
    card(home, "已入库")
    home.say("lina", OTHER)
    card(home, "宝丰钢铁")
    home.say("lina", "3")
    card(home, "已作废")
    home.say("lina", "待办")
    eventually(lambda: any("报价" in text for text in home.texts("lina")))
    home.program.settle()

    assert home.program.one("SELECT count(*) FROM interaction") == 1


def test_broken_sound_is_told_and_kept(home: Home) -> None:
    home.voice("lina", b"#!AMR\n")
    eventually(lambda: any("录音" in text or "听" in text for text in home.texts("lina")[1:]))
    assert home.program.one("SELECT count(*) FROM media") == 1
