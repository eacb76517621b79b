"""Pages opened inside DingTalk: there, back, and nobody else's session."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import ClientSession

from bot.channels.dingtalk.sign_in import DingTalkSignIn
from bot.channels.wecom.client import WeComClient
from bot.channels.wecom.sign_in import WeComSignIn
from bot.config_channels import WeCom
from storage import channel_states, links, lists
from storage.database import Database
from tests.fakes.wecom.server import FakeWeCom
from tests.support.desk import MONDAY
from tests.support.ding_desk import DingDesk
from tests.support.site import Site, Test, on_site

DINGTALK = {"User-Agent": "Mozilla/5.0 (iPhone) AliApp(DingTalk/7.6.10) com.laiwang.DingTalk"}
WXWORK = {"User-Agent": "Mozilla/5.0 (iPhone) wxwork/4.1.36 MicroMessenger/7.0.1"}
PUBLIC = "http://localhost"
_DENIED = "Forbidden.AccessDenied.AccessTokenPermissionDenied"


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[DingDesk]:
    db = Database(sqlite_url)
    made = DingDesk(db, tmp_path)
    made.fake.sign_in("lina")
    yield made
    made.close()
    db.close()


class Way(DingTalkSignIn):
    """The channel lives on the desk's own loop, the pages on the test's."""

    desk: DingDesk

    async def user(self, code: str) -> str:
        asked = asyncio.run_coroutine_threadsafe(super().user(code), self.desk._loop)
        return await asyncio.wrap_future(asked)


def way_of(desk: DingDesk) -> Way:
    app = desk.fake.app
    made = Way(
        desk.bot.client,
        desk.bot.oapi,
        client_id=app.client_id,
        secret=app.client_secret,
        base=desk.fake.login_base,
    )
    made.desk = desk
    return made


def on_dingtalk(desk: DingDesk, test: Test, *, public: str = PUBLIC) -> None:
    on_site(desk.desk, test, public_url=public, sign_ins=[way_of(desk)])


async def to_platform(address: str) -> str:
    """Where the platform sends the browser back to, path only."""
    async with ClientSession() as browser, browser.get(address, allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()
        back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


async def through(site: Site, path: str, agent: dict[str, str] = DINGTALK) -> Any:
    """Open *path* as the platform's browser does, over the platform, up to our own answer."""
    answer = await site.get(path, headers=agent)
    assert answer.status == 302
    return await site.get(await to_platform(answer.headers["Location"]), headers=agent)


def test_a_card_opens_its_page_without_a_password(desk: DingDesk) -> None:
    async def test(site: Site) -> None:
        code = desk.db.write(
            lambda s: links.add_go(s, now=MONDAY, person_id=desk.desk.lina, target="/today")
        )
        answer = await through(site, f"/go/{code}")
        assert answer.status == 200
        assert f'content="0;url=/go/{code}"' in await answer.text()
        opened = await site.get(f"/go/{code}", headers=DINGTALK)
        assert opened.headers["Location"] == "/today"
        assert "李娜的待办" in await site.text("/today")

    on_dingtalk(desk, test)


def test_the_address_is_as_the_platform_wants_it(desk: DingDesk) -> None:
    async def test(site: Site) -> None:
        answer = await site.get("/today?x=1", headers=DINGTALK)
        address = urlsplit(answer.headers["Location"])
        asked = dict(parse_qsl(address.query))
        assert f"{address.scheme}://{address.netloc}" == desk.fake.login_base
        assert (address.path, asked["client_id"]) == ("/oauth2/auth", desk.fake.app.client_id)
        assert (asked["response_type"], asked["scope"]) == ("code", "openid corpid")
        assert asked["redirect_uri"] == "http://localhost/oauth/dingtalk"
        assert re.fullmatch(r"[A-Za-z0-9]{32,128}", asked["state"])
        assert "Path=/oauth/" in answer.headers["Set-Cookie"]

    on_dingtalk(desk, test)


def test_other_browsers_scripts_and_forms_are_not_sent_away(desk: DingDesk) -> None:
    async def test(site: Site) -> None:
        plain = await site.get("/today")
        assert plain.status == 403 and "genjin link" in await plain.text()
        assert (await site.get("/today", headers=WXWORK)).status == 403
        assert (await site.get("/console/api/state", headers=DINGTALK)).status == 403
        assert (await site.post("/logout", headers=DINGTALK)).status == 403
        assert (await site.get("/oauth/wecom?code=x&state=y")).status == 404

    on_dingtalk(desk, test)


def test_without_a_public_address_there_is_the_link_only(desk: DingDesk) -> None:
    async def test(site: Site) -> None:
        assert (await site.get("/today", headers=DINGTALK)).status == 403
        code = site.link(desk.desk.lina)
        assert (await site.post("/login", data={"code": code}, headers=DINGTALK)).status == 303
        assert "李娜的待办" in await site.text("/today")

    on_dingtalk(desk, test, public="")


