"""Our cards as a bot may send them, and texts as its markdown shows them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from bot.channels.wecom_bot import chat_words as words
from handlers.cards.model import Card

OPEN: Final = ("pending", "working")  # a card that still waits for its person
_MARKUP: Final = {ord("*"): "＊", ord("`"): "｀", ord("<"): "＜"}
_LINE_MARKUP = re.compile(r"^(\s*)([#>])", re.M)
_WIDE: Final = {"#": "＃", ">": "＞"}


def without_link_buttons(card: Card) -> Card:
    """A bot's card has none: what a link opens, the whole card opens (message sheet, section 1)."""
    links = [button.url for button in card.buttons if button.url and not button.action]
    if not links:
        return card
    kept = tuple(button for button in card.buttons if button.action)
    return replace(card, buttons=kept, url=card.url or links[0])


def in_words(card: Card) -> str:
    """A card that cannot be redrawn any more: its text says how it ended, by whom and when."""
    said = card.text
    if card.footer and card.footer not in said:
        said = f"{said}\n{card.footer}"
    return f"{said}\n{words.NOT_REDRAWN}"


def plain(text: str) -> str:
    """*text* so that markdown shows it as it is: 138****0000 is a number, not emphasis."""
    return _LINE_MARKUP.sub(lambda found: found[1] + _WIDE[found[2]], text.translate(_MARKUP))
