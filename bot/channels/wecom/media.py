"""Files from and to WeCom (protocol sheet, section 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, Literal, TypeVar

from bot.channels.base import ChannelError, MediaGone
from bot.channels.wecom.client import WeComClient
from bot.channels.wecom.errors import MediaRefused, WeComError
from sales.clock import Clock
from storage import platform_uploads
from storage.database import Database
from storage.media import MediaStore, sniff

T = TypeVar("T")
Kind = Literal["image", "file"]

MOST_BYTES: Final = 60 * 1024 * 1024  # of what a person sends; the console takes as much
CHUNK: Final = 20 * 1024 * 1024  # a multiple of 16, or what is encrypted cannot be cut
_NEEDS_RANGE: Final = 830002
_EXPIRED: Final = (40007, 41006)
_UPLOAD_LASTS: Final = timedelta(days=3) - timedelta(hours=2)
_MOST_UP: Final = {"image": 10 * 1024 * 1024, "file": 20 * 1024 * 1024}
_LEAST_UP: Final = 6


async def download(client: WeComClient, media_id: str, *, most: int = MOST_BYTES) -> bytes:
    """The whole file.

    Raises:
        MediaGone: trying again is of no use.
        ChannelError: not now.
    """
    try:
        raw = await client.file(media_id, headers={}, most=most)
    except MediaRefused as error:
        if error.errcode == _NEEDS_RANGE:
            return await _in_pieces(client, media_id, most)
        raise _gone(error) from error
    except WeComError as error:
        if error.transient:
            raise
        raise _gone(error) from error
    if len(raw.data) > most or (raw.total or 0) > most:
        raise MediaGone("too_big")
    return raw.data


async def _in_pieces(client: WeComClient, media_id: str, most: int) -> bytes:
    data, total = bytearray(), None
    while total is None or len(data) < total:
        wanted = f"bytes={len(data)}-{len(data) + CHUNK - 1}"
        try:
            raw = await client.file(media_id, headers={"Range": wanted}, most=CHUNK)
        except MediaRefused as error:
            raise _gone(error) from error
        if raw.status != 206 or raw.total is None or not raw.data:
            raise ChannelError(f"wecom: no piece {wanted} of a file", transient=True)
        total = raw.total
        if total > most:
            raise MediaGone("too_big")
        data += raw.data
    return bytes(data)


def _gone(error: WeComError) -> MediaGone:
    return MediaGone("expired" if error.errcode in _EXPIRED else "refused", str(error))


class Uploads:
    """What we send goes up once in three days, however many people get it."""

    def __init__(self, client: WeComClient, db: Database, store: MediaStore, clock: Clock) -> None:
        self._client = client
        self._db = db
        self._store = store
        self._clock = clock

    async def kind_of(self, sha256: str, wanted: Kind) -> Kind:
        """A picture that the platform would not show goes as a file."""
        if wanted == "file":
            return wanted
        data = await asyncio.to_thread(self._store.get, sha256)
        shown = sniff(data) in ("image/png", "image/jpeg") and len(data) <= _MOST_UP["image"]
        return "image" if shown else "file"

    async def use(
        self, sha256: str, kind: Kind, name: str, send: Callable[[str], Awaitable[T]]
    ) -> T:
        """Call *send* with the platform's id of the file; uploaded anew when it forgot it.

        Raises:
            ChannelError: it is too big or too small for the platform, or cannot go up now.
        """
        app = self._client.app
        known = await asyncio.to_thread(
            self._db.read,
            lambda session: platform_uploads.find(
                session, app, sha256, kind, now=self._clock.now()
            ),
        )
        if known:
            try:
                return await send(known)
            except MediaRefused:
                await asyncio.to_thread(
                    self._db.write, lambda session: platform_uploads.forget(session, known)
                )
        return await send(await self._upload(sha256, kind, name))

    async def _upload(self, sha256: str, kind: Kind, name: str) -> str:
        data = await asyncio.to_thread(self._store.get, sha256)
        if not _LEAST_UP <= len(data) <= _MOST_UP[kind]:
            raise ChannelError(f"wecom takes no {kind} of {len(data)} bytes", transient=False)
        now = self._clock.now()
        media_id = await self._client.upload(kind, name, data)
        await asyncio.to_thread(
            self._db.write,
            lambda session: platform_uploads.keep(
                session,
                self._client.app,
                sha256,
                kind,
                media_id=media_id,
                expires_at=now + _UPLOAD_LASTS,
            ),
        )
        return media_id
