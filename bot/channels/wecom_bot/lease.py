"""Which of our processes may hold the connection: the platform keeps only one for each bot."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable

import structlog

from bot.channels.wecom_bot.keeping import write
from sales.clock import Clock
from storage import leases
from storage.database import Database, Session

log = structlog.get_logger()


class Lease:
    """Keeps a lease of the database; ``held`` is set while it is surely ours."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        name: str,
        for_s: float,
        alone: bool,
    ) -> None:
        self.held = asyncio.Event()
        self.on_lost: Callable[[], None] = lambda: None
        self._db = db
        self._clock = clock
        self._name = name
        self._for_s = for_s
        self._alone = alone  # no other process can be alive: a lease in the way is a dead one's
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._sure_until = 0.0
        self._seized = False

    async def run(self) -> None:
        """Take and renew until cancelled; then let go."""
        try:
            while True:
                await self.renew()
                await asyncio.sleep(self._for_s / 3)
        finally:
            self.held.clear()
            try:
                await write(self._db, lambda s: leases.release(s, self._name, holder=self._holder))
            except Exception as error:  # it runs out by itself
                log.error("aibot: the lease could not be given back", error=type(error).__name__)

    async def renew(self) -> bool:
        """Ask the database now; whether the lease is ours."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            ours = await write(self._db, self._take)
        except Exception as error:
            log.error("aibot: the lease could not be renewed", error=type(error).__name__)
            ours = self._alone or loop.time() < self._sure_until
        else:
            self._seized = True
            self._sure_until = begun + self._for_s if ours else 0.0
        if ours:
            self.held.set()
        elif self.held.is_set():
            log.warning("aibot: another process took the lease")
            self.held.clear()
            self.on_lost()
        return ours

    def _take(self, session: Session) -> bool:
        now = self._clock.now()
        if not self._alone or self._seized:
            return leases.take(session, self._name, holder=self._holder, now=now, for_s=self._for_s)
        leases.seize(session, self._name, holder=self._holder, now=now, for_s=self._for_s)
        return True
