"""accept(): stored, then acknowledged.  The only door through which events come in."""

from __future__ import annotations

import asyncio

from handlers.messages import Inbound
from sales.clock import Clock
from storage import inbox
from storage.database import Database

_MOST = 200  # events that share one commit
_LINGER_S = 0.02  # under pressure, so that more share the next commit
_PRESSED_PER_S = 100  # more than ever arrives by itself, even in a large company


class Intake:
    """``accept`` returns after the commit, so that a channel may answer its platform then.

    While one commit is on its way, whatever arrives waits for the next: many events, one commit.
    """

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._waiting: list[tuple[inbox.Event, asyncio.Future[bool]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._second, self._arrived, self._before = 0, 0, 0

    def is_pressed(self) -> bool:
        """Whether so much arrives that answering the platforms in time comes before all work."""
        self._tick()
        return max(self._arrived, self._before) > _PRESSED_PER_S or len(self._waiting) > _MOST

    def _tick(self) -> None:
        second = int(asyncio.get_running_loop().time())
        if second != self._second:
            self._before = self._arrived if second == self._second + 1 else 0
            self._second, self._arrived = second, 0

    async def accept(self, event: Inbound) -> bool:
        """True for a new event, False for a repeat.

        Raises:
            StorageFull: nothing was stored; the channel must not acknowledge.
        """
        self._tick()
        self._arrived += 1
        stored = inbox.Event(
            channel=event.channel,
            event_key=event.event_key,
            kind=event.kind,
            user=event.user,
            conversation=event.conversation,
            payload=event.to_payload(),
        )
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((stored, answer))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        # Shielded: a browser that hangs up must not take the others' commit along.
        return await asyncio.shield(answer)

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            await self._store(batch)
            if self.is_pressed():
                await asyncio.sleep(_LINGER_S)

    async def _store(self, batch: list[tuple[inbox.Event, asyncio.Future[bool]]]) -> None:
        events = [event for event, _ in batch]
        now = self._clock.now()
        try:
            work = self._db.submit(lambda session: inbox.add(session, events, now=now))
            fresh = await asyncio.wrap_future(work)
        except Exception as error:
            if len(batch) > 1:  # one that cannot be stored must not keep the others out
                for one in batch:
                    await self._store([one])
                return
            _answer(batch[0][1], error)
            return
        for (_, answer), new in zip(batch, fresh, strict=True):
            _answer(answer, new)


def _answer(waiting: asyncio.Future[bool], outcome: bool | Exception) -> None:
    if waiting.done():
        return
    if isinstance(outcome, Exception):
        waiting.set_exception(outcome)
    else:
        waiting.set_result(outcome)
