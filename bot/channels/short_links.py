"""A card's addresses of ours as short codes: they open for its person, without a log-in."""

from __future__ import annotations

import asyncio
import base64
import hmac

from bot.channels.base import Outgoing
from bot.rendering.addresses import with_urls
from handlers.cards.model import Card
from sales.clock import Clock
from storage import links, people
from storage.database import Database, Session


class ShortLinks:
    """*key* makes codes that nobody can guess; b'' leaves addresses as they are."""

    def __init__(self, db: Database, clock: Clock, *, channel: str, key: bytes) -> None:
        self._db = db
        self._clock = clock
        self._channel = channel
        self._key = key

    async def linked(self, card: Card, message: Outgoing) -> Card:
        """*card* with ``/go/`` codes, kept when this returns; unchanged for somebody unknown."""
        codes: dict[str, str] = {}

        def short(url: str) -> str:
            if not url.startswith("/"):
                return url
            codes[url] = self._code(message.effect_key, url)
            return f"/go/{codes[url]}"

        made = with_urls(card, short)
        if not codes or not self._key:
            return card
        now = self._clock.now()

        def keep(session: Session) -> bool:
            person = people.by_platform(session, self._channel, message.user)
            if person is None:
                return False
            for target, code in codes.items():
                links.add_go(session, now=now, person_id=person.id, target=target, code=code)
            return True

        # Shielded: whoever waits may be cancelled, the work itself is not.
        known = await asyncio.shield(asyncio.wrap_future(self._db.submit(keep)))
        return made if known else card

    def _code(self, effect: str, target: str) -> str:
        """The same for every try of one effect, or its second request would differ."""
        made = hmac.digest(self._key, f"go\0{effect}\0{target}".encode(), "sha256")
        return base64.urlsafe_b64encode(made[:12]).decode()
