from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot import cli, doctor
from bot.doctor import Finding
from bot.home import Home
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
