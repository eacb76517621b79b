"""Files that a 智能机器人 sends: up in pieces, checked, good for three days (sheet 6.4)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
from collections.abc import Callable
from typing import Any

from tests.fakes.aibot_cards import Wrong

MOST = {"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "file": 20 << 20}
PIECE = 512 * 1024
LASTS_S, SESSION_S = 3 * 86400, 30 * 60


class Uploads:
    def __init__(self, now: Callable[[], float]) -> None:
        self.finished = 0
        self._now = now
        self._numbers = itertools.count(1)
        self._begun: dict[str, dict[str, Any]] = {}
        self._media: dict[str, tuple[str, bytes, float]] = {}

    def forget(self) -> None:
        """No file that went up is known any more."""
        self._media.clear()

    def data(self, media_id: Any, kind: str) -> bytes:
        found = self._media.get(media_id) if isinstance(media_id, str) else None
        if found is None or found[0] != kind or self._now() > found[2]:
            raise Wrong(40007, "invalid media_id")
        return found[1]

    def take(self, step: str, body: dict[str, Any]) -> dict[str, Any]:
        match step:
            case "init":
                return self._init(body)
            case "chunk":
                return self._chunk(body)
            case "finish":
                return self._finish(body)
        raise Wrong(40058, f"unknown step {step}")

    def _init(self, body: dict[str, Any]) -> dict[str, Any]:
        kind, size, chunks = body.get("type"), body.get("total_size"), body.get("total_chunks")
        if kind not in MOST or not body.get("filename"):
            raise Wrong(40004, "invalid type or filename")
        if not isinstance(size, int) or not 0 < size <= MOST[kind]:
            raise Wrong(45001, "size out of limit")
        if not isinstance(chunks, int) or not 0 < chunks <= 100:
            raise Wrong(40058, "total_chunks")
        name = f"up{next(self._numbers)}"
        self._begun[name] = {**body, "pieces": {}, "until": self._now() + SESSION_S}
        return {"upload_id": name}

    def _chunk(self, body: dict[str, Any]) -> dict[str, Any]:
        begun, number = self._of(body), body.get("chunk_index")
        if not isinstance(number, int) or not 0 <= number < begun["total_chunks"]:
            raise Wrong(40058, "chunk_index")
        try:
            piece = base64.b64decode(body.get("base64_data") or "", validate=True)
        except (binascii.Error, ValueError):
            raise Wrong(40058, "base64_data") from None
        if not 0 < len(piece) <= PIECE:
            raise Wrong(40058, "size of a chunk")
        begun["pieces"][number] = piece
        return {}

    def _finish(self, body: dict[str, Any]) -> dict[str, Any]:
        begun = self._of(body)
        if len(begun["pieces"]) != begun["total_chunks"]:
            raise Wrong(40058, "chunks are missing")
        data = b"".join(begun["pieces"][number] for number in sorted(begun["pieces"]))
        if len(data) != begun["total_size"] or hashlib.md5(data).hexdigest() != begun["md5"]:
            raise Wrong(40058, "md5")
        del self._begun[body["upload_id"]]
        media_id = f"media{next(self._numbers)}"
        self._media[media_id] = (begun["type"], data, self._now() + LASTS_S)
        self.finished += 1
        return {"type": begun["type"], "media_id": media_id, "created_at": "1700000000"}

    def _of(self, body: dict[str, Any]) -> dict[str, Any]:
        begun = self._begun.get(body.get("upload_id") or "")
        if begun is None or self._now() > begun["until"]:
            raise Wrong(40058, "invalid upload_id")
        return begun
