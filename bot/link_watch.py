"""Leaves in the database whether one of our processes is connected: doctor is another process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Callable
from typing import Final

import structlog

from sales.clock import Clock
from storage import leases
from storage.database import Database, Session

log = structlog.get_logger()

HOLDS_S: Final = 90.0
_RENEW_S: Final = 30.0
_TRY_AGAIN_S: Final = 5.0  # another process has it, or had it when it was killed
_LOOK_S: Final = 1.0


class LinkWatch:
    """*up* says whether a connection stands now; asked often, so it must cost nothing.

    While one does, a lease called *name* is kept.  Who holds it says nothing: with several
    processes one of those that are connected does.
    """

    def __init__(self, db: Database, clock: Clock, *, name: str, up: Callable[[], bool]) -> None:
        self._db, self._clock = db, clock
        self._name, self._up = name, up
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    async def run(self) -> None:
        """Until cancelled."""
        kept_until = float("-inf")
        try:
            while True:
                now = asyncio.get_running_loop().time()
                try:
                    if self._up() and now >= kept_until:
                        ours = await self._write(self._take)
                        kept_until = now + (_RENEW_S if ours else _TRY_AGAIN_S)
                    elif not self._up() and kept_until > 0:
                        await self._write(self._release)
                        kept_until = float("-inf")
                except Exception as error:  # best effort; the next look may be luckier
                    log.warning("connection not noted", error=type(error).__name__)
                await asyncio.sleep(_LOOK_S)
        finally:
            with contextlib.suppress(Exception):  # it runs out by itself
                await self._write(self._release)

    async def _write(self, work: Callable[[Session], bool]) -> bool:
        return await asyncio.shield(asyncio.wrap_future(self._db.submit(work)))

    def _take(self, session: Session) -> bool:
        now = self._clock.now()
        return leases.take(session, self._name, holder=self._holder, now=now, for_s=HOLDS_S)

    def _release(self, session: Session) -> bool:
        leases.release(session, self._name, holder=self._holder)
        return True
