"""What doctor says about DingTalk, and that every code of the channel has words."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot import channel_words, cli, dingtalk_health, dingtalk_words, doctor
from bot import config as settings
from bot.channels.dingtalk import errors
from bot.doctor import Finding
from bot.home import Home
from storage import callback_attempts, channel_states, dingtalk_usage, directory_sync, inbox, leases
from storage.callback_attempts import Attempt
from storage.database import Database
from storage.directory import Member

NOW = datetime.now(UTC)
ID = "dingexample0001"
DINGTALK = {
    "GENJIN_CHANNELS__DINGTALK__ENABLED": "true",
    "GENJIN_CHANNELS__DINGTALK__CLIENT_ID": ID,
    "GENJIN_CHANNELS__DINGTALK__CLIENT_SECRET": "geheim",
    "GENJIN_WEB__PUBLIC_URL": "https://genjin.example.com",
    "GENJIN_WEB__PORT": "0",
}
HTTP = DINGTALK | {
    "GENJIN_CHANNELS__DINGTALK__STREAM": "false",
    "GENJIN_CHANNELS__DINGTALK__TOKEN": "t",
    "GENJIN_CHANNELS__DINGTALK__AES_KEY": "k" * 43,
}
CHANNEL = Path(errors.__file__).parent


def kept(home: Home, *works: Any) -> None:
    cli.main(["migrate"])
    database = Database(f"sqlite:///{home.path}/genjin.db")
    for work in works:
        database.write(work)
    database.close()


def lines(home: Home, env: dict[str, str] | None = None) -> list[Finding]:
    found = doctor.examine(home, env or DINGTALK)
    return [one for one in found if one.check == "dingtalk"]


def said(home: Home, env: dict[str, str] | None = None) -> dict[str, str]:
    """What is not fine, with its level."""
    return {one.text: one.level for one in lines(home, env) if one.level != "ok"}


def linked(session: Any) -> None:
    name = dingtalk_health.lease_name(settings.DingTalk(client_id=ID))
    leases.take(session, name, holder="p1", now=NOW, for_s=3600)


def synced(session: Any) -> None:
    members = [Member(user_id="wang", shown_id="wang", name="王磊")]
    directory_sync.apply(session, "dingtalk", members, now=NOW)


def heard(ago: timedelta = timedelta(0)) -> Any:
    event = inbox.Event(
        channel="dingtalk",
        event_key=f"msg:{ago}",
        kind="text",
        user="wang",
        conversation="dingtalk:wang",
        payload={},
    )
    return lambda session: inbox.add(session, [event], now=NOW - ago)


def problem(topic: str, code: str, /, **detail: Any) -> Any:
    return lambda s: channel_states.note(s, "dingtalk", topic, code, detail, now=NOW)


def test_an_app_that_works_is_fine(home: Home) -> None:
    kept(home, linked, synced, heard(), lambda s: dingtalk_usage.add(s, "api", now=NOW, units=7))
    found = lines(home)
    assert said(home) == {}
    texts = "\n".join(one.text for one in found)
    assert "长连接已连上" in texts and "接口调用 7 次，共 5000" in texts and "没有发现问题" in texts


def test_connected_but_nothing_ever_came(home: Home) -> None:
    kept(home, linked, synced)
    assert said(home) == {"还没有收到过机器人的消息": "warn"}
    todo = next(one.todo for one in lines(home) if one.level == "warn")
    assert "消息接收模式选 Stream 模式" in todo and "同一个 Client ID" in todo


def test_not_connected_or_silent_for_long(home: Home) -> None:
    kept(home, synced, heard(timedelta(hours=80)))
    found = said(home)
    assert "长连接没有连上" in found
    assert any("80 小时没有收到消息" in text for text in found)

    kept(home, problem("connection", "no_connection", words="no gateway"))
    found = said(home)
    assert found["长连接连不上：no gateway（从 " + channel_words.local(NOW) + " 起）"] == "bad"
    assert "长连接没有连上" not in found  # said once


def test_http_mode_is_called_and_has_no_connection(home: Home) -> None:
    kept(home, synced)
    assert any("还没有收到过钉钉的回调" in text for text in said(home, HTTP))
    assert any("只在本机监听" in text for text in said(home, HTTP))

    def call(outcome: str, reason: str = "") -> Any:
        at = NOW + timedelta(seconds=outcome == "refused")
        one = Attempt(
            channel="dingtalk", at=at, remote="203.0.113.9", outcome=outcome, reason=reason
        )
        return lambda session: callback_attempts.add(session, [one])

    kept(home, call("verified"))
    assert said(home, HTTP) == {"还没有收到过机器人的消息": "warn"}  # events, but no message
    kept(home, call("refused", "signature"))
    assert any("Client Secret、Token 和后台的不一样" in text for text in said(home, HTTP))


@pytest.mark.parametrize(
    ("topic", "code", "detail", "told"),
    [
        ("token", "bad_secret", {}, ("bad", "不认这对 Client ID")),
        ("ip", "untrusted_ip", {"ip": "203.0.113.7"}, ("bad", "203.0.113.7 不在")),
        ("robot", "wrong_robot_code", {"code": "resource.not.found"}, ("bad", "没有这个机器人")),
        (
            "permission:qyapi_robot_sendmsg",
            "no_permission",
            {"scopes": ["qyapi_robot_sendmsg"]},
            ("bad", "企业内机器人发送消息权限（qyapi_robot_sendmsg）"),
        ),
        (
            "permission:Card.Instance.Write",
            "no_permission",
            {"scopes": ["Card.Instance.Write"]},
            ("warn", "互动卡片实例写权限"),
        ),
        ("quota:push", "quota_spent", {"code": "20001"}, ("bad", "推送量用完了")),
        ("usage:push", "quota_low", {"used": 2400, "limit": 3000}, ("warn", "已过八成")),
        (
            "addressee",
            "other_robot",
            {"got": "a", "expected": "b"},
            ("warn", "另一个机器人的（a）"),
        ),
        ("people", "out_of_range", {"users": ["lina"]}, ("warn", "lina")),
    ],
)
def test_what_is_wrong_is_told_with_its_weight(
    home: Home, topic: str, code: str, detail: dict[str, Any], told: tuple[str, str]
) -> None:
    kept(home, linked, synced, heard(), problem(topic, code, **detail))
    [(text, found)] = said(home).items()
    assert told[1] in text and found == told[0]


def test_a_trap_of_the_settings(home: Home) -> None:
    kept(home, linked, synced, heard())
    env = DINGTALK | {"GENJIN_CHANNELS__DINGTALK__ROBOT_CODE": "123{x}"}
    [text] = said(home, env)
    assert "robot_code（123{x}）和 Client ID（dingexample0001）不一样" in text


def test_people_whom_dingtalk_cannot_reach(home: Home) -> None:
    kept(home, linked, heard())
    cli.main(["user", "add", "李娜", "--role", "rep"])
    cli.main(["user", "add", "王磊", "--role", "manager", "--wecom", "wanglei"])
    kept(home, synced)
    found = said(home)
    assert any("2 人没有账号，收不到消息：李娜、王磊" in text for text in found)
    assert any("1 个名字对不上是谁：王磊" in text for text in found)
    todo = next(one.todo for one in lines(home) if "对不上" in one.text)
    assert "--dingtalk 账号" in todo and "--channel dingtalk --same-names" in todo


# --- words for every code -------------------------------------------------------------------------


def codes() -> set[str]:
    """Every problem that the channel's code names."""
    found = set()
    for path in CHANNEL.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            given = [one.value for one in node.args if isinstance(one, ast.Constant)]
            if name == "Rule" and len(node.args) == 3:
                found.add(given[-1])
            elif name == "Finding":
                found |= {
                    one.value.value
                    for one in node.keywords
                    if one.arg == "problem" and isinstance(one.value, ast.Constant)
                }
            elif name == "note" and len(given) == 1 and len(node.args) == 5:
                found.add(given[0])
    return found


