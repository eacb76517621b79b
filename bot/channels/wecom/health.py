"""What is wrong with the app now, for its admin; written when it changes, not with every call."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from bot.channels.wecom.errors import Finding
from sales.clock import Clock
from storage import channel_states
from storage.database import Database

_LOOK_AGAIN_S: Final = 60.0  # other processes find and end problems too
_BY_ANY_CALL: Final = ("token", "ip", "connection")
_BY_SAME_CALL: Final = ("permission", "quota")


class Health:
    def __init__(self, db: Database, clock: Clock, channel: str) -> None:
        self._db = db
        self._clock = clock
        self._channel = channel
        self._known: dict[str, tuple[str, dict[str, Any]]] = {}
        self._looked_at = float("-inf")

    async def note(self, finding: Finding) -> None:
        """Remember a problem until a call proves that it is over."""
        told = (finding.problem, dict(finding.detail))
        if self._known.get(finding.topic) == told:
            return
        now = self._clock.now()
        await asyncio.to_thread(
            self._db.write,
            lambda session: channel_states.note(
                session, self._channel, finding.topic, *told, now=now
            ),
        )
        self._known[finding.topic] = told

    async def well(self, path: str) -> None:
        """A call to *path* was answered: whatever that proves wrong is over."""
        await self._look()
        over = [
            topic
            for topic, (_, detail) in self._known.items()
            if (topic in _BY_ANY_CALL and not (path == "gettoken" and topic == "ip"))
            or (topic in _BY_SAME_CALL and detail.get("path") == path)
        ]
        for topic in over:
            await self._clear(topic)

    async def reached(self, users: list[str]) -> None:
        """Members who could not be reached before got something."""
        problem, detail = self._known.get("people", ("", {}))
        left = [one for one in detail.get("users", []) if one not in users]
        if not problem or len(left) == len(detail.get("users", [])):
            return
        if left:
            await self.note(Finding(topic="people", problem=problem, detail={"users": left}))
        else:
            await self._clear("people")

    async def missed(self, users: list[str], problem: str) -> None:
        """Members who cannot be reached; the admin sees up to fifty of them."""
        await self._look()
        before = self._known.get("people", ("", {}))[1].get("users", [])
        listed = list(dict.fromkeys([*users, *before]))[:50]
        await self.note(Finding(topic="people", problem=problem, detail={"users": listed}))

    async def _clear(self, topic: str) -> None:
        now = self._clock.now()
        await asyncio.to_thread(
            self._db.write,
            lambda session: channel_states.clear(session, self._channel, topic, now=now),
        )
        self._known.pop(topic, None)

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._looked_at < _LOOK_AGAIN_S:
            return
        self._looked_at = now
        found = await asyncio.to_thread(
            self._db.read, lambda session: channel_states.problems(session, self._channel)
        )
        self._known = {one.topic: (one.problem, one.detail) for one in found}
