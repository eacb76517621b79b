"""Session webhooks: the free way to answer, while they live (protocol sheet 4.5)."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from functools import partial
from typing import Any, Final

import aiohttp

from bot.channels.base import ChannelAway, OutcomeUnknown
from bot.channels.dingtalk.client import Client
from bot.channels.dingtalk.findings import CHANNEL
from sales.clock import Clock
from storage import dingtalk_chats
from storage.database import Database

_SAFETY_S: Final = 300.0  # before the end that the platform names
_PER_MINUTE: Final = 18  # the platform allows 20
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10, connect=6)
_MOST_CHATS: Final = 20_000
_MOST_DEAD: Final = 2_000


class Sessions:
    """Which webhook answers a conversation.  Its own memory first, then the stored messages: they
    were received by another process, or before a restart."""

    def __init__(self, client: Client, db: Database, clock: Clock) -> None:
        self._client = client
        self._db = db
        self._clock = clock
        self._known: dict[str, str] = {}  # conversation to "<ms until> <address>"
        self._dead: deque[str] = deque(maxlen=_MOST_DEAD)
        self._used: dict[str, deque[float]] = {}

    def remember(self, conversation: str, handle: str) -> None:
        if handle:
            self._known.pop(conversation, None)
            self._known[conversation] = handle
            if len(self._known) > _MOST_CHATS:
                del self._known[next(iter(self._known))]

    async def alive(self, conversation: str) -> str:
        """The address, '' when there is none that works now."""
        if url := self._usable(self._known.get(conversation, "")):
            return url
        kept = await asyncio.to_thread(
            self._db.read,
            partial(dingtalk_chats.last_handle, channel=CHANNEL, conversation=conversation),
        )
        if url := self._usable(kept):
            self.remember(conversation, kept)
        return url

    async def say(self, url: str, body: dict[str, Any]) -> bool:
        """Post *body*; False when the platform did not take it and another way must do.

        Raises:
            OutcomeUnknown: no answer came.
        """
        if not self._has_room(url):
            return False
        try:
            async with self._client.http.post(url, json=body, timeout=_TIMEOUT) as response:
                status, data = response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ChannelAway(f"dingtalk: no connection: {error}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutcomeUnknown(f"dingtalk: webhook: {error!r}", transient=True) from None
        if status == 200 and _errcode(data) == 0:
            self._client.usage.count("push")
            return True
        self._dead.append(url)  # over before its time, too fast, or refused: seen as 200 and 500
        return False

    def _usable(self, handle: str) -> str:
        until, _, url = handle.partition(" ")
        if not url or url in self._dead:
            return ""
        left_s = int(until) / 1000 - self._clock.now().timestamp() if until.isdigit() else 0
        return url if left_s > _SAFETY_S else ""

    def _has_room(self, url: str) -> bool:
        now = asyncio.get_running_loop().time()
        self._used = {one: when for one, when in self._used.items() if when[-1] > now - 60}
        used = self._used.setdefault(url, deque())
        while used and used[0] <= now - 60:
            used.popleft()
        if len(used) >= _PER_MINUTE:
            return False
        used.append(now)
        return True


def _errcode(data: bytes) -> int:
    try:
        found = json.loads(data)
    except ValueError:
        return -1
    return int(found.get("errcode", -1)) if isinstance(found, dict) else -1