def test_every_code_of_the_channel_has_words() -> None:
    found = codes()
    assert {"bad_secret", "no_permission", "quota_low", "no_connection", "other_robot"} <= found
    known = {key.rpartition(" ")[2] for key in dingtalk_words.PROBLEMS}
    assert found <= known
    for key, (text, todo) in dingtalk_words.PROBLEMS.items():
        topic, _, code = key.rpartition(" ")
        facts = dict.fromkeys(re.findall(r"{(\w+)}", text + todo), "x") | {"scopes": ["y"]}
        told = channel_words.problem("dingtalk", code, facts, topic=topic)
        assert "？" not in "".join(told) and todo
        assert "企业微信" not in "".join(told)


def test_every_refusal_of_the_callback_has_words() -> None:
    text = (CHANNEL / "http.py").read_text("utf-8")
    reasons = set(re.findall(r'Refused\("(\w+)"', text)) | {"method", "storage_full"}
    assert len(reasons) > 8
    for reason in reasons:
        words = channel_words.attempt("refused", reason, "dingtalk")
        assert words != reason and "企业微信" not in words
    assert channel_words.attempt("accepted", "quota:20001", "dingtalk").startswith("推送量用完了")
    assert channel_words.attempt("accepted", "voice", "dingtalk") == "语音"


def test_the_traffic_is_read_from_our_own_rows(database: Database) -> None:
    from storage import dingtalk_traffic
    from storage.tables import InboxRow

    database.write(heard(timedelta(hours=2)))
    database.write(heard(timedelta(hours=1)))
    other = sa.insert(InboxRow).values(
        channel="wecom",
        event_key="msg:9",
        kind="text",
        user="x",
        conversation="x",
        payload={},
        received_at=NOW,
        state="done",
        reason="",
    )
    database.write(lambda s: s.execute(other) and None)
    seen = database.read(dingtalk_traffic.look)
    assert seen.message_at == NOW - timedelta(hours=1)
    assert (seen.tap_at, seen.cards, seen.first_card_at) == (None, 0, None)
