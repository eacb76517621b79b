"""The database from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from storage.database import Database, Session

T = TypeVar("T")


async def write(db: Database, work: Callable[[Session], T]) -> T:
    """Committed when it returns.  Whoever waits may be cancelled; the work itself is not."""
    return await asyncio.shield(asyncio.wrap_future(db.submit(work)))


async def read(db: Database, work: Callable[[Session], T]) -> T:
    """Whoever waits may be cancelled; they leave when the reading is done, not in its middle."""
    reading = asyncio.ensure_future(asyncio.to_thread(db.read, work))
    try:
        return await asyncio.shield(reading)
    except asyncio.CancelledError:
        await asyncio.wait([reading])
        raise
