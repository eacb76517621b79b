"""The neutral card as a WeCom ``template_card`` (protocol sheet 4.2) within the narrow limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from bot.rendering import limits
from bot.rendering.addresses import absolute
from bot.rendering.fit import cut, fit, limit_rows, with_old
from handlers.cards.model import Button, Card, Question, Row

_COLOUR: Final = {"plain": 0, "alarm": 2, "done": 3}
_DANGER: Final = ("drop", "no", "stop", "delete")
_SEPARATOR: Final = "|"


@dataclass(frozen=True, slots=True)
class Tap:
    """What a button's key says."""

    action: str
    nonce: str
    arg: str = ""


def task_id(card_id: str, version: int = 1) -> str:
    """``<kind>-<12 hex digits>-<version>``: the card's id says kind and number already."""
    safe = re.sub(r"[^0-9A-Za-z_@-]+", "_", card_id)[:100]
    return f"{safe}-{version}"


def card_of(task: str) -> str:
    """The card's id behind a task id that a tap brings back."""
    return task.rpartition("-")[0]


def button_key(button: Button, nonce: str) -> str:
    """Only the action and the nonce; a short ``arg`` where one card has an action several times."""
    parts = [button.action, nonce] + ([button.arg] if button.arg else [])
    return _SEPARATOR.join(parts)


def parse_key(key: str) -> Tap:
    """The reverse of ``button_key``; unknown keys give a tap that no card answers to."""
    action, _, rest = key.partition(_SEPARATOR)
    nonce, _, arg = rest.partition(_SEPARATOR)
    return Tap(action, nonce, arg)


def render(
    card: Card,
    *,
    card_id: str,
    nonce: str,
    version: int = 1,
    base_url: str = "",
    image_url: str = "",
) -> dict[str, Any]:
    """The ``template_card``.  *base_url* goes before addresses that start with ``/``.

    A news card without a picture's address becomes a notice, as section M10 asks.
    """
    card = absolute(card, base_url)
    image_url = image_url or card.image_url
    identity = task_id(card_id, version)
    match _layout(card, image_url):
        case "form":
            return _form(card, identity, nonce)
        case "checklist":
            return _checklist(card, identity, nonce)
        case "news":
            return _news(card, identity, nonce, image_url)
        case "buttons":
            return _buttons(card, identity, nonce)
        case _:
            return _notice(card, identity, nonce, fallback_url=base_url or "/")


def _layout(card: Card, image_url: str) -> str:
    if card.layout == "form" and not any(question.choices for question in card.questions):
        return "buttons" if _callbacks(card) or card.submit else "notice"
    if card.layout == "checklist" and not any(question.choices for question in card.questions):
        return "notice"
    if card.layout == "buttons" and not card.buttons:
        return "notice"
    if card.layout == "news" and not image_url:
        return "notice"
    return card.layout


def _buttons(card: Card, identity: str, nonce: str) -> dict[str, Any]:
    buttons = card.buttons or ((card.submit,) if card.submit else ())
    made = _head(card, "button_interaction") | _quote(card) | _middle(card)
    made["task_id"] = identity
    made["button_list"] = [
        _button(button, nonce, first=number == 0)
        for number, button in enumerate(buttons[: limits.BUTTONS])
    ]
    selects = [question for question in card.questions if question.choices]
    if selects:
        made["button_selection"] = _select(selects[0])
    return made | _card_action(card.url)


def _notice(card: Card, identity: str, nonce: str, *, fallback_url: str) -> dict[str, Any]:
    made = _head(card, "text_notice") | _quote(card)
    if card.big:
        made["emphasis_content"] = {"title": fit(card.big, limits.BIG)}
        if card.big_note:
            made["emphasis_content"]["desc"] = fit(card.big_note, limits.BIG_NOTE)
    made |= _middle(card) | _jumps(card) | _menu(card, identity, nonce)
    url = card.url or next((link.url for link in card.links), fallback_url)
    return made | _card_action(url)  # a notice without an address is refused


def _news(card: Card, identity: str, nonce: str, image_url: str) -> dict[str, Any]:
    made = _head(card, "news_notice") | _quote(card)
    made["card_image"] = {"url": image_url, "aspect_ratio": 1.78}
    rows = limit_rows(card.rows, limits.VERTICALS)
    if rows:
        made["vertical_content_list"] = [
            {
                "title": fit(row.key, limits.VERTICAL_TITLE),
                "desc": cut(row.value, limits.VERTICAL_BODY),
            }
            for row in rows
        ]
    made |= _jumps(card) | _menu(card, identity, nonce)
    return made | _card_action(card.url or image_url)


def _form(card: Card, identity: str, nonce: str) -> dict[str, Any]:
    """WeCom's forms have drop-downs only; free entries are answered by a reply (section M1)."""
    questions = [question for question in card.questions if question.choices]
    made = _head(card, "multiple_interaction")
    made["task_id"] = identity
    made["select_list"] = [_select(question) for question in questions[: limits.QUESTIONS]]
    made["submit_button"] = _submit(card, nonce)
    return made