def test_strangers_and_outsiders_stay_out(desk: DingDesk) -> None:
    async def test(site: Site) -> None:
        desk.fake.add_person("neu", "新人")
        desk.fake.sign_in("neu")
        answer = await through(site, "/today")
        assert answer.status == 403 and "加进钉钉应用的可见范围" in await answer.text()
        desk.fake.sign_in("lina")
        desk.fake.fail("/topapi/user/getbyunionid", 60121)
        answer = await through(site, "/today")
        assert answer.status == 403 and "请用公司的钉钉账号打开" in await answer.text()
        desk.db.write(lambda s: lists.put_person(s, now=MONDAY, name="李娜", active=False))
        assert (await through(site, "/today")).status == 403
        assert (await site.get("/today")).status == 403

    on_dingtalk(desk, test)


def test_a_used_code_begins_anew_once(desk: DingDesk) -> None:
    async def test(site: Site) -> None:
        path, code = "/v1.0/oauth2/userAccessToken", "invalidParameter.authCode.notFound"
        desk.fake.fail(path, code, status=400)
        again = await through(site, "/today")
        assert again.status == 302
        answer = await site.get(await to_platform(again.headers["Location"]), headers=DINGTALK)
        assert answer.status == 200 and "url=/today" in await answer.text()
        site.session.cookie_jar.clear()
        desk.fake.fail(path, code, status=400, times=2)
        again = await through(site, "/today")
        over = await site.get(await to_platform(again.headers["Location"]), headers=DINGTALK)
        assert over.status == 403 and "钉钉给的登录码失效了两次" in await over.text()

    on_dingtalk(desk, test)


def test_only_the_browser_that_began_may_end(desk: DingDesk) -> None:
    async def test(site: Site) -> None:
        code = desk.fake.do(lambda: desk.fake.tokens.code("web", "wanglei"))  # to be planted
        assert (await site.get(f"/oauth/dingtalk?authCode={code}&state=abc")).status == 403
        began = await site.get("/today", headers=DINGTALK)
        state = dict(parse_qsl(urlsplit(began.headers["Location"]).query))["state"]
        wrong = f"/oauth/dingtalk?authCode={code}&state={state[:-1]}x"
        assert (await site.get(wrong, headers=DINGTALK)).status == 403
        right = f"/oauth/dingtalk?authCode={code}&state={state}"
        assert (await site.get(right)).status == 403  # begun once, over with the first answer
        assert desk.fake.count("/v1.0/oauth2/userAccessToken") == 0
        assert (await site.get("/today")).status == 403

    on_dingtalk(desk, test)


def test_a_platform_that_is_away_or_gives_no_right_is_said_so(desk: DingDesk) -> None:
    async def test(site: Site) -> None:
        desk.fake.drop("/v1.0/oauth2/userAccessToken")
        answer = await through(site, "/today")
        assert answer.status == 503 and "现在连不上钉钉" in await answer.text()
        wanted = "没有权限：[Contact.User.Read]"
        desk.fake.fail("/v1.0/contact/*", _DENIED, status=403, message=wanted)
        answer = await through(site, "/today")
        assert answer.status == 403 and "登录还没配好" in await answer.text()
        found = desk.db.read(lambda s: channel_states.get(s, "dingtalk", "oauth"))
        assert found is not None and found.detail["scopes"] == ["Contact.User.Read"]
        assert (await through(site, "/today")).status == 200
        assert desk.db.read(lambda s: channel_states.get(s, "dingtalk", "oauth")) is None

    on_dingtalk(desk, test)


def test_with_both_platforms_each_browser_goes_to_its_own(desk: DingDesk) -> None:
    """And what began at one cannot end at the other."""
    with FakeWeCom() as wecom:
        wecom.add_member("WangLei")
        wecom.rules.oauth_domains = {"localhost"}
        wecom.browser_user = "WangLei"
        desk.db.write(lambda s: lists.put_person(s, now=MONDAY, name="王磊", wecom="WangLei"))
        settings = WeCom(
            corp_id=wecom.corp_id, agent_id=wecom.agent_id, secret=wecom.secret, api_base=wecom.base
        )

        async def test(site: Site) -> None:
            answer = await through(site, "/today", WXWORK)
            assert answer.status == 200
            assert "王磊的待办" in await site.text("/today")
            site.session.cookie_jar.clear()
            assert (await through(site, "/today")).status == 200
            assert "李娜的待办" in await site.text("/today")
            site.session.cookie_jar.clear()
            began = await site.get("/today", headers=DINGTALK)
            state = dict(parse_qsl(urlsplit(began.headers["Location"]).query))["state"]
            code = wecom.oauth_code("WangLei")
            crossed = await site.get(f"/oauth/wecom?code={code}&state={state}")
            assert crossed.status == 403
            await client.close()

        client = WeComClient(settings, desk.db, desk.clock)
        corp, agent = settings.corp_id, settings.agent_id
        theirs = WeComSignIn(client, corp_id=corp, agent_id=agent, base=wecom.base)
        on_site(desk.desk, test, public_url=PUBLIC, sign_ins=[theirs, way_of(desk)])
