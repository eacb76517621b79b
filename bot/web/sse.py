"""Server-sent events: wakes open pages after a commit, and numbers what they got."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from aiohttp import web

CHANGES: web.AppKey[Changes]


class Changes:
    """Tells waiting pages that something was committed.  ``wake`` may be called from any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Event] = set()
        self.closing = False

    def start(self) -> None:
        """Called inside the loop that serves the pages."""
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        self.closing = True
        self._wake()

    def wake(self) -> None:
        loop = self._loop
        if loop is not None and self._waiting and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    def listener(self) -> Listener:
        return Listener(self._waiting)

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()


class Listener:
    """One open page.  A change between two waits is not missed."""

    def __init__(self, waiting: set[asyncio.Event]) -> None:
        self._all = waiting
        self._event = asyncio.Event()

    def __enter__(self) -> Listener:
        self._all.add(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        self._all.discard(self._event)

    async def changed(self, timeout_s: float) -> None:
        """Return after a change, or after *timeout_s*."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except TimeoutError:
            return
        self._event.clear()


CHANGES = web.AppKey("changes", Changes)

_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy in front must not hold events back
}


async def open_stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers=_HEADERS)
    await response.prepare(request)
    await response.write(b"retry: 1000\n\n")
    return response


async def write_event(
    response: web.StreamResponse, name: str, data: Any, *, number: int | None = None
) -> None:
    """One event; with a *number* the browser resumes after it."""
    lines = f"id: {number}\n" if number is not None else ""
    text = json.dumps(data, ensure_ascii=False)
    await response.write(f"{lines}event: {name}\ndata: {text}\n\n".encode())
