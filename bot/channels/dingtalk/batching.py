"""The same words to several people in one paid call, when they are sent at the same moment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bot.channels.dingtalk.notes import Note

Json = dict[str, Any]
Send = Callable[[Sequence[str], Note], Awaitable[Json]]

_MOST: Final = 20
_WAIT_S: Final = 0.03


@dataclass(slots=True, kw_only=True)
class _Batch:
    note: Note
    answer: asyncio.Future[Json]
    users: list[str] = field(default_factory=list)


class Batcher:
    def __init__(self, send: Send) -> None:
        self._send = send
        self._open: dict[str, _Batch] = {}
        self._flushing: set[asyncio.Task[None]] = set()

    async def send(self, user: str, note: Note) -> Json:
        """The answer of the call that held *user*; its lists name those who did not get it."""
        key = json.dumps([note.key, note.param], sort_keys=True)
        batch = self._open.get(key)
        if batch is None or user in batch.users or len(batch.users) >= _MOST:
            batch = _Batch(note=note, answer=asyncio.get_running_loop().create_future())
            self._open[key] = batch
            task = asyncio.create_task(self._flush(key, batch))
            self._flushing.add(task)
            task.add_done_callback(self._flushing.discard)
        batch.users.append(user)
        # Shielded: one who waits no longer must not take the others' message along.
        return await asyncio.shield(batch.answer)

    async def _flush(self, key: str, batch: _Batch) -> None:
        await asyncio.sleep(_WAIT_S)
        if self._open.get(key) is batch:
            del self._open[key]
        try:
            batch.answer.set_result(await self._send(tuple(batch.users), batch.note))
        except Exception as error:
            batch.answer.set_exception(error)
            batch.answer.exception()  # somebody may have stopped waiting: no complaint about that
