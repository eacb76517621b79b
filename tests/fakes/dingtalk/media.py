"""Files that came in, to be fetched, and files that the app uploads (protocol sheet, section 3)."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from aiohttp import web

from tests.fakes.dingtalk.errors import OapiError, invalid
from tests.fakes.dingtalk.gate import TOKEN_HEADER, Ask, Route, need_json
from tests.fakes.dingtalk.state import App, Json, World

# slow: comes in drips.  cut: ends in the middle.  huge: never ends.  missing: the bucket has none.
FileFault = Literal["", "slow", "cut", "empty", "huge", "missing", "expired"]
_HUGE: Final = 8 * 1024**3
_MIB: Final = 1024 * 1024
_UPLOADS: Final[dict[str, tuple[int, frozenset[str]]]] = {
    "image": (20 * _MIB, frozenset({"jpg", "jpeg", "gif", "png", "bmp"})),
    "voice": (2 * _MIB, frozenset({"amr", "mp3", "wav"})),
    "video": (20 * _MIB, frozenset({"mp4"})),
    "file": (
        20 * _MIB,
        frozenset({"doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip", "pdf", "rar"}),
    ),
}


def amr(seconds: float = 4.2) -> bytes:
    """AMR narrow-band that decodes: 20 ms frames of mode 4.75 kbit/s (RFC 4867)."""
    return b"#!AMR\n" + (b"\x04" + bytes(12)) * round(seconds * 50)


@dataclass(eq=False)
class Incoming:
    """Bytes behind a downloadCode, or behind a signed address."""

    data: bytes
    app: App
    fault: FileFault
    ends: datetime | None
    fetched: int = 0


@dataclass(eq=False)
class Upload:
    kind: str
    name: str
    data: bytes


class Media:
    def __init__(self, world: World) -> None:
        self._world = world
        self.incoming: dict[str, Incoming] = {}  # by downloadCode
        self.uploads: dict[str, Upload] = {}  # by media id
        self._links: dict[str, tuple[Incoming, str, datetime]] = {}  # by file name: signature, end
        self.drip_s = 0.2  # between two pieces of a slow file

    def routes(self) -> list[Route]:
        return [
            Route(
                "POST",
                "/v1.0/robot/messageFiles/download",
                self._download,
                "v1",
                scope="qyapi_robot_sendmsg",
                paid=True,
            ),
            Route("GET", "/files/{name}", self._file, "edge", "none"),
            Route("POST", "/media/upload", self._upload, "oapi", paid=True),
        ]

    def keep(self, app: App, data: bytes, fault: FileFault = "") -> str:
        """A fresh downloadCode."""
        code = self._world.draw("m", 40)
        life_s = self._world.rules.code_life_s
        ends = None if life_s is None else self._world.after(life_s)
        self.incoming[code] = Incoming(data, app, fault, ends)
        return code

    async def _download(self, ask: Ask) -> Json:
        body = need_json(ask)
        code, robot = body.get("downloadCode"), body.get("robotCode")
        if not code or not robot:
            raise invalid("robotCode.empty", "robotCode或downloadCode为空")
        found = self.incoming.get(str(code))
        if robot != ask.app.robot_code or (found is not None and found.app is not ask.app):
            raise invalid("robotCode.auth", "机器人无权限")
        late = found is not None and found.ends is not None and found.ends <= self._world.now()
        if found is None or late or found.fault == "expired":
            raise invalid("robotCode.downloadCode", "downloadCode错误或者过期")
        name, signature = self._world.draw("", 24) + ".file", self._world.draw("", 27)
        ends = self._world.after(self._world.rules.file_url_life_s)
        self._links[name] = (found, signature, ends)
        query = f"Expires={int(ends.timestamp())}&OSSAccessKeyId=example&Signature={signature}"
        return {"downloadUrl": f"{self._world.bases['edge']}/files/{name}?{query}"}

    async def _file(self, ask: Ask) -> web.StreamResponse:
        request = ask.request
        found, signature, ends = self._links.get(request.match_info["name"], (None, "", None))
        if "Authorization" in request.headers or TOKEN_HEADER in request.headers:
            return _oss(403, "SignatureDoesNotMatch")
        if found is None or found.fault == "missing":
            return _oss(404, "NoSuchKey")
        if request.query.get("Signature") != signature:
            return _oss(403, "SignatureDoesNotMatch")
        if ends is not None and ends <= self._world.now():
            return _oss(403, "AccessDenied")
        found.fetched += 1
        if found.fault in ("slow", "cut", "huge"):
            return await self._badly(request, found)
        data = b"" if found.fault == "empty" else found.data
        return web.Response(body=data, content_type="application/octet-stream")

    async def _badly(self, request: web.Request, found: Incoming) -> web.StreamResponse:
        size = _HUGE if found.fault == "huge" else len(found.data)
        response = web.StreamResponse(headers={"Content-Length": str(size)})
        response.content_type = "application/octet-stream"
        with contextlib.suppress(ConnectionError):
            await response.prepare(request)
            if found.fault == "cut":
                await response.write(found.data[: size // 2])
                await asyncio.sleep(0.05)
                if request.transport is not None:
                    request.transport.abort()
            elif found.fault == "slow":
                step = max(1, size // 10)
                for at in range(0, size, step):
                    await response.write(found.data[at : at + step])
                    await asyncio.sleep(self.drip_s)
            else:
                for _ in range(size // _MIB):
                    await response.write(bytes(_MIB))
                    await asyncio.sleep(0)
        return response

    async def _upload(self, ask: Ask) -> Json:
        kind = ask.request.query.get("type", "")
        if kind not in _UPLOADS:
            raise OapiError(40004, "不合法的媒体文件类型")
        if not ask.request.content_type.startswith("multipart/"):
            raise OapiError(41005, "缺少多媒体文件数据")
        part = (await ask.request.post()).get("media")
        if not isinstance(part, web.FileField):
            raise OapiError(41005, "缺少多媒体文件数据")
        data, limit, endings = part.file.read(), *_UPLOADS[kind]
        if part.filename.rpartition(".")[2].lower() not in endings:
            raise OapiError(40005, "不合法的文件类型")
        if not data:
            raise OapiError(40035, "文件为空")
        if len(data) > limit:
            raise OapiError(40006, "不合法的文件大小")
        number = self._world.draw("@lAD", 30)
        self.uploads[number] = Upload(kind, part.filename, data)
        created = self._world.now_ms()
        return {
            "errcode": 0,
            "errmsg": "ok",
            "media_id": number,
            "created_at": created,
            "type": kind,
        }


def _oss(status: int, code: str) -> web.Response:
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code></Error>'
    return web.Response(text=text, status=status, content_type="application/xml")
