"""media/get and media/upload, and the ways in which a download goes wrong.  Protocol sheet 5."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from aiohttp import BodyPartReader, web

from tests.fakes.wecom.bodies import is_picture
from tests.fakes.wecom.errors import ApiError
from tests.fakes.wecom.state import Call, Json, Media, State

CONTENT_TYPES: Final = {
    "image": "image/jpeg",
    "voice": "audio/amr",
    "video": "video/mp4",
    "file": "application/octet-stream",
}
_LIMITS: Final = {"image": 10, "voice": 2, "video": 10, "file": 20}  # MiB
_AMR_BYTES: Final = (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1)  # a frame of each mode
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
HUGE_CHUNK: Final = bytes(64 * 1024)


def find(state: State, call: Call) -> Media:
    return state.find_media(call.query.get("media_id"))


def find_jssdk(state: State, call: Call) -> Media:
    """The better recording; there is one only for sound that a page made."""
    found = state.find_media(call.query.get("media_id"))
    if found.content_type != "voice/speex":
        raise ApiError(40007, "not made by a page")
    return found


async def serve(state: State, request: web.Request, media: Media) -> web.StreamResponse:
    fault = media.fault
    if fault == "html":
        return web.Response(status=200, text="<html>502</html>", content_type="text/html")
    headers = {
        "Content-Type": media.content_type,
        "Content-Disposition": f'attachment; filename="{media.filename}"',
    }
    if fault == "empty":
        return web.Response(status=200, body=b"", headers=headers)
    if fault == "huge":
        return await _endless(request, headers)
    data, status = media.data, 200
    wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
    if wanted and (wanted[1] or wanted[2]):
        total = len(data)
        first = int(wanted[1]) if wanted[1] else max(0, total - int(wanted[2]))
        last = min(total - 1, int(wanted[2])) if wanted[1] and wanted[2] else total - 1
        if first > last:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{total}"})
        data, status = data[first : last + 1], 206
        headers["Content-Range"] = f"bytes {first}-{last}/{total}"
    elif len(data) > state.rules.media_whole_max:
        raise ApiError(830002)
    if fault == "cut":
        return await _cut(request, status, headers, data)
    if fault == "slow":
        return await _slow(request, status, headers, data)
    return web.Response(status=status, body=data, headers=headers)


async def _endless(request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
    """No length said, and no end: 256 MiB at most, so that a test cannot fill the machine."""
    answer = web.StreamResponse(headers=headers)
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    for _ in range(4096):
        await answer.write(HUGE_CHUNK)
    return answer


async def _cut(
    request: web.Request, status: int, headers: dict[str, str], data: bytes
) -> web.StreamResponse:
    """The length is true, the line breaks half-way."""
    answer = web.StreamResponse(status=status, headers=headers)
    answer.content_length = len(data)
    await answer.prepare(request)
    await answer.write(data[: len(data) // 2])
    if request.transport:
        request.transport.close()
    return answer


async def _slow(
    request: web.Request, status: int, headers: dict[str, str], data: bytes
) -> web.StreamResponse:
    """A byte, then silence."""
    answer = web.StreamResponse(status=status, headers=headers)
    answer.content_length = len(data)
    await answer.prepare(request)
    await answer.write(data[:1])
    await asyncio.sleep(3600)
    return answer


# --- upload ---------------------------------------------------------------------------------------


async def read_upload(request: web.Request) -> tuple[str, bytes]:
    """File name and data of the part ``media``."""
    if not request.content_type.startswith("multipart/"):
        raise ApiError(41005, "multipart/form-data is required")
    reader = await request.multipart()
    found: tuple[str, bytes] | None = None
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise ApiError(40058, "nested multipart")
        data = bytes(await part.read())
        disposition = part.headers.get("Content-Disposition", "")
        if part.name != "media":
            continue
        if "filename*" in disposition or not disposition.isascii() or "%" in (part.filename or ""):
            raise ApiError(40058, "the file name must be plain ASCII")
        if not part.filename:
            raise ApiError(41005, "no file name")
        length = re.search(r'filelength="?(\d+)"?', disposition)
        if length and int(length[1]) != len(data):
            raise ApiError(40006, "filelength is not that of the data")
        found = part.filename, data
    if found is None:
        raise ApiError(41005)
    return found


def keep_upload(state: State, kind: str, filename: str, data: bytes, *, webhook: str = "") -> Json:
    kinds = ("voice", "file") if webhook else tuple(_LIMITS)
    if kind not in kinds:
        raise ApiError(40005 if kind else 40004, f"type must be one of {', '.join(kinds)}")
    if not data:
        raise ApiError(44001)
    if len(data) <= 5:
        raise ApiError(40006, "more than 5 bytes are required")
    if len(data) > _LIMITS[kind] * 1024 * 1024:
        raise ApiError(45001, f"{kind}: at most {_LIMITS[kind]} MB")
    if kind == "image" and not is_picture(data):
        raise ApiError(40004, "neither JPG nor PNG")
    if kind == "voice":
        if not data.startswith(b"#!AMR\n"):
            raise ApiError(301016)
        if amr_ms(data) > 60_000:
            raise ApiError(45007)
    if kind == "video" and data[4:8] != b"ftyp":
        raise ApiError(40004, "not MP4")
    made = state.add_media(kind, data, filename, CONTENT_TYPES[kind], webhook)
    return {"type": kind, "media_id": made.media_id, "created_at": str(state.seconds())}


def amr_ms(data: bytes) -> int:
    """20 ms for each frame, counted by the frames' headers."""
    at, frames = 6, 0
    while at < len(data):
        at += _AMR_BYTES[data[at] >> 3 & 15]
        frames += 1
    return frames * 20
