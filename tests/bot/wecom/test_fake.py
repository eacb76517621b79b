"""The fake WeCom, REST side: as strict as the protocol sheet says (sections 3 to 5, 7)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from tests.fakes.wecom.kit import BUTTONS, NEWS, NOTICE, Rest
from tests.fakes.wecom.server import FakeWeCom

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
AMR = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 50  # a second at 12.2 kbit/s


@pytest.fixture
def fake() -> Iterator[FakeWeCom]:
    with FakeWeCom(clock=lambda: MONDAY, crypto_by="python") as made:
        made.add_department(2, "销售部", leaders=["Mgr01"])
        made.add_department(3, "华东", parent=2)
        made.add_member("Mgr01", "周强", departments=[2], leads=[2])
        made.add_member("rep07", "李娜", departments=[3], leader="Mgr01")
        yield made


def token_of(rest: Rest, secret: str = "", corp: str = "") -> dict[str, Any]:
    fake = rest.fake
    return rest.get("gettoken", corpid=corp or fake.corp_id, corpsecret=secret or fake.secret)


# --- tokens -------------------------------------------------------------------------------------


def test_a_token_lives_two_hours_and_a_second_one_ends_it(rest: Rest, fake: FakeWeCom) -> None:
    first = token_of(rest)
    assert (first["errcode"], first["expires_in"]) == (0, 7200)
    assert len(first["access_token"]) >= 512
    second = token_of(rest)
    rest.token = first["access_token"]
    assert rest.get("getcallbackip")["errcode"] == 40014
    rest.token = second["access_token"]
    assert rest.get("getcallbackip")["ip_list"] == ["127.0.0.1", "203.0.113.*"]
    fake.forward(seconds=7199)
    assert rest.get("getcallbackip")["errcode"] == 0
    fake.forward(seconds=1)
    assert rest.get("getcallbackip")["errcode"] == 42001


def test_how_a_second_gettoken_behaves_can_be_chosen(rest: Rest, fake: FakeWeCom) -> None:
    fake.rules.second_token = "same"
    rest.token = token_of(rest)["access_token"]
    fake.forward(seconds=100)
    again = token_of(rest)
    assert (again["access_token"], again["expires_in"]) == (rest.token, 7100)
    fake.rules.second_token = "fresh"
    assert token_of(rest)["access_token"] != rest.token
    assert rest.get("getcallbackip")["errcode"] == 0


@pytest.mark.parametrize("code", [40014, 42001])
def test_tokens_can_end_early(rest: Rest, fake: FakeWeCom, code: int) -> None:
    fake.revoke_tokens(code)
    assert rest.get("getcallbackip")["errcode"] == code
    rest.token = token_of(rest)["access_token"]
    assert rest.get("getcallbackip")["errcode"] == 0


def test_wrong_secrets_ban_the_address_for_an_hour(rest: Rest, fake: FakeWeCom) -> None:
    fake.rules.wrong_secrets_per_hour = 3
    assert token_of(rest, corp="wwother")["errcode"] == 40013
    assert token_of(rest, secret="wrong")["errcode"] == 40001
    assert token_of(rest, secret="wrong")["errcode"] == 40001
    assert token_of(rest)["errcode"] == 45009
    fake.forward(minutes=59)
    assert token_of(rest)["errcode"] == 45009
    fake.forward(minutes=1)
    assert token_of(rest)["errcode"] == 0


def test_what_is_missing_has_its_code(rest: Rest, fake: FakeWeCom) -> None:
    assert rest.get("gettoken", corpsecret="x")["errcode"] == 41002
    assert rest.get("gettoken", corpid=fake.corp_id)["errcode"] == 41004
    rest.token = ""
    assert rest.get("getcallbackip")["errcode"] == 41001
    rest.token = "made up"
    assert rest.get("getcallbackip")["errcode"] == 40014
    assert rest.raw("GET", "nothing/here", {"access_token": fake.token_for()}).status_code == 404


def test_an_address_that_is_not_trusted_is_named(rest: Rest, fake: FakeWeCom) -> None:
    fake.rules.trusted_ips = {"198.51.100.1"}
    said = rest.get("getcallbackip")
    assert said["errcode"] == 60020
    assert "from ip: 203.0.113.7," in said["errmsg"]
    assert token_of(rest)["errcode"] == 0  # gettoken asks for no address
    rest.token = fake.token_for()
    fake.rules.trusted_ips.add("203.0.113.7")
    assert rest.get("getcallbackip")["errcode"] == 0


def test_each_secret_opens_its_own_doors(rest: Rest, fake: FakeWeCom) -> None:
    other = fake.add_app(1000043, "otherSecret")
    rest.token = token_of(rest, secret="otherSecret")["access_token"]
    assert rest.send("text", {"content": "x"})["errcode"] == 301002
    other.enabled = False
    assert rest.get("getcallbackip")["errcode"] == 50003
    rest.token = token_of(rest, secret=fake.contact_secret)["access_token"]
    assert rest.send("text", {"content": "x"})["errcode"] == 48002
    assert rest.get("user/get", userid="rep07")["errcode"] == 48009
    fake.rules.contact_ip_is_new = False
    assert rest.get("user/get", userid="rep07")["name"] == "李娜"


# --- the wire -------------------------------------------------------------------------------------


def test_json_must_be_real_utf8(rest: Rest, fake: FakeWeCom) -> None:
    body = {"touser": "rep07", "agentid": fake.agent_id, "msgtype": "text"}
    body["text"] = {"content": "你好 \\u4f60"}  # a backslash of its own is no escape
    assert rest.post("message/send", body)["errcode"] == 0
    assert rest.post("message/send", json.dumps(body).encode())["errcode"] == 40033
    assert rest.post("message/send", b"{'")["errcode"] == 40058
    assert "wrong json format" in rest.post("message/send", b"[]")["errmsg"]
    assert rest.post("message/send", "{}".encode("utf-16"))["errcode"] == 40058
    assert rest.get("message/send")["errcode"] == 40058
    assert fake.texts("rep07") == ["你好 \\u4f60"]


def test_an_api_is_called_only_so_often_a_minute(rest: Rest, fake: FakeWeCom) -> None:
    fake.rules.api_per_min = 3
    codes = [rest.get("getcallbackip")["errcode"] for _ in range(4)]
    assert codes == [0, 0, 0, 45009]
    assert rest.get("user/get", userid="rep07")["errcode"] == 0  # another api
    fake.forward(seconds=60)
    assert rest.get("getcallbackip")["errcode"] == 0
    fake.rules.api_per_hour = 4
    assert rest.get("getcallbackip")["errcode"] == 45009
    fake.forward(hours=1)
    rest.token = fake.token_for()
    assert rest.get("getcallbackip")["errcode"] == 0


def test_an_api_is_called_only_so_often_at_once(rest: Rest, fake: FakeWeCom) -> None:
    fake.rules.concurrent_per_api = 1
    assert rest.get("getcallbackip")["errcode"] == 0
    fake.slow("getcallbackip", 30, times=1)
    with pytest.raises(requests.ReadTimeout):
        rest.raw("GET", "getcallbackip", timeout=0.1)
    assert rest.get("getcallbackip")["errcode"] == 45033  # the slow one is still at work
    assert rest.get("user/get", userid="rep07")["errcode"] == 0


def test_debug_calls_are_five_a_minute(rest: Rest) -> None:
    codes = [rest.get("getcallbackip", debug="1")["errcode"] for _ in range(6)]
    assert codes == [0, 0, 0, 0, 0, 45009]


def test_faults_hit_the_calls_that_they_are_for(rest: Rest, fake: FakeWeCom) -> None:
    fake.fail("/cgi-bin/getcallbackip", errcode=-1, times=2)
    fake.fail("user/get", status=503)
    assert [rest.get("getcallbackip")["errcode"] for _ in range(3)] == [-1, -1, 0]
    assert rest.raw("GET", "user/get").status_code == 503
    fake.garble("getcallbackip")
    assert rest.raw("GET", "getcallbackip").content == b"<html>"
    fake.fail(errcode=6000, times=None)
    assert rest.get("user/get")["errcode"] == rest.get("department/list")["errcode"] == 6000
    fake.heal()
    assert rest.get("user/get", userid="rep07")["errcode"] == 0


def test_a_dropped_call_did_its_work_or_not(rest: Rest, fake: FakeWeCom) -> None:
    fake.drop("message/send")
    with pytest.raises(requests.ConnectionError):
        rest.send("text", {"content": "lost"})
    fake.drop("message/send", after=True)
    with pytest.raises(requests.ConnectionError):
        rest.send("text", {"content": "sent"})
    fake.fail("message/send", status=502, after=True)
    assert rest.raw("POST", "message/send", data=b"{}").status_code == 502
    assert rest.send("text", {"content": "last"})["errcode"] == 0
    assert fake.texts("rep07") == ["sent", "last"]
    assert len(fake.calls_to("message/send")) == 4


def test_a_slow_call_outlasts_the_callers_patience(rest: Rest, fake: FakeWeCom) -> None:
    fake.slow("getcallbackip", 30, times=1)
    with pytest.raises(requests.ReadTimeout):
        rest.raw("GET", "getcallbackip", timeout=0.1)
    assert rest.get("getcallbackip")["errcode"] == 0


# --- media ----------------------------------------------------------------------------------------


def test_media_are_given_as_bytes_for_three_days(rest: Rest, fake: FakeWeCom) -> None:
    media = fake.add_media(AMR, "voice", filename="v.amr")
    answer = rest.raw("GET", "media/get", {"media_id": media.media_id})
    assert answer.content == AMR
    assert answer.headers["Content-Disposition"] == 'attachment; filename="v.amr"'
    part = {"Range": "bytes=6-9"}
    some = rest.raw("GET", "media/get", {"media_id": media.media_id}, headers=part)
    assert (some.status_code, some.content) == (206, AMR[6:10])
    assert some.headers["Content-Range"] == f"bytes 6-9/{len(AMR)}"
    tail = rest.raw("GET", "media/get", {"media_id": media.media_id}, headers={"Range": "bytes=-4"})
    assert tail.content == AMR[-4:]
    beyond = {"Range": f"bytes={len(AMR)}-"}
    none = rest.raw("GET", "media/get", {"media_id": media.media_id}, headers=beyond)
    assert none.status_code == 416
    fake.expire_media(media.media_id)
    assert rest.get("media/get", media_id=media.media_id)["errcode"] == 40007
    assert rest.get("media/get", media_id="made_up")["errcode"] == 40007
    assert rest.get("media/get")["errcode"] == 41006


def test_large_media_need_a_range(rest: Rest, fake: FakeWeCom) -> None:
    fake.rules.media_whole_max = 100
    media = fake.add_media(bytes(101))
    assert rest.get("media/get", media_id=media.media_id)["errcode"] == 830002
    first = {"Range": "bytes=0-63"}
    got = rest.raw("GET", "media/get", {"media_id": media.media_id}, headers=first)
    assert len(got.content) == 64


def test_downloads_go_wrong_in_each_way(rest: Rest, fake: FakeWeCom) -> None:
    media = fake.add_media(AMR, "voice")
    query = {"media_id": media.media_id}
    fake.break_media(media.media_id, "cut")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        rest.raw("GET", "media/get", query)
    fake.break_media(media.media_id, "empty")
    assert rest.raw("GET", "media/get", query).content == b""
    fake.break_media(media.media_id, "html")
    assert rest.raw("GET", "media/get", query).text.startswith("<html>")
    fake.break_media(media.media_id, "slow")
    with pytest.raises((requests.ConnectionError, requests.ReadTimeout)):
        rest.raw("GET", "media/get", query, timeout=0.2)
    fake.break_media(media.media_id, "huge")
    with rest.raw("GET", "media/get", query, stream=True) as endless:
        assert "Content-Length" not in endless.headers
        assert sum(len(one) for one in _some(endless, 200)) > 10_000_000
    fake.break_media(media.media_id, "")
    assert rest.raw("GET", "media/get", query).content == AMR


def _some(answer: requests.Response, chunks: int) -> Iterator[bytes]:
    for number, one in enumerate(answer.iter_content(65536)):
        yield one
        if number == chunks:
            return


@pytest.mark.parametrize(
    ("kind", "data", "filename", "code"),
    [
        ("image", PNG, "chart.png", 0),
        ("voice", AMR, "a.amr", 0),
        ("video", b"\0\0\0\x20ftypisom" + bytes(32), "a.mp4", 0),
        ("file", b"123456", "a.xlsx", 0),
        ("", PNG, "a.png", 40004),
        ("sound", AMR, "a.amr", 40005),
        ("file", b"12345", "a.txt", 40006),
        ("file", b"", "a.txt", 44001),
        ("image", b"GIF89a" + bytes(9), "a.gif", 40004),
        ("image", PNG + bytes(10 * 1024 * 1024), "a.png", 45001),
        ("voice", b"RIFF" + bytes(32), "a.wav", 301016),
        ("voice", AMR[:6] + AMR[6:] * 60 + AMR[6:38], "a.amr", 45007),
        ("video", bytes(32), "a.mp4", 40004),
        ("file", b"123456", "报价.xlsx", 40058),
    ],
)
def test_uploads_are_held_to_their_limits(
    rest: Rest, *, kind: str, data: bytes, filename: str, code: int
) -> None:
    said = rest.upload(kind, data, filename)
    assert said["errcode"] == code, said
    if code == 0:
        assert said["type"] == kind
        assert said["created_at"].isdigit()
        assert rest.raw("GET", "media/get", {"media_id": said["media_id"]}).content == data
        assert rest.send(kind, {"media_id": said["media_id"]})["errcode"] == 0


# --- groups ---------------------------------------------------------------------------------------


def test_a_chat_of_the_app(rest: Rest, fake: FakeWeCom) -> None:
    made = rest.post(
        "appchat/create", {"name": "日报", "userlist": ["rep07", "Mgr01"], "chatid": "daily"}
    )
    assert made["chatid"] == "daily"
    assert rest.get("appchat/get", chatid="daily")["chat_info"]["owner"] == "rep07"
    text = {"chatid": "daily", "msgtype": "text", "text": {"content": "今天 3 家"}}
    said = rest.post("appchat/send", text)
    assert set(said) == {"errcode", "errmsg"}  # neither msgid nor response_code
    assert fake.chat("daily").messages[0]["text"] == {"content": "今天 3 家"}
    card = {"chatid": "daily", "msgtype": "template_card", "template_card": BUTTONS}
    assert rest.post("appchat/send", card)["errcode"] == 40008
    assert rest.post("appchat/send", {**text, "chatid": "none"})["errcode"] == 86003
    assert rest.post("appchat/send", {**text, "chatid": "不行"})["errcode"] == 86001
    again = {"userlist": ["rep07", "Mgr01"], "chatid": "daily"}
    assert rest.post("appchat/create", again)["errcode"] == 86215
    assert rest.post("appchat/create", {"userlist": ["rep07"]})["errcode"] == 40058
    assert rest.post("appchat/create", {"userlist": ["rep07", "nobody"]})["errcode"] == 40003
    fake.app.departments = {2}
    assert rest.post("appchat/create", {"userlist": ["rep07", "Mgr01"]})["errcode"] == 60011


def test_a_webhook_takes_twenty_a_minute(rest: Rest, fake: FakeWeCom) -> None:
    hook = fake.add_webhook("K1")
    rest.token = ""  # its key is all it asks for

    def say(body: dict[str, Any], key: str = "K1") -> int:
        return int(rest.post("webhook/send", body, key=key)["errcode"])

    picture = {"base64": base64.b64encode(PNG).decode(), "md5": hashlib.md5(PNG).hexdigest()}
    assert say({"msgtype": "markdown", "markdown": {"content": "好" * 1365}}) == 0
    assert say({"msgtype": "markdown", "markdown": {"content": "好" * 1366}}) == 45002
    assert say({"msgtype": "image", "image": picture}) == 0
    assert say({"msgtype": "image", "image": {**picture, "md5": "0" * 32}}) == 40058
    assert say({"msgtype": "template_card", "template_card": NEWS}) == 0
    assert say({"msgtype": "template_card", "template_card": BUTTONS}) == 42031
    assert say({"msgtype": "template_card", "template_card": {**NOTICE, "task_id": "t"}}) == 40058
    assert say({"msgtype": "text"}) == 93017
    assert say({"msgtype": "text", "text": {"content": "x"}}, key="K2") == 93000
    kept = rest.upload("file", b"123456", "a.pdf", "webhook/upload_media", key="K1")
    assert say({"msgtype": "file", "file": {"media_id": kept["media_id"]}}) == 0
    codes = [say({"msgtype": "text", "text": {"content": "x"}}) for _ in range(13)]
    assert codes == [0] * 11 + [45009] * 2
    fake.forward(seconds=60)
    assert say({"msgtype": "text", "text": {"content": "x"}}) == 0
    assert len(hook.messages) == 16
    rest.token = fake.token_for()
    assert rest.send("file", {"media_id": kept["media_id"]})["errcode"] == 40007
