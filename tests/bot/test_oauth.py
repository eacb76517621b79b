"""Pages opened inside WeCom: there, back, and nobody else's session."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import ClientSession

from bot.channels.wecom.client import WeComClient
from bot.channels.wecom.sign_in import WeComSignIn
from bot.config_channels import WeCom
from storage import channel_states, links, lists
from storage.database import Database
from tests.fakes.wecom.server import FakeWeCom
from tests.support.desk import MONDAY, Desk
from tests.support.require import require
from tests.support.site import Site, on_site

WXWORK = {"User-Agent": "Mozilla/5.0 (iPhone) wxwork/4.1.36 MicroMessenger/7.0.1"}
PUBLIC = "http://localhost"


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    db = Database(sqlite_url)
    made = Desk(db, tmp_path)
    db.write(lambda s: lists.put_person(s, now=MONDAY, name="李娜", wecom="lina"))
    db.write(lambda s: lists.put_person(s, now=MONDAY, name="王磊", wecom="wanglei"))
    yield made
    made.close()
    db.close()


@pytest.fixture
def fake() -> Iterator[FakeWeCom]:
    with FakeWeCom() as made:
        for user in ("Lina", "WangLei", "stranger"):
            made.add_member(user)
        made.rules.oauth_domains = {"localhost"}
        made.browser_user = "Lina"
        yield made


Test = Callable[[Site], Awaitable[None]]


def on_wecom(desk: Desk, fake: FakeWeCom, test: Test, *, public: str = PUBLIC) -> None:
    settings = WeCom(
        corp_id=fake.corp_id, agent_id=fake.agent_id, secret=fake.secret, api_base=fake.base
    )
    client = WeComClient(settings, desk.db, desk.clock)
    way = WeComSignIn(client, corp_id=settings.corp_id, agent_id=settings.agent_id, base=fake.base)

    async def run(site: Site) -> None:
        try:
            await test(site)
        finally:
            await client.close()

    on_site(desk, run, public_url=public, sign_ins=[way])


def go_link(desk: Desk, person: int, target: str = "/today") -> str:
    return desk.db.write(
        lambda s: links.add_go(s, now=desk.clock.now(), person_id=person, target=target)
    )


async def to_platform(address: str) -> str:
    """What the platform makes of the address: where the browser is sent back to, path only."""
    async with (
        ClientSession() as browser,
        browser.get(address, allow_redirects=False) as answer,
    ):
        assert answer.status == 302, await answer.text()
        back = urlsplit(answer.headers["Location"])
    assert back.fragment in ("", "wechat_redirect")
    return f"{back.path}?{back.query}"


async def through(site: Site, path: str) -> Any:
    """Open *path* as WeCom's browser does, over the platform, up to our own answer."""
    answer = await site.get(path, headers=WXWORK)
    assert answer.status == 302
    back = await to_platform(answer.headers["Location"])
    return await site.get(back, headers=WXWORK)


def test_a_card_opens_its_page_without_a_password(desk: Desk, fake: FakeWeCom) -> None:
    async def test(site: Site) -> None:
        code = go_link(desk, desk.lina)
        answer = await through(site, f"/go/{code}")
        page = await answer.text()
        assert answer.status == 200
        assert f'content="0;url=/go/{code}"' in page and f'href="/go/{code}"' in page
        opened = await site.get(f"/go/{code}", headers=WXWORK)
        assert opened.headers["Location"] == "/today"
        assert "李娜的待办" in await site.text("/today")

    on_wecom(desk, fake, test)


