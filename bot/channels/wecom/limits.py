"""How fast we may send (protocol sheet, 3 and 4.8), kept before the platform has to.

What goes to one member above 30 a minute or 1,000 an hour is dropped without an error, so we stay
below, and count in the database for all processes together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.channels.base import ChannelAway
from sales.clock import Clock
from storage import send_windows
from storage.database import Database
from storage.send_windows import Cap, Full

_MEMBER: Final = ":member:"
_MINUTE: Final = (60, 10)  # span and bucket, seconds
_HOUR: Final = (3600, 300)
_DAY: Final = (86_400, 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Ours, with a margin below the platform's.  ``app_day`` depends on the company's licence."""

    member_minute: int = 25  # of 30
    member_hour: int = 900  # of 1,000
    app_minute: int = 6_000  # of 10,000 for one API of the whole company
    app_day: int = 180_000  # of 200 persons for each account; 1,000 accounts
    webhook_minute: int = 18  # of 20
    chat_minute: int = 100  # of 200 for each member of a group chat


class OverLimit(ChannelAway):
    """Not sent, so that the platform does not drop it; ``to_member``: this person got so many."""

    code = "over_limit"

    def __init__(self, full: Full) -> None:
        super().__init__(f"our limit of {full.cap.scope}", retry_after_s=full.wait_s)
        self.to_member = _MEMBER in full.cap.scope


class Limiter:
    def __init__(self, db: Database, clock: Clock, *, app: str, limits: Limits) -> None:
        self._db = db
        self._clock = clock
        self._app = app
        self.limits = limits

    async def to_members(self, users: Sequence[str]) -> None:
        """Count one message to each of *users*.  Raises OverLimit: nothing was counted."""
        most = self.limits
        caps = self._app_caps()
        for user in sorted({one.lower() for one in users}):
            scope = f"{self._app}{_MEMBER}{user}"
            caps.append(_cap(f"{scope}:minute", most.member_minute, _MINUTE))
            caps.append(_cap(f"{scope}:hour", most.member_hour, _HOUR))
        await self._take(caps)

    async def to_chat(self, chat: str) -> None:
        scope = f"{self._app}:chat:{chat}:minute"
        await self._take([*self._app_caps(), _cap(scope, self.limits.chat_minute, _MINUTE)])

    async def to_webhook(self, name: str) -> None:
        scope = f"{self._app}:hook:{name}:minute"
        await self._take([_cap(scope, self.limits.webhook_minute, _MINUTE)])

    async def update(self) -> None:
        """A card that changes is a call, but no message."""
        await self._take([_cap(f"{self._app}:updates", self.limits.app_minute, _MINUTE)])

    async def first_time(self, what: str, span: timedelta) -> bool:
        """True once in each *span*."""
        now = self._clock.now()
        scope, window = f"{self._app}:{what}", str(int(now.timestamp() // span.total_seconds()))
        return await asyncio.to_thread(
            self._db.write,
            lambda session: send_windows.first_time(session, scope, window, until=now + span),
        )

    def _app_caps(self) -> list[Cap]:
        most = self.limits
        return [
            _cap(f"{self._app}:day", most.app_day, _DAY),
            _cap(f"{self._app}:minute", most.app_minute, _MINUTE),
        ]

    async def _take(self, caps: list[Cap]) -> None:
        now = self._clock.now()
        full = await asyncio.to_thread(
            self._db.write, lambda session: send_windows.take(session, caps, now=now)
        )
        if full is not None:
            raise OverLimit(full)


def _cap(scope: str, most: int, span: tuple[int, int]) -> Cap:
    return Cap(scope=scope, most=most, span_s=span[0], bucket_s=span[1])
