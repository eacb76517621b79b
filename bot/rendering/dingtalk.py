"""The neutral card as DingTalk's ``cardParamMap`` (message sheet, section 5).

Every value is a string of at most 1024 bytes.  ``p1``..``p3`` are what a button gives back,
``{"a": action, "n": nonce}``, as a template binds button parameters to variables.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from bot.rendering import limits
from bot.rendering.fit import cut, cut_bytes, fit, limit_rows
from handlers.cards.model import Button, Card, Choice, Question, Row

_TITLE: Final = 36
_DESC: Final = 44
_VALUE: Final = 40
_OLD: Final = 20
_BODY: Final = 300
_RESULT: Final = {
    "working": "处理中",
    "done": "已完成",
    "rejected": "已驳回",
    "dropped": "已作废",
    "expired": "已过期",
    "other": "已处理",
}
_ENTRY: Final = {"text": "TEXT", "number": "NUMBER", "date": "DATE"}


def render(
    card: Card, *, card_id: str, nonce: str, base_url: str = "", image_url: str = ""
) -> dict[str, str]:
    """The variables of ``card_action``, ``card_form`` and ``card_notice``; all of them, always,
    so that a redraw clears what it no longer says."""
    base = base_url.rstrip("/")
    form = _form(card, nonce)
    buttons = _buttons(card, form)
    made = {
        "src": fit(card.source, limits.SOURCE),
        "title": fit(card.title, _TITLE),
        "desc": fit(card.subtitle, _DESC),
        "body": _body(card, form),
        "foot": fit(card.footer, _DESC),
        "rows": _rows(card, base),
        "status": card.status,
        "form": form,
        "url": _address(card.url or _first_link(card), base),
        "big": fit(card.big, limits.BIG),
        "big_note": fit(card.big_note, limits.BIG_NOTE),
        "img": _address(image_url, base),
    }
    for number in (1, 2, 3):
        button = buttons[number - 1] if number <= len(buttons) else None
        made[f"btn{number}"] = fit(button.text, limits.BUTTON) if button else ""
        made[f"p{number}"] = _params(button, nonce) if button else ""
    return made


def template(card: Card) -> str:
    """Which of the three templates draws this card."""
    if card.layout in ("form", "checklist") and card.status == "pending":
        return "card_form"
    return "card_action" if card.layout == "buttons" else "card_notice"


def summary(card: Card) -> str:
    """The line in the list of conversations."""
    return fit(card.title, limits.DING_SUMMARY)


def button_named(card: Card, label: str) -> Button | None:
    """The button that is drawn with this label; None when the card has no such button now."""
    offered = [*([card.submit] if card.submit else []), *card.buttons]
    return next(
        (one for one in offered if one.action and fit(one.text, limits.BUTTON) == label), None
    )


def _buttons(card: Card, form: str) -> list[Button]:
    if card.status != "pending":
        return [Button(text=_result(card))]
    if card.layout in ("form", "checklist"):
        shown = [card.submit] if card.submit and form else []
        return [*shown, *card.buttons][:3]
    return list(card.buttons[:3])


def _result(card: Card) -> str:
    """The words on the one dead button: 已入库, 已同意, ..."""
    verdict = card.title.partition("｜")[0]
    return verdict if len(verdict) <= limits.BUTTON else _RESULT.get(card.status, "已处理")


def _params(button: Button, nonce: str) -> str:
    if not button.action:
        return ""
    given = {"a": button.action, "n": nonce}
    return _json(given | {"g": button.arg} if button.arg else given)


def _body(card: Card, form: str) -> str:
    parts = []
    if card.quote:
        parts.append(f"{card.quote_title}：{card.quote}" if card.quote_title else card.quote)
    if card.body:
        parts.append(card.body)
    if card.questions and card.status == "pending" and not form:
        parts.append("选项太多，请点开页面选。")
    return cut(cut_bytes("\n".join(parts), limits.VARIABLE_BYTES), _BODY)


def _rows(card: Card, base: str) -> str:
    """At most six rows and 1024 bytes; the last rows are shortened first, then links go."""
    rows = [
        Row(
            key=fit(row.key, limits.KEY),
            value=fit(row.value, _VALUE),
            old=fit(row.old, _OLD),
            url=_whole(row.url, base),
        )
        for row in limit_rows(card.rows, limits.ROWS, url=card.url)
    ]
    links = [
        Row(key="链接", value=fit(link.text, limits.LINK), url=_whole(link.url, base))
        for link in card.links[: limits.ROWS - len(rows)]
    ]
    while links and _too_long(rows + links):
        links.pop()
    for shorten in (_without_url, _half, _tiny):
        for at in range(len(rows) - 1, -1, -1):
            if not _too_long(rows + links):
                break
            rows[at] = shorten(rows[at])
    while rows and _too_long(rows + links):
        rows.pop()
    return _rows_json(rows + links)


def _too_long(rows: list[Row]) -> bool:
    return len(_rows_json(rows).encode()) > limits.VARIABLE_BYTES


def _rows_json(rows: list[Row]) -> str:
    return _json([_row(row) for row in rows])


def _row(row: Row) -> dict[str, str]:
    made = {"k": row.key, "v": row.value}
    if row.old:
        made["old"] = row.old
    if row.url:
        made["url"] = row.url
    return made


def _without_url(row: Row) -> Row:
    return replace(row, url="")  # the longest part, and the whole card's address stands in for it


def _half(row: Row) -> Row:
    return replace(row, value=fit(row.value, 18), old=fit(row.old, 10))


def _tiny(row: Row) -> Row:
    return replace(row, value=fit(row.value, 10), old="")


def _form(card: Card, nonce: str) -> str:
    """The form variable, '' when there is none or it would be too long (then: the page)."""
    if not card.questions or card.status != "pending":
        return ""
    hidden: list[dict[str, Any]] = [
        {"name": "n", "type": "TEXT", "hidden": True, "defaultValue": nonce}
    ]
    if card.submit:
        action = card.submit.action
        hidden.append({"name": "a", "type": "TEXT", "hidden": True, "defaultValue": action})
    for most in (limits.OPTIONS, limits.DING_CANDIDATES + 1):
        fields = [*hidden, *(_field(question, most) for question in card.questions[:6])]
        made = _json({"fields": fields})
        if len(made.encode()) <= limits.VARIABLE_BYTES:
            return made
    return ""


def _field(question: Question, most: int) -> dict[str, Any]:
    made: dict[str, Any] = {"name": question.id, "label": fit(question.title, limits.QUESTION)}
    if question.choices:
        made["type"] = "MULTI_CHECKBOX_GROUP" if question.multiple else "SELECT"
        made["options"] = [
            {"value": choice.id, "text": fit(choice.text, limits.DING_OPTION)}
            for choice in _most(question, most)
        ]
        if question.selected:
            made["defaultValue"] = question.selected
        return made
    made["type"] = _ENTRY.get(question.entry, "TEXT")
    if question.value:
        made["defaultValue"] = question.value
    return made


def _most(question: Question, most: int) -> tuple[Choice, ...]:
    """The first choices, and the last one: it is the way out (new customer, not known)."""
    choices = question.choices
    return choices if len(choices) <= most else (*choices[: most - 1], choices[-1])


def _first_link(card: Card) -> str:
    return card.links[0].url if card.links else ""


def _address(url: str, base: str) -> str:
    """A whole address, or none: a part of one leads nowhere."""
    made = _whole(url, base)
    return made if len(made) <= limits.DING_URL else ""


def _whole(url: str, base: str) -> str:
    return base + url if url.startswith("/") else url


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
