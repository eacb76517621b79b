"""The fake DingTalk: cards, and everything in HTTP mode."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from dingtalk.crypto import DingTalkCrypto

from tests.fakes.dingtalk import crypto
from tests.fakes.dingtalk.cards import PUBLIC_TEMPLATE
from tests.fakes.dingtalk.kit import CREATE, GROUP, KEY43, UPDATE
from tests.fakes.dingtalk.server import FakeDingTalk
from tests.fakes.dingtalk.visitor import Callee, Socket, Visitor


def card(number: str = "card-1", to: str = "IM_ROBOT.lina", **more: Any) -> dict[str, Any]:
    button = {"text": "同意", "id": "ok", "request": True, "params": {"rid": "42"}}
    values = {"title": "折扣审批", "sys_full_json_obj": json.dumps({"msgButtons": [button]})}
    model = "imRobotOpen" if "IM_ROBOT" in to else "imGroupOpen"
    made = {
        "cardTemplateId": PUBLIC_TEMPLATE,
        "outTrackId": number,
        "callbackType": "STREAM",
        "cardData": {"cardParamMap": values},
        "openSpaceId": f"dtv1.card//{to}",
        f"{model}SpaceModel": {"supportForward": False},
        f"{model}DeliverModel": {"robotCode": "dingexample0001"},
    }
    return made | more


def by_key(values: dict[str, str], **more: Any) -> dict[str, Any]:
    options = {"updateCardDataByKey": True, "updatePrivateDataByKey": True}
    return {"cardData": {"cardParamMap": values}, "cardUpdateOptions": options} | more


def test_a_card_is_made_once_and_delivered_to_those_who_exist(
    fake: FakeDingTalk, app: Visitor
) -> None:
    _, answer = app.post(CREATE, card(to="IM_ROBOT.lina;IM_ROBOT.nobody"))
    assert [one["success"] for one in answer["result"]["deliverResults"]] == [True, False]
    again = card(cardData={"cardParamMap": {"title": "另一张"}})
    assert app.post(CREATE, again)[1]["success"] is True
    assert fake.card_seen_by("lina", "card-1")["title"] == "折扣审批"
    assert len(fake.seen("lina")) == 1
    fake.rules.card_repeat = "refuse"
    assert app.post(CREATE, again)[1]["code"] == "param.cardAlreadyExist"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cardTemplateId": "none.schema"}, "param.templateNotExist"),
        ({"cardData": {"cardParamMap": {"title": 1}}}, "param.cardDataInvalid"),
        ({"cardData": {"cardParamMap": {"title": "长" * 342}}}, "param.cardDataValueTooLong"),
        ({"cardData": {"cardParamMap": {"k" * 101: ""}}}, "param.cardDataKeyTooLong"),
        ({"outTrackId": "x" * 101}, "param.outTrackIdInvalid"),
        ({"callbackType": "stream"}, "param.callbackTypeInvalid"),
        ({"callbackType": "HTTP"}, "param.callbackRouteKeyNotExist"),
        ({"privateData": {"nobody": {"cardParamMap": {}}}}, "param.userIdNotExist"),
        ({"openSpaceId": "IM_ROBOT.lina"}, "param.openSpaceIdInvalid"),
        ({"imRobotOpenSpaceModel": {}}, "param.imRobotOpenSpaceModelInvalid"),
        ({"imRobotOpenDeliverModel": None}, "param.imRobotOpenDeliverModelInvalid"),
    ],
)
def test_a_card_is_refused(app: Visitor, change: dict[str, Any], code: str) -> None:
    status, answer = app.post(CREATE, card(**change))
    assert (status, answer["code"]) == (400, code)


def test_an_update_merges_only_when_asked_to(fake: FakeDingTalk, app: Visitor) -> None:
    fake.add_template("own.schema", variables=["title", "state"], private=["canAct"])
    made = card(
        to=f"IM_GROUP.{GROUP}",
        cardTemplateId="own.schema",
        cardData={"cardParamMap": {"title": "审批", "state": "pending", "canAct": "false"}},
        privateData={"wanglei": {"cardParamMap": {"canAct": "true"}}},
    )
    assert app.post(CREATE, made)[0] == 200
    assert fake.card_seen_by("wanglei", "card-1")["canAct"] == "true"
    assert fake.card_seen_by("lina", "card-1")["canAct"] == "false"

    private = {"wanglei": {"cardParamMap": {"canAct": "false"}}}
    body = by_key({"state": "approved"}, privateData=private)
    assert app.put(UPDATE, {"outTrackId": "card-1"} | body)[1] == {"success": True, "result": True}
    assert fake.card_seen_by("wanglei", "card-1") == {
        "title": "审批",
        "state": "approved",
        "canAct": "false",
    }
    app.put(UPDATE, {"outTrackId": "card-1", "cardData": {"cardParamMap": {"state": "x"}}})
    assert fake.card_seen_by("lina", "card-1") == {"state": "x"}
    missing = {"outTrackId": "card-2", "cardData": {"cardParamMap": {}}}
    assert app.put(UPDATE, missing)[1]["code"] == "param.cardNotExist"
    assert not fake.complaints


def test_a_tap_changes_the_tappers_view_until_the_update(
    fake: FakeDingTalk, app: Visitor, socket: Socket
) -> None:
    app.post(CREATE, card(to=f"IM_GROUP.{GROUP}"))
    tap = fake.press("wanglei", "card-1", "同意")
    frame = socket.frame()
    data = json.loads(frame["data"])
    assert (data["userId"], data["outTrackId"], data["type"]) == (
        "wanglei",
        "card-1",
        "actionCallback",
    )
    assert json.loads(data["content"])["cardPrivateData"] == {
        "actionIds": ["ok"],
        "params": {"rid": "42"},
    }
    app.put(UPDATE, {"outTrackId": "card-1"} | by_key({"tips": "太早"}))
    assert "updated while a tap waits" in fake.complaints.pop()
    socket.ack(frame, {"response": by_key({"title": "已同意"})})
    assert tap.wait().outcome == "answered"
    assert fake.card_seen_by("wanglei", "card-1")["title"] == "已同意"
    assert fake.card_seen_by("lina", "card-1")["title"] == "折扣审批"
    app.put(UPDATE, {"outTrackId": "card-1"} | by_key({"title": "王磊已同意"}))
    assert {fake.card_seen_by(one, "card-1")["title"] for one in ("lina", "wanglei")} == {
        "王磊已同意"
    }
    assert not fake.complaints
    with pytest.raises(AssertionError, match="does not see"):
        fake.add_person("zhoukai")
        fake.press("zhoukai", "card-1", "同意")


def test_a_tap_that_is_not_answered_in_time_changes_nothing(
    fake: FakeDingTalk, app: Visitor, socket: Socket
) -> None:
    fake.rules.card_deadline_s = 0.1
    app.post(CREATE, card())
    tap = fake.press("lina", "card-1", "同意")
    frame = socket.frame()
    assert tap.wait().outcome == "late"
    socket.ack(frame, {"response": by_key({"title": "已同意"})})
    tap.push.wait()
    assert fake.card_seen_by("lina", "card-1")["title"] == "折扣审批"
    app.post(CREATE, card("card-2", callbackType=""))
    assert fake.press("lina", "card-2", "同意").wait().outcome == "nowhere"


def test_buttons_bound_to_variables_and_dead_ones(fake: FakeDingTalk, app: Visitor) -> None:
    fake.add_template("own.schema")
    values = {"btn1": "同意", "p1": '{"a":"memo.ok","n":"x"}', "btn2": "已入库", "p2": ""}
    app.post(CREATE, card(cardTemplateId="own.schema", cardData={"cardParamMap": values}))
    tap = fake.press("lina", "card-1", "同意")
    assert tap.params == {"a": "memo.ok", "n": "x"}
    fake.wait_for(lambda: tap.push.lost)  # nobody listens
    with pytest.raises(AssertionError, match="dead"):
        fake.press("lina", "card-1", "已入库")


def test_a_form_sends_every_field(fake: FakeDingTalk, app: Visitor, socket: Socket) -> None:
    fields = [
        {"name": "n", "type": "TEXT", "hidden": True, "defaultValue": "nonce"},
        {"name": "why", "type": "TEXT", "required": True},
        {"name": "level", "type": "SELECT", "options": [{"value": "A"}, {"value": "B"}]},
    ]
    fake.add_template("form.schema")
    values = {"form": json.dumps({"fields": fields})}
    app.post(CREATE, card(cardTemplateId="form.schema", cardData={"cardParamMap": values}))
    with pytest.raises(AssertionError, match="must be filled in"):
        fake.submit_form("lina", "card-1", {"level": "B"})
    fake.submit_form("lina", "card-1", {"why": "价格低", "level": "B"})
    content = json.loads(json.loads(socket.frame()["data"])["content"])
    assert content["cardPrivateData"]["params"]["form"] == {
        "n": "nonce",
        "why": "价格低",
        "level": {"index": 1, "value": "B"},
    }


def test_robot_messages_are_signed_and_an_answer_may_be_a_message(fake: FakeDingTalk) -> None:
    assert (
        crypto.robot_sign("this is a secret", "1577262236757")
        == "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="
    )
    reply = {"msgtype": "text", "text": {"content": "收到"}}
    with Callee(lambda request: reply) as callee:
        fake.app.message_url = callee.url
        fake.say_text("lina", "你好", staff_id=False).wait()
        [request] = callee.requests
    stamp = request["headers"]["timestamp"]
    assert request["headers"]["sign"] == crypto.robot_sign(fake.app.client_secret, stamp)
    assert fake.texts("lina") == ["收到"]


def test_events_are_encrypted_as_dingtalk_sdk_reads_them(fake: FakeDingTalk) -> None:
    app = fake.app
    app.event_token, app.event_aes_key = "tok123", KEY43
    box = DingTalkCrypto(app.event_token, app.event_aes_key, app.client_id)
    seen = []

    def answer(request: dict[str, Any]) -> Any:
        query = {name: one[0] for name, one in parse_qs(urlsplit(request["path"]).query).items()}
        text = box.decrypt_message(
            request["body"], query["msg_signature"], query["timestamp"], query["nonce"]
        )
        seen.append(json.loads(text))
        return box.encrypt_message("success")

    with Callee(answer) as callee:
        app.event_url = callee.url
        fake.check_url().wait()
        fake.event("user_leave_org", {"UserId": ["lina"]}).wait()
    assert [one["EventType"] for one in seen] == ["check_url", "user_leave_org"]
    with Callee(lambda request: {"errcode": 0}) as callee:
        app.event_url = callee.url
        refused = fake.check_url()
        fake.wait_for(lambda: refused.attempts and refused.attempts[0].problem)
        assert "no encrypted success" in refused.attempts[0].problem


def test_event_crypto_agrees_with_the_published_vectors() -> None:
    sealed = (
        "YvkvaGe4hQxd3VxRmEty0dVlnCOAqwf56xwTRHDHoOURqhalbmBJQk5FNcRk42Gl5T0YQXZNwpwWSm1xAFJ5ZA=="
    )
    assert crypto.decrypt(KEY43, "dingsnotzck6pm5veliw", sealed) == "success"
    with pytest.raises(ValueError, match="somebody else"):
        crypto.decrypt(KEY43, "dingother", sealed)
    sign = crypto.event_sign("123456", "1614767836", "A7Co0cJLMzIDtMMI", sealed)
    assert sign == "9a95a004dd16f5c307e849b994173f76aa26e5eb"


def test_taps_over_http_carry_their_own_signature(fake: FakeDingTalk, app: Visitor) -> None:
    assert (
        crypto.card_sign("example-secret", "1577262236757")
        == "9EQUhx+gSqHfgSF/OnOV2ifDC9m1VzjPj00L/WOZeew="
    )
    with Callee(lambda request: by_key({"title": "已同意"})) as callee:
        route = {"callbackRouteKey": "r", "callbackUrl": callee.url, "apiSecret": "k"}
        assert app.post("/v1.0/card/callbacks/register", route)[0] == 200
        app.post(CREATE, card(callbackType="HTTP", callbackRouteKey="r"))
        assert fake.press("lina", "card-1", "同意").wait().outcome == "answered"
        [request] = callee.requests
    stamp = request["headers"]["x-ddpaas-signature-timestamp"]
    assert request["headers"]["x-ddpaas-signature"] == crypto.card_sign("k", stamp)
    assert fake.card_seen_by("lina", "card-1")["title"] == "已同意"
