"""A memo against the file (G6): what the tests say, tap and look at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from handlers.cards import contradiction as cards
from tests.support.desk import Desk

BEFORE = "今天拜访了恒基水泥的赵国强 预算五十万 我答应下周二之前给他加急方案"
NOW = "今天拜访了恒基水泥的赵国强 预算七十万 我答应下周五之前给他加急方案"


def file(desk: Desk, text: str = BEFORE, *, person: int | None = None) -> None:
    desk.say(person or desk.lina, text)
    desk.tap(person or desk.lina, "memo.ok", card=memo_card(desk, person))
    desk.clock.move(timedelta(hours=1))


def memo_card(desk: Desk, person: int | None = None) -> dict[str, Any]:
    """The record's card, whatever it shows now; the last changed one."""
    return next(
        one
        for one in reversed(desk.cards(person or desk.lina))
        if one["card"]["kind"] != cards.KIND
    )


def asked(desk: Desk) -> list[dict[str, Any]]:
    return [one for one in desk.cards(desk.lina) if one["card"]["kind"] == cards.KIND]


def tap(desk: Desk, person: int, card: dict[str, Any], answer: str, arg: str = "") -> list[str]:
    """Tap a button with all that its key carries."""
    buttons = card["card"]["buttons"]
    number = arg or next(one["arg"] for one in buttons if one["action"].endswith(answer))
    event = desk.event(
        person,
        kind="action",
        action=f"contradiction.{answer}",
        arg=number,
        card_id=card["card_id"],
        nonce=card["nonce"],
    )
    return desk._do(person, event)


def rows(card: dict[str, Any]) -> dict[str, str]:
    return {row["key"]: row["value"] for row in card["card"]["rows"]}
