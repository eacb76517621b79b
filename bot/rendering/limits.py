"""The platforms' limits (message sheet, section 1, the narrow column) and a meter for payloads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

# WeCom, characters; the narrow column, so that a card fits an app and an aibot alike.
SOURCE: Final = 13
TITLE: Final = 26
VOTE_TITLE: Final = 16  # WeCom's advice for vote cards is shorter than for the others
DESC: Final = 30
BIG: Final = 10
BIG_NOTE: Final = 15
QUOTE_TITLE: Final = 13
QUOTE: Final = 60
BODY: Final = 112
ROWS: Final = 6
KEY: Final = 5
VALUE: Final = 26
LINKS: Final = 3
LINK: Final = 13
VERTICALS: Final = 4
VERTICAL_TITLE: Final = 38
VERTICAL_BODY: Final = 112
BUTTONS: Final = 3
BUTTON: Final = 8
QUESTIONS: Final = 3
QUESTION: Final = 13
OPTIONS: Final = 10
OPTION: Final = 10
CHECKS: Final = 20
CHECK: Final = 11
SUBMIT: Final = 10
MENU: Final = 3
TASK_ID_BYTES: Final = 128
KEY_BYTES: Final = 1024
OPTION_ID_BYTES: Final = 128
URL_BYTES: Final = 2048
TEXT_BYTES: Final = 2048

# DingTalk
VARIABLE_BYTES: Final = 1024
DING_URL: Final = 500
DING_SUMMARY: Final = 40
DING_CANDIDATES: Final = 5
DING_OPTION: Final = 8

Unit = Literal["chars", "bytes", "items"]


@dataclass(frozen=True, slots=True)
class Measure:
    """How full one field is.  ``field`` is its path in the payload, such as main_title.title."""

    field: str
    used: int
    limit: int
    unit: Unit = "chars"

    @property
    def over(self) -> bool:
        return self.used > self.limit


def measure(payload: Mapping[str, Any]) -> list[Measure]:
    """Every field that a platform limits, of a WeCom template_card or a DingTalk cardParamMap."""
    return list(_wecom(payload) if "card_type" in payload else _dingtalk(payload))


def _dingtalk(payload: Mapping[str, Any]) -> Iterator[Measure]:
    for key, value in payload.items():
        yield Measure(key, len(str(value).encode()), VARIABLE_BYTES, "bytes")
    for number in (1, 2, 3):
        yield Measure(f"btn{number}.text", len(payload.get(f"btn{number}", "")), BUTTON)
    yield Measure("url.chars", len(payload.get("url", "")), DING_URL)
    rows = json.loads(payload.get("rows") or "[]")
    yield Measure("rows.count", len(rows), ROWS, "items")


def _wecom(card: Mapping[str, Any]) -> Iterator[Measure]:
    vote = card["card_type"] == "vote_interaction"
    for path, limit in (
        ("source.desc", SOURCE),
        ("main_title.title", VOTE_TITLE if vote else TITLE),
        ("main_title.desc", DESC),
        ("emphasis_content.title", BIG),
        ("emphasis_content.desc", BIG_NOTE),
        ("quote_area.title", QUOTE_TITLE),
        ("quote_area.quote_text", QUOTE),
        ("sub_title_text", BODY),
        ("button_selection.title", QUESTION),
        ("submit_button.text", SUBMIT),
    ):
        if (text := _at(card, path)) is not None:
            yield Measure(path, len(text), limit)
    yield from _list(card, "horizontal_content_list", ROWS, keyname=KEY, value=VALUE)
    yield from _list(card, "jump_list", LINKS, title=LINK)
    yield from _list(
        card, "vertical_content_list", VERTICALS, title=VERTICAL_TITLE, desc=VERTICAL_BODY
    )
    yield from _list(card, "button_list", BUTTONS, text=BUTTON)
    yield from _list(card, "select_list", QUESTIONS, title=QUESTION)
    for number, question in enumerate(card.get("select_list", ())):
        yield from _list(question, "option_list", OPTIONS, f"select_list.{number}.", text=OPTION)
    if "button_selection" in card:
        yield from _list(
            card["button_selection"], "option_list", OPTIONS, "button_selection.", text=OPTION
        )
    if "checkbox" in card:
        yield from _list(card["checkbox"], "option_list", CHECKS, "checkbox.", text=CHECK)
    if "action_menu" in card:
        yield from _list(card["action_menu"], "action_list", MENU, "action_menu.", text=BUTTON)
    yield from _bytes(card)


def _bytes(value: Any, path: str = "") -> Iterator[Measure]:
    """Limits that count bytes: ids, keys and addresses, wherever they stand."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            here = f"{path}.{name}" if path else name
            if limit := _BYTE_LIMITS.get(name):
                yield Measure(here, len(str(item).encode()), limit, "bytes")
            else:
                yield from _bytes(item, here)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _bytes(item, f"{path}.{number}")


_BYTE_LIMITS: Final = {
    "task_id": TASK_ID_BYTES,
    "key": KEY_BYTES,
    "question_key": KEY_BYTES,
    "id": OPTION_ID_BYTES,
    "selected_id": OPTION_ID_BYTES,
    "url": URL_BYTES,
}


def _at(card: Mapping[str, Any], path: str) -> str | None:
    value: Any = card
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return str(value)


def _list(
    card: Mapping[str, Any], name: str, limit: int, prefix: str = "", **texts: int
) -> Iterator[Measure]:
    items = card.get(name)
    if items is None:
        return
    yield Measure(prefix + name, len(items), limit, "items")
    for number, item in enumerate(items):
        for key, most in texts.items():
            if key in item:
                yield Measure(f"{prefix}{name}.{number}.{key}", len(item[key]), most)
