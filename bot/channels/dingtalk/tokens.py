"""The app's access token: shared by all processes through the database, fetched by one of them.

The platform gives the same token again while it is valid, so a second fetch does no harm; what must
not happen is many of them (protocol sheet, section 6).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from bot.channels.base import ChannelError
from bot.channels.dingtalk.errors import SECRET_WAIT_S, DingTalkAway, Reaction
from sales.clock import Clock
from storage import platform_tokens
from storage.database import Database

EARLY: Final = timedelta(minutes=8)
LEASE_S: Final = 20.0  # longer than a fetch may take
_LOOK_S: Final = 0.1
_PATIENCE_S: Final = 25.0

Fetch = Callable[[], Awaitable[tuple[str, float]]]  # the token, and for how many seconds


class Tokens:
    """*fetch* asks the platform.  A wrong secret is not tried again for some minutes."""

    def __init__(
        self, db: Database, clock: Clock, fetch: Fetch, *, client_id: str, secret: str
    ) -> None:
        self._db = db
        self._clock = clock
        self._fetch = fetch
        # A changed secret is another app: what was kept for the old one does not stand in its way.
        print_ = hashlib.sha256(f"{client_id}\0{secret}".encode()).hexdigest()[:12]
        self.app = f"dingtalk:{client_id}:{print_}"
        self._one = asyncio.Lock()
        self._known: tuple[str, datetime] | None = None
        self._refused: tuple[datetime, DingTalkAway] | None = None

    async def get(self, *, refused: str = "") -> str:
        """A token that works as far as anybody knows, and is not *refused*.

        Raises:
            DingTalkAway: the secret is wrong.
            ChannelError: none could be had now.
        """
        if self._known and self._good(*self._known, refused):
            return self._known[0]
        async with self._one:
            return await self._wait_or_fetch(refused)

    async def _wait_or_fetch(self, refused: str) -> str:
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE_S
        while loop.time() < until:
            kept = await asyncio.to_thread(
                self._db.read, partial(platform_tokens.get, app=self.app)
            )
            if kept.expires_at and self._good(kept.token, kept.expires_at, refused):
                self._known = (kept.token, kept.expires_at)
                return kept.token
            self._stop_asking()
            claim = partial(
                platform_tokens.claim,
                app=self.app,
                seen=kept.token,
                now=self._clock.now(),
                lease_s=LEASE_S,
            )
            if await self._write(claim):
                return await self._fetched()
            await asyncio.sleep(_LOOK_S)
        raise ChannelError("dingtalk: another process is still fetching a token", transient=True)

    async def _fetched(self) -> str:
        try:
            token, seconds = await self._fetch()
        except BaseException as error:
            if isinstance(error, DingTalkAway) and error.reaction is Reaction.SECRET:
                until = self._clock.now() + timedelta(seconds=SECRET_WAIT_S)
                self._refused = (until, error)
            await self._write(partial(platform_tokens.release, app=self.app))
            raise
        now = self._clock.now()
        expires_at = now + timedelta(seconds=seconds)
        keep = partial(
            platform_tokens.keep, app=self.app, token=token, now=now, expires_at=expires_at
        )
        await self._write(keep)
        self._known, self._refused = (token, expires_at), None
        return token

    def _stop_asking(self) -> None:
        """Raises what the platform said about our secret a moment ago."""
        if self._refused and self._clock.now() < self._refused[0]:
            until, error = self._refused
            left_s = (until - self._clock.now()).total_seconds()
            raise DingTalkAway(
                str(error),
                word=error.word,
                reaction=error.reaction,
                retry_after_s=max(1.0, left_s),
                finding=error.finding,
            )

    def _good(self, token: str, expires_at: datetime, refused: str) -> bool:
        return bool(token) and token != refused and expires_at - EARLY > self._clock.now()

    async def _write(self, work: Any) -> Any:
        return await asyncio.shield(asyncio.wrap_future(self._db.submit(work)))