def test_the_address_is_as_the_platform_wants_it(desk: Desk, fake: FakeWeCom) -> None:
    async def test(site: Site) -> None:
        answer = await site.get("/today?x=1", headers=WXWORK)
        address = urlsplit(answer.headers["Location"])
        asked = dict(parse_qsl(address.query))
        assert f"{address.scheme}://{address.netloc}" == fake.base
        assert (address.path, address.fragment) == ("/connect/oauth2/authorize", "wechat_redirect")
        assert (asked["appid"], asked["agentid"]) == (fake.corp_id, str(fake.agent_id))
        assert (asked["response_type"], asked["scope"]) == ("code", "snsapi_base")
        assert asked["redirect_uri"] == "http://localhost/oauth/wecom"
        assert re.fullmatch(r"[A-Za-z0-9]{32,128}", asked["state"])
        cookie = answer.headers["Set-Cookie"]
        assert "SameSite=Lax" in cookie and "HttpOnly" in cookie and "Path=/oauth/" in cookie

    on_wecom(desk, fake, test)


def test_other_browsers_scripts_and_forms_are_not_sent_away(desk: Desk, fake: FakeWeCom) -> None:
    async def test(site: Site) -> None:
        plain = await site.get("/today")
        assert plain.status == 403 and "genjin link" in await plain.text()
        assert (await site.get("/console/api/state", headers=WXWORK)).status == 403
        assert (await site.post("/logout", headers=WXWORK)).status == 403

    on_wecom(desk, fake, test)


def test_without_a_public_address_or_the_platform_there_is_the_link_only(
    desk: Desk, fake: FakeWeCom
) -> None:
    async def test(site: Site) -> None:
        assert (await site.get("/today", headers=WXWORK)).status == 403
        assert (await site.get("/oauth/dingtalk?code=x&state=y")).status == 404

    on_wecom(desk, fake, test, public="")
    on_site(desk, test)


def test_a_link_of_somebody_else_says_whose_it_is(desk: Desk, fake: FakeWeCom) -> None:
    async def test(site: Site) -> None:
        code = go_link(desk, desk.wanglei)
        await through(site, f"/go/{code}")
        refused = await site.get(f"/go/{code}", headers=WXWORK)
        assert refused.status == 403
        assert "这个链接是给王磊的，请用自己的账号登录。" in await refused.text()

    on_wecom(desk, fake, test)


def test_strangers_and_outsiders_stay_out(desk: Desk, fake: FakeWeCom) -> None:
    async def test(site: Site) -> None:
        for user, said in (("stranger", "名单里还没有你"), ("woOutside", "只给本公司的人看")):
            fake.browser_user = user
            answer = await through(site, "/today")
            assert answer.status == 403 and said in await answer.text()
            assert (await site.get("/today")).status == 403
        fake.browser_user = "Lina"
        desk.db.write(lambda s: lists.put_person(s, now=MONDAY, name="李娜", active=False))
        assert (await through(site, "/today")).status == 403

    on_wecom(desk, fake, test)


def test_a_used_code_begins_anew_once(desk: Desk, fake: FakeWeCom) -> None:
    async def test(site: Site) -> None:
        for errcode in (40029, 42022, 42003):
            fake.fail("auth/getuserinfo", errcode=errcode)
            again = await through(site, "/today")
            assert again.status == 302
            back = await to_platform(again.headers["Location"])
            answer = await site.get(back, headers=WXWORK)
            assert answer.status == 200 and "url=/today" in await answer.text()
            site.session.cookie_jar.clear()
        fake.fail("auth/getuserinfo", errcode=42022, times=2)
        again = await through(site, "/today")
        back = await to_platform(again.headers["Location"])
        over = await site.get(back, headers=WXWORK)
        assert over.status == 403 and "没有登录成功" in await over.text()

    on_wecom(desk, fake, test)


def test_a_browser_that_loses_the_session_does_not_go_round_for_ever(
    desk: Desk, fake: FakeWeCom
) -> None:
    async def test(site: Site) -> None:
        port = urlsplit(site.base).port
        for _ in range(10):
            answer = await site.get("/today", headers=WXWORK)
            if answer.status != 302:
                break
            back = await to_platform(answer.headers["Location"])
            assert (await site.get(back, headers=WXWORK)).status == 200
            site.session.cookie_jar.clear(lambda one: one.key == f"genjin_{port}")
        assert answer.status == 403 and "请先登录" in await answer.text()

    on_wecom(desk, fake, test)


