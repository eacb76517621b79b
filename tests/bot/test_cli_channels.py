"""``genjin send-test``, ``genjin user sync`` and the manager who stays."""

from __future__ import annotations

import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot import cli
from bot.home import Home
from storage import office, outbox
from storage.database import Database
from tests.fakes.wecom.server import FakeWeCom

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def fake() -> Iterator[FakeWeCom]:
    with FakeWeCom() as made:
        made.add_member("WangLei", "王磊", leads=[1])
        made.add_member("lina", "李娜", leader="WangLei")
        yield made


@pytest.fixture
def genjin(home: Home, fake: FakeWeCom, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Command:
    """Run one command of an installation that is set up for the fake."""
    settings = {
        "enabled": "true",
        "corp_id": fake.corp_id,
        "agent_id": str(fake.agent_id),
        "secret": fake.secret,
        "token": fake.token,
        "aes_key": fake.aes_key,
        "api_base": fake.base,
    }
    for key, value in settings.items():
        monkeypatch.setenv(f"GENJIN_CHANNELS__WECOM__{key.upper()}", value)

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        status = cli.main(arguments)
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def test_the_directory_on_request(genjin: Command, fake: FakeWeCom) -> None:
    status, said = genjin("user", "sync")
    assert status == 0 and "2 人，新增 2，更新 0" in said
    assert "王磊" in genjin("user", "list")[1]

    fake.rules.trusted_ips = set()
    status, said = genjin("user", "sync", "--channel", "wecom")
    assert status == 1
    assert "203.0.113.7 不在企业可信IP名单里" in said


def test_names_that_nobody_can_tell_apart_are_printed(genjin: Command) -> None:
    genjin("user", "add", "李娜", "--role", "admin")

    status, said = genjin("user", "sync")
    assert status == 0 and "没有动：李娜" in said
    genjin("user", "edit", "李娜", "--wecom", "LiNa")
    assert "没有动" not in genjin("user", "sync")[1]


def test_an_empty_range_is_told(genjin: Command, fake: FakeWeCom) -> None:
    fake.app.departments.clear()

    status, said = genjin("user", "sync")
    assert status == 1 and "可见范围里一个人也没有" in said


def test_a_manager_named_by_hand_stays(genjin: Command, home: Home) -> None:
    def manager() -> str:
        db = Database(f"sqlite:///{home.path}/genjin.db")
        found = {one.name: one.manager for one in db.read(office.people)}["李娜"]
        db.close()
        return found

    genjin("user", "add", "陈涛", "--role", "director")
    genjin("user", "sync")
    assert manager() == "王磊"
    genjin("user", "edit", "李娜", "--manager", "陈涛")
    genjin("user", "sync")
    assert manager() == "陈涛"
    genjin("user", "edit", "李娜", "--follow")
    genjin("user", "sync")
    assert manager() == "王磊"


def test_a_test_message_without_a_running_program(genjin: Command, fake: FakeWeCom) -> None:
    genjin("user", "sync")

    status, said = genjin("send-test", "--channel", "wecom", "--to", "李娜")
    assert status == 0 and "已发给李娜" in said
    assert "这是一条测试消息" in fake.inbox("lina")[0].text

    fake.rules.trusted_ips = set()
    status, said = genjin("send-test", "--to", "李娜")
    assert status == 1 and "203.0.113.7 不在企业可信IP名单里" in said


def test_why_a_test_message_cannot_be_sent(genjin: Command, fake: FakeWeCom) -> None:
    genjin("user", "add", "周凯", "--role", "rep")
    genjin("user", "add", "孙七", "--role", "rep", "--wecom", "nobody")

    for to, said in (("没有", "名单里没有"), ("周凯", "--wecom"), ("孙七", "可见范围")):
        status, told = genjin("send-test", "--to", to)
        assert status == 1 and said in told, told
    assert genjin("send-test", "--channel", "wecom_bot", "--to", "周凯")[0] == 1
    assert fake.inbox("lina") == []


def test_a_wrong_secret_is_told_in_words(genjin: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    genjin("user", "add", "李娜", "--role", "rep", "--wecom", "lina")
    monkeypatch.setenv("GENJIN_CHANNELS__WECOM__SECRET", "wrong")

    for _ in range(2):  # the second time it is not even asked
        status, said = genjin("send-test", "--to", "李娜")
        assert status == 1 and "不认这个 Secret" in said and "wrong" not in said
    assert "不认这个 Secret" in genjin("doctor", "--quick")[1]


@pytest.mark.parametrize("arrives", [True, False])
def test_a_running_program_sends_it(genjin: Command, home: Home, arrives: bool) -> None:
    genjin("user", "add", "李娜", "--role", "rep", "--wecom", "lina")
    db = Database(f"sqlite:///{home.path}/genjin.db")

    def program() -> None:
        """What the worker of a running program does with the row."""
        until = time.monotonic() + 20
        while db.read(lambda s: outbox.get(s, 1)) is None and time.monotonic() < until:
            time.sleep(0.02)
        db.write(lambda s: outbox.sending(s, 1))
        now = datetime.now(UTC)
        if arrives:
            db.write(lambda s: outbox.sent(s, 1, platform_id="M", handle="", now=now))
        else:
            why = "wecom 81013 at message/send: all invalid"
            db.write(lambda s: outbox.close(s, 1, state="parked", reason=why))

    with home.lock():
        worker = threading.Thread(target=program)
        worker.start()
        status, said = genjin("send-test", "--to", "李娜")
        worker.join(30)
    db.close()
    assert (status, "已发给李娜" in said) == ((0, True) if arrives else (1, False)), said
    assert arrives or "不在应用的可见范围里，收不到消息：lina" in said


def test_an_export_holds_no_token(genjin: Command, fake: FakeWeCom, tmp_path: Path) -> None:
    genjin("user", "sync")
    file = tmp_path / "all.zip"

    assert genjin("export", str(file))[0] == 0
    with zipfile.ZipFile(file) as made:
        tables = {name: made.read(name).decode("utf-8-sig") for name in made.namelist()}
    assert any("lina" in text for text in tables.values())
    for token in fake.state.tokens:
        assert not any(token in text for text in tables.values())


def test_without_a_channel_there_is_nothing_to_do(home: Home, capsys: Any) -> None:
    assert cli.main(["user", "sync"]) == 1
    assert "没有打开并填全" in capsys.readouterr().err
    assert cli.main(["send-test", "--to", "李娜"]) == 1
    assert "企业微信应用没有打开" in capsys.readouterr().err
