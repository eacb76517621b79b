"""The fake WeCom: callbacks, their repetition, and two ciphers that must agree (sheet 1 and 2)."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.fakes.wecom import crypto, events
from tests.fakes.wecom.crypto import Box, NodeBox, PythonBox
from tests.fakes.wecom.kit import BUTTONS, FORM, MENU, NOTICE, VOTE, Receiver, Rest
from tests.fakes.wecom.server import FakeWeCom
from tests.support.require import require

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
MESSAGE = "<xml><MsgType>text</MsgType><Content>你好</Content></xml>"
CIPHER = (
    "4j/AuRx71kQlxVlzbpsMWNEaGyudpIl2oG1QtMCgjgJovAn8AUeWOEdPFlXc733WyFdcF7+Gc/mFvCNpL84ghpmb"
    "pRv6Tl6QvUMS5Kq8Wu/ngATPawUTyX6N0wDq7xk5"
)
SIGNATURE = "5a1b99fae81e52e8856521feea4d4bdc839d95e4"


@pytest.fixture
def fake() -> Iterator[FakeWeCom]:
    with FakeWeCom() as made:
        made.rules.redelivery_gap_s = 0.02
        made.add_member("rep07", "李娜")
        made.add_member("Mgr01", "周强")
        yield made


@pytest.fixture
def callback(fake: FakeWeCom) -> Iterator[Receiver]:
    with Receiver(fake) as made:
        fake.set_callback(made.url)
        yield made


# --- ciphers --------------------------------------------------------------------------------------


@pytest.fixture(params=["python", "node"])
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    if request.param == "node":
        why = crypto.node_missing()
        require("@wecom/crypto", not why, why)
    made = crypto.open_box(request.param)
    yield made
    made.close()


def test_the_golden_vector(box: Box) -> None:
    assert box.encrypt(KEY, MESSAGE, "wwfactsheet00001", b"0123456789abcdef") == CIPHER
    assert box.decrypt(KEY, CIPHER) == (MESSAGE, "wwfactsheet00001")
    assert box.sign("factSheetToken01", "1700000000", "fsnonce", CIPHER) == SIGNATURE


def test_node_and_python_agree_on_random_messages() -> None:
    why = crypto.node_missing()
    require("@wecom/crypto", not why, why)
    node, python = NodeBox(), PythonBox()
    draw = random.Random(4)
    letters = "abc<>&]]\n\r\t\"'\\ 你好，青山贸易𠮷🙂é\u2028"
    try:
        for number in range(300):
            key, drawn = crypto.new_aes_key(), os.urandom(16)
            text = "".join(draw.choices(letters, k=draw.randint(0, 200)))
            name = draw.choice(["", "wwfake0000000001", "公司"])
            sealed = node.encrypt(key, text, name, drawn)
            assert sealed == python.encrypt(key, text, name, drawn), number
            assert python.decrypt(key, sealed) == node.decrypt(key, sealed) == (text, name)
            signed = ("tok" + "En9"[: number % 4], str(1700000000 + number), f"n{number}", sealed)
            assert node.sign(*signed) == python.sign(*signed)
    finally:
        node.close()


def test_a_broken_cipher_is_an_error_and_the_child_lives_on(box: Box) -> None:
    with pytest.raises(ValueError):
        box.decrypt(KEY, "YWJj")
    assert box.decrypt(KEY, CIPHER)[0] == MESSAGE


# --- verification -----------------------------------------------------------------------------------


def test_saving_the_address(fake: FakeWeCom, callback: Receiver) -> None:
    fake.set_callback("")
    assert fake.save_callback(callback.url).ok
    assert fake.app.callback_url == callback.url
    callback.echo_suffix = b"\n"
    assert "echostr" in fake.verify().reason
    callback.echo_suffix = b""
    fake.rules.verify_deadline_s = 0.05
    callback.delay_s = 0.3
    assert "0.05 s" in fake.verify().reason
    assert "Connect" in fake.verify("http://127.0.0.1:9/").reason


# --- messages and events ----------------------------------------------------------------------------


def test_each_kind_of_message(fake: FakeWeCom, callback: Receiver, rest: Rest) -> None:
    sent = [
        fake.text("REP07", "写 ]]> 和 <xml> & 好"),
        fake.image("rep07", b"\xff\xd8\xff"),
        fake.voice("rep07", b"#!AMR\n", format="amr"),
        fake.video("rep07", b"mp4"),
        fake.location("rep07", 31.2, 121.5, "园区"),
        fake.link("rep07", "标题", "https://a.example.com/?a=1&b=2"),
        fake.file("rep07", b"%PDF", "报价.pdf"),
    ]
    for one in sent:
        one.ack()
    kinds = [one["MsgType"] for one in callback.got]
    assert kinds == ["text", "image", "voice", "video", "location", "link", "file"]
    for one, delivery in zip(callback.got, sent, strict=True):
        assert (one["FromUserName"], one["AgentID"]) == ("rep07", str(fake.agent_id))
        assert one["MsgId"] == delivery.msg_id
        assert one["ToUserName"] == fake.corp_id
    assert len({one.msg_id for one in sent}) == 7
    assert callback.got[0]["Content"] == "写 ]]> 和 <xml> & 好"
    voice = callback.got[2]
    assert voice["Format"] == "amr"
    answer = rest.raw("GET", "media/get", {"media_id": voice["MediaId"]})
    assert (answer.content, answer.headers["Content-Type"]) == (b"#!AMR\n", "audio/amr")
    assert callback.got[5]["Url"] == "https://a.example.com/?a=1&b=2"


def test_each_event_of_the_sheet(fake: FakeWeCom, callback: Receiver) -> None:
    for one in fake.every_event("rep07"):
        one.ack()
    wanted = events.all_events("rep07")
    assert sorted(one["Event"] for one in callback.got) == sorted(name for name, _ in wanted)
    by_name = {one["Event"]: one for one in callback.got}
    assert all("MsgId" not in one for one in callback.got)
    assert by_name["inactive_alert"]["FromUserName"] == "sys"
    assert by_name["sys_approval_change"]["AgentID"] == "3010040"
    info = by_name["open_approval_change"]["ApprovalInfo"]
    assert info["ApprovalNodes"]["ApprovalNode"]["Items"]["Item"]["ItemUserId"] == "mgr01"
    assert by_name["LOCATION"]["Latitude"] == "31.2"


def test_taps_bring_the_choices_and_a_fresh_code(
    fake: FakeWeCom, callback: Receiver, rest: Rest
) -> None:
    first = rest.card(BUTTONS, to="mgr01")["response_code"]
    rest.card(VOTE)
    rest.card(FORM)
    rest.card({**NOTICE, "action_menu": MENU, "task_id": "notice-1"})
    taps = [
        fake.tap("mgr01", "deal-42@v3", "approve", {"level": "二级"}).ack(),
        fake.tap("rep07", "overdue-1", selected={"done": ["t1", "t2"]}).ack(),
        fake.tap("rep07", fake.card("rep07", "form-1")).ack(),
        fake.menu("rep07", "notice-1", "不再提醒").ack(),
    ]
    assert len({first, *(one.response_code for one in taps)}) == 5
    for one, got in zip(taps, callback.got, strict=True):
        assert got["ResponseCode"] == one.response_code
    button, vote, form, menu = callback.got
    assert (button["EventKey"], button["CardType"]) == ("approve", "button_interaction")
    assert button["FromUserName"] == "Mgr01"  # as the company spells it
    assert _selected(button) == {"level": ["lv2"]}
    assert _selected(vote) == {"done": ["t1", "t2"]}
    assert _selected(form) == {"stage": ["s2"], "when": ["w1"]}
    assert (menu["Event"], menu["EventKey"]) == ("template_card_menu_event", "mute")
    assert "SelectedItems" not in menu


def _selected(got: dict) -> dict:  # type: ignore[type-arg]
    items = got["SelectedItems"]["SelectedItem"]
    return {one["QuestionKey"]: one["OptionIds"]["OptionId"] for one in items}


# --- again and again --------------------------------------------------------------------------------


@pytest.mark.parametrize("same_bytes", [False, True])
def test_silence_brings_the_message_again(
    fake: FakeWeCom, callback: Receiver, same_bytes: bool
) -> None:
    fake.rules.same_bytes = same_bytes
    callback.fail_first = 2
    one = fake.text("rep07", "三次")
    one.ack()
    assert [attempt.status for attempt in one.attempts] == [0, 0, 200]
    assert len(callback.got) == 1
    assert len({query["nonce"] for query, _ in callback.raw}) == (1 if same_bytes else 3)
    assert len({body for _, body in callback.raw}) == (1 if same_bytes else 3)


def test_the_platform_gives_up_after_three_more(fake: FakeWeCom, callback: Receiver) -> None:
    callback.fail_first = 9
    one = fake.text("rep07", "verloren").wait()
    assert (len(one.attempts), one.acked) == (4, False)
    with pytest.raises(AssertionError, match="not acknowledged"):
        one.ack()


def test_too_late_counts_as_silence(fake: FakeWeCom, callback: Receiver) -> None:
    fake.rules.deadline_s, fake.rules.redeliveries = 0.1, 1
    callback.delay_s = 0.6
    one = fake.text("rep07", "slow").wait()
    assert [attempt.error for attempt in one.attempts] == ["no answer within 0.1 s"] * 2


@pytest.mark.parametrize(("retry", "attempts"), [(False, 1), (True, 4)])
def test_a_5xx_comes_again_only_when_switched_on(
    fake: FakeWeCom, callback: Receiver, retry: bool, attempts: int
) -> None:
    fake.rules.retry_5xx = retry
    callback.status = 503
    assert len(fake.text("rep07", "x").wait().attempts) == attempts
    callback.status = 403
    assert len(fake.text("rep07", "x").wait().attempts) == 1


def test_an_acknowledged_message_may_come_again(fake: FakeWeCom, callback: Receiver) -> None:
    one = fake.text("rep07", "doppelt").ack()
    for copy in fake.again(one, 5):
        copy.ack()
    for copy in fake.again(one, 2, same_bytes=True):
        copy.ack()
    assert {got["MsgId"] for got in callback.got} == {one.msg_id}
    assert len(callback.got) == 8
    assert len({query["nonce"] for query, _ in callback.raw}) == 6


def test_messages_arrive_in_order_unless_shuffled(fake: FakeWeCom, callback: Receiver) -> None:
    for number in range(20):
        fake.text("rep07", str(number))
    fake.deliveries[-1].ack()
    assert [got["Content"] for got in callback.got] == [str(number) for number in range(20)]
    callback.got.clear()
    with fake.shuffled(seed=3):
        held = [fake.text("rep07", str(number)) for number in range(20)]
        assert callback.got == []
    for one in held:
        one.ack()
    arrived = [got["Content"] for got in callback.got]
    assert sorted(arrived, key=int) == [str(number) for number in range(20)]
    assert arrived != sorted(arrived, key=int)


def test_a_push_needs_an_address(fake: FakeWeCom) -> None:
    with pytest.raises(AssertionError, match="set_callback"):
        fake.text("rep07", "x")


def test_deliveries_can_be_awaited(fake: FakeWeCom, callback: Receiver) -> None:
    async def play() -> list[bool]:
        sent = [fake.text("rep07", str(number)) for number in range(5)]
        return [(await one).acked for one in sent]

    assert asyncio.run(play()) == [True] * 5


def test_a_passive_reply_is_no_acknowledgement_here(fake: FakeWeCom, callback: Receiver) -> None:
    callback.body = b"success"
    fake.text("rep07", "x").ack()
    callback.body = b"ok"
    with pytest.raises(AssertionError):
        fake.text("rep07", "x").ack()


# --- forging ----------------------------------------------------------------------------------------


def test_another_implementation_refuses_what_is_forged(fake: FakeWeCom, callback: Receiver) -> None:
    """wechatpy looks at neither the time nor the size, nor at what is inside."""
    blind = ("time", "hour", "message", "inside", "body of 3 MB", "outside", "padding", "length")
    made = fake.forgeries()
    assert len({one.name for one in made}) == len(made)
    for one in made:
        before = len(callback.got)
        attempt = fake.throw(one.query, one.body).wait().attempts[0]
        assert attempt.status, (one.name, attempt)
        if not any(word in one.name for word in blind):
            assert attempt.status in (400, 403), one.name
            assert len(callback.got) == before, one.name
    query, body = fake.envelope(fake.text_xml("rep07", "echt"))
    assert fake.throw(query, body).wait().attempts[0].status == 200
    assert callback.got[-1]["Content"] == "echt"


@pytest.mark.parametrize("kind", ["python", "node"])
def test_an_envelope_has_its_knobs(kind: str) -> None:
    if kind == "node":
        require("@wecom/crypto", not crypto.node_missing(), crypto.node_missing())
    with FakeWeCom(crypto_by=kind) as fake:  # type: ignore[arg-type]
        query, body = fake.envelope(
            "<xml/>", timestamp=7, nonce="n", to_user="wwelse", corp_id="wwother", agent_id=3
        )
        assert (query["timestamp"], query["nonce"], len(query["msg_signature"])) == ("7", "n", 40)
        assert body.startswith(b"<xml><ToUserName><![CDATA[wwelse]]></ToUserName><AgentID>")
        cipher = body.decode().split("<Encrypt><![CDATA[")[1].split("]]>")[0]
        assert fake.decrypt(cipher) == ("<xml/>", "wwother")
        for padding in ("zero", "too_long", "uneven", "none"):
            bad = fake.envelope("<xml/>", padding=padding)[1].decode()
            with pytest.raises(ValueError, match="bad"):
                PythonBox().decrypt(
                    fake.aes_key, bad.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
                )


# --- on its own -------------------------------------------------------------------------------------


def test_it_runs_as_a_program_and_is_played_over_http(fake: FakeWeCom, callback: Receiver) -> None:
    root = Path(__file__).resolve().parents[3]
    asked = [
        sys.executable,
        "-m",
        "tests.fakes.wecom",
        "--member",
        "rep07:李娜",
        "--crypto",
        "python",
    ]
    asked += ["--aes-key", fake.aes_key, "--token", fake.token, "--callback", callback.url]
    child = subprocess.Popen(asked, cwd=root, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    try:
        assert child.stdout
        base = json.loads(child.stdout.readline())["api_base"]

        def play(name: str, **arguments: object) -> requests.Response:
            return requests.post(f"{base}/_fake/{name}", json=arguments, timeout=20)

        said = play("text", user="rep07", content="你好").json()
        assert said["acked"], said
        voice = base64.b64encode(b"#!AMR\n").decode()
        assert play("voice", user="rep07", data=voice).json()["acked"]
        assert [one["MsgType"] for one in callback.got] == ["text", "voice"]
        assert play("inbox", user="rep07").json() == []
        assert "sees no card" in play("tap", user="rep07", task="t", key="k").json()["error"]
        assert play("_run").status_code == 404
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0
        child.stdout.close()  # type: ignore[union-attr]


def test_it_ends_with_work_in_hand() -> None:
    with FakeWeCom(crypto_by="python") as fake:
        fake.set_callback("http://127.0.0.1:9/")
        fake.rules.redelivery_gap_s = 3600
        waiting = fake.text("rep07", "x")
    assert not waiting.wait(1).acked