def _checklist(card: Card, identity: str, nonce: str) -> dict[str, Any]:
    question = next(question for question in card.questions if question.choices)
    choices = question.choices
    if len(choices) > limits.CHECKS:  # the last one says what happens to the rest: it stays
        choices = (*choices[: limits.CHECKS - 1], choices[-1])
    made = _head(card, "vote_interaction")
    made["main_title"]["title"] = fit(card.title, limits.VOTE_TITLE)
    made["task_id"] = identity
    made["checkbox"] = {
        "question_key": question.id,
        "mode": 1 if question.multiple else 0,
        "option_list": [
            {
                "id": choice.id,
                "text": fit(choice.text, limits.CHECK),
                "is_checked": choice.id == question.selected,
            }
            for choice in choices
        ],
    }
    made["submit_button"] = _submit(card, nonce)
    return made


def _head(card: Card, card_type: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "card_type": card_type,
        "source": {"desc": fit(card.source, limits.SOURCE), "desc_color": _COLOUR[card.tone]},
        "main_title": {"title": fit(card.title, limits.TITLE)},
    }
    if subtitle := _subtitle(card):
        made["main_title"]["desc"] = fit(subtitle, limits.DESC)
    return made


def _subtitle(card: Card) -> str:
    """Who and when stand in the subtitle where there is room."""
    if not card.footer or card.footer in card.subtitle:
        return card.subtitle
    both = f"{card.subtitle} · {card.footer}" if card.subtitle else card.footer
    return both if len(both) <= limits.DESC or not card.subtitle else card.subtitle


def _quote(card: Card) -> dict[str, Any]:
    if not card.quote:
        return {}
    return {
        "quote_area": {
            "type": 0,
            "title": fit(card.quote_title, limits.QUOTE_TITLE),
            "quote_text": cut(card.quote, limits.QUOTE),
        }
    }


def _middle(card: Card) -> dict[str, Any]:
    made: dict[str, Any] = {}
    body = card.body
    if card.footer and card.footer not in _subtitle(card):
        body = f"{card.footer}\n{body}" if body else card.footer
    if body:
        made["sub_title_text"] = cut(body, limits.BODY)
    rows = limit_rows(card.rows, limits.ROWS, url=card.url)
    if rows:
        made["horizontal_content_list"] = [_row(row) for row in rows]
    return made


def _row(row: Row) -> dict[str, Any]:
    made: dict[str, Any] = {
        "keyname": fit(row.key, limits.KEY),
        "value": with_old(row.value, row.old, limits.VALUE),
    }
    if row.url:
        made |= {"type": 1, "url": row.url}
    return made


def _button(button: Button, nonce: str, *, first: bool) -> dict[str, Any]:
    text = fit(button.text, limits.BUTTON)
    if button.url and not button.action:
        return {"type": 1, "text": text, "url": button.url}
    danger = button.action.rpartition(".")[2] in _DANGER
    style = 1 if first else (3 if danger else 2)
    return {"type": 0, "text": text, "style": style, "key": button_key(button, nonce)}


def _select(question: Question) -> dict[str, Any]:
    choices = question.choices
    if len(choices) > limits.OPTIONS:
        kept = choices[: limits.OPTIONS]
        if question.selected and question.selected not in {choice.id for choice in kept}:
            chosen = [choice for choice in choices if choice.id == question.selected]
            kept = (*choices[: limits.OPTIONS - 1], *chosen)[: limits.OPTIONS]
        choices = kept
    made: dict[str, Any] = {
        "question_key": question.id,
        "title": fit(question.title, limits.QUESTION),
        "option_list": [
            {"id": choice.id, "text": fit(choice.text, limits.OPTION)} for choice in choices
        ],
    }
    if question.selected:
        made["selected_id"] = question.selected
    return made


def _submit(card: Card, nonce: str) -> dict[str, Any]:
    button = card.submit or next(iter(_callbacks(card)), Button(text="提交", action=card.kind))
    return {"text": fit(button.text, limits.SUBMIT), "key": button_key(button, nonce)}


def _jumps(card: Card) -> dict[str, Any]:
    links = [
        {"type": 1, "title": fit(link.text, limits.LINK), "url": link.url}
        for link in card.links[: limits.LINKS]
    ]
    return {"jump_list": links} if links else {}


def _menu(card: Card, identity: str, nonce: str) -> dict[str, Any]:
    """Notices have no buttons; theirs become the menu at the corner, which needs a task id."""
    buttons = _callbacks(card)[: limits.MENU]
    if not buttons:
        return {}
    entries = [
        {"text": fit(button.text, limits.BUTTON), "key": button_key(button, nonce)}
        for button in buttons
    ]
    return {"action_menu": {"desc": "更多", "action_list": entries}, "task_id": identity}


def _card_action(url: str) -> dict[str, Any]:
    return {"card_action": {"type": 1, "url": url}} if url else {}


def _callbacks(card: Card) -> list[Button]:
    return [button for button in card.buttons if button.action]