def test_only_the_browser_that_began_may_end(desk: Desk, fake: FakeWeCom) -> None:
    async def test(site: Site) -> None:
        code = fake.oauth_code("WangLei")  # an attacker's own, to be planted on somebody
        assert (await site.get(f"/oauth/wecom?code={code}&state=abc")).status == 403
        began = await site.get("/today", headers=WXWORK)
        state = dict(parse_qsl(urlsplit(began.headers["Location"]).query))["state"]
        wrong = await site.get(f"/oauth/wecom?code={code}&state={state[:-1]}x", headers=WXWORK)
        assert wrong.status == 403 and "没有登录成功" in await wrong.text()
        assert (await site.get("/today")).status == 403
        assert (await site.get(f"/oauth/wecom?code={code}&state={state}")).status == 403  # once
        assert fake.calls_to("auth/getuserinfo") == []

    on_wecom(desk, fake, test)


def test_a_forged_cookie_or_foreign_target_leads_nowhere(desk: Desk, fake: FakeWeCom) -> None:
    async def test(site: Site) -> None:
        began = await site.get("//evil.example/x", headers=WXWORK)
        assert began.status == 302
        back = await to_platform(began.headers["Location"])
        page = await (await site.get(back, headers=WXWORK)).text()
        assert "evil.example" not in page and 'url=/"' in page

    on_wecom(desk, fake, test)


def test_an_unknown_domain_is_named_to_the_person_and_the_admin(
    desk: Desk, fake: FakeWeCom
) -> None:
    async def test(site: Site) -> None:
        fake.fail("auth/getuserinfo", errcode=50001)
        answer = await through(site, "/today")
        assert answer.status == 403 and "可信域名" in await answer.text()
        assert "localhost" in await answer.text()
        found = desk.db.read(lambda s: channel_states.get(s, "wecom", "oauth"))
        assert found is not None and found.detail == {"domain": "localhost"}
        assert (await through(site, "/today")).status == 200
        assert desk.db.read(lambda s: channel_states.get(s, "wecom", "oauth")) is None

    on_wecom(desk, fake, test)


def test_a_platform_that_is_away_is_said_so(desk: Desk, fake: FakeWeCom) -> None:
    async def test(site: Site) -> None:
        fake.drop("auth/getuserinfo", times=None)
        answer = await through(site, "/today")
        assert answer.status == 503 and "连不上企业微信" in await answer.text()

    on_wecom(desk, fake, test)


def test_a_real_browser_keeps_the_session_after_the_way_over_the_platform(
    desk: Desk, fake: FakeWeCom, chromium_path: str
) -> None:
    """Its rules for cookies are the point: one of ours must not come along from another site."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        require("playwright", False, "not installed (pip install 'genjin[dev]')")
    options = ["--no-sandbox"] if os.geteuid() == 0 else []

    def browse(base: str) -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path, args=options)
            page = browser.new_page(user_agent=WXWORK["User-Agent"])
            page.goto(f"data:text/html,<a href='{base}/today'>card</a>")
            for _ in range(2):  # from another site each time: without a session, and with one
                page.get_by_text("card").click()
                page.wait_for_url("**/today", timeout=20_000)
                page.get_by_role("heading", name="李娜的待办").wait_for(timeout=20_000)
                page.goto(f"data:text/html,<a href='{base}/today'>card</a>")
            browser.close()

    async def test(site: Site) -> None:
        base = site.base.replace("127.0.0.1", "localhost")  # another site than the platform's
        # The port is known only now; settings of a running program never change.
        object.__setattr__(site.deps, "public_url", base)
        await asyncio.to_thread(browse, base)

    on_wecom(desk, fake, test)
