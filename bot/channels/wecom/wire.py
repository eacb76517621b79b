"""What goes over the wire and comes back, before anybody knows what it means."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

_PIECE: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """An answer before anybody knows what it is."""

    status: int
    content_type: str
    disposition: str
    total: int | None  # length of the whole file where the answer says so
    data: bytes

    @classmethod
    async def of(cls, response: aiohttp.ClientResponse, most: int) -> Raw:
        """The body, or its beginning: one byte more than *most* says that there is more."""
        return cls(
            status=response.status,
            content_type=response.content_type,
            disposition=response.headers.get("Content-Disposition", ""),
            total=_total(response),
            data=await _read(response, most),
        )

    def parsed(self) -> dict[str, Any] | None:
        """An answer of the platform's; None for anything else."""
        try:
            found = json.loads(self.data)
        except ValueError:
            return None
        if not isinstance(found, dict) or not isinstance(found.get("errcode", 0), int):
            return None
        return found

    def is_error(self) -> bool:
        """An error comes with status 200 where a file was asked for; a file says that it is one."""
        if "attachment" in self.disposition.lower():
            return False
        if "json" in self.content_type or self.content_type.startswith("text/"):
            return True
        found = self.parsed() if self.data[:1] == b"{" else None
        return found is not None and bool(found.get("errcode"))


def encoded(body: Mapping[str, Any]) -> bytes:
    """Real UTF-8: \\uXXXX is refused (40033).  Half a character becomes a question mark."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def form(name: str, data: bytes) -> tuple[bytes, dict[str, str]]:
    """One file as multipart.

    Written by hand: the platform wants ``filelength`` beside the name, and is said not to read
    names in the form that libraries use for other letters than these (sheet, section 5).
    """
    plain = re.sub(r"[^0-9A-Za-z._-]+", "_", name).strip("._") or "file"
    boundary = uuid.uuid4().hex
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="media"; filename="{plain[-100:]}"; '
        f"filelength={len(data)}\r\n"
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    data = bytearray()
    async for piece in response.content.iter_chunked(_PIECE):
        data += piece
        if len(data) > most:
            response.close()
            return bytes(data[: most + 1])
    return bytes(data)


def _total(response: aiohttp.ClientResponse) -> int | None:
    whole = response.headers.get("Content-Range", "").rpartition("/")[2]
    if whole.isdecimal():
        return int(whole)
    return response.content_length
