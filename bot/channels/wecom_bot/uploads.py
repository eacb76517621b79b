"""Files that we send: they go up in pieces over the same connection (protocol sheet 6.4)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, Literal

from bot.channels.base import ChannelAway, ChannelError, OutcomeUnknown
from bot.channels.wecom_bot.frames import Refused
from bot.channels.wecom_bot.inbound import CHANNEL
from bot.channels.wecom_bot.keeping import read, write
from bot.channels.wecom_bot.link import Link
from sales.clock import Clock
from storage import platform_uploads, send_windows
from storage.database import Database
from storage.media import MediaStore, sniff
from storage.send_windows import Cap

Kind = Literal["image", "file"]

_CHUNK: Final = 512 * 1024
_MOST: Final = {"image": 10 * 1024 * 1024, "file": 20 * 1024 * 1024}
_LASTS: Final = timedelta(days=3) - timedelta(hours=2)
_PIECE_S: Final = 30.0
_FORGOTTEN: Final = (40007, 41006)
_CAPS: Final = (
    Cap(scope=f"{CHANNEL}:uploads:minute", most=30, span_s=60, bucket_s=5),
    Cap(scope=f"{CHANNEL}:uploads:hour", most=1000, span_s=3600, bucket_s=60),
)


class Uploads:
    """The same bytes go up once in three days, however many people get them."""

    def __init__(self, db: Database, store: MediaStore, clock: Clock, *, bot_id: str) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._app = f"{CHANNEL}:{bot_id}"
        self._going: dict[tuple[str, Kind], asyncio.Task[str]] = {}

    async def use(
        self,
        link: Link,
        sha256: str,
        wanted: Kind,
        name: str,
        send: Callable[[Kind, str], Awaitable[None]],
    ) -> None:
        """Call *send* with the platform's id of the file; anew when the platform forgot it.

        Raises:
            ChannelError: it is too big for the platform, or cannot go up now.
        """
        data = await asyncio.to_thread(self._store.get, sha256)
        kind = wanted if wanted == "file" or _is_shown(data) else "file"
        now = self._clock.now()
        known = await read(
            self._db, lambda s: platform_uploads.find(s, self._app, sha256, kind, now=now)
        )
        if known:
            try:
                return await send(kind, known)
            except Refused as refused:
                if refused.errcode not in _FORGOTTEN:
                    raise
                await write(self._db, lambda s: platform_uploads.forget(s, known))
        return await send(kind, await self._up(link, data, sha256, kind, name))

    async def _up(self, link: Link, data: bytes, sha256: str, kind: Kind, name: str) -> str:
        """Shielded: a sender that loses patience finds it done at the next try."""
        task = self._going.get((sha256, kind))
        if task is None:
            task = asyncio.create_task(self._upload(link, data, sha256, kind, name))
            self._going[sha256, kind] = task
            task.add_done_callback(lambda done: self._gone(sha256, kind, done))
        return await asyncio.shield(task)

    def _gone(self, sha256: str, kind: Kind, task: asyncio.Task[str]) -> None:
        del self._going[sha256, kind]
        if not task.cancelled():
            task.exception()  # told to whoever waits; nobody may wait any more

    async def _upload(self, link: Link, data: bytes, sha256: str, kind: Kind, name: str) -> str:
        if not data or len(data) > _MOST[kind]:
            raise ChannelError(f"no {kind} of {len(data)} bytes is taken", transient=False)
        now = self._clock.now()
        if full := await write(self._db, lambda s: send_windows.take(s, _CAPS, now=now)):
            raise ChannelAway(f"quota of {full.cap.scope}", retry_after_s=full.wait_s)
        try:
            media_id = await self._pieces(link, data, kind, name)
        except OutcomeUnknown as error:  # nobody saw anything: this is no sending
            raise ChannelError(f"upload: {error}", transient=True) from error
        await write(
            self._db,
            lambda s: platform_uploads.keep(
                s, self._app, sha256, kind, media_id=media_id, expires_at=now + _LASTS
            ),
        )
        return media_id

    @staticmethod
    async def _pieces(link: Link, data: bytes, kind: Kind, name: str) -> str:
        pieces = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
        about = {
            "type": kind,
            "filename": name,
            "total_size": len(data),
            "total_chunks": len(pieces),
            "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        }
        begun = await link.ask("aibot_upload_media_init", about)
        upload = {"upload_id": str(begun.get("upload_id") or "")}
        for number, piece in enumerate(pieces):  # from 0, as Tencent's own SDK counts
            coded = base64.b64encode(piece).decode()
            part = {**upload, "chunk_index": number, "base64_data": coded}
            await link.ask("aibot_upload_media_chunk", part, within_s=_PIECE_S)
        done = await link.ask("aibot_upload_media_finish", upload, within_s=_PIECE_S)
        return str(done.get("media_id") or "")


def _is_shown(data: bytes) -> bool:
    """A picture that the platform would not show goes as a file."""
    return sniff(data) in ("image/png", "image/jpeg") and len(data) <= _MOST["image"]
