from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot import config as settings
from bot.home import Home, HomeError, HomeTaken

_HOLD = """
import sys
from pathlib import Path
from bot.home import Home
with Home(Path(sys.argv[1])).lock(shared=sys.argv[2] == "shared"):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(home: Home, how: str = "alone") -> subprocess.Popen[str]:
    """Another process that holds the folder."""
    command = [sys.executable, "-c", _HOLD, str(home.path), how]
    pipe = subprocess.PIPE
    other = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def stop(other: subprocess.Popen[str]) -> None:
    other.kill()
    other.communicate()


def test_the_first_time_makes_everything_and_the_second_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "data")

    assert home.set_up()
    key = settings.load(home.path, {}).web.session_key
    home.config_file.write_text("[web]\nport = 1\n")

    assert not home.set_up()
    config = settings.load(home.path, {})
    assert (config.web.port, config.web.session_key) == (1, key)
    assert len(key) > 30
    assert stat.S_IMODE(home.secrets_file.stat().st_mode) == 0o600
    assert {path.name for path in home.path.iterdir()} == {
        "backups", "cache", "config.toml", "logs", "media", "models", "secrets.toml",
    }  # fmt: skip


def test_the_variable_moves_the_folder(tmp_path: Path) -> None:
    assert Home.find({"GENJIN_HOME": str(tmp_path)}).path == tmp_path
    assert Home.find({}).path == Path(__file__).parents[2] / "data"


def test_two_processes_do_not_share_a_folder(home: Home) -> None:
    other = hold(home)
    try:
        with pytest.raises(HomeTaken) as taken, home.lock():
            pass
        assert taken.value.pid == other.pid
        assert str(other.pid) in str(taken.value)
        assert home.holder() == other.pid
    finally:
        stop(other)


def test_a_killed_process_holds_nothing(home: Home) -> None:
    other = hold(home)
    other.send_signal(signal.SIGKILL)
    other.communicate()

    with home.lock():
        assert home.holder() == os.getpid()
    assert home.holder() is None


def test_parts_of_one_program_share_but_keep_a_restore_out(home: Home) -> None:
    other = hold(home, "shared")
    try:
        with home.lock(shared=True):
            pass
        with pytest.raises(HomeTaken), home.lock():
            pass
    finally:
        stop(other)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(HomeError, match=str(tmp_path)):
        Home(tmp_path / "data").set_up()


def test_a_full_disk_is_told_before_anything_breaks(home: Home) -> None:
    home.check_space(need_mb=1)

    with pytest.raises(HomeError, match="MB"):
        home.check_space(need_mb=10**9)


def test_space_is_known_before_the_folder_is(tmp_path: Path) -> None:
    assert Home(tmp_path / "not" / "yet").free_mb() > 0
