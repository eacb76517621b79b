"""Access tokens of apps, and signing people in (protocol sheet, sections 6 and 7.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from tests.fakes.dingtalk.errors import OapiError, V1Error, bad
from tests.fakes.dingtalk.gate import Ask, Route, need_json
from tests.fakes.dingtalk.state import App, Json, Person, Token, World


@dataclass(eq=False)
class LoginCode:
    kind: Literal["client", "web"]  # asked for by the page inside the client, or by a browser
    person: Person
    ends: datetime
    used: bool = False


class Tokens:
    def __init__(self, world: World) -> None:
        self._world = world
        self.codes: dict[str, LoginCode] = {}
        self.signed_in = ""  # the person who sits at the browser

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/v1.0/oauth2/accessToken", self._v1, "v1", "none"),
            Route("POST", "/v1.0/oauth2/{corp}/token", self._unified, "v1", "none"),
            Route("GET", "/gettoken", self._legacy, "oapi", "none"),
            Route("POST", "/v1.0/oauth2/userAccessToken", self._person_token, "v1", "none"),
            Route("POST", "/v1.0/oauth2/jsapiTickets", self._ticket, "v1"),
            Route("GET", "/v1.0/contact/users/{who}", self._me, "v1", "person"),
            Route("POST", "/topapi/v2/user/getuserinfo", self._user_info, "oapi"),
            Route("GET", "/oauth2/auth", self._browser, "edge", "none"),
        ]

    def expire_all(self) -> None:
        for token in self._world.tokens.values():
            token.revoked = True

    def code(self, kind: Literal["client", "web"], userid: str) -> str:
        text = self._world.draw("", 20)
        ends = self._world.after(self._world.rules.login_code_life_s)
        self.codes[text] = LoginCode(kind, self._world.people[userid], ends)
        return text

    async def _v1(self, ask: Ask) -> Json:
        body = need_json(ask)
        app = self._app(body.get("appKey"), body.get("appSecret"))
        if app is None:
            raise bad("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
        token = self._give(app)
        return {"accessToken": token.text, "expireIn": int(self._world.rules.token_life_s)}

    async def _unified(self, ask: Ask) -> Json:
        body = need_json(ask)
        app = self._app(body.get("client_id"), body.get("client_secret"))
        known_corp = ask.request.match_info["corp"] == self._world.corp_id
        if app is None or not known_corp or body.get("grant_type") != "client_credentials":
            raise bad("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
        token = self._give(app)
        return {"access_token": token.text, "expires_in": int(self._world.rules.token_life_s)}

    async def _legacy(self, ask: Ask) -> Json:
        query = ask.request.query
        app = self._app(query.get("appkey"), query.get("appsecret"))
        if app is None:
            raise OapiError(40089, "不合法的corpid或corpsecret")
        life_s = int(self._world.rules.token_life_s)
        token = self._give(app)
        return {"errcode": 0, "errmsg": "ok", "access_token": token.text, "expires_in": life_s}

    def _app(self, key: Any, secret: Any) -> App | None:
        app = self._world.apps.get(str(key))
        return app if app is not None and app.client_secret == secret else None

    def _give(self, app: App) -> Token:
        world = self._world
        ends = world.after(world.rules.token_life_s)
        if world.rules.second_token == "same":
            for token in world.tokens.values():
                alive = token.ends > world.now() and not token.revoked
                if token.app is app and token.person is None and alive:
                    token.ends = ends
                    return token
        return self._keep(Token(world.draw("", 32), app, ends))

    def _keep(self, token: Token) -> Token:
        self._world.tokens[token.text] = token
        return token

    # People

    async def _browser(self, ask: Ask) -> web.Response:
        """login.dingtalk.com: whoever sits there agrees at once."""
        query = ask.request.query
        target = query.get("redirect_uri", "")
        fine = (
            query.get("client_id") in self._world.apps
            and query.get("response_type") == "code"
            and "openid" in query.get("scope", "").split()
            and urlsplit(target).scheme in ("http", "https")
        )
        if not fine or self.signed_in not in self._world.people:
            return web.Response(text="参数错误", status=400)
        given = {"authCode": self.code("web", self.signed_in)}
        if "state" in query:
            given["state"] = query["state"]
        joint = "&" if urlsplit(target).query else "?"
        return web.Response(status=302, headers={"Location": target + joint + urlencode(given)})

    async def _person_token(self, ask: Ask) -> Json:
        body = need_json(ask)
        app = self._app(body.get("clientId"), body.get("clientSecret"))
        if app is None:
            raise bad("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
        if body.get("grantType") != "authorization_code":
            raise bad("unsupportedGrantType")
        person = self._spend(body.get("code"), "web")
        if person is None:
            raise bad("invalidParameter.authCode.notFound", "不存在的临时授权码")
        ends = self._world.after(self._world.rules.token_life_s)
        token = self._keep(Token(self._world.draw("u", 32), app, ends, person))
        return {
            "accessToken": token.text,
            "refreshToken": self._world.draw("r", 32),
            "expireIn": int(self._world.rules.token_life_s),
            "corpId": self._world.corp_id,
        }

    async def _me(self, ask: Ask) -> Json:
        assert ask.token is not None
        person = ask.token.person
        if person is None or ask.request.match_info["who"] not in ("me", person.unionid):
            raise V1Error(403, "Forbidden.AccessDenied", "only me")
        return {"nick": person.name, "unionId": person.unionid, "openId": f"o{person.unionid}"}

    async def _user_info(self, ask: Ask) -> Json:
        person = self._spend(ask.body.get("code"), "client")
        if person is None:
            raise OapiError(40078, "不存在的临时授权码")
        found = {
            "userid": person.userid,
            "unionid": person.unionid,
            "name": person.name,
            "device_id": "d0c0ffee",
            "sys": person.admin,
            "sys_level": 2 if person.admin else 0,
        }
        return {"errcode": 0, "errmsg": "ok", "result": found}

    def _spend(self, text: Any, kind: str) -> Person | None:
        code = self.codes.get(str(text))
        if code is None or code.kind != kind or code.used or code.ends <= self._world.now():
            return None
        code.used = True
        return code.person

    async def _ticket(self, ask: Ask) -> Json:
        return {"jsapiTicket": self._world.draw("t", 40), "expireIn": 7200}
