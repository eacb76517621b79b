"""What a 智能机器人 takes as a template card (protocol sheet 4.2 and 6.3, message sheet 1)."""

from __future__ import annotations

import re
from typing import Any

TASK_ID = re.compile(r"[0-9A-Za-z_@-]{1,128}")
NEEDS_TASK = ("button_interaction", "vote_interaction", "multiple_interaction")


class Wrong(Exception):
    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{code} {why}")
        self.code, self.why = code, why


def check_card(card: Any) -> None:
    """Raises Wrong for the first thing that the platform would refuse."""
    if not isinstance(card, dict):
        raise Wrong(40058, "missing field template_card")
    kind = card.get("card_type")
    _title(card, kind)
    task = card.get("task_id")
    if kind in NEEDS_TASK and not task:
        raise Wrong(42015, "task_id missing")
    if task is not None and not TASK_ID.fullmatch(task):
        raise Wrong(42014, "task_id illegal")
    match kind:
        case "text_notice" | "news_notice":
            _notice(card, kind)
        case "button_interaction":
            _buttons(card)
        case "vote_interaction":
            _options(card.get("checkbox"), 20)
            _key(card.get("submit_button"))
        case "multiple_interaction":
            selects = card.get("select_list") or []
            if not 1 <= len(selects) <= 3:
                raise Wrong(42041, "select_list")
            for one in selects:
                _options(one, 10)
            _key(card.get("submit_button"))
        case _:
            raise Wrong(42031, "card_type")
    rows = card.get("horizontal_content_list", [])
    if len(rows) > 6 or any(not row.get("keyname") for row in rows):
        raise Wrong(42035, "horizontal_content_list")
    if any(row.get("type") == 1 and not _is_url(row.get("url")) for row in rows):
        raise Wrong(42028, "url missing")
    if "card_action" in card:
        _action(card["card_action"])


def _title(card: dict[str, Any], kind: Any) -> None:
    title = card.get("main_title", {}).get("title")
    if not title and not (kind == "text_notice" and card.get("sub_title_text")):
        raise Wrong(41016, "missing title")


def _notice(card: dict[str, Any], kind: str) -> None:
    _action(card.get("card_action"))
    jumps = card.get("jump_list", [])
    if len(jumps) > 3 or any(not one.get("title") for one in jumps):
        raise Wrong(42036, "jump_list")
    if any(one.get("type") == 1 and not _is_url(one.get("url")) for one in jumps):
        raise Wrong(42028, "url missing")
    if kind == "news_notice" and not (card.get("card_image") or card.get("image_text_area")):
        raise Wrong(42046, "an image is missing")
    if menu := card.get("action_menu"):
        if not card.get("task_id"):
            raise Wrong(42015, "task_id missing")
        actions = menu.get("action_list") or []
        if not 1 <= len(actions) <= 3:
            raise Wrong(42050, "action_list")
        _keys(actions)


def _buttons(card: dict[str, Any]) -> None:
    buttons = card.get("button_list") or []
    if not 1 <= len(buttons) <= 6:
        raise Wrong(42037, "button_list")
    if any(one.get("type", 0) != 0 or "url" in one for one in buttons):
        raise Wrong(40058, "a bot's buttons open no address")
    _keys(buttons)
    if "button_selection" in card:
        _options(card["button_selection"], 10)


def _keys(buttons: list[dict[str, Any]]) -> None:
    for one in buttons:
        _key(one)
    if len({one["key"] for one in buttons}) != len(buttons):
        raise Wrong(42051, "key used twice")


def _key(button: Any) -> None:
    if not isinstance(button, dict) or not button.get("text"):
        raise Wrong(42038, "text of a button")
    if not button.get("key") or len(button["key"].encode()) > 1024:
        raise Wrong(42039, "key of a button")


def _options(question: Any, most: int) -> None:
    if not isinstance(question, dict) or not question.get("question_key"):
        raise Wrong(42043, "question_key")
    options = question.get("option_list") or []
    if not 1 <= len(options) <= most:
        raise Wrong(42044, "option_list")
    ids = [one.get("id") for one in options]
    if any(not one.get("id") or not one.get("text") for one in options) or len(set(ids)) < len(ids):
        raise Wrong(42044, "option")
    if any(len(one["id"].encode()) > 128 for one in options):
        raise Wrong(42044, "option id too long")


def _action(action: Any) -> None:
    if not isinstance(action, dict) or action.get("type") not in (1, 2):
        raise Wrong(42045, "card_action")
    if action["type"] == 1 and not _is_url(action.get("url")):
        raise Wrong(42028, "url missing")


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))
