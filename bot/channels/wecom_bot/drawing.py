"""The payload of a card for its person, with addresses that open without a log-in."""

from __future__ import annotations

import base64
import hmac
from typing import Any

from bot.channels.base import Outgoing
from bot.channels.wecom_bot.cards import without_link_buttons
from bot.channels.wecom_bot.inbound import CHANNEL
from bot.channels.wecom_bot.keeping import write
from bot.rendering import wecom
from handlers.cards.model import Card
from sales.clock import Clock
from storage import links, people
from storage.database import Database, Session


class Drawing:
    """*link_key* makes the codes of links that nobody can guess; b'' leaves addresses long."""

    def __init__(self, db: Database, clock: Clock, *, base_url: str, link_key: bytes) -> None:
        self._db = db
        self._clock = clock
        self._base_url = base_url
        self._key = link_key

    async def draw(self, message: Outgoing, *, task_id: str = "") -> dict[str, Any]:
        """The ``template_card`` of *message*.

        *task_id*: of the message that is redrawn; a new message gets one from the card's own id.
        """
        assert message.card is not None
        card = without_link_buttons(message.card)
        drawn = wecom.render(
            await self._linked(card, message) if self._key else card,
            card_id=message.card_id,
            nonce=message.nonce,
            version=message.version,
            base_url=self._base_url,
        )
        if task_id:
            drawn["task_id"] = task_id
        return drawn

    async def _linked(self, card: Card, message: Outgoing) -> Card:
        codes: dict[str, str] = {}

        def short(url: str) -> str:
            if not url.startswith("/"):
                return url
            codes[url] = self._code(message.effect_key, url)
            return f"/go/{codes[url]}"

        linked = wecom.with_urls(card, short)
        now = self._clock.now()

        def keep(session: Session) -> bool:
            person = people.by_platform(session, CHANNEL, message.user)
            if person is None:
                return False
            for target, code in codes.items():
                links.add_go(session, now=now, person_id=person.id, target=target, code=code)
            return True

        known = await write(self._db, keep) if codes else False
        return linked if known else card

    def _code(self, effect: str, target: str) -> str:
        """The same for every try of one effect, so that a second one makes no second link."""
        made = hmac.digest(self._key, f"go\0{effect}\0{target}".encode(), "sha256")
        return base64.urlsafe_b64encode(made[:12]).decode()
