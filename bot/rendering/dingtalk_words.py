"""The neutral card as an action card: words and link buttons, where no template can draw it.

A button's link makes the person say the button's label and the card's nonce, which comes back as a
message (protocol sheet 4.3, 5.7 D).  Forms cannot be filled in here: the version in words tells how
to answer them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from bot.rendering import dingtalk, limits
from bot.rendering.fit import cut, cut_bytes, fit, limit_rows
from handlers.cards.model import Card, Row

BODY: Final = 1_000  # characters of an action card
MOST_BUTTONS: Final = 5
_TITLE: Final = 60
_QUOTE: Final = 120
_VALUE: Final = 60
_BREAK: Final = "  \n  "  # a single line break is none in this markdown
_MARKS = re.compile(r"([`*_\[\]])")
_STARTS = re.compile(r"^(\s*)([#>]|[+-](?=\s)|\d+(?=\.\s))")


@dataclass(frozen=True, slots=True, kw_only=True)
class InWords:
    """``buttons``: label and address.  Without any it is a plain message."""

    title: str
    text: str
    buttons: tuple[tuple[str, str], ...] = ()


def render(card: Card, *, nonce: str, open_page: str = "") -> InWords:
    """*open_page*: the label of a button that opens the card's page; '' for none."""
    in_words = card.status == "pending" and card.questions and card.text
    text = escape(cut(card.text, BODY)) if in_words else _composed(card)
    buttons = _buttons(card, nonce)
    if open_page and card.url.startswith("http") and len(buttons) < MOST_BUTTONS:
        buttons.append((open_page, page_link(card.url)))
    return InWords(
        title=fit(card.title, _TITLE),
        text=text,
        buttons=tuple(buttons),
    )


def public(card: Card, *, nonce: str, open_page: str) -> dict[str, str]:
    """The variables of the official SDK's public template (protocol sheet 5.7 A)."""
    shown = dingtalk.render(card, card_id="", nonce=nonce)
    buttons: list[dict[str, Any]] = []
    for number in (1, 2, 3):
        params = json.loads(shown[f"p{number}"] or "{}")
        if shown[f"btn{number}"] and params:
            button = {"text": shown[f"btn{number}"], "color": "gray" if buttons else "blue"}
            buttons.append({**button, "id": params["a"], "request": True, "params": params})
    if shown["url"].startswith("http"):
        link = page_link(shown["url"])
        button = {"text": open_page, "color": "gray", "url": link, "iosUrl": link}
        if len(_buttons_json([*buttons, button]).encode()) <= limits.VARIABLE_BYTES:
            buttons.append(button)
    rows = [_line(row) for row in card.rows[: limits.ROWS]]
    return {
        "title": shown["title"],
        "markdown": _fitting(escape(one) for one in (shown["desc"], *rows, shown["body"])),
        "tips": shown["foot"],
        "sys_full_json_obj": _buttons_json(buttons),
    }


def lines(card: Card) -> str:
    """The rows as plain lines, for templates without a loop; at most what one variable holds."""
    rows = limit_rows(card.rows, limits.ROWS)
    return cut_bytes("\n".join(_line(row) for row in rows), limits.VARIABLE_BYTES)


def no_buttons(tips: str) -> dict[str, str]:
    """Of a card of the public template that is over."""
    return {"tips": tips, "sys_full_json_obj": _buttons_json([])}


def escape(text: str) -> str:
    """Words of people as markdown that shows them as they are, line by line."""
    return _BREAK.join(_escaped(line) for line in text.replace("\r", "").split("\n"))


def _escaped(line: str) -> str:
    line = _MARKS.sub(r"\\\1", line)
    found = _STARTS.match(line)
    if found is None:
        return line
    head, rest = line[: found.end()], line[found.end() :]
    if found[2].isdigit():  # 1. would become a list
        return f"{head}\\{rest}"
    return f"{found[1]}\\{found[2]}{rest}"


def say_link(words: str) -> str:
    """A tap makes the person send *words* to the robot."""
    return f"dtmd://dingtalkclient/sendMessage?content={quote(words, safe='')}"


def page_link(url: str) -> str:
    """Opens beside the conversation on a computer, as a page on a phone."""
    return f"dingtalk://dingtalkclient/page/link?url={quote(url, safe='')}&pc_slide=true"


def _buttons(card: Card, nonce: str) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    if card.status != "pending":
        return made
    for button in card.buttons[:MOST_BUTTONS]:
        label = fit(button.text, limits.BUTTON)
        if button.action:
            made.append((label, say_link(f"{label} #{nonce}")))
        elif button.url.startswith("http"):
            made.append((label, page_link(button.url)))
    return made


def _composed(card: Card) -> str:
    """Everything that the card shows, a paragraph for each part."""
    head = f"**{escape(fit(card.title, _TITLE))}**"
    if card.subtitle:
        head += f"{_BREAK}{escape(card.subtitle)}"
    parts = [head]
    if card.quote:
        told = cut(card.quote, _QUOTE)
        parts.append(f"> {escape(f'{card.quote_title}：{told}' if card.quote_title else told)}")
    if card.big:
        parts.append(escape(f"{card.big} {card.big_note}".strip()))
    if card.rows:
        parts.append("\n".join(f"- {escape(_line(row))}" for row in card.rows[: limits.ROWS]))
    if card.body:
        parts.append(escape(card.body))
    if card.footer and card.footer not in card.subtitle:
        parts.append(escape(card.footer))
    while len(parts) > 1 and sum(map(len, parts)) > BODY:
        parts.pop()
    return "\n\n".join(parts)


def _line(row: Row) -> str:
    value = f"{row.value}（原 {row.old}）" if row.old else row.value
    return f"{row.key}：{fit(value, _VALUE)}"


def _fitting(lines: Iterable[str]) -> str:
    """As many lines as one variable holds."""
    kept: list[str] = []
    for line in lines:
        if line and len("\n\n".join([*kept, line]).encode()) <= limits.VARIABLE_BYTES:
            kept.append(line)
    return "\n\n".join(kept)


def _buttons_json(buttons: list[dict[str, Any]]) -> str:
    return json.dumps({"msgButtons": buttons}, ensure_ascii=False, separators=(",", ":"))
