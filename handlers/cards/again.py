"""A card that is sent once more, because the first one cannot be changed any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from handlers.cards.model import Card

_MARK: Final = "重发｜"
_VOID: Final = "之前那张已作废，请点这一张。"
_CLOSED: Final = "之前那张没能更新，以这一张为准。"


def resent(card: Card) -> Card:
    """The card with words that the one before it is void; done twice, it says so once."""
    if card.title.startswith(_MARK):
        return card
    words = _VOID if card.status == "pending" else _CLOSED
    body = f"{words}\n{card.body}" if card.body else words
    return replace(card, title=_MARK + card.title, body=body, text=f"{words}{card.text}")


def replaced(card: Card) -> Card:
    """What stands in the place of the older one."""
    title = card.title.removeprefix(_MARK)
    return Card(
        kind=card.kind,
        layout="notice",
        source=card.source,
        title=f"已重发｜{title}",
        subtitle="请点新的那一张，这张不用再点",
        status="other",
        url=card.url,
        text=f"{title}：这张已重发，请点新的那一张。",
    )
