"""accept(): stored, then acknowledged.  The only door through which events come in."""

from __future__ import annotations

import asyncio

from handlers.messages import Inbound
from sales.clock import Clock
from storage import inbox
from storage.database import Database


class Intake:
    """``accept`` returns after the commit, so that a channel may answer its platform then.

    Many waiting events share one commit.
    """

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def accept(self, event: Inbound) -> bool:
        """True for a new event, False for a repeat.

        Raises:
            StorageFull: nothing was stored; the channel must not acknowledge.
        """
        stored = self._db.submit(
            lambda session: inbox.add(
                session,
                channel=event.channel,
                event_key=event.event_key,
                kind=event.kind,
                user=event.user,
                conversation=event.conversation,
                payload=event.to_payload(),
                now=self._clock.now(),
            )
        )
        return await asyncio.wrap_future(stored) is not None
