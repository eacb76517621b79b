"""The addresses in a card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from handlers.cards.model import Card


def with_urls(card: Card, change: Callable[[str], str]) -> Card:
    """The card with every address of it as *change* says."""
    return replace(
        card,
        url=change(card.url),
        rows=tuple(replace(row, url=change(row.url)) for row in card.rows),
        links=tuple(replace(link, url=change(link.url)) for link in card.links),
        buttons=tuple(replace(button, url=change(button.url)) for button in card.buttons),
    )


def absolute(card: Card, base_url: str) -> Card:
    """The card with every address of ours completed."""
    base = base_url.rstrip("/")
    return with_urls(card, lambda url: base + url if url.startswith("/") else url)
