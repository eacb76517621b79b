"""Files to the browser, with byte ranges so that a recording can be wound."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import web

# What a browser may show itself; anything else is saved, never opened, whatever it claims to be.
_SHOWN: Final = frozenset(
    {"audio/ogg", "audio/webm", "audio/mpeg", "audio/wav", "audio/mp4", "audio/flac"}
    | {"image/png", "image/jpeg", "image/gif"}
)


def send_file(request: web.Request, path: Path, *, kind: str, name: str) -> web.StreamResponse:
    """*path* as *kind*; 404 when it was deleted (retention)."""
    if not path.is_file():
        raise web.HTTPNotFound
    place = "inline" if kind in _SHOWN else "attachment"
    response = web.FileResponse(path)
    response.content_type = kind if kind in _SHOWN else "application/octet-stream"
    response.headers["Content-Disposition"] = (
        f"{place}; filename*=UTF-8''{quote(name or path.name)}"
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def playable(kind: str) -> bool:
    return kind in _SHOWN and kind.startswith("audio/")
