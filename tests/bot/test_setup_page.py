"""The set-up page: what it shows, what it writes, who may see it."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import config as settings
from bot import settings_file
from bot.home import Home
from storage import (
    callback_attempts,
    channel_states,
    directory_sync,
    lists,
    office,
    platform_tokens,
)
from storage.callback_attempts import Attempt
from storage.database import Database
from storage.directory import Member
from tests.support.desk import MONDAY, Desk
from tests.support.setup import ENV, person, ready, section, send, step
from tests.support.site import Site, on_site


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    db = Database(sqlite_url)
    made = Desk(db, tmp_path)
    db.write(lambda s: lists.put_person(s, now=MONDAY, name="陈会", role="admin", wecom="chenhui"))
    yield made
    made.close()
    db.close()


def test_only_admins_and_the_operator_see_it(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        assert "企业微信应用" in await site.text("/setup")
        assert "/setup" in await site.text("/")
        await site.log_in(person(desk, "陈会"))
        assert "企业微信应用" in await site.text("/setup")
        assert "/setup" in await site.text("/")
        await site.log_in(desk.wanglei)
        for path in ("/setup", f"/setup?as={person(desk, '陈会')}"):
            assert (await site.get(path)).status == 403
        for path in ("wecom/settings", "wecom/sync", "wecom/test", "wecom/resume", "address"):
            refused = await site.post(f"/setup/{path}", data={"token": site.token})
            assert refused.status == 403, path
        assert "/setup" not in await site.text("/")

    on_site(desk, test, setup=ready(home))


def test_a_player_of_the_demo_is_no_admin(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        await site.log_in(desk.lina)
        assert (await site.get(f"/setup?as={person(desk, '陈会')}")).status == 403

    on_site(desk, test, setup=ready(home), demo=True)


def test_without_the_program_around_it_there_is_no_such_page(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        assert (await site.get("/setup")).status == 404
        assert "/setup" not in await site.text("/")

    on_site(desk, test)


def test_the_first_visit_makes_token_and_key_once(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        page = await site.text("/setup")
        mine = tomllib.loads(home.secrets_file.read_text())["channels"]["wecom"]
        assert re.fullmatch(r"[A-Za-z0-9]{32}", mine["token"])
        assert re.fullmatch(r"[A-Za-z0-9]{43}", mine["aes_key"])
        for secret in (mine["token"], mine["aes_key"]):
            shown = re.search(rf"<details><summary>显示</summary><code[^>]*>{secret}<", page)
            assert shown and page.count(secret) == 1  # on click only
        assert "https://…/callback/wecom" in page
        assert stat.S_IMODE(home.secrets_file.stat().st_mode) == 0o600
        before = home.secrets_file.read_bytes()
        await site.text("/setup")
        assert home.secrets_file.read_bytes() == before

    session_key = settings.load(home.path, {}).web.session_key
    on_site(desk, test, setup=ready(home, {}))
    assert settings.load(home.path, {}).web.session_key == session_key


def test_the_form_writes_the_files_and_keeps_their_comments(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        page = await send(
            site,
            "wecom/settings",
            **{
                "channels.wecom.enabled": "1",
                "channels.wecom.corp_id": " ww0123 ",
                "channels.wecom.agent_id": "1000042",
                "channels.wecom.secret": 'Ge"heim\\',
            },
        )
        assert "已存下，重启后生效" in page and "等重启" in section(page, "wecom")
        assert "Ge&#34;heim" not in page and "已填，不显示" in page
        assert step(page, "重启").startswith("要做")
        page = await send(
            site,
            "wecom/settings",
            **{"channels.wecom.enabled": "1", "channels.wecom.corp_id": "ww0123"},
            **{"channels.wecom.agent_id": "1000042", "channels.wecom.secret": ""},
        )
        assert "没有变化" in page  # an empty secret is no new secret
        page = await send(site, "address", **{"web.public_url": "https://genjin.example.com/"})
        assert "https://genjin.example.com/callback/wecom" in page

    on_site(desk, test, setup=ready(home, {}))
    saved = settings.load(home.path, {})
    wecom = saved.channels.wecom
    assert (wecom.enabled, wecom.corp_id, wecom.agent_id) == (True, "ww0123", 1000042)
    assert (wecom.secret, saved.half_configured()) == ('Ge"heim\\', {})
    assert saved.web.public_url == "https://genjin.example.com"
    text = home.config_file.read_text()
    assert "# 企业微信自建应用" in text and "heim" not in text
    logged = desk.db.read(office.audit_log)
    assert {one.action for one in logged} == {"setup.settings"}
    assert "heim" not in repr(logged) and "channels.wecom.secret" in repr(logged)


def test_what_is_refused_is_not_written(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        await site.text("/setup")
        before = (home.config_file.read_bytes(), home.secrets_file.read_bytes())
        page = await send(site, "wecom/settings", **{"channels.wecom.agent_id": "abc"})
        assert "AgentId 是一串数字" in page
        for address in ("ftp://x.example", "genjin.example.com", "https://a.example/x", "https://"):
            page = await send(site, "address", **{"web.public_url": address})
            assert "公网网址要以 https:// 开头" in page, address
        assert (
            await site.post("/setup/wecom/settings", headers={"X-Genjin-Token": ""})
        ).status == 403
        assert (await site.post("/setup/mail/settings", data={"token": site.token})).status == 404
        assert (home.config_file.read_bytes(), home.secrets_file.read_bytes()) == before
        home.config_file.write_text("[web\n")
        page = await send(site, "wecom/settings", **{"channels.wecom.enabled": "1"})
        assert "config.toml：格式不对" in page
        assert home.config_file.read_text() == "[web\n"

    on_site(desk, test, setup=ready(home, {}))


def test_what_the_environment_sets_is_not_changed_here(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        page = await site.text("/setup")
        assert "由环境变量 GENJIN_CHANNELS__WECOM__CORP_ID 设定" in page
        assert ENV["GENJIN_CHANNELS__WECOM__SECRET"] not in page
        before = home.config_file.read_bytes()
        page = await send(site, "wecom/settings", **{"channels.wecom.corp_id": "other"})
        assert "没有变化" in page and home.config_file.read_bytes() == before

    on_site(desk, test, setup=ready(home))


def test_the_steps_tick_themselves_off(desk: Desk, home: Home) -> None:
    titles = (
        "公网网址",
        "建应用，填三样",
        "接收消息",
        "企业可信IP",
        "可信域名",
        "可见范围和通讯录",
    )

    async def marks(site: Site) -> list[str]:
        page = await site.text("/setup")
        return [step(page, title).partition(":")[0] for title in titles]

    async def test(site: Site) -> None:
        await site.log_in()
        assert await marks(site) == ["好了", "好了", "要做", "要做", "请看一眼", "要做"]
        call = Attempt(channel="wecom", at=MONDAY, remote="203.0.113.9", outcome="verified")
        desk.db.write(lambda s: callback_attempts.add(s, [call]))
        desk.db.write(_token)
        members = [Member(user_id="chenhui", shown_id="ChenHui", name="陈会")]
        facts = {"trusted_domain": "old.example.com"}
        desk.db.write(lambda s: directory_sync.apply(s, "wecom", members, now=MONDAY, facts=facts))
        assert await marks(site) == ["好了", "好了", "好了", "好了", "要做", "好了"]
        assert "现在填的是 old.example.com，要改成 genjin.example.com" in await site.text("/setup")
        facts = {"trusted_domain": "genjin.example.com"}
        desk.db.write(lambda s: directory_sync.apply(s, "wecom", members, now=MONDAY, facts=facts))
        assert (await marks(site))[4] == "好了"
        page = await site.text("/setup")
        assert "正常" in section(page, "wecom").partition("</h2>")[0]

    def _token(session: Any) -> None:
        app = "wecom:wwfake0000000001:1000042"
        platform_tokens.claim(session, app, seen="", now=MONDAY, lease_s=1)
        later = MONDAY + timedelta(hours=2)
        platform_tokens.keep(session, app, token="T", now=MONDAY, expires_at=later)

    on_site(desk, test, setup=ready(home))


def test_an_untrusted_address_is_shown_with_what_to_do(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        page = section(await site.text("/setup"), "wecom")
        assert "203.0.113.7 不在企业可信IP名单里" in page
        assert "203.0.113.7" in step('id="wecom"' + page, "企业可信IP")
        assert "有问题" in page.partition("</h2>")[0]

    detail = {"errcode": 60020, "ip": "203.0.113.7"}
    desk.db.write(
        lambda s: channel_states.note(s, "wecom", "ip", "untrusted_ip", detail, now=MONDAY)
    )
    on_site(desk, test, setup=ready(home))


def test_the_last_twenty_calls_with_their_reasons(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        page = section(await site.text("/setup"), "wecom").partition("最近的回调")[2]
        assert page.count("<tr><td>") == 20
        assert "后台填的 Token 和这里的不一样" in page and "203.0.113.1" in page
        assert "应用状态的通知（closed）" in page

    calls = [
        Attempt(
            channel="wecom",
            at=MONDAY + timedelta(seconds=n),
            remote="203.0.113.1",
            outcome="refused",
            reason="signature",
        )
        for n in range(25)
    ]
    calls.append(
        replace(calls[0], at=MONDAY + timedelta(1), outcome="accepted", reason="app:closed")
    )
    desk.db.write(lambda s: callback_attempts.add(s, calls))
    on_site(desk, test, setup=ready(home))


def test_the_domains_file_is_served_to_everybody_and_no_other(desk: Desk, home: Home) -> None:
    name, text = "WW_verify_aBc123.txt", "aBc123"

    async def test(site: Site) -> None:
        assert (await site.get(f"/{name}")).status == 404
        await site.log_in()
        for wrong in (("x.txt", text), (name, "<script>"), ("WW_verify_../x.txt", text)):
            page = await send(site, "verify-file", name=wrong[0], text=wrong[1])
            assert "文件名形如 WW_verify_xxxx.txt" in page
        assert name in await send(site, "verify-file", name=name, text=text)
        site.session.cookie_jar.clear()
        answer = await site.get(f"/{name}")
        assert (await answer.text(), answer.content_type) == (text, "text/plain")
        assert (await site.get("/WW_verify_other.txt")).status == 404

    on_site(desk, test, setup=ready(home))


def test_the_robot_has_its_own_steps(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        page = await site.text("/setup")
        assert "没有打开" in section(page, "wecom_bot").partition("</h2>")[0]
        assert step(page, "建机器人，填两样", "wecom_bot").startswith("要做")
        assert "/callback/" not in section(page, "wecom_bot")
        form = {"enabled": "1", "bot_id": "aibBOT", "secret": "s3"}
        page = await send(
            site,
            "wecom_bot/settings",
            **{f"channels.wecom_bot.{key}": value for key, value in form.items()},
        )
        assert step(page, "建机器人，填两样", "wecom_bot").startswith("好了")

    on_site(desk, test, setup=ready(home, {}))
    assert settings.load(home.path, {}).ready_channels() == ("wecom_bot",)


def test_everything_on_the_page_is_escaped(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        page = await site.text("/setup?done=<b>&at=<b>&test=<b>")
        assert "<b>x" not in page and "<b>&" not in page and "&lt;b&gt;x" in page

    detail = {"why": "<b>x"}
    desk.db.write(
        lambda s: channel_states.note(
            s, "wecom", "directory", "directory_failed", detail, now=MONDAY
        )
    )
    on_site(desk, test, setup=ready(home))


def test_forms_sent_at_once_lose_nothing(home: Home) -> None:
    keys = [f"channels.wecom.{key}" for key in ("corp_id", "secret", "token", "aes_key")]

    def save(key: str) -> None:
        settings_file.change(home, {key: key})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(save, keys))

    saved = settings.load(home.path, {})
    assert [settings.value(saved, key) for key in keys] == keys
    assert [one.name for one in home.path.glob(".*.toml*")] == []  # no drafts are left
