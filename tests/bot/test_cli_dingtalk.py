"""``genjin send-test`` and ``genjin user sync`` with DingTalk, and with both platforms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot import cli, trial_message
from bot.home import Home
from storage import office
from storage.database import Database
from tests.fakes.dingtalk.server import FakeDingTalk
from tests.fakes.wecom.server import FakeWeCom

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def fake() -> Iterator[FakeDingTalk]:
    with FakeDingTalk() as made:
        made.add_department(10, "华东组")
        made.add_person("wanglei", "王磊", depts=[10], leads=[10])
        made.add_person("lina", "李娜", depts=[10])
        yield made


@pytest.fixture
def genjin(home: Home, fake: FakeDingTalk, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Command:
    given = {
        "enabled": "true",
        "client_id": fake.app.client_id,
        "client_secret": fake.app.client_secret,
        "api_base": fake.api_base,
        "oapi_base": fake.oapi_base,
    }
    for key, value in given.items():
        monkeypatch.setenv(f"GENJIN_CHANNELS__DINGTALK__{key.upper()}", value)

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        status = cli.main(arguments)
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


@pytest.fixture
def wecom(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWeCom]:
    with FakeWeCom() as made:
        made.add_member("WangLei", "王磊", leads=[1])
        made.add_member("ln", "李娜", leader="WangLei")
        given = {
            "enabled": "true",
            "corp_id": made.corp_id,
            "agent_id": str(made.agent_id),
            "secret": made.secret,
            "token": made.token,
            "aes_key": made.aes_key,
            "api_base": made.base,
        }
        for key, value in given.items():
            monkeypatch.setenv(f"GENJIN_CHANNELS__WECOM__{key.upper()}", value)
        yield made


def people(home: Home) -> dict[str, office.PersonEntry]:
    db = Database(f"sqlite:///{home.path}/genjin.db")
    found = {one.name: one for one in db.read(office.people)}
    db.close()
    return found


def test_the_directory_on_request(genjin: Command, home: Home, fake: FakeDingTalk) -> None:
    status, said = genjin("user", "sync")
    assert (status, said) == (0, "钉钉通讯录已同步：2 人，新增 2，更新 0，停用 0，恢复 0\n")
    assert (people(home)["李娜"].manager, people(home)["王磊"].role) == ("王磊", "manager")

    fake.app.scopes.discard("qyapi_get_department_list")
    status, said = genjin("user", "sync", "--channel", "dingtalk")
    assert status == 1
    assert "应用没有权限：通讯录部门信息读权限（qyapi_get_department_list）" in said
    fake.app.scopes.add("qyapi_get_department_list")
    fake.app.visible = set()
    status, said = genjin("user", "sync")
    assert status == 1 and "可见范围里一个人也没有" in said


def test_both_platforms_and_who_is_who(
    genjin: Command, home: Home, fake: FakeDingTalk, wecom: FakeWeCom
) -> None:
    fake.add_person("zhoukai", "周凯", depts=[10])
    status, said = genjin("user", "sync")
    assert status == 0 and "企业微信应用通讯录已同步：2 人，新增 2" in said
    assert "没有动：王磊、李娜" in said or "没有动：李娜、王磊" in said
    assert people(home)["李娜"].dingtalk == ""

    genjin("user", "edit", "李娜", "--dingtalk", "lina")
    assert "没有动：王磊" in genjin("user", "sync", "--channel", "dingtalk")[1]
    assert "没有动" not in genjin("user", "sync", "--same-names")[1]
    found = people(home)
    assert {name: (one.wecom, one.dingtalk) for name, one in found.items()} == {
        "王磊": ("wanglei", "wanglei"),
        "李娜": ("ln", "lina"),
        "周凯": ("", "zhoukai"),
    }


def test_a_test_message(genjin: Command, fake: FakeDingTalk) -> None:
    genjin("user", "sync")
    for words in ((), ("--channel", "dingtalk")):  # the only channel that is on
        status, said = genjin("send-test", *words, "--to", "李娜")
        assert (status, said) == (0, "已发给李娜，钉钉收下了；请看手机上有没有\n")
    assert len(fake.texts("lina")) == 2
    assert "这是一条测试消息" in fake.texts("lina")[0]


def test_why_a_test_message_cannot_be_sent(genjin: Command, fake: FakeDingTalk) -> None:
    genjin("user", "add", "孙七", "--role", "rep", "--dingtalk", "nobody")
    genjin("user", "add", "周凯", "--role", "rep")

    def why(to: str = "孙七") -> str:
        status, said = genjin("send-test", "--channel", "dingtalk", "--to", to)
        assert status == 1
        return said

    assert "--dingtalk 账号" in why("周凯")
    assert "他不在应用的可见范围里" in why()
    fake.app.scopes.clear()
    assert "企业内机器人发送消息权限（qyapi_robot_sendmsg）" in why()
    fake.rules.blocked_ip = True
    assert "不在应用的服务器出口IP里" in why()
    fake.rules.banned = True
    assert "封了几分钟" in why()
    fake.stop()
    assert "连不上钉钉的服务器" in why()
    assert fake.texts("nobody") == []


def test_a_wrong_secret_is_told_in_words(genjin: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    genjin("user", "add", "李娜", "--role", "rep", "--dingtalk", "lina")
    monkeypatch.setenv("GENJIN_CHANNELS__DINGTALK__CLIENT_SECRET", "geheim")
    status, said = genjin("send-test", "--to", "李娜")
    assert status == 1 and "不认这对 Client ID 和 Client Secret" in said and "geheim" not in said
    assert "不认这对 Client ID" in genjin("doctor", "--quick")[1]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "dingtalk 403 Forbidden.AccessDenied.ApiCountLimitForOrg at /v1.0/x: no",
            "接口调用量用完",
        ),
        ("dingtalk 90020 at /topapi/v2/user/get: over", "接口调用量用完了"),
        ("dingtalk 400 bot.stopped at /v1.0/robot/x: off", "机器人被停用了"),
        ("dingtalk 400 contain.notAllowed.words at /v1.0/x: 违规", "钉钉不收（contain.notAllowed"),
        ("dingtalk 500  at /v1.0/x: ", "钉钉不收（500）"),
        ("dingtalk 400 invalidClientSecret: no", "不认这对 Client ID"),
        ("dingtalk 400 resource.not.found at /v1.0/robot/x: robot 不存在", "没有这个机器人"),
        ("dingtalk: a new reason", "dingtalk: a new reason"),
        ("channel dingtalk is off", "钉钉没有打开"),
    ],
)
def test_reasons_in_words(reason: str, said: str) -> None:
    assert said in trial_message.why(reason, "李娜")
