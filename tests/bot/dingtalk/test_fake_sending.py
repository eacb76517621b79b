"""The fake DingTalk: what the app sends, people, limits and faults."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
import pytest
from dingtalk import AppKeyClient
from dingtalk.core.exceptions import DingTalkClientException
from yarl import URL

from sales.clock import FixedClock
from tests.fakes.dingtalk import crypto
from tests.fakes.dingtalk.cards import PUBLIC_TEMPLATE
from tests.fakes.dingtalk.kit import CREATE, GROUP, NOON, SEND, words
from tests.fakes.dingtalk.pushes import Push
from tests.fakes.dingtalk.server import FakeDingTalk
from tests.fakes.dingtalk.visitor import Visitor


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


def test_batch_send_says_who_did_not_get_it(fake: FakeDingTalk, app: Visitor) -> None:
    fake.flow_control(["wanglei"])
    status, answer = app.post(SEND, words("好", userIds=["lina", "wanglei", "nobody"]))
    assert status == 200
    assert answer["invalidStaffIdList"] == ["nobody"]
    assert answer["flowControlledStaffIdList"] == ["wanglei"]
    app.post(SEND, words("好", userIds=["wanglei"]))
    assert (fake.texts("lina"), fake.texts("wanglei")) == (["好"], ["好"])

    recall = {"robotCode": "dingexample0001", "processQueryKeys": [answer["processQueryKey"], "x"]}
    _, recalled = app.post("/v1.0/robot/otoMessages/batchRecall", recall)
    assert recalled["successResult"] == [answer["processQueryKey"]]
    assert list(recalled["failedResult"]) == ["x"]
    assert fake.texts("lina") == []
    assert not fake.complaints


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"userIds": [f"u{n}" for n in range(21)]}, "invalidParameter.userIds.overMax"),
        ({"userIds": []}, "invalidParameter.userIds.empty"),
        ({"msgKey": "sampleNothing"}, "invalidParameter.msgKey.invalid"),
        ({"msgParam": {"title": "a", "text": "b"}}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": '{"title": "a", "text": 1}'}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": '{"title": "a"}'}, "invalidParameter.msgParam.invalid"),
        ({"robotCode": "dingnobody"}, "resource.not.found"),
        ({"robotCode": ""}, "invalidParameter.robotCode.empty"),
    ],
)
def test_batch_send_refuses(app: Visitor, change: dict[str, Any], code: str) -> None:
    status, answer = app.post(SEND, words("好", **change))
    assert (status, answer["code"]) == (400, code)


def test_group_messages(fake: FakeDingTalk, app: Visitor) -> None:
    path = "/v1.0/robot/groupMessages/send"
    body = words("周会改到三点", openConversationId=GROUP)
    assert app.post(path, body)[1]["processQueryKey"]
    assert [one.text for one in fake.seen_in(GROUP)] == ["周会改到三点"]
    long = words("长" * 5000, openConversationId=GROUP)
    assert app.post(path, long)[1]["code"] == "invalidParameter.msgParam.tooLong"
    body["openConversationId"] = "cidother=="
    assert app.post(path, body)[1]["code"] == "invalid.openConversationId"


def test_a_dtmd_link_makes_the_person_write(fake: FakeDingTalk, app: Visitor) -> None:
    link = "dtmd://dingtalkclient/sendMessage?content=%E5%90%8C%E6%84%8F%20%2342"
    param = {"title": "审批", "text": "九折", "buttonTitle1": "同意", "buttonUrl1": link}
    param |= {"buttonTitle2": "详情", "buttonUrl2": "https://example.com/a"}
    body = words("", msgKey="sampleActionCard6", msgParam=json.dumps(param))
    assert app.post(SEND, body)[0] == 200
    said = fake.click("lina", fake.last("lina"), "同意")
    assert isinstance(said, Push)
    assert said.data["text"]["content"] == "同意 #42"
    assert fake.click("lina", fake.last("lina"), "详情") == "https://example.com/a"
    with pytest.raises(AssertionError, match="does not see"):
        fake.click("wanglei", fake.last("lina"), "同意")


def test_the_session_webhook_lives_90_minutes_and_takes_20_a_minute(
    fake: FakeDingTalk, bare: Visitor, clock: FixedClock
) -> None:
    url = fake.say_text("lina", "在吗", group=GROUP).data["sessionWebhook"]
    text = {"msgtype": "markdown", "markdown": {"title": "好", "text": "@lina 已记录"}}
    sent = [bare.post(url, text | {"at": {"atUserIds": ["lina"]}})[1] for _ in range(21)]
    assert [one["errcode"] for one in sent] == [0] * 20 + [130101]
    assert fake.seen_in(GROUP)[0].at_users == ["lina"]
    assert bare.post(url, {"msgtype": "image", "image": {}})[1]["errcode"] == 400105
    clock.move(timedelta(minutes=90))
    assert bare.post(url, text)[1]["errcode"] == 300001


def test_a_custom_robot_checks_its_sign_and_shuts_up_after_twenty(
    fake: FakeDingTalk, bare: Visitor
) -> None:
    robot = fake.add_custom_robot(GROUP, secret="SEC0123456789abcdef")
    stamp = str(int(NOON.timestamp() * 1000))
    sign = quote(crypto.robot_sign(robot.secret, stamp), safe="")
    url = URL(f"{robot.url(fake.oapi_base)}&timestamp={stamp}&sign={sign}", encoded=True)
    text = {"msgtype": "text", "text": {"content": "喂"}}
    assert bare.post(robot.url(fake.oapi_base), text)[1]["errcode"] == 310000
    codes = []
    for number in range(22):
        answer = bare.run(_post(bare, url, text | {"msgUuid": str(number)}))
        codes.append(answer["errcode"])
    assert codes == [0] * 20 + [130101, 410100]
    assert bare.run(_post(bare, url, text | {"msgUuid": "3"}))["errcode"] == 0
    assert len(fake.seen_in(GROUP)) == 20


async def _post(bare: Visitor, url: URL, body: Any) -> Any:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return await response.json()


def test_work_notices_fail_silently(fake: FakeDingTalk, app: Visitor) -> None:
    path = "/topapi/message/corpconversation/"
    text = {"msgtype": "markdown", "markdown": {"title": "逾期", "text": "两条"}}
    body = {"agent_id": fake.app.agent_id, "userid_list": "lina,nobody", "msg": text}
    assert app.oapi(path + "asyncsend_v2", body)["errcode"] == 0
    second = app.oapi(path + "asyncsend_v2", body)["task_id"]
    told = app.oapi(path + "getsendresult", {"agent_id": 1001, "task_id": second})["send_result"]
    assert told["invalid_user_id_list"] == ["nobody"]
    assert told["forbidden_user_id_list"] == ["lina"]
    assert fake.texts("lina") == ["两条"]
    body["msg"] = {"msgtype": "text", "text": {"content": "长" * 700}}
    assert app.oapi(path + "asyncsend_v2", body)["errcode"] == 41011


def test_contacts_as_dingtalk_sdk_reads_them(fake: FakeDingTalk, tmp_path: Path) -> None:
    client = AppKeyClient(fake.corp_id, fake.app.client_id, fake.app.client_secret, timeout=5)
    client.API_BASE_URL = fake.oapi_base + "/"
    fake.add_department(2, "华东")
    fake.add_person("zhoukai", "周凯", depts=[2], manager="wanglei")
    found = client.post("/topapi/v2/user/get", {"userid": "zhoukai"})["result"]
    assert (found["manager_userid"], found["dept_id_list"]) == ("wanglei", [2])
    below = client.post("/topapi/v2/department/listsub", {"dept_id": 1})["result"]
    assert [one["dept_id"] for one in below] == [2]
    page = client.post("/topapi/v2/user/list", {"dept_id": 1, "cursor": 0, "size": 1})["result"]
    assert (len(page["list"]), page["has_more"], page["next_cursor"]) == (1, True, 1)
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG")
    with picture.open("rb") as media:
        assert client.message.media_upload("image", media)["media_id"] in fake.media.uploads
    with picture.open("rb") as media, pytest.raises(DingTalkClientException) as refused:
        client.message.media_upload("voice", media)
    assert refused.value.errcode == 40005
    fake.app.visible = {"lina"}
    with pytest.raises(DingTalkClientException) as refused:
        client.post("/topapi/v2/user/get", {"userid": "zhoukai"})
    assert refused.value.errcode == 50002


def test_signing_in_inside_the_client_and_in_a_browser(
    fake: FakeDingTalk, app: Visitor, clock: FixedClock
) -> None:
    path, code = "/topapi/v2/user/getuserinfo", fake.auth_code("lina")
    assert app.oapi(path, {"code": code})["result"]["userid"] == "lina"
    assert app.oapi(path, {"code": code})["errcode"] == 40078
    late = fake.auth_code("lina")
    clock.move(timedelta(minutes=6))
    assert app.oapi(path, {"code": late})["errcode"] == 40078

    fake.sign_in("wanglei")
    query = {"client_id": fake.app.client_id, "response_type": "code", "state": "s1"}
    query |= {"scope": "openid corpid", "redirect_uri": "http://127.0.0.1:1/in?x=1"}
    status, target = app.call("GET", f"{fake.login_base}/oauth2/auth", params=query)
    given = parse_qs(urlsplit(target).query)
    assert (status, given["state"]) == (302, ["s1"])
    body = {"clientId": fake.app.client_id, "clientSecret": fake.app.client_secret}
    body |= {"code": given["authCode"][0], "grantType": "authorization_code"}
    token = app.post("/v1.0/oauth2/userAccessToken", body)[1]["accessToken"]
    headers = {"x-acs-dingtalk-access-token": token}
    person = app.call("GET", "/v1.0/contact/users/me", headers)[1]
    found = app.oapi("/topapi/user/getbyunionid", {"unionid": person["unionId"]})
    assert found["result"]["userid"] == "wanglei"


def test_too_fast_too_much_and_not_allowed(fake: FakeDingTalk, app: Visitor) -> None:
    fake.rules.qps = 3
    statuses = [app.post(SEND, words(str(n)))[0] for n in range(3)]
    refused = app.post(SEND, words("3"))
    assert statuses == [200] * 3
    assert refused[0] == 403
    assert refused[1]["code"] == "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
    assert fake.api_used == 3  # what was throttled does not count
    fake.rules.qps = None
    fake.rules.api_quota = 4
    assert app.post(SEND, words("4"))[0] == 200
    code = "Forbidden.AccessDenied.ApiCountLimitForOrg"
    assert app.post(SEND, words("5"))[1]["code"] == code
    notice = "/topapi/message/corpconversation/asyncsend_v2"
    assert app.oapi(notice, {})["errcode"] == 90020
    assert app.oapi("/topapi/v2/user/get", {"userid": "lina"})["errcode"] == 0  # free
    fake.rules.api_quota = None
    fake.app.scopes.discard("Card.Instance.Write")
    status, answer = app.post(CREATE, card())
    assert status == 403
    assert answer["accessdenieddetail"] == {"requiredScopes": ["Card.Instance.Write"]}
    fake.rules.blocked_ip = True
    assert app.post(SEND, words("6"))[1]["code"] == "Forbidden.AccessDenied.IpNotInWhiteList"
    fake.rules.banned = True
    assert app.post(SEND, words("7"))[1].startswith(b"<!DOCTYPE html>")


def test_faults_on_demand(fake: FakeDingTalk, app: Visitor) -> None:
    fake.fail(SEND, "system.busy", times=2)
    assert [app.post(SEND, words("一"))[0] for _ in range(3)] == [500, 500, 200]
    fake.fail("/topapi/*", 90018)
    assert app.oapi("/topapi/v2/user/get", {"userid": "lina"})["errcode"] == 90018
    fake.garble(f"POST {SEND}")
    assert app.post(SEND, words("二"))[0] == 502
    fake.drop(SEND)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        app.post(SEND, words("三"))
    fake.lose_answer(SEND)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        app.post(SEND, words("四"))
    assert fake.texts("lina") == ["一", "四"]
    fake.slow(SEND, 0.3)
    timeout = aiohttp.ClientTimeout(total=0.05)
    with pytest.raises(TimeoutError):
        app.post(SEND, words("五"), timeout=timeout)
    fake.fail(SEND, times=None)
    fake.heal()
    assert app.post(SEND, words("六"))[0] == 200
