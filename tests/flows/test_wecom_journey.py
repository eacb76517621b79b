"""Journeys through WeCom: the program as a process, the platform as a strict server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.samples import spoken_memos
from tests.fakes.wecom.server import FakeWeCom
from tests.support.program import Program, eventually

MEMO = "今天去了恒基水泥 赵总说电动闸板阀要十五台 预算三十五万 下周三之前我把报价发给他"
SPOKEN = {one.path.stem: one for one in spoken_memos()}


def wecom_env(fake: FakeWeCom) -> dict[str, str]:
    given = {
        "ENABLED": "true",
        "CORP_ID": fake.corp_id,
        "AGENT_ID": str(fake.agent_id),
        "SECRET": fake.secret,
        "TOKEN": fake.token,
        "AES_KEY": fake.aes_key,
        "API_BASE": fake.base,
    }
    return {f"GENJIN_CHANNELS__WECOM__{key}": value for key, value in given.items()}


@pytest.fixture
def fake() -> Iterator[FakeWeCom]:
    with FakeWeCom() as made:
        for user, name in (("WangLei", "王磊"), ("LiNa", "李娜"), ("ZhouKai", "周凯")):
            made.add_member(user, name)
        yield made


@pytest.fixture
def program(fake: FakeWeCom, tmp_path: Path) -> Iterator[Program]:
    env = wecom_env(fake) | {
        "GENJIN_SPEECH__BACKEND": "faster-whisper",
        "GENJIN_SPEECH__MODEL": "demo-voice",
        "GENJIN_WEB__PUBLIC_URL": "https://genjin.example.com",
    }
    with Program(tmp_path, env) as made:
        made.set_up("wecom")
        made.start()
        yield made


def connected(fake: FakeWeCom, program: Program) -> None:
    """The admin presses 保存 in the console, and 李娜 has read the notice."""
    assert fake.save_callback(f"{program.callback}/wecom").ok
    fake.text("LiNa", "帮助").ack()
    notice = eventually(lambda: fake.last_card("LiNa"))
    fake.tap("LiNa", notice, "知道了").ack()
    eventually(lambda: not fake.last_card("LiNa").buttons)
    program.settle()


def test_a_spoken_memo_becomes_a_card_is_edited_confirmed_and_redrawn(
    fake: FakeWeCom, program: Program
) -> None:
    connected(fake, program)

    fake.voice("LiNa", SPOKEN["s1"].path.read_bytes()).ack()
    card = eventually(lambda: _card(fake, "恒基水泥"), within_s=90)
    assert {"确认入库", "修改", "作废"} <= set(card.buttons)

    fake.text("LiNa", "不对 是下周四").ack()
    eventually(lambda: "周四" in _card(fake, "恒基水泥").rows["下一步"])

    fake.tap("LiNa", _card(fake, "恒基水泥"), "修改").ack()
    form = eventually(lambda: _card(fake, "改哪几项"))
    assert form.card_type == "multiple_interaction"
    fake.tap("LiNa", form).ack()
    done = eventually(lambda: _card(fake, "已入库"))

    assert (done.card_type, done.buttons) == ("text_notice", {})
    assert program.one("SELECT count(*) FROM interaction") == 1
    assert fake.warnings == []
    assert [one for one in fake.calls if one.errcode] == []


def test_what_arrives_five_times_happens_once(fake: FakeWeCom, program: Program) -> None:
    connected(fake, program)
    said = fake.text("LiNa", MEMO).ack()
    for one in [*fake.again(said, 3), *fake.again(said, 2, same_bytes=True)]:
        one.ack()
    card = eventually(lambda: _card(fake, "恒基水泥"))
    tapped = fake.tap("LiNa", card, "确认入库").ack()
    for one in fake.again(tapped, 5):
        one.ack()
    eventually(lambda: _card(fake, "已入库"))
    program.settle()

    assert program.one("SELECT count(*) FROM memo") == 1
    assert program.one("SELECT count(*) FROM interaction") == 1
    assert len([one for one in fake.cards("LiNa") if "恒基" in one.title]) == 1


def test_what_was_acknowledged_survives_a_kill(fake: FakeWeCom, program: Program) -> None:
    connected(fake, program)
    for number in range(3):
        fake.text("LiNa", f"{MEMO} 第{number}次").ack()
        program.kill()  # between the 200 and everything that follows from it
        program.start()
        program.settle(within_s=60)

    assert program.one("SELECT count(*) FROM memo") == 3
    titles = [one.title for one in fake.cards("LiNa") if "恒基" in one.title]
    # A crash between the call and its commit may say something twice, never less than once.
    assert 3 <= len(titles) <= 4


def test_a_stranger_and_a_wrong_finger_are_told_in_words(fake: FakeWeCom, program: Program) -> None:
    connected(fake, program)
    fake.add_member("Stranger", "陌生人")
    fake.text("Stranger", "你好").ack()
    eventually(lambda: fake.texts("Stranger"))

    fake.text("LiNa", MEMO).ack()
    card = eventually(lambda: _card(fake, "恒基水泥"))
    before = len(fake.texts("ZhouKai"))
    fake.card_event("ZhouKai", card, card.buttons["确认入库"]).ack()
    eventually(lambda: any("李娜" in text for text in fake.texts("ZhouKai")[before:]))
    assert program.one("SELECT count(*) FROM interaction") == 0


def test_forgeries_are_not_stored_and_never_a_server_error(
    fake: FakeWeCom, program: Program
) -> None:
    connected(fake, program)
    before = program.one("SELECT count(*) FROM inbox")
    for forgery in fake.forgeries():
        answer = fake.throw(forgery.query, forgery.body).wait().attempts[-1]
        assert answer.status is not None and answer.status < 500, (forgery.name, answer)

    assert program.rows("SELECT payload FROM inbox ORDER BY id")[before:] == []


def test_a_token_that_dies_and_a_platform_that_stumbles_lose_no_message(
    fake: FakeWeCom, program: Program
) -> None:
    connected(fake, program)
    fake.revoke_tokens(42001)
    fake.fail("message/send", errcode=-1, times=2)
    fake.text("LiNa", MEMO).ack()
    card = eventually(lambda: _card(fake, "恒基水泥"))
    fake.revoke_tokens(40014)
    fake.fail("message/update_template_card", status=502)
    fake.tap("LiNa", card, "确认入库").ack()

    eventually(lambda: _card(fake, "已入库"), within_s=60)


def test_an_address_that_is_not_trusted_is_named_by_doctor(
    fake: FakeWeCom, program: Program
) -> None:
    connected(fake, program)
    fake.rules.client_ip, fake.rules.trusted_ips = "198.51.100.20", {"198.51.100.1"}
    fake.text("LiNa", "待办").ack()
    eventually(
        lambda: [one for one in program.findings() if "198.51.100.20" in one["text"] + one["todo"]]
    )


def _card(fake: FakeWeCom, words: str):  # type: ignore[no-untyped-def]
    found = [one for one in fake.cards("LiNa") if words in one.title]
    assert found, [one.title for one in fake.cards("LiNa")]
    return found[-1]
