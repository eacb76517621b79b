from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import channel_words, cli, doctor
from bot.channels.wecom.errors import RULES
from bot.doctor import Finding
from bot.home import Home
from storage import callback_attempts, channel_states, directory_sync
from storage.callback_attempts import Attempt
from storage.database import Database
from storage.directory import Member
from tests.support.versions import old_database, set_version


def levels(found: list[Finding]) -> dict[str, str]:
    """The worst level of each check."""
    order = ("ok", "warn", "bad")
    worst: dict[str, str] = {}
    for one in found:
        worst[one.check] = max(worst.get(one.check, "ok"), one.level, key=order.index)
    return worst


def examine(home: Home, env: Mapping[str, str] | None = None) -> list[Finding]:
    return doctor.examine(home, {"GENJIN_WEB__PORT": "0", **(env or {})})


def one(found: list[Finding], check: str) -> Finding:
    return next(finding for finding in found if finding.check == check and finding.level != "ok")


def test_a_fresh_folder_lacks_nothing_bad(home: Home) -> None:
    found = examine(home)

    assert "bad" not in levels(found).values()
    assert levels(found)["database"] == "warn"  # not made yet


def test_before_the_first_run_it_says_what_to_do(tmp_path: Path) -> None:
    found = examine(Home(tmp_path / "none"))

    assert "genjin up" in one(found, "config").todo
    assert not (tmp_path / "none").exists()


def test_a_running_demo_is_fine(home: Home) -> None:
    assert cli.main(["demo", "load"]) == 0

    found = levels(examine(home))

    assert {found[check] for check in ("database", "jobs", "config", "secrets", "web")} == {"ok"}


def test_a_package_of_somebody_else_is_a_clash() -> None:
    found = list(doctor._packages(lambda: {"storage": ["some-storage"], "bot": ["genjin"]}))

    assert [finding.level for finding in found] == ["bad"]
    assert "some-storage" in found[0].text
    assert [f.level for f in doctor._packages(lambda: {"storage": ["genjin"]})] == ["ok"]


def test_wrong_settings_and_open_secrets(home: Home) -> None:
    home.config_file.write_text("[web]\nprot = 1\n")
    assert "web.port" in one(examine(home), "config").text

    home.config_file.write_text('[llm]\napi_key = "geheim"\n')
    finding = one(examine(home), "secrets")
    assert "llm.api_key" in finding.text
    assert "geheim" not in finding.text

    home.secrets_file.chmod(0o644)
    finding = one(examine(home), "secrets")
    assert (finding.level, "chmod 600" in finding.todo) == ("bad", True)


def test_a_half_configured_channel(home: Home) -> None:
    found = examine(home, {"GENJIN_CHANNELS__DINGTALK__ENABLED": "true"})

    assert "channels.dingtalk.client_id" in one(found, "channels").text


def test_a_taken_port_and_a_foreign_address(home: Home) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert port in one(examine(home, {"GENJIN_WEB__PORT": port}), "web").text

    assert one(examine(home, {"GENJIN_WEB__HOST": "192.0.2.1"}), "web")


def test_pages_open_to_others_want_https(home: Home) -> None:
    assert "https" in one(examine(home, {"GENJIN_WEB__HOST": "0.0.0.0"}), "web").text


def test_a_damaged_database_and_its_backup(home: Home) -> None:
    cli.main(["migrate"])
    file = home.path / "genjin.db"
    file.write_bytes(b"\0" * 4096 + file.read_bytes()[4096:])
    assert one(examine(home), "database").level == "bad"

    shutil.rmtree(home.backups)
    file.unlink()
    cli.main(["migrate"])
    cli.main(["backup", "good"])
    file.write_bytes(b"no database" * 1000)
    assert "genjin restore good" in one(examine(home), "database").todo


def test_other_versions_of_the_database(home: Home) -> None:
    cli.main(["migrate"])
    url = f"sqlite:///{home.path}/genjin.db"

    old_database(home.path / "genjin.db", "0001")
    assert "genjin migrate" in one(examine(home), "database").todo
    set_version(url, "9999")
    assert one(examine(home), "database").level == "bad"


