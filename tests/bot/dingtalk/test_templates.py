"""The template files hold what the cards are given, and nothing else."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest

from bot.channels.dingtalk import template_files
from bot.channels.dingtalk.cards import Drawing
from tests.support.ding_desk import FORM, TEMPLATE
from tests.support.sample_cards import CARD, DONE

FOLDER = resources.files("bot.channels.dingtalk").joinpath("templates")


def editor(name: str) -> dict[str, Any]:
    made = json.loads(FOLDER.joinpath(f"{name}.json").read_text("utf-8"))
    assert (made["type"], made["mode"]) == ("im", "card")
    assert "<LinearLayout" in made["widgetInfo"]
    found: dict[str, Any] = json.loads(made["editorData"])
    return found


@pytest.mark.parametrize("name", template_files.NAMES)
def test_the_files_are_what_the_program_makes(name: str) -> None:
    kept = FOLDER.joinpath(f"{name}.json").read_text("utf-8")
    assert kept == template_files.build(name)


@pytest.mark.parametrize("card", [CARD, FORM, DONE])
def test_every_value_has_its_variable(card: Any) -> None:
    drawing = Drawing(card=card, card_id="c", nonce="n", user="lina")
    values = drawing.values(TEMPLATE)
    assert set(values) | {"canAct"} == set(template_files.VARIABLES) | set(template_files.PRIVATE)
    assert all(len(value.encode()) <= 1024 for value in values.values())


@pytest.mark.parametrize("name", template_files.NAMES)
def test_every_binding_has_its_variable(name: str) -> None:
    made = editor(name)
    known = {one["name"]: one for one in made["variableList"]}
    assert [one for one, given in known.items() if given["private"]] == ["canAct"]
    tree = json.dumps(made["schema"]["componentsTree"])
    bound = {one.partition('"')[0] for one in tree.split('"variable": "')[1:]} - {""}
    bound |= {one.partition("}")[0] for one in tree.split("${")[1:]}
    assert bound <= set(known)
    used = {one["componentName"] for one in made["schema"]["componentsMap"]}
    assert used == {"Card"} | {
        one["componentName"] for one in made["schema"]["componentsTree"][0]["children"]
    }


def test_only_the_form_has_a_form_and_the_notice_no_button() -> None:
    has = {
        name: {
            one["componentName"] for one in editor(name)["schema"]["componentsTree"][0]["children"]
        }
        for name in template_files.NAMES
    }
    assert "Form" in has["card_form"]
    assert "Form" not in has["card_action"]
    assert "ButtonList" not in has["card_notice"]


def test_the_table_for_admins_names_every_variable() -> None:
    table = FOLDER.joinpath("README.md").read_text("utf-8")
    for name in (*template_files.VARIABLES, *template_files.PRIVATE):
        assert f"`{name}`" in table
