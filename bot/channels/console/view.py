"""A stored message as the page draws it: cards in both skins, from the payloads a platform gets."""

from __future__ import annotations

from typing import Any

from bot.rendering import dingtalk, limits, wecom
from handlers.cards.model import Card
from storage.console import ConsoleMessage


def shown(message: ConsoleMessage) -> dict[str, Any]:
    """What the page needs to draw *message*; times are ISO 8601."""
    made: dict[str, Any] = {
        "id": message.id,
        "key": message.key,
        "person": message.person_id,
        "mine": message.direction == "in",
        "kind": message.kind,
        "at": message.at.isoformat(),
        "changed": message.changed,
    }
    if message.kind == "card":
        return made | {"card": _card(message)}
    if message.kind == "text":
        return made | {"text": message.payload["text"]}
    file = message.payload
    made["file"] = {
        "name": file["name"],
        "size": file["size"],
        "type": file["type"],
        "recorded": file.get("recorded", False),
        "url": f"/console/media/{message.id}",
    }
    return made


def _card(message: ConsoleMessage) -> dict[str, Any]:
    card = Card.from_dict(message.payload["card"])
    card_id, nonce = message.card_id or "", message.payload["nonce"]
    version = message.payload["version"]
    on_wecom = wecom.render(card, card_id=card_id, nonce=nonce, version=version)
    on_dingtalk = dingtalk.render(card, card_id=card_id, nonce=nonce)
    return {
        "id": card_id,
        "nonce": nonce,
        "version": version,
        "drawn_at": message.payload["drawn_at"],
        "status": card.status,
        "kind": card.kind,
        "text": card.text,
        "wecom": on_wecom,
        "dingtalk": on_dingtalk,
        "meters": {"wecom": _meters(on_wecom), "dingtalk": _meters(on_dingtalk)},
        "sources": [row.source for row in card.rows],
        "submit": (card.submit.action, card.submit.arg) if card.submit else None,
    }


def _meters(payload: dict[str, Any]) -> dict[str, list[Any]]:
    return {one.field: [one.used, one.limit, one.unit] for one in limits.measure(payload)}
