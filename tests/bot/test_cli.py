from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bot import cli, words
from bot.cli import texts
from bot.home import Home
from storage import backup
from storage.database import Database
from storage.jobs import NewJob, put, queue_of
from tests.support.versions import old_database, set_version


@pytest.fixture
def genjin(home: Home, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run one command in this process; its status and what it printed."""

    def genjin(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = cli.main(arguments)
        said = capsys.readouterr()
        return status, said.out, said.err

    return genjin


def opened(home: Home) -> Database:
    return Database(f"sqlite:///{home.path}/genjin.db")


def test_the_version_is_there_at_once() -> None:
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bot", "version"], capture_output=True, text=True, check=True
    )
    took = time.perf_counter() - begun

    assert done.stdout.startswith("genjin ")
    assert took < 1.5  # 0.15 s on an idle machine


def test_light_commands_load_nothing_heavy() -> None:
    code = (
        "import sys; from bot import cli; cli.main(['version']); "
        "print([m for m in ('sqlalchemy', 'pydantic', 'aiohttp', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_every_command_is_explained_with_an_example(genjin: Any) -> None:
    _, overview, _ = genjin("help")
    for name, entry in texts.COMMANDS.items():
        status, said, _ = genjin("help", name)
        assert status == 0
        assert entry.example in said
        assert entry.example in overview
        assert entry.example.startswith(f"genjin {name}")


def test_no_command_is_help(genjin: Any) -> None:
    assert genjin()[1] == genjin("help")[1] == genjin("--help")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["docter"], "doctor"),
        (["user", "lst"], "list"),
        (["doctor", "--jsn"], "--json"),
        (["user", "add", "甲", "--role", "boss"], "--role"),
        (["import", "customers"], "文件"),
        (["serve", "--only", "web,wrker"], "wrker"),
        (["serve", "--only", "web"], "PostgreSQL"),
        (["jobs", "retry"], "--parked"),
        (["transcribe", "--backend", "frob", "x.wav"], "--backend"),
        (["backup", "../out"], "名字"),
    ],
)
def test_wrong_usage_is_2_and_says_what_is_meant(
    genjin: Any, arguments: list[str], said: str
) -> None:
    status, _, error = genjin(*arguments)

    assert status == 2
    assert said in error
    assert "Traceback" not in error


def test_people_by_hand(genjin: Any, home: Home) -> None:
    assert genjin("user", "add", "王磊", "--role", "manager", "--team", "华东")[0] == 0
    assert (
        genjin("user", "add", "李娜", "--role", "rep", "--manager", "王磊", "--wecom", "ln")[0] == 0
    )

    assert genjin("user", "add", "李娜", "--role", "rep")[0] == 1
    assert genjin("user", "edit", "李娜", "--manager", "赵六")[0] == 1
    status, said, _ = genjin("user", "edit", "李娜", "--team", "二组", "--left")
    assert (status, "二组" in said) == (0, True)
    assert genjin("user", "edit", "李娜", "--team", "二组")[1].strip() == "李娜 没有变化"
    listed = genjin("user", "list")[1].splitlines()
    assert listed[2].split() == ["李娜", "销售", "王磊", "二组", "ln", "否"]
    log = genjin("audit")[1].splitlines()
    assert [line.split()[3] for line in log] == ["user.edit", "user.add", "user.add"]
    assert '{"team": "", "active": true} → {"team": "二组", "active": false}' in log[0]


def test_an_import_leaves_a_report_beside_the_file(genjin: Any, tmp_path: Path) -> None:
    file = tmp_path / "客户.csv"
    file.write_text("名称,负责人\nA厂,\nB厂,张三\n", "utf-8")

    status, said, _ = genjin("import", "customers", str(file))

    assert status == 1
    assert "新增 1，更新 0，未变 0，退回 1" in said
    report = (tmp_path / "客户-退回.csv").read_text("utf-8-sig")
    assert "3,名单里没有负责人“张三”,B厂,张三" in report
    file.write_text("名称\nA厂\n", "utf-8")
    assert genjin("import", "customers", str(file))[0] == 0


def test_a_file_that_is_no_table_is_told(genjin: Any, tmp_path: Path) -> None:
    status, _, error = genjin("import", "products", str(tmp_path / "nowhere.xlsx"))

    assert (status, "打不开" in error) == (1, True)


def test_backup_and_restore(genjin: Any, home: Home) -> None:
    genjin("user", "add", "甲", "--role", "rep")
    assert genjin("backup", "first")[0] == 0
    genjin("user", "add", "乙", "--role", "rep")

    status, said, _ = genjin("restore", "first", "--yes")

    assert (status, "genjin.db.replaced-" in said) == (0, True)
    assert "乙" not in genjin("user", "list")[1]
    assert "甲" in genjin("user", "list")[1]
    status, _, error = genjin("restore", "third", "--yes")
    assert (status, "first" in error) == (1, True)


def test_a_restore_waits_until_nobody_runs(genjin: Any, home: Home) -> None:
    assert genjin("backup", "first")[0] == 1  # nothing there yet
    genjin("migrate")
    genjin("backup", "first")

    with home.lock():
        status, _, error = genjin("restore", "first", "--yes")

    assert (status, str(os.getpid()) in error) == (1, True)


def test_a_damaged_database_names_the_backup(genjin: Any, home: Home) -> None:
    genjin("user", "add", "甲", "--role", "rep")
    genjin("backup", "good")
    file = home.path / "genjin.db"
    file.write_bytes(b"\0" * 8192 + file.read_bytes()[8192:])
    before = file.read_bytes()

    status, _, error = genjin("user", "list")

    assert (status, "genjin restore good" in error) == (1, True)
    assert file.read_bytes() == before
    assert genjin("restore", "good", "--yes")[0] == 0
    assert "甲" in genjin("user", "list")[1]


def test_a_newer_database_is_refused_in_words(genjin: Any, home: Home) -> None:
    genjin("migrate")
    set_version(f"sqlite:///{home.path}/genjin.db", "9999")

    for command in ("migrate", "audit"):
        status, _, error = genjin(command)
        assert (status, "9999" in error) == (1, True)


def test_an_old_database_is_backed_up_first(genjin: Any, home: Home) -> None:
    genjin("migrate")
    old_database(home.path / "genjin.db", "0001")

    status, said, _ = genjin("migrate")

    assert (status, "auto-" in said) == (0, True)
    [made] = backup.listing(home.backups)
    backup.check(made)
    assert "已是最新" in genjin("migrate")[1]


def test_a_full_disk_is_told(genjin: Any, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Home, "free_mb", lambda self: 3)

    status, _, error = genjin("audit")

    assert (status, "3 MB" in error) == (2, True)


def test_an_export_holds_everything_but_codes(genjin: Any, tmp_path: Path, home: Home) -> None:
    genjin("user", "add", "=1+1", "--role", "rep")
    genjin("link", "--person", "=1+1")
    (home.media / "ab").mkdir()
    (home.media / "ab" / "abcd").write_bytes(b"sound")

    status, _, _ = genjin("export", str(tmp_path / "all.zip"))

    assert status == 0
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        names = set(archive.namelist())
        people = io.TextIOWrapper(archive.open("person.csv"), "utf-8-sig").read()
        media = archive.read("media-files.csv").decode("utf-8-sig")
    assert {"person.csv", "customer.csv", "audit.csv", "inbox.csv"} <= names
    assert "link.csv" not in names
    assert "'=1+1" in people
    assert "ab/abcd,5" in media


def test_a_link_works_once_and_only_for_somebody(genjin: Any, home: Home) -> None:
    genjin("user", "add", "李娜", "--role", "rep")

    status, said, _ = genjin("link", "--person", "李娜")

    assert status == 0
    assert "http://127.0.0.1:8710/login?code=" in said
    assert genjin("link", "--person", "无名")[0] == 1
    home.note_address("http://127.0.0.1:9999/")
    assert ":8710/" in genjin("link")[1]  # what noted it runs no more
    with home.lock():
        assert "http://127.0.0.1:9999/login?" in genjin("link")[1]


def test_the_queue_by_hand(genjin: Any, home: Home) -> None:
    genjin("migrate")
    database = opened(home)
    database.write(lambda s: put(s, NewJob(kind="inbox", ref=7, lane="message", lock="a")))
    [job] = database.read(lambda s: queue_of(s).listing(s))
    number = str(job.id)

    assert "排队" in genjin("jobs", "list")[1]
    assert genjin("jobs", "park", number, "--reason", "等一等")[0] == 0
    assert "等一等" in genjin("jobs", "list", "--parked")[1]
    assert "等一等" in genjin("jobs", "show", number)[1]
    assert genjin("jobs", "retry", "--parked")[0] == 0
    assert database.read(lambda s: queue_of(s).listing(s))[0].state == "queued"
    assert genjin("jobs", "show", "999")[0] == 1
    assert genjin("jobs", "retry", "999")[0] == 1
    database.close()


def test_settings_are_checked_and_shown_without_secrets(genjin: Any, home: Home) -> None:
    home.config_file.write_text('[web]\nport = 9000\n[llm]\napi_key = "geheim"\n')

    assert genjin("config", "check")[0] == 0
    said = genjin("config", "show")[1]
    assert "web.port = 9000  # config.toml" in said
    assert "geheim" not in said
    assert "memo.undo_minutes" in genjin("config", "show", "--all")[1]
    home.config_file.write_text("[web]\nprot = 9000\n")
    status, _, error = genjin("config", "check")
    assert (status, "web.port" in error) == (2, True)
    home.config_file.write_text("[channels.wecom]\nenabled = true\n")
    status, said, _ = genjin("config", "check")
    assert (status, "channels.wecom.corp_id" in said) == (2, True)


def test_purge_says_what_it_did(genjin: Any) -> None:
    assert genjin("purge")[1].strip() == words.PURGED.format(files=0, log=0)


def batch(command: list[str], data: bytes) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        [sys.executable, "-m", "bot", *command], input=data, capture_output=True, check=False
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_bad_line_spoils_no_other_and_the_order_stays(home: Home) -> None:
    good = json.dumps({"id": 1, "now": "2026-03-02T09:00:00+08:00", "text": "下周三之前发报价"})
    data = b"\xef\xbb\xbf" + good.encode() + b"\n{bad\n\xff\xfe\n\n" + good.encode() + b"\n"

    status, answers = batch(["dates", "-"], data)

    assert status == 1
    assert ["dates" in one for one in answers] == [True, False, False, True]
    assert answers[0]["dates"][0]["due"] == "2026-03-11"


def test_batches_read_files_and_leave_no_data_folder(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(json.dumps({"id": "a", "text": "报价每台一万二"}) + "\n", "utf-8")
    env = {**os.environ, "GENJIN_HOME": str(tmp_path / "none")}

    done = subprocess.run(
        [sys.executable, "-m", "bot", "amounts", str(file)],
        capture_output=True, check=True, env=env,
    )  # fmt: skip

    assert json.loads(done.stdout)["amounts"][0]["value"] == 12000
    assert not (tmp_path / "none").exists()


def test_output_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    env = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "help"], capture_output=True, check=True, env=env
    )

    assert "跟进" in done.stdout.decode("utf-8")


def test_sound_that_cannot_be_heard_is_an_answer(genjin: Any, tmp_path: Path) -> None:
    file = tmp_path / "x.amr"
    file.write_text("this is no sound")

    status, said, _ = genjin("transcribe", str(file), str(tmp_path / "nowhere"))

    assert status == 1
    answers = [json.loads(line) for line in said.splitlines()]
    assert [one["file"] for one in answers] == [str(file), str(tmp_path / "nowhere")]
    assert all("error" in one for one in answers)


@pytest.mark.parametrize("command", [["up", "--demo", "--no-browser"], ["serve"]])
def test_a_second_process_on_one_folder_names_the_first(
    genjin: Any, home: Home, command: list[str]
) -> None:
    with home.lock():
        status, _, error = genjin(*command)

    assert (status, str(os.getpid()) in error) == (1, True)


def test_a_real_company_is_not_mixed_with_the_demo(genjin: Any) -> None:
    genjin("user", "add", "真人", "--role", "rep")

    for command in (["demo", "load"], ["up", "--demo", "--no-browser"]):
        status, _, error = genjin(*command)
        assert (status, "GENJIN_HOME" in error) == (1, True)
    assert genjin("demo", "reset", "--yes")[0] == 1
    assert "真人" in genjin("user", "list")[1]


def test_a_folder_that_cannot_be_made_is_told(
    genjin: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENJIN_HOME", str(tmp_path / "file" / "data"))

    status, _, error = genjin("user", "list")

    assert (status, str(tmp_path / "file") in error) == (2, True)
