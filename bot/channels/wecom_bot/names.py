"""Who somebody is: bots whose maker is no super admin are told encrypted ids only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

import structlog

from bot.channels.wecom_bot.inbound import CHANNEL
from bot.channels.wecom_bot.keeping import read, write
from storage import people, settings
from storage.database import Database, Session

log = structlog.get_logger()

# Encrypted ids to plain user ids; those that are none, or of members out of sight, are left out.
Resolve = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
_WAITS_S: Final = (0.0, 0.5, 2.0)  # before each try; the platform does not send the message again


class Names:
    """``of`` gives the plain user id where it can be had, else the id as it came."""

    def __init__(self, db: Database, resolve: Resolve | None) -> None:
        self._db = db
        self._resolve = resolve

    async def of(self, user: str) -> str:
        if self._resolve is None:
            return user
        known = await read(self._db, lambda s: _known(s, user))
        if known:
            return known
        for wait_s in _WAITS_S:
            await asyncio.sleep(wait_s)
            try:
                found = (await self._resolve([user])).get(user, "")
            except Exception as error:
                log.warning("aibot: an id could not be resolved", error=type(error).__name__)
                continue
            if found:
                await write(self._db, partial(settings.put, key=_key(user), value=found))
            return found or user
        return user


def _known(session: Session, user: str) -> str:
    if people.by_platform(session, CHANNEL, user):
        return user
    return settings.get(session, _key(user))


def _key(user: str) -> str:
    return f"wecom_bot.user:{user}"
