"""Every request passes here first: written down, spoiled on demand, checked, counted."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from tests.fakes.dingtalk.errors import OapiError, V1Error, invalid
from tests.fakes.dingtalk.state import App, Call, Json, Token, World

TOKEN_HEADER = "x-acs-dingtalk-access-token"
_BAN_HTML = "<!DOCTYPE html><html><head><title>405</title></head><body>访问被阻断</body></html>"
_BAN_JSON = {"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "0a1b2c"}


@dataclass(eq=False)
class Ask:
    """A request that may pass, as a handler sees it."""

    request: web.Request
    call: Call
    body: Json
    token: Token | None = None

    @property
    def app(self) -> App:
        assert self.token is not None
        return self.token.app


Handler = Callable[[Ask], Awaitable[Any]]


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    handler: Handler
    family: Literal["v1", "oapi", "edge"]
    auth: Literal["app", "person", "none"] = "app"
    scope: str = ""
    paid: bool = False


@dataclass(eq=False)
class Fault:
    path: str  # exact, a prefix that ends with *, or with the method before: "PUT /v1.0/..."
    times: int | None  # None: until healed
    what: Literal["error", "slow", "drop", "lost_answer", "body"]
    seconds: float = 0.0
    status: int = 500
    code: str | int = ""
    message: str = ""
    body: bytes = b""
    content_type: str = "text/html"

    def fits(self, method: str, path: str) -> bool:
        wanted_method, _, wanted = self.path.rpartition(" ")
        if wanted_method and wanted_method != method:
            return False
        return path == wanted or (wanted.endswith("*") and path.startswith(wanted[:-1]))


class Gate:
    def __init__(self, world: World) -> None:
        self._world = world
        self.faults: list[Fault] = []
        self._recent: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def build(self, routes: list[Route]) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        for route in routes:
            app.router.add_route(route.method, route.path, self._guard(route), expect_handler=None)
        app.router.add_route("*", "/{unknown:.*}", self._unknown)
        return app

    def _guard(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            return await self._handle(route, request)

        return guarded

    async def _unknown(self, request: web.Request) -> web.Response:
        call = await self._write_down(request)
        self._world.complain(f"no such address: {request.method} {request.host}{request.path}")
        answer = {"code": "InvalidAction.NotFound", "message": "Specified api is not found"}
        return self._json(call, answer, 404)

    async def _handle(self, route: Route, request: web.Request) -> web.StreamResponse:
        call = await self._write_down(request)
        lose_answer = False
        for fault in self._take_faults(request.method, request.path):
            if fault.what == "slow":
                await asyncio.sleep(fault.seconds)
            elif fault.what == "drop":
                return _hang_up(request)
            elif fault.what == "lost_answer":
                lose_answer = True
            elif fault.what == "body":
                call.status = fault.status
                return web.Response(
                    body=fault.body, status=fault.status, content_type=fault.content_type
                )
            else:
                return self._refusal(route, call, _as_error(route, fault))
        if self._world.rules.banned:
            return self._ban(call)
        try:
            answer = await self._admit(route, request, call)
        except (V1Error, OapiError) as error:
            return self._refusal(route, call, error)
        if lose_answer:
            return _hang_up(request)
        if isinstance(answer, web.StreamResponse):
            call.status = answer.status
            self._world.tell()
            return answer
        return self._json(call, answer, 200)

    async def _admit(self, route: Route, request: web.Request, call: Call) -> Any:
        world = self._world
        token = self._token(route, request) if route.auth != "none" else None
        ask = Ask(request, call, call.body, token)
        if token is not None:
            call.app = token.app
            self._permitted(route, token.app)
            self._not_too_fast(route, token.app)
            if route.paid and world.over("api"):
                raise _refuse(
                    route,
                    403,
                    "Forbidden.AccessDenied.ApiCountLimitForOrg",
                    90020,
                    "本月调用量已用完",
                )
        if route.paid:
            world.count("api")
        return await route.handler(ask)

    def _token(self, route: Route, request: web.Request) -> Token:
        """Checked as the family does; raises its words for a bad one."""
        now = self._world.now()
        if route.family == "v1":
            token = self._world.tokens.get(request.headers.get(TOKEN_HEADER, ""))
            wrong_kind = token is not None and (token.person is None) == (route.auth == "person")
            if token is None or wrong_kind or token.revoked or token.ends <= now:
                status = self._world.rules.bad_token_status
                raise V1Error(status, "InvalidAuthentication", "不合法的access_token")
            return token
        token = self._world.tokens.get(request.query.get("access_token", ""))
        if token is None or token.person is not None or token.revoked:
            raise OapiError(40014, "不合法的access_token")
        if token.ends <= now:
            raise OapiError(42001, "access_token超时")
        return token

    def _permitted(self, route: Route, app: App) -> None:
        if self._world.rules.blocked_ip:
            code = "Forbidden.AccessDenied.IpNotInWhiteList"
            raise _refuse(route, 403, code, 60020, "访问ip不在白名单之中,request ip=203.0.113.7")
        if route.scope and route.scope not in app.scopes:
            if route.family == "oapi":
                words = f"应用尚未开通所需的权限：[{route.scope}]"
                raise OapiError(88, f"ding talk error[subcode=60011,submsg={words}]",
                                sub_code="60011", sub_msg=words)  # fmt: skip
            raise V1Error(
                403,
                "Forbidden.AccessDenied.AccessTokenPermissionDenied",
                f"应用尚未开通所需的权限：[{route.scope}]",
                accessdenieddetail={"requiredScopes": [route.scope]},
            )

    def _not_too_fast(self, route: Route, app: App) -> None:
        limit = self._world.rules.qps
        if limit is None:
            return
        recent = self._recent[app.client_id, f"{route.method} {route.path}"]
        moment = time.monotonic()
        while recent and recent[0] <= moment - 1:
            recent.popleft()
        if len(recent) >= limit:
            code = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
            raise _refuse(route, 403, code, 90018, "您的服务器调用钉钉开放平台当前接口的请求过多")
        recent.append(moment)

    async def _write_down(self, request: web.Request) -> Call:
        multipart = request.content_type.startswith("multipart/")
        raw = b"" if multipart else await request.read()
        call = Call(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            raw=raw,
            body=_body(raw),
            at=self._world.now(),
            moment=time.monotonic(),
        )
        self._world.calls.append(call)
        self._world.tell()
        return call

    def _take_faults(self, method: str, path: str) -> list[Fault]:
        taken = [fault for fault in self.faults if fault.fits(method, path)]
        for fault in taken:
            if fault.times is not None:
                fault.times -= 1
        self.faults[:] = [one for one in self.faults if one.times is None or one.times > 0]
        # A delay comes before what ends the request.
        return sorted(taken, key=lambda one: one.what != "slow")

    def _refusal(self, route: Route, call: Call, error: V1Error | OapiError) -> web.Response:
        number = self._world.draw("", 12)
        if isinstance(error, OapiError):
            answer: Json = {"errcode": error.errcode, "errmsg": error.errmsg} | error.more
            return self._json(call, answer | {"request_id": number}, 200)
        answer = {"code": error.code, "message": error.message} | error.more
        return self._json(call, answer | {"requestid": number}, error.status)

    def _ban(self, call: Call) -> web.Response:
        if self._world.rules.punished_json:
            return self._json(call, _BAN_JSON, 200)
        call.status = 405
        return web.Response(text=_BAN_HTML, status=405, content_type="text/html")

    def _json(self, call: Call, answer: Any, status: int) -> web.Response:
        call.status = status
        call.answer = answer
        self._world.tell()
        return web.json_response(answer, status=status)


def need_json(ask: Ask) -> Json:
    """The body of a v1.0 call: an object, said to be JSON."""
    if ask.request.content_type != "application/json":
        raise V1Error(415, "InvalidContentType", "Content-Type must be application/json")
    if not ask.call.raw.strip().startswith(b"{"):
        raise invalid("param.invalid", "the body is no JSON object")
    return ask.body


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _refuse(
    route: Route, status: int, code: str, errcode: int, message: str
) -> V1Error | OapiError:
    if route.family == "oapi":
        return OapiError(errcode, message)
    return V1Error(status, code, message)


def _as_error(route: Route, fault: Fault) -> V1Error | OapiError:
    if isinstance(fault.code, int) or (route.family == "oapi" and fault.status == 200):
        return OapiError(int(fault.code), fault.message)
    return V1Error(fault.status, fault.code, fault.message)


def _body(raw: bytes) -> Json:
    try:
        found = json.loads(raw or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
