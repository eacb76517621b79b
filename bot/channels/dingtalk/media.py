"""Files from and to DingTalk (protocol sheet, section 3)."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, Literal, TypeVar

from bot.channels.base import ChannelError, MediaGone
from bot.channels.dingtalk.client import Client
from bot.channels.dingtalk.errors import DingTalkError, MediaRefused
from bot.channels.dingtalk.events import split_ref
from bot.channels.dingtalk.notes import FILE_TYPES
from bot.channels.dingtalk.oapi import Oapi
from sales.clock import Clock
from storage import platform_uploads
from storage.database import Database
from storage.media import MediaStore, sniff

T = TypeVar("T")
Kind = Literal["image", "file"]

_MOST_UP: Final = 20 * 1024 * 1024
_LASTS: Final = timedelta(days=30)  # the platform says for ever
_ENDINGS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif"}
_FORGOTTEN: Final = ("invalidParameter.msgParam.invalid", "invalidParameter.msgBody.invalid")


async def download(client: Client, ref: str) -> bytes:
    """The whole file behind an ``Inbound.media_ref``.

    Raises:
        MediaGone: trying again is of no use.
        ChannelError: not now.
    """
    robot, code = split_ref(ref)
    try:
        return await client.download(code, robot)
    except MediaRefused as error:
        raise MediaGone("too_big" if error.word == "too_big" else "expired", str(error)) from None


class Uploads:
    """What we send goes up once, however many people get it."""

    def __init__(
        self, oapi: Oapi, db: Database, store: MediaStore, clock: Clock, *, app: str
    ) -> None:
        self._oapi = oapi
        self._db = db
        self._store = store
        self._clock = clock
        self._app = app

    async def use(
        self, sha256: str, kind: Kind, name: str, send: Callable[[str, str, Kind], Awaitable[T]]
    ) -> T:
        """Call *send* with the platform's id of the file, the name and kind that it goes by.

        Raises:
            ChannelError: it is too big for the platform, or cannot go up now.
        """
        data = await asyncio.to_thread(self._store.get, sha256)
        kind, name, data = await asyncio.to_thread(_fit, kind, name, data)
        known = await asyncio.to_thread(
            self._db.read,
            lambda session: platform_uploads.find(
                session, self._app, sha256, kind, now=self._clock.now()
            ),
        )
        if known:
            try:
                return await send(known, name, kind)
            except DingTalkError as error:
                if error.word not in _FORGOTTEN:
                    raise
                await asyncio.to_thread(
                    self._db.write, lambda session: platform_uploads.forget(session, known)
                )
        if len(data) > _MOST_UP:
            raise ChannelError(f"dingtalk takes no file of {len(data)} bytes", transient=False)
        media_id = await self._oapi.upload(kind, data, name)
        expires_at = self._clock.now() + _LASTS
        await asyncio.to_thread(
            self._db.write,
            lambda session: platform_uploads.keep(
                session, self._app, sha256, kind, media_id=media_id, expires_at=expires_at
            ),
        )
        return await send(media_id, name, kind)


def _fit(kind: Kind, name: str, data: bytes) -> tuple[Kind, str, bytes]:
    """As the platform takes it: pictures by their bytes, other kinds of files inside a zip."""
    if kind == "image" and (ending := _ENDINGS.get(sniff(data))):
        stem = name.rpartition(".")[0] or name or "picture"
        return "image", f"{stem}.{ending}", data
    if name.rpartition(".")[2].lower() in FILE_TYPES:
        return "file", name, data
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name or "file", data)
    return "file", f"{name or 'file'}.zip", packed.getvalue()
