"""The fake WeCom: the company's people, and who sits before a page (sheet, section 7)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from tests.fakes.wecom.kit import Rest
from tests.fakes.wecom.server import FakeWeCom

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def fake() -> Iterator[FakeWeCom]:
    with FakeWeCom(clock=lambda: MONDAY, crypto_by="python") as made:
        made.add_department(2, "销售部", leaders=["Mgr01"])
        made.add_department(3, "华东", parent=2)
        made.add_member("Mgr01", "周强", departments=[2], leads=[2])
        made.add_member("rep07", "李娜", departments=[3], leader="Mgr01")
        yield made


def test_people_and_departments(rest: Rest, fake: FakeWeCom) -> None:
    rep = rest.get("user/get", userid="REP07")
    assert (rep["userid"], rep["direct_leader"], rep["department"]) == ("rep07", ["Mgr01"], [3])
    assert "mobile" not in rep
    assert rest.get("user/get", userid="mgr01")["is_leader_in_dept"] == [1]
    assert rest.get("user/get", userid="nobody")["errcode"] == 60111
    assert rest.get("user/get")["errcode"] == 41009
    assert [one["name"] for one in rest.get("user/list", department_id="2")["userlist"]] == ["周强"]
    assert rest.get("user/simplelist", department_id="3")["userlist"][0]["userid"] == "rep07"
    assert rest.get("user/list", department_id="9")["errcode"] == 60123
    assert [one["id"] for one in rest.get("department/list")["department"]] == [1, 2, 3]
    assert rest.get("department/get", id="2")["department"]["department_leader"] == ["Mgr01"]
    below = rest.get("department/simplelist", id="2")["department_id"]
    assert [(one["id"], one["parentid"]) for one in below] == [(2, 1), (3, 2)]
    fake.app.departments = {3}
    assert rest.get("user/get", userid="mgr01")["errcode"] == 60111
    assert rest.get("user/list", department_id="2")["errcode"] == 60011
    assert [one["id"] for one in rest.get("department/list")["department"]] == [3]
    rest.token = fake.token_for(fake.state.apps[1])
    listed = rest.post("user/list_id", {"limit": 1})
    assert listed["next_cursor"]
    rest_of = rest.post("user/list_id", {"cursor": listed["next_cursor"], "limit": 1})
    assert (rest_of["dept_user"][0]["userid"], rest_of["next_cursor"]) == ("rep07", "")


def test_robots_ids_become_user_ids(rest: Rest, fake: FakeWeCom) -> None:
    fake.add_open_id("woAAA", "rep07")
    said = rest.post("batch/openuserid_to_userid", {"open_userid_list": ["woAAA", "rep07"]})
    assert said["userid_list"] == [{"open_userid": "woAAA", "userid": "rep07"}]
    assert said["invalid_open_userid_list"] == ["rep07"]


def test_signing_in_to_a_page(rest: Rest, fake: FakeWeCom) -> None:
    fake.browser_user = "MGR01"
    fake.rules.oauth_domains = {"bot.example.com"}
    asked = {
        "appid": fake.corp_id,
        "redirect_uri": "https://bot.example.com/wecom/in?next=/d/42",
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "abc123",
        "agentid": str(fake.agent_id),
    }
    page = f"{fake.base}/connect/oauth2/authorize"

    def sign_in(**other: str) -> requests.Response:
        return rest.session.get(page, params={**asked, **other}, allow_redirects=False, timeout=10)

    target = sign_in().headers["Location"]
    assert target.startswith("https://bot.example.com/wecom/in?next=%2Fd%2F42&code=")
    assert target.endswith("&state=abc123")
    code = target.split("code=")[1].split("&")[0]
    assert rest.get("auth/getuserinfo", code=code)["userid"] == "Mgr01"
    assert rest.get("auth/getuserinfo", code=code)["errcode"] == 42022
    assert rest.get("auth/getuserinfo", code="made_up")["errcode"] == 40029
    late = fake.oauth_code("rep07")
    fake.forward(seconds=300)
    assert rest.get("auth/getuserinfo", code=late)["errcode"] == 42003
    assert rest.get("auth/getuserinfo", code=fake.oauth_code("stranger"))["external_userid"]
    assert sign_in(redirect_uri="https://other.example.com/").json()["errcode"] == 50001
    assert sign_in(state="a-b").json()["errcode"] == 40058
    assert sign_in(appid="wwother").json()["errcode"] == 40013


def test_tickets_for_pages(rest: Rest) -> None:
    assert rest.get("get_jsapi_ticket")["expires_in"] == 7200
    assert rest.get("ticket/get", type="agent_config")["ticket"]
    assert rest.get("ticket/get")["errcode"] == 40058