def test_a_server_that_is_away(home: Home) -> None:
    env = {"GENJIN_DATABASE__URL": "postgresql://a:geheim@127.0.0.1:9/none"}

    finding = one(examine(home, env), "database")

    assert finding.level == "bad"
    assert "geheim" not in finding.text


def test_parked_jobs_are_counted(home: Home) -> None:
    cli.main(["migrate"])
    with sqlite3.connect(home.path / "genjin.db") as raw:
        raw.execute(
            "INSERT INTO job (kind, ref, lane, lock, unique_key, state, run_at, attempts, reason, "
            "created_at) VALUES ('inbox', 1, 'tap', '', 'x', 'parked', '2026-01-01 00:00:00', 1, "
            "'why', '2026-01-01 00:00:00')"
        )
    raw.close()

    assert "1" in one(examine(home), "jobs").text


def test_no_model_is_told_with_the_folder(home: Home) -> None:
    finding = one(examine(home), "speech")

    assert finding.level == "warn"
    assert str(home.models) in finding.todo


def test_a_tight_disk(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Home, "free_mb", lambda self: 900)
    assert one(examine(home), "disk").level == "warn"
    monkeypatch.setattr(Home, "free_mb", lambda self: 9)
    assert one(examine(home), "disk").level == "bad"


def test_the_command(home: Home, capsys: Any) -> None:
    home.config_file.write_text("[web]\nprot = 1\n")

    assert cli.main(["doctor"]) == 1
    assert "× 设置" in capsys.readouterr().out
    assert cli.main(["doctor", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert {"check", "level", "text", "todo", "title"} == set(said["findings"][0])


# --- platforms ----------------------------------------------------------------------------------

WECOM = {
    "GENJIN_CHANNELS__WECOM__ENABLED": "true",
    "GENJIN_CHANNELS__WECOM__CORP_ID": "ww01",
    "GENJIN_CHANNELS__WECOM__AGENT_ID": "1000042",
    "GENJIN_CHANNELS__WECOM__SECRET": "geheim",
    "GENJIN_CHANNELS__WECOM__TOKEN": "geheim",
    "GENJIN_CHANNELS__WECOM__AES_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "GENJIN_WEB__PUBLIC_URL": "https://genjin.example.com",
}
NOW = datetime.now(UTC)


def kept(home: Home, *works: Any) -> None:
    """Leave things in the database, as the running program would."""
    cli.main(["migrate"])
    database = Database(f"sqlite:///{home.path}/genjin.db")
    for work in works:
        database.write(work)
    database.close()


def said(home: Home, check: str, env: Mapping[str, str] = WECOM) -> dict[str, str]:
    """What is wrong with *check*, and the level of each."""
    found = [one for one in examine(home, env) if one.check == check and one.level != "ok"]
    assert "geheim" not in repr(found)
    assert all(one.todo and "？" not in one.text for one in found)
    return {one.text: one.level for one in found}


def called(
    outcome: str = "accepted", reason: str = "text", *, ago: timedelta = timedelta(0)
) -> Any:
    made = Attempt(
        channel="wecom", at=NOW - ago, remote="203.0.113.9", outcome=outcome, reason=reason
    )
    return lambda session: callback_attempts.add(session, [made])


def synced(*names: str, ago: timedelta = timedelta(0)) -> Any:
    members = [Member(user_id=f"u{n}", shown_id=f"u{n}", name=one) for n, one in enumerate(names)]
    return lambda session: directory_sync.apply(session, "wecom", members, now=NOW - ago)


def problem(channel: str, topic: str, code: str, **detail: Any) -> Any:
    return lambda session: channel_states.note(session, channel, topic, code, detail, now=NOW)


def test_a_platform_that_works_is_fine(home: Home) -> None:
    kept(home, called(), synced("王磊"))

    found = levels(examine(home, WECOM))
    assert (found["wecom"], found["channels"], found["web"]) == ("ok", "ok", "ok")


def test_a_platform_that_never_called(home: Home) -> None:
    kept(home, synced("王磊"))

    found = said(home, "wecom")
    assert set(found.values()) == {"warn"}
    assert any("只在本机监听（127.0.0.1:8711）" in text for text in found)
    assert any("还没有收到过" in text for text in found)
    open_to_all = {**WECOM, "GENJIN_CALLBACK__HOST": "0.0.0.0"}
    assert not any("只在本机监听" in text for text in said(home, "wecom", open_to_all))


def test_a_platform_that_fell_silent_or_is_refused(home: Home) -> None:
    kept(home, synced("王磊"), called(ago=timedelta(hours=80)))
    assert any("80 小时没有收到回调" in text for text in said(home, "wecom"))

    kept(home, called("refused", "signature"))
    assert any("Token 和这里的不一样" in text for text in said(home, "wecom"))
    kept(home, called("repeat"))
    assert said(home, "wecom") == {}


def test_what_the_platform_refuses_is_told_with_the_way_out(home: Home) -> None:
    kept(
        home,
        called(),
        synced("王磊"),
        problem("wecom", "ip", "untrusted_ip", errcode=60020, ip="203.0.113.7"),
        problem("wecom", "token", "bad_secret", errcode=40001),
        problem("wecom", "people", "out_of_range", users=["lina", "zhoukai"]),
        problem("wecom", "made_up", "some_new_code"),
    )

    found = said(home, "wecom")
    assert [found[text] for text in found if "203.0.113.7 不在企业可信IP" in text] == ["bad"]
    assert [found[text] for text in found if "不认这个 Secret" in text] == ["bad"]
    assert [found[text] for text in found if "lina、zhoukai" in text] == ["warn"]
    assert any("some_new_code" in text for text in found)
    todos = [one.todo for one in examine(home, WECOM) if "203.0.113.7" in one.text]
    assert "企业可信IP → 配置，加上 203.0.113.7" in todos[0]


def test_people_whom_the_platform_cannot_reach(home: Home) -> None:
    kept(home, called())
    assert any("通讯录还没有同步过" in text for text in said(home, "wecom"))

    cli.main(["user", "add", "李娜", "--role", "rep"])
    cli.main(["user", "add", "孙七", "--role", "rep", "--wecom", "sunqi"])
    cli.main(["user", "add", "陈会", "--role", "admin"])
    kept(home, synced("王磊", "陈会", ago=timedelta(hours=30)))
    found = said(home, "wecom")
    assert any("2 人没有账号，收不到消息：李娜、陈会" in text for text in found)
    assert any("1 人的账号不在应用的可见范围里：孙七" in text for text in found)
    assert any("对不上是谁：陈会" in text for text in found)
    assert any("最近一次同步是" in text for text in found)


def test_cards_need_an_address_that_others_can_open(home: Home) -> None:
    for address, text in (("", "没有写 web.public_url"), ("http://x.example", "不是 https")):
        found = said(home, "web", {**WECOM, "GENJIN_WEB__PUBLIC_URL": address})
        assert any(text in one for one in found)


def test_the_robot_needs_neither_callback_nor_address_book(home: Home) -> None:
    env = {
        "GENJIN_CHANNELS__WECOM_BOT__ENABLED": "true",
        "GENJIN_CHANNELS__WECOM_BOT__BOT_ID": "aib01",
        "GENJIN_CHANNELS__WECOM_BOT__SECRET": "geheim",
        "GENJIN_WEB__PUBLIC_URL": "https://genjin.example.com",
    }
    kept(home)
    assert said(home, "wecom_bot", env) == {}

    kept(home, problem("wecom_bot", "connection", "evicted"))
    assert any("被另一个程序顶掉" in text for text in said(home, "wecom_bot", env))


def test_every_code_of_the_callback_and_the_client_has_words() -> None:
    refused = {"missing", "slow_storage", "slow_body", "too_big", "cut_off", "not_xml"}
    refused |= {"no_cipher", "timestamp", "stale", "signature", "cipher", "corp", "storage_full"}
    for code in refused:
        assert channel_words.attempt("refused", code) != code
    for rule in RULES.values():
        if rule.problem:
            facts = {"errcode": 1, "ip": "203.0.113.7", "users": ["a"]}
            text, todo = channel_words.problem("wecom", rule.problem, facts)
            assert rule.problem not in text and todo and "？" not in text + todo
