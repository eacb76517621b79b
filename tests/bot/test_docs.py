from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bot import config as settings
from bot import importing
from bot.cli import texts
from handlers.routes import ROUTES

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def test_the_manual_mentions_every_command_of_the_chat() -> None:
    manual = (ROOT / "docs/manual/rep.md").read_text("utf-8")

    assert [route.name for route in ROUTES if f"`{route.example}`" not in manual] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_key_in_the_manuals_exists(page: Path) -> None:
    text = page.read_text("utf-8")

    for name in re.findall(r"\bgenjin ([a-z]+(?:-[a-z]+)*)\b(?! is|/)", text):
        assert name in texts.COMMANDS, f"genjin {name}"
    for variable in re.findall(r"GENJIN_([A-Z]+__[A-Z_]+?)(?:_FILE)?\b", text):
        assert variable.lower().replace("__", ".") in settings.all_keys(), variable
    for key in re.findall(r"`((?:web|speech|database|memo|channels|llm|company)\.[a-z_.]+)`", text):
        assert key in settings.all_keys(), key


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_folder_in_the_docs_is_there(page: Path) -> None:
    text = page.read_text("utf-8")

    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target
    for path in re.findall(
        r"`((?:bot|docs|handlers|nlp|sales|scheduler|storage|tests|tools)/[\w./]*)`", text
    ):
        assert (ROOT / path).exists(), path


def test_the_admin_manual_lists_the_headings_of_every_table() -> None:
    manual = (ROOT / "docs/manual/admin.md").read_text("utf-8")

    for name, kind in importing.KINDS.items():
        row = next(line for line in manual.splitlines() if line.startswith(f"| {name} |"))
        for titles in kind.columns.values():
            assert titles[0] in row, f"{name}: {titles[0]}"


def test_constraints_are_plain_versions_and_cover_what_is_named() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    pinned = {re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower() for line in lines}

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        named += extra
    for one in named:
        name = re.match(r"[\w.-]+", one)
        assert name is not None
        assert re.sub(r"[-_.]+", "-", name[0]).lower() in pinned, one
