"""The REST client against the fake platform: what each answer means, and what goes over the wire."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import pytest

from bot.channels.base import ChannelAway, ChannelError, OutcomeUnknown
from bot.channels.wecom.client import WeComClient
from bot.channels.wecom.errors import (
    RULES,
    CodeSpent,
    LoginRefused,
    MediaRefused,
    MemberUnreachable,
    Reaction,
    WeComAway,
    WeComError,
    error_of,
    slow_down_s,
)
from sales.clock import FixedClock
from storage.channel_states import problems as all_problems
from storage.database import Database
from tests.fakes.wecom.server import FakeWeCom
from tests.support.wecom_desk import problems

T = TypeVar("T")

# Protocol sheet, section 3: every code of its table, and what it says to do.
SHEET: Final[dict[Reaction, tuple[int, ...]]] = {
    Reaction.RETRY: (-1, 6000, 45035, 45033),
    Reaction.SLOW: (45009,),
    Reaction.SECRET: (40001, 40013, 40091),
    Reaction.TOKEN: (40014, 42001, 41001),
    Reaction.MEMBER: (40003, 60111, 46004, 60011, 60021, 50002, 81013),
    Reaction.MEDIA: (
        *(40004, 40005, 40006, 40007, 40145, 41006, 44001, 45001, 45007, 301016, 301017, 830002),
    ),
    Reaction.REFUSED: (
        *(40008, 40058, 40063, 44004, 45002, 82004, 40206, 40033),
        *(42014, 42015, 42016, 42017, 42018, 42019, 42020),
        *range(42027, 42053),
        *(82001, 82002, 82003, 40032, 86001, 86003, 86008, 86215, 40050),
        *(93000, 93004, 93008, 93001, 93006, 93017, 93018, 93019),
        *(50001, 301025, 301055, 301056, 846605, 846608, 846609),
    ),
    Reaction.LOGIN: (40029, 42022, 42003),
    Reaction.ADMIN: (
        *(40056, 301002, 50003, 60031, 48001, 48002, 48006, 43012, 48009, 48010, 60020, 301042),
    ),
    Reaction.CODE: (60140,),
}
CODES: Final = [(code, reaction) for reaction, codes in SHEET.items() for code in codes]
_RAISED: Final[dict[Reaction, type[ChannelError]]] = {
    Reaction.RETRY: WeComError,
    Reaction.SLOW: WeComAway,
    Reaction.SECRET: WeComAway,
    Reaction.TOKEN: WeComAway,  # after one more try
    Reaction.MEMBER: MemberUnreachable,
    Reaction.MEDIA: MediaRefused,
    Reaction.REFUSED: WeComError,
    Reaction.LOGIN: LoginRefused,
    Reaction.ADMIN: WeComAway,
    Reaction.CODE: CodeSpent,
}


@pytest.fixture
def fake(clock: FixedClock) -> Iterator[FakeWeCom]:
    with FakeWeCom(clock=clock.now, crypto_by="python") as made:
        made.add_member("lina", "李娜")
        made.add_member("WangLei", "王磊")
        yield made


Ask = Callable[..., Any]


def hello(words: str = "你好") -> Callable[[WeComClient], Awaitable[dict[str, Any]]]:
    async def send(client: WeComClient) -> dict[str, Any]:
        body = {
            "touser": "lina",
            "msgtype": "text",
            "agentid": client.agent_id,
            "text": {"content": words},
        }
        return await client.send("message/send", body)

    return send


# --- what the codes mean ------------------------------------------------------------------------


def test_the_table_holds_every_code_of_the_sheet() -> None:
    assert {code: rule.reaction for code, rule in RULES.items()} == dict(CODES)


@pytest.mark.parametrize(("errcode", "reaction"), CODES)
def test_each_code_is_raised_as_what_it_means(
    fake: FakeWeCom, db: Database, ask: Ask, errcode: int, reaction: Reaction
) -> None:
    fake.fail("message/send", errcode=errcode, times=None)

    with pytest.raises(ChannelError) as caught:
        ask(hello())

    error: Any = caught.value
    assert type(error) is _RAISED[reaction]
    assert error.errcode == errcode
    assert str(errcode) in str(error)
    assert "hint: [" in str(error)
    may_wait = reaction in (
        *(Reaction.RETRY, Reaction.SLOW, Reaction.SECRET, Reaction.TOKEN, Reaction.ADMIN),
    )
    assert error.transient == may_wait
    calls = len(fake.calls_to("message/send"))
    assert calls == (2 if reaction is Reaction.TOKEN else 1)
    rule = RULES[errcode]
    told = reaction in (Reaction.SLOW, Reaction.SECRET, Reaction.ADMIN)
    if told:
        assert problems(db) == {rule.topic: rule.problem}
    elif reaction is not Reaction.TOKEN:
        assert problems(db) == {}


def test_an_unknown_code_is_permanent_and_logged_with_its_hint(
    fake: FakeWeCom, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.fail("message/send", errcode=987654, errmsg="something new, hint: [17_1]")

    with pytest.raises(WeComError) as caught:
        ask(hello())

    assert not caught.value.transient
    printed = capsys.readouterr()
    told = printed.out + printed.err
    assert "unknown error code" in told
    assert "17_1" in told


@pytest.mark.parametrize(
    ("words", "path", "seconds"),
    [
        ("api freq out of limit", "message/send", 60),
        ("reach hourly limit, 1 hour", "message/send", 3600),
        ("api freq out of limit", "gettoken", 3600),
        ("reach daily limit", "message/send", 14 * 3600 + 300),  # until 00:05 in Shanghai
        ("persons a day", "message/send", 14 * 3600 + 300),
    ],
)
def test_after_too_many_calls_the_words_say_how_long_to_wait(
    words: str, path: str, seconds: float
) -> None:
    now = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
    assert slow_down_s(words, path, now=now) == seconds
    assert error_of(45009, words, path, now=now).retry_after_s == seconds


def test_busy_ones_do_not_meet_again(clock: FixedClock) -> None:
    waits = {error_of(6000, "", "x", now=clock.now()).retry_after_s for _ in range(20)}
    assert len(waits) > 10
    assert all(1 <= one <= 10 for one in waits)


def test_our_address_is_told_and_one_call_a_minute_looks_again(
    fake: FakeWeCom, db: Database, ask: Ask, clock: FixedClock
) -> None:
    fake.rules.trusted_ips = {"198.51.100.1"}

    async def work(client: WeComClient) -> None:
        for _ in range(5):
            with pytest.raises(ChannelAway):
                await hello()(client)
        with pytest.raises(ChannelAway):
            await client.call("GET", "department/list")
        assert len(fake.calls_to("message/send")) == 1
        [one] = db.read(all_problems)
        assert (one.topic, one.problem, one.detail["ip"]) == ("ip", "untrusted_ip", "203.0.113.7")

        fake.rules.trusted_ips.add("203.0.113.7")  # type: ignore[union-attr]
        clock.move(timedelta(seconds=61))
        await hello()(client)
        assert problems(db) == {}

    ask(work)


def test_a_limit_of_one_call_holds_up_no_other(
    fake: FakeWeCom, db: Database, ask: Ask, clock: FixedClock
) -> None:
    fake.fail("message/send", errcode=45009)

    async def work(client: WeComClient) -> None:
        for _ in range(3):
            with pytest.raises(ChannelAway) as caught:
                await hello()(client)
            assert caught.value.retry_after_s == 60
        await client.call("GET", "department/list")
        assert problems(db) == {"quota": "too_many_calls"}
        clock.move(timedelta(seconds=60))
        await hello()(client)
        assert problems(db) == {}

    ask(work)
    assert len(fake.calls_to("message/send")) == 2


def test_a_list_that_the_app_may_not_read_is_no_trouble_of_the_app(
    fake: FakeWeCom, db: Database, ask: Ask
) -> None:
    fake.fail("department/list", errcode=48002)

    async def work(client: WeComClient) -> None:
        with pytest.raises(ChannelError) as caught:
            await client.call("GET", "department/list")
        assert caught.value.errcode == 48002  # type: ignore[attr-defined]
        await client.call("GET", "department/list")

    ask(work)
    assert problems(db) == {}


def test_trouble_found_by_another_process_ends_with_our_success(
    fake: FakeWeCom, db: Database, ask: Ask, clock: FixedClock
) -> None:
    fake.rules.trusted_ips = set()
    with pytest.raises(ChannelAway):
        ask(hello())
    fake.rules.trusted_ips = None
    assert problems(db) == {"ip": "untrusted_ip"}

    ask(hello())
    assert problems(db) == {}


# --- the line -------------------------------------------------------------------------------------


def test_words_go_as_real_utf8(fake: FakeWeCom, ask: Ask) -> None:
    ask(hello("成交了🎉\n\ud800半个"))

    [call] = fake.calls_to("message/send")
    assert "成交了🎉".encode() in call.raw
    assert b"\\u" not in call.raw
    assert call.content_type == "application/json"
    assert fake.inbox("lina")[0].text.startswith("成交了🎉")


def test_our_wrong_json_is_logged_even_when_it_was_taken(
    fake: FakeWeCom, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"errcode": 0, "errmsg": "ok. Warning: wrong json format. ", "msgid": "M1"}
    fake.garble("message/send", json.dumps(said).encode())

    ask(hello())

    printed = capsys.readouterr()
    assert "our JSON was wrong" in printed.out + printed.err


@pytest.mark.parametrize("after", [False, True])
def test_a_sending_without_an_answer_may_have_arrived(
    fake: FakeWeCom, db: Database, ask: Ask, after: bool
) -> None:
    fake.drop("message/send", after=after)

    with pytest.raises(OutcomeUnknown):
        ask(hello())

    assert len(fake.inbox("lina")) == after
    assert problems(db) == {"connection": "unreachable"}


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_proxy_that_fails_may_have_passed_it_on(fake: FakeWeCom, ask: Ask, status: int) -> None:
    fake.fail("message/send", status=status)
    with pytest.raises(OutcomeUnknown):
        ask(hello())


def test_a_page_instead_of_an_answer_may_hide_a_sending(
    fake: FakeWeCom, db: Database, ask: Ask
) -> None:
    fake.garble("message/send", b"<html>log in to the network</html>")
    with pytest.raises(OutcomeUnknown):
        ask(hello())
    assert problems(db) == {"connection": "proxy"}


@pytest.mark.parametrize("status", [302, 403, 404])
def test_a_proxy_that_refuses_did_not_pass_it_on(
    fake: FakeWeCom, db: Database, ask: Ask, status: int
) -> None:
    fake.fail("message/send", status=status)
    with pytest.raises(ChannelAway):
        ask(hello())
    assert problems(db) == {"connection": "proxy"}
    ask(hello())
    assert problems(db) == {}


def test_without_a_connection_nothing_was_sent(db: Database, fake: FakeWeCom, ask: Ask) -> None:
    with pytest.raises(ChannelAway):
        ask(hello(), api_base="http://127.0.0.1:9")  # nobody listens there
    assert problems(db) == {"connection": "unreachable"}


def test_questions_without_an_answer_are_simply_asked_again(fake: FakeWeCom, ask: Ask) -> None:
    fake.drop("department/list", times=2)  # the library repeats a question once by itself

    async def work(client: WeComClient) -> None:
        with pytest.raises(ChannelError) as caught:
            await client.call("GET", "department/list")
        assert caught.value.transient
        assert not isinstance(caught.value, OutcomeUnknown)
        assert (await client.call("GET", "department/list"))["department"]

    ask(work)


def test_the_base_address_may_be_a_proxy_with_a_path_of_its_own(fake: FakeWeCom, ask: Ask) -> None:
    ask(hello(), api_base=f"{fake.base}/")
    assert len(fake.inbox("lina")) == 1


# --- recall, groups -------------------------------------------------------------------------------


def test_a_message_is_taken_back_within_a_day(fake: FakeWeCom, ask: Ask) -> None:
    async def work(client: WeComClient) -> None:
        first = await hello()(client)
        await client.recall(first["msgid"])
        assert fake.inbox("lina") == []

        second = await hello("再发")(client)
        fake.forward(hours=24)
        with pytest.raises(WeComError) as caught:
            await client.recall(second["msgid"])
        assert caught.value.errcode == 42052

    ask(work)


def test_a_group_is_made_once(fake: FakeWeCom, ask: Ask) -> None:
    async def work(client: WeComClient) -> None:
        members = ["lina", "WangLei"]
        for _ in range(2):
            made = await client.create_chat("华东日报", "WangLei", members, chat_id="east1")
            assert made == "east1"
        assert await client.create_chat("别的", "WangLei", members)

    ask(work)
    assert fake.chat("east1").users == ["lina", "WangLei"]
