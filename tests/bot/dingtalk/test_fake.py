"""The fake DingTalk does what the protocol sheet says: tokens, Stream, what people send."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from nlp.audio import decode
from sales.clock import FixedClock
from tests.fakes.dingtalk.kit import GROUP, SEND, words
from tests.fakes.dingtalk.media import amr
from tests.fakes.dingtalk.server import FakeDingTalk
from tests.fakes.dingtalk.visitor import Socket, Visitor


def test_a_token_is_the_same_until_it_ends_or_is_revoked(
    fake: FakeDingTalk, bare: Visitor, clock: FixedClock
) -> None:
    first = bare.sign_on()
    assert bare.sign_on() == first
    assert bare.post(SEND, words("一"))[0] == 200
    clock.move(timedelta(hours=2, seconds=1))
    status, refused = bare.post(SEND, words("二"))
    assert (status, refused["code"]) == (400, "InvalidAuthentication")
    assert bare.oapi("/topapi/v2/user/get", {"userid": "lina"})["errcode"] == 42001

    assert bare.sign_on() != first
    assert bare.oapi("/topapi/v2/user/get", {"userid": "lina"})["errcode"] == 0
    fake.expire_tokens()
    assert bare.post(SEND, words("三"))[0] == 400
    assert bare.oapi("/topapi/v2/user/get", {"userid": "lina"})["errcode"] == 40014
    assert fake.texts("lina") == ["一"]


def test_a_wrong_secret_gets_no_token_on_either_family(fake: FakeDingTalk, bare: Visitor) -> None:
    wrong = {"appKey": fake.app.client_id, "appSecret": "nope"}
    status, answer = bare.post("/v1.0/oauth2/accessToken", wrong)
    assert (status, answer["code"]) == (400, "invalidClientIdOrSecret")
    query = {"appkey": fake.app.client_id, "appsecret": "nope"}
    assert bare.call("GET", f"{fake.oapi_base}/gettoken", params=query)[1]["errcode"] == 40089
    bare.app.client_secret = "another"
    status, answer = bare.register()
    assert status == 200  # the app object is the fake's own: both sides changed
    # An address of one family does not answer for the other.
    assert bare.post(f"{fake.oapi_base}{SEND}", words("一"))[0] == 404


def test_a_ticket_opens_one_socket_within_90_seconds(
    fake: FakeDingTalk, app: Visitor, clock: FixedClock
) -> None:
    _, given = app.register()
    app.connect(given).close()
    with pytest.raises(aiohttp.WSServerHandshakeError):
        app.connect(given)
    _, late = app.register()
    clock.move(timedelta(seconds=91))
    with pytest.raises(aiohttp.WSServerHandshakeError):
        app.connect(late)

    body = {"clientId": fake.app.client_id, "clientSecret": fake.app.client_secret}
    body["subscriptions"] = [{"type": "EVENT", "topic": "*"}]  # type: ignore[assignment]
    assert app.post("/v1.0/gateway/connections/open", body)[1].startswith(b"<Connections")


def test_a_message_is_a_frame_whose_acknowledgement_is_checked(
    fake: FakeDingTalk, socket: Socket
) -> None:
    said = fake.say_text("lina", "今天拜访了恒基")
    frame = socket.frame()
    assert (frame["type"], frame["headers"]["topic"]) == ("CALLBACK", "/v1.0/im/bot/messages/get")
    data = json.loads(frame["data"])
    assert (data["conversationType"], data["senderStaffId"]) == ("1", "lina")
    assert data["text"] == {"content": "今天拜访了恒基"}
    assert data["sessionWebhookExpiredTime"] == data["createAt"] + 5_400_000
    assert not said.acked
    socket.ack(frame)
    assert said.wait().ack_delay_s is not None

    bad = fake.say_text("lina", "再来")
    socket.ack(socket.frame(), {"answer": None})
    fake.wait_for(lambda: fake.complaints)
    assert not bad.acked
    assert "no response in data" in fake.complaints[0]
    socket.send("no json")
    fake.wait_for(lambda: len(fake.complaints) == 2)


def test_what_is_not_acknowledged_comes_again_with_the_same_msg_id(
    fake: FakeDingTalk, socket: Socket
) -> None:
    fake.rules.repush_s, fake.rules.repush_times = 0.05, 2
    said = fake.say_text("lina", "一")
    frames = [socket.frame() for _ in range(3)]
    assert {json.loads(frame["data"])["msgId"] for frame in frames} == {said.id}
    assert len({frame["headers"]["messageId"] for frame in frames}) == 3
    fake.wait_for(lambda: said.gave_up)

    assert fake.again(said).data["msgId"] == said.id
    socket.ack(socket.frame())
    once = fake.say_text("lina", "二")
    socket.ack(socket.frame())
    once.wait()
    with pytest.raises(TimeoutError):
        socket.frame(0.2)


def test_nonsense_on_an_unknown_topic_can_be_pushed(fake: FakeDingTalk, socket: Socket) -> None:
    odd = fake.push_data("not { json", topic="/v1.0/odd")
    frame = socket.frame()
    assert (frame["headers"]["topic"], frame["data"]) == ("/v1.0/odd", "not { json")
    socket.ack(frame, {"response": None}, code=404)
    fake.wait_for(lambda: odd.attempts[0].code == 404)
    assert not odd.acked
    assert not fake.complaints


def test_sockets_share_the_frames_and_a_leaving_one_gets_none(
    fake: FakeDingTalk, app: Visitor
) -> None:
    fake.rules.grace_s = 0.7
    two = [app.socket(), app.socket()]
    for number in range(20):
        fake.say_text("lina", str(number))
    fake.wait_for(lambda: all(one.attempts for one in fake.pushes))
    shares = [len(one.frames) for one in fake.connections()]
    assert sum(shares) == 20
    assert 0 not in shares

    first = fake.connections()[0]
    fake.disconnect(first)
    fake.wait_for(lambda: len(fake.connections()) == 1)
    late = fake.say_text("lina", "之后")
    fake.wait_for(lambda: late.attempts)
    assert late.attempts[0].to != first.id
    seen = [two[0].frame() for _ in range(shares[0] + 1)]
    assert seen[-1]["headers"]["topic"] == "disconnect"
    two[0].ack(seen[0])  # what it had may still be acknowledged
    fake.wait_for(lambda: sum(one.acked for one in fake.pushes) == 1)
    with pytest.raises(EOFError):
        two[0].frame()


def test_without_a_socket_a_message_is_lost_and_an_event_waits(
    fake: FakeDingTalk, app: Visitor
) -> None:
    fake.rules.event_retry_s = (0.3, 0.3, 5)
    lost = fake.say_text("lina", "没人听")
    left = fake.change_person("lina", active=False)
    assert left is not None
    fake.wait_for(lambda: lost.lost)
    socket = app.socket()
    frame = socket.frame()
    assert frame["headers"]["eventType"] == "user_leave_org"
    assert json.loads(frame["data"]) == {"userId": ["lina"]}
    socket.ack(frame, {"status": "LATER", "message": "busy"})
    socket.ack(socket.frame(), {"status": "SUCCESS"})
    left.wait()
    # The wrong topics hear nothing.
    socket.close()
    fake.wait_for(lambda: not fake.connections())
    deaf = app.socket((("CALLBACK", "/v1.0/card/instances/callback"),))
    unheard = fake.say_text("wanglei", "有人吗")
    fake.wait_for(lambda: unheard.lost)
    deaf.close()


def test_a_zombie_socket_is_open_and_dead(fake: FakeDingTalk, socket: Socket) -> None:
    assert socket.pinged(5)
    fake.ping()
    frame = socket.frame()
    socket.ack(frame, json.loads(frame["data"]))
    fake.wait_for(lambda: fake.stream.connections[0].pongs == 1)
    fake.make_zombies()
    swallowed = fake.say_text("lina", "听不到")
    fake.wait_for(lambda: swallowed.attempts)
    assert not socket.pinged(0.2)
    assert not swallowed.acked
    assert not fake.complaints


def test_rebalancing_and_cut_sockets(fake: FakeDingTalk, app: Visitor) -> None:
    fake.rules.grace_s = 0.01
    fake.rebalance(0.05)
    for _ in range(3):
        socket = app.socket()
        assert json.loads(socket.frame()["data"])["reason"]
        with pytest.raises(EOFError):
            socket.frame()
    fake.rebalance(None)
    socket = app.socket()
    fake.close_abruptly()
    with pytest.raises(EOFError):
        socket.frame()


def test_when_the_pushes_of_the_month_are_used_up_frames_come_empty(
    fake: FakeDingTalk, socket: Socket
) -> None:
    fake.rules.push_quota = 1
    fake.say_text("lina", "一")
    fake.say_text("lina", "二")
    data = [json.loads(socket.frame()["data"]) for _ in range(2)]
    assert sorted("text" in one for one in data) == [False, True]
    [empty] = [one for one in data if "text" not in one]
    assert (empty["errorCode"], "errorMessage" in empty) == ("20001", True)


def test_every_kind_of_message(fake: FakeDingTalk, socket: Socket) -> None:
    def heard() -> dict[str, Any]:
        frame = socket.frame()
        socket.ack(frame)
        found: dict[str, Any] = json.loads(frame["data"])
        return found

    fake.say_picture("lina")
    assert set(heard()["content"]) == {"downloadCode", "pictureDownloadCode"}
    fake.say_rich("lina", ["看这里", b"png", "好吗"])
    assert [set(one) for one in heard()["content"]["richText"]] == [
        {"text"},
        {"type", "downloadCode", "pictureDownloadCode"},
        {"text"},
    ]
    fake.say_audio("lina", recognition="今天去了恒基")
    content = heard()["content"]
    assert (content["duration"], content["recognition"]) == (4200, "今天去了恒基")
    fake.say_audio("lina", duration_ms=None)
    assert set(heard()["content"]) == {"downloadCode"}
    fake.say_video("lina")
    assert heard()["content"]["videoType"] == "mp4"
    fake.say_file("lina", "客户.xlsx", b"PK")
    assert heard()["content"]["fileName"] == "客户.xlsx"
    fake.say_unknown("lina")
    assert heard()["msgtype"] == "unknownMsgType"

    first = fake.say_text("lina", "在群里", group=GROUP, at_other=["wanglei"])
    data = heard()
    assert (data["conversationType"], data["conversationId"]) == ("2", GROUP)
    assert data["text"]["content"] == " 在群里"
    assert len(data["atUsers"]) == 2
    with pytest.raises(AssertionError, match="nobody can @"):
        fake.say_audio("lina", group=GROUP)
    fake.say_text("lina", "改成三万", quote=first)
    assert heard()["text"]["repliedMsg"]["content"] == {"text": " 在群里"}
    fake.say_text("lina", "我是谁", staff_id=False)
    assert "senderStaffId" not in heard()
    fake.say_text("客户赵总", "你好", outsider=True, group=GROUP)
    assert not {"senderStaffId", "senderCorpId"} & set(heard())


def test_a_file_is_fetched_by_its_code_without_any_key(
    fake: FakeDingTalk, app: Visitor, clock: FixedClock
) -> None:
    def ask(code: str, robot: str = "dingexample0001") -> Any:
        body = {"downloadCode": code, "robotCode": robot}
        return app.post("/v1.0/robot/messageFiles/download", body)[1]

    def code(**how: Any) -> str:
        return str(fake.say_audio("lina", **how).data["content"]["downloadCode"])

    good = code()
    url = URL(ask(good)["downloadUrl"], encoded=True)
    assert app.call("GET", str(url)) == (200, amr(4.2))
    assert decode(amr(4.2)).samples.size == pytest.approx(4.2 * 16_000, rel=0.01)
    assert app.call("GET", str(url), {"Authorization": "Bearer x"})[0] == 403
    assert app.call("GET", str(url.update_query(Signature="x")))[0] == 403
    assert ask(good, "dingother")["code"] == "invalidParameter.robotCode.auth"
    assert ask("")["code"] == "invalidParameter.robotCode.empty"
    assert ask(code(fault="expired"))["code"] == "invalidParameter.robotCode.downloadCode"
    clock.move(timedelta(hours=1, seconds=1))
    assert ask(good)["code"] == "invalidParameter.robotCode.downloadCode"
    assert app.call("GET", str(url))[0] == 403
    assert app.call("GET", ask(code(fault="empty"))["downloadUrl"]) == (200, b"")
    assert app.call("GET", ask(code(fault="missing"))["downloadUrl"])[0] == 404
    with pytest.raises(aiohttp.ClientPayloadError):
        app.call("GET", ask(code(fault="cut"))["downloadUrl"])


def test_it_runs_alone_and_is_driven_over_http(bare: Visitor) -> None:
    command = [sys.executable, "-m", "tests.fakes.dingtalk"]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = dict(process.stdout.readline().strip().split(" = ") for _ in range(3))
            control = lines["login and control"]
            status, push = bare.post(f"{control}/_fake/say_text", {"user": "lina", "content": "嗨"})
            assert (status, push["data"]["text"]["content"]) == (200, "嗨")
            assert bare.post(f"{control}/_fake/texts", {"user": "lina"}) == (200, [])
            assert bare.post(f"{control}/_fake/nothing", {})[0] == 404
        finally:
            process.terminate()
