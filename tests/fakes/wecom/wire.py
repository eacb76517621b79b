"""One request of the REST side: faults first, then limits, then who asks, then the work."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from aiohttp import web

from tests.fakes.wecom import groups, media, people, sending, tokens
from tests.fakes.wecom.errors import ApiError
from tests.fakes.wecom.state import Call, Json, State

Work = Callable[[State, Call], Json]

_ESCAPE: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9A-Fa-f]{4}")
_GET: Final[dict[str, Work]] = {
    "getcallbackip": tokens.callback_ips,
    "get_jsapi_ticket": tokens.corp_ticket,
    "ticket/get": tokens.app_ticket,
    "appchat/get": groups.get_chat,
    "agent/get": people.app_record,
    "tag/get": people.get_tag,
    "user/get": people.get_user,
    "user/list": people.list_users,
    "user/simplelist": people.simple_users,
    "department/list": people.list_departments,
    "department/simplelist": people.simple_departments,
    "department/get": people.get_department,
    "auth/getuserinfo": people.who_is_at_the_page,
}
_POST: Final[dict[str, Work]] = {
    "message/send": sending.send,
    "message/update_template_card": sending.update,
    "message/recall": sending.recall,
    "appchat/create": groups.create_chat,
    "appchat/update": groups.update_chat,
    "appchat/send": groups.send_to_chat,
    "user/list_id": people.user_ids,
    "batch/openuserid_to_userid": people.plain_ids,
}
_CONTACTS_MAY: Final = ("user/", "department/", "getcallbackip")


@dataclass
class Fault:
    path: str  # "" is every path
    kind: Literal["fail", "slow", "drop", "garble"]
    times: int | None  # None: until heal()
    errcode: int = 0
    errmsg: str = ""
    status: int = 200
    seconds: float = 0
    after: bool = False  # the work is done before it goes wrong
    body: bytes = b""


class Wire:
    def __init__(self, state: State) -> None:
        self.state = state
        self.faults: list[Fault] = []
        self._running: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        state = self.state
        call = Call(
            path=request.path.removeprefix("/cgi-bin/"),
            method=request.method,
            query=dict(request.query),
            at=state.now(),
            content_type=request.content_type,
        )
        with state.lock:
            state.calls.append(call)
        self._running[call.path] += 1
        try:
            response = await self._answer(request, call)
        finally:
            self._running[call.path] -= 1
        call.status = response.status
        return response

    async def _answer(self, request: web.Request, call: Call) -> web.StreamResponse:
        late: list[Fault] = []
        for fault in self._due(call.path):
            if fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
            elif fault.after:
                late.append(fault)
            else:
                return self._broken(request, call, fault)
        try:
            response = await self._work(request, call)
        except ApiError as error:
            response = self._json(call, error.code, str(error), error.fields)
        if late:
            return self._broken(request, call, late[0])
        return response

    def _due(self, path: str) -> list[Fault]:
        """Each one that hits this request, used up by one."""
        with self.state.lock:
            found = []
            for fault in self.faults:
                if fault.path not in ("", path) or fault.times == 0:
                    continue
                if found and fault.kind != "slow" and any(one.kind != "slow" for one in found):
                    continue  # one breakage for a request; the next waits
                if fault.times is not None:
                    fault.times -= 1
                found.append(fault)
            return sorted(found, key=lambda one: one.kind != "slow")

    def _broken(self, request: web.Request, call: Call, fault: Fault) -> web.Response:
        if fault.kind == "drop":
            if request.transport:
                request.transport.abort()
            return web.Response(status=499)
        if fault.kind == "garble":
            return web.Response(status=fault.status, body=fault.body, content_type="text/html")
        if fault.status != 200:
            return web.Response(status=fault.status, text=fault.errmsg or "Bad Gateway")
        return self._json(call, fault.errcode, fault.errmsg or str(ApiError(fault.errcode)), {})

    async def _work(self, request: web.Request, call: Call) -> web.StreamResponse:
        state, path = self.state, call.path
        if path == "webhook/send":
            await self._read_json(request, call)
            return self._done(call, groups.send_by_webhook)
        if path == "webhook/upload_media":
            with state.lock:
                key = groups.webhook_key(state, call)
            filename, data = await media.read_upload(request)
            kind = call.query.get("type", "")
            return self._done(
                call, lambda s, c: media.keep_upload(s, kind, filename, data, webhook=key)
            )
        with state.lock:
            self._limits(call)
        if path == "gettoken":
            return self._done(call, tokens.gettoken)
        if path in _POST and request.method == "POST":
            await self._read_json(request, call)
        with state.lock:
            call.app = tokens.authenticate(state, call)
        if call.app.kind == "contacts" and not path.startswith(_CONTACTS_MAY):
            raise ApiError(48002)
        if path == "media/upload":
            if request.method != "POST":
                raise ApiError(40058, "POST is required")
            filename, data = await media.read_upload(request)
            kind = call.query.get("type", "")
            return self._done(call, lambda s, c: media.keep_upload(s, kind, filename, data))
        if path in ("media/get", "media/get/jssdk"):
            with state.lock:
                find = media.find if path == "media/get" else media.find_jssdk
                found = find(state, call)
            response = await media.serve(state, request, found)
            call.errcode = 0
            return response
        if path in _POST:
            if request.method != "POST":
                raise ApiError(40058, "POST is required")
            return self._done(call, _POST[path])
        if path in _GET:
            return self._done(call, _GET[path])
        return web.Response(status=404, text=f"the fake has no {path}")

    def _done(self, call: Call, work: Work) -> web.Response:
        with self.state.lock:
            fields = work(self.state, call)
        return self._json(call, 0, "ok", fields)

    def _limits(self, call: Call) -> None:
        rules, now = self.state.rules, self.state.now()
        most = rules.concurrent_per_api
        if most is not None and self._running[call.path] > most:
            raise ApiError(45033)
        if call.query.get("debug") == "1":
            debug = self.state.window("debug", span_s=60)
            if not debug.allow(now, 5):
                raise ApiError(45009, "debug=1: 5 a minute")
        minute = self.state.window("api", call.path, span_s=60)
        hour = self.state.window("api", call.path, span_s=3600)
        if hour.count(now) >= rules.api_per_hour or not minute.allow(now, rules.api_per_min):
            raise ApiError(45009)
        hour.allow(now, rules.api_per_hour)

    async def _read_json(self, request: web.Request, call: Call) -> None:
        """Real UTF-8 without escapes: 40033 is for ``\\uXXXX`` (sheet section 3)."""
        if request.method != "POST":
            raise ApiError(40058, "POST is required")
        call.raw = await request.read()
        if _ESCAPE.search(call.raw):
            raise ApiError(40033, "\\uXXXX escapes")
        try:
            call.body = json.loads(call.raw.decode("utf-8"))
        except (UnicodeDecodeError, ValueError):
            raise ApiError(40058, "Warning: wrong json format.") from None
        if not isinstance(call.body, dict):
            raise ApiError(40058, "Warning: wrong json format.")

    def _json(self, call: Call, code: int, words: str, fields: dict[str, Any]) -> web.Response:
        """``errmsg`` carries a hint and the caller's address; the code stands in a header too."""
        call.errcode = code
        if code:
            hint = f"{int(time.time())}_{len(self.state.calls)}"
            words += (
                f", hint: [{hint}], from ip: {self.state.rules.client_ip}, more info at "
                f"https://open.work.weixin.qq.com/devtool/query?e={code}"
            )
        said = {"errcode": code, "errmsg": words, **fields}
        plain = words.encode("ascii", "replace").decode().replace("\n", " ")[:200]
        headers = {"Error-Code": str(code), "Error-Msg": plain}
        return web.Response(
            body=json.dumps(said, ensure_ascii=False).encode(),
            headers=headers,
            content_type="application/json",
            charset="UTF-8",
        )
