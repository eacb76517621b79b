"""The access token: one for each app, shared by all processes through the database.

Whoever needs one and finds none fetches it under a lease; everybody else waits for that one.  A
second fetch may end the first token, so nobody fetches without need (protocol sheet, section 3).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from bot.channels.base import ChannelError
from bot.channels.wecom.errors import Reaction, WeComAway, WeComError, rule_for
from sales.clock import Clock
from storage import platform_tokens
from storage.database import Database, Session
from storage.platform_tokens import Token

T = TypeVar("T")

EARLY: Final = timedelta(seconds=300)
LEASE_S: Final = 20.0  # longer than a fetch may take
_LOOK_S: Final = 0.1
_PATIENCE_S: Final = 25.0

Fetch = Callable[[], Awaitable[tuple[str, float]]]  # the token, and for how many seconds


class Tokens:
    """*fetch* asks the platform and raises what ``errors`` knows."""

    def __init__(self, db: Database, clock: Clock, fetch: Fetch, *, app: str, secret: str) -> None:
        self._db = db
        self._clock = clock
        self._fetch = fetch
        self.app = app
        # Tells a changed secret from the one that was refused, without telling the secret.
        self._print = hashlib.sha256(f"{app}\0{secret}".encode()).hexdigest()[:16]
        self._one = asyncio.Lock()

    async def get(self, *, refused: str = "") -> str:
        """A token that works as far as anybody knows, and is not *refused*.

        Raises:
            WeComAway: an admin must act before anybody may ask again.
            ChannelError: none could be had now.
        """
        known = await self._read()
        if self._good(known, refused, early=True):
            return known.token
        async with self._one:
            return await self._wait_or_fetch(refused)

    async def ask_again(self) -> bool:
        """An admin says that it is mended; False when nothing was stopped."""
        return await asyncio.to_thread(
            self._db.write, lambda session: platform_tokens.resume(session, self.app)
        )

    async def _wait_or_fetch(self, refused: str) -> str:
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE_S
        while loop.time() < until:
            known = await self._read()
            if self._good(known, refused, early=True):
                return known.token
            self._check_stopped(known)
            if await self._claim(known):
                try:
                    return await self._fetched()
                except ChannelError:
                    if self._good(known, refused, early=False):
                        return known.token  # time enough to try again before it ends
                    raise
            if self._good(known, refused, early=False):
                return known.token  # somebody fetches the next one; this one still works
            await asyncio.sleep(_LOOK_S)
        raise ChannelError("wecom: another process is still fetching a token", transient=True)

    async def _fetched(self) -> str:
        try:
            token, seconds = await self._fetch()
        except (WeComAway, WeComError) as error:
            if rule_for(error.errcode).reaction is Reaction.SECRET:
                why = f"{error.errcode}:{self._print}"
                await self._write(lambda session: platform_tokens.stop(session, self.app, why))
            else:
                await self._release()
            raise
        except BaseException:
            await self._release()
            raise
        now = self._clock.now()
        await self._write(
            lambda session: platform_tokens.keep(
                session,
                self.app,
                token=token,
                now=now,
                expires_at=now + timedelta(seconds=seconds),
            )
        )
        return token

    def _good(self, known: Token, refused: str, *, early: bool) -> bool:
        if not known.token or known.token == refused or known.expires_at is None:
            return False
        return known.expires_at - (EARLY if early else timedelta(0)) > self._clock.now()

    def _check_stopped(self, known: Token) -> None:
        code, _, print_ = known.stopped.partition(":")
        if print_ != self._print:  # not stopped, or by a secret that is not ours any more
            return
        raise WeComAway(
            f"wecom {code}: no token until the settings change or an admin asks again",
            errcode=int(code),
            whole_app=True,
        )

    async def _claim(self, known: Token) -> bool:
        return await self._write(
            lambda session: platform_tokens.claim(
                session, self.app, seen=known.token, now=self._clock.now(), lease_s=LEASE_S
            )
        )

    async def _release(self) -> None:
        await self._write(lambda session: platform_tokens.release(session, self.app))

    async def _read(self) -> Token:
        return await asyncio.to_thread(
            self._db.read, lambda session: platform_tokens.get(session, self.app)
        )

    async def _write(self, work: Callable[[Session], T]) -> T:
        return await asyncio.to_thread(self._db.write, work)
