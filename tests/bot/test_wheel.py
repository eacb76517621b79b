"""The wheel holds all that the program reads beside its code, and runs without the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.require import require

ROOT = Path(__file__).parents[2]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"][
    "targets"
]["wheel"]["packages"]
RUN = """
import json, sys
from pathlib import Path
import bot, nlp
from bot import cli
print(json.dumps([str(Path(one.__file__).parent.parent) for one in (bot, nlp)]))
sys.exit(cli.main(["extract", "-"]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("hatchling", find_spec("hatchling"), "not installed, so no wheel can be built offline")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [built] = folder.glob("*.whl")
    return built


def test_every_file_of_the_packages_is_in_it_and_nothing_else(wheel: Path) -> None:
    there = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

    assert wanted - there == set()
    assert {name for name in there - wanted if ".dist-info/" not in name} == set()
    for pattern, least in (
        ("nlp/learned/*.txt", 4),
        ("nlp/demo_voice/*.xz", 5),
        ("bot/config_template.toml", 1),
        ("bot/demo/company.toml", 1),
        ("bot/demo/memos/*.ogg", 7),
        ("bot/channels/console/assets/*.js", 5),
        ("bot/web/templates/*.html", 7),
        ("bot/web/static/*.css", 1),
        ("storage/migrations/versions/*.py", 2),
    ):
        assert sum(Path(name).match(pattern) for name in there) >= least, pattern


def test_it_reads_a_memo_without_the_repository(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "there")
    memo = {
        "now": "2026-11-23T10:00:00+08:00",
        "text": "今天拜访了恒基水泥的王经理，他嫌价格太贵，我答应下周三给他新报价",
        "known_customers": ["恒基水泥有限公司"],
    }

    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(memo),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "there")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )

    homes, answer = map(json.loads, done.stdout.splitlines())
    assert homes == [str(tmp_path / "there")] * 2
    [record] = answer["records"]
    assert record["customer"]["name"] == "恒基水泥有限公司"
    assert [one["category"] for one in record["objections"]] == ["价格"]
    assert [one["due"] for one in record["commitments"]] == ["2026-12-02"]
