"""The payload of a card for its person, with addresses that open without a log-in."""

from __future__ import annotations

from typing import Any

from bot.channels.base import Outgoing
from bot.channels.short_links import ShortLinks
from bot.channels.wecom_bot.cards import without_link_buttons
from bot.channels.wecom_bot.inbound import CHANNEL
from bot.rendering import wecom
from sales.clock import Clock
from storage.database import Database


class Drawing:
    """*link_key* makes the codes of links that nobody can guess; b'' leaves addresses long."""

    def __init__(self, db: Database, clock: Clock, *, base_url: str, link_key: bytes) -> None:
        self._base_url = base_url
        self._links = ShortLinks(db, clock, channel=CHANNEL, key=link_key)

    async def draw(self, message: Outgoing, *, task_id: str = "") -> dict[str, Any]:
        """The ``template_card`` of *message*.

        *task_id*: of the message that is redrawn; a new message gets one from the card's own id.
        """
        assert message.card is not None
        drawn = wecom.render(
            await self._links.linked(without_link_buttons(message.card), message),
            card_id=message.card_id,
            nonce=message.nonce,
            version=message.version,
            base_url=self._base_url,
        )
        if task_id:
            drawn["task_id"] = task_id
        return drawn
