"""Files that people send to the bot: fetched at once, decrypted, kept by content hash.

The address is good for five minutes and each has a key of its own (protocol sheet 6.4), so fetching
begins when the message arrives, not when its turn comes.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Callable
from typing import Final

import aiohttp
import structlog
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.channels.base import ChannelError, MediaGone
from sales.errors import BotError
from storage.media import MediaStore

log = structlog.get_logger()

MAX_BYTES: Final = 100 * 1024 * 1024
_TIMEOUT: Final = aiohttp.ClientTimeout(total=240, connect=10, sock_read=30)
_AT_ONCE: Final = 4
_KEPT: Final = 1000  # references whose file is here already
_BLOCK: Final = 32  # WeCom pads to 32, not to the cipher's 16


def make_ref(url: str, aeskey: str) -> str:
    """Where a file is and how to read it, as one string; '' for *aeskey*: it is not encrypted."""
    return json.dumps({"url": url, "aeskey": aeskey})


def decrypt(data: bytes, aeskey: str) -> bytes:
    """AES-256-CBC, the first half of the key as the vector, padding of 1 to 32 bytes.

    Raises:
        MediaGone: not encrypted with this key.
    """
    try:
        key = base64.b64decode(aeskey + "=" * (-len(aeskey) % 4))
    except (binascii.Error, ValueError):
        raise MediaGone("refused", "bad key") from None
    if len(key) != 32:
        raise MediaGone("refused", "bad key")
    if not data or len(data) % 16:
        raise MediaGone("refused", "not encrypted")
    opened = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    plain = opened.update(data) + opened.finalize()
    pad = plain[-1]
    if not 1 <= pad <= _BLOCK or pad > len(plain) or plain[-pad:] != bytes([pad]) * pad:
        raise MediaGone("refused", "bad key")
    return plain[:-pad]


class Files:
    """``begin`` when a message arrives, ``download`` when its turn comes."""

    def __init__(self, store: MediaStore, http: Callable[[], aiohttp.ClientSession]) -> None:
        self._store = store
        self._http = http
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._fetching: dict[str, asyncio.Task[str]] = {}

    def begin(self, ref: str) -> asyncio.Task[str]:
        """Start fetching unless that has begun; the task's result is the content hash."""
        found = self._fetching.get(ref)
        if found is None or (found.done() and (found.cancelled() or found.exception())):
            while len(self._fetching) >= _KEPT:
                del self._fetching[next(iter(self._fetching))]
            found = self._fetching[ref] = asyncio.create_task(self._fetch(ref))
            found.add_done_callback(_noticed)
        return found

    async def download(self, ref: str) -> bytes:
        """Raises MediaGone, ChannelError, StorageFull."""
        # Shielded: whoever waits may lose patience, the next try finds the file here.
        sha = await asyncio.shield(self.begin(ref))
        return await asyncio.to_thread(self._store.get, sha)

    async def close(self) -> None:
        tasks = [*self._fetching.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, ref: str) -> str:
        try:
            given = json.loads(ref)
            url, aeskey = str(given["url"]), str(given["aeskey"])
        except (ValueError, KeyError, TypeError):
            raise MediaGone("refused", "bad address") from None
        if not url.startswith(("https://", "http://")):
            raise MediaGone("refused", "bad address")
        async with self._slots:
            data = await self._get(url)
        if aeskey:
            data = await asyncio.to_thread(decrypt, data, aeskey)
        stored = await asyncio.to_thread(self._store.put, data)
        return stored.sha256

    async def _get(self, url: str) -> bytes:
        try:
            async with self._http().get(url, timeout=_TIMEOUT) as answer:
                if answer.status >= 500 or answer.status == 429:
                    raise ChannelError(f"media: HTTP {answer.status}", transient=True)
                if answer.status != 200:
                    raise MediaGone("expired", f"HTTP {answer.status}")
                data = bytearray()
                async for chunk in answer.content.iter_chunked(1 << 16):
                    data += chunk
                    if len(data) > MAX_BYTES:
                        raise MediaGone("too_big")
                return bytes(data)
        except aiohttp.InvalidURL:
            raise MediaGone("refused", "bad address") from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ChannelError(f"media: {type(error).__name__}", transient=True) from None


def _noticed(task: asyncio.Task[str]) -> None:
    """A failure is told to whoever downloads; nobody may ever ask."""
    if not task.cancelled() and (error := task.exception()):
        expected = isinstance(error, BotError)
        log.warning(
            "aibot: a file could not be fetched", error=str(error) if expected else repr(error)
        )
