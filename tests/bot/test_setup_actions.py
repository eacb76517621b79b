"""The set-up page's buttons: read the directory, send a test message, try again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import ChannelError
from bot.channels.wecom.channel import WeCom, WeComOptions
from bot.home import Home
from bot.work import Work
from nlp.audio import duration_s
from storage import (
    channel_states,
    directory_sync,
    lists,
    platform_tokens,
)
from storage.database import Database
from storage.directory import Applied, Member
from tests.fakes.wecom.server import FakeWeCom
from tests.support.desk import MONDAY, Desk
from tests.support.setup import ENV, person, ready, send
from tests.support.site import Site, on_site


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    db = Database(sqlite_url)
    made = Desk(db, tmp_path)
    db.write(lambda s: lists.put_person(s, now=MONDAY, name="陈会", role="admin", wecom="chenhui"))
    yield made
    made.close()
    db.close()


def test_the_directory_is_synced_by_a_button(desk: Desk, home: Home) -> None:
    asked: list[str] = []

    async def sync(channel: str) -> Applied:
        asked.append(channel)
        if len(asked) > 1:
            raise ChannelError("wecom 60011 at user/list: no", transient=False)
        members = [Member(user_id="lina", shown_id="Lina", name="李娜")]
        return await asyncio.to_thread(
            desk.db.write, lambda s: directory_sync.apply(s, "wecom", members, now=MONDAY)
        )

    async def test(site: Site) -> None:
        await site.log_in()
        page = await send(site, "wecom/sync")
        assert "1 人，新增 0，更新 1，停用 0" in page
        assert "人没有企业微信账号，收不到消息：王磊、周凯" in page
        assert "人的账号不在可见范围里：陈会" in page
        assert "没有同步成功" in await send(site, "wecom/sync")
        assert asked == ["wecom", "wecom"]
        assert "没有在运行" in await send(site, "wecom_bot/sync")

    on_site(desk, test, setup=ready(home, sync=sync))


def test_a_test_message_goes_out_and_tells_what_came_of_it(desk: Desk, home: Home) -> None:
    with FakeWeCom(secret=ENV["GENJIN_CHANNELS__WECOM__SECRET"]) as fake:
        fake.add_member("ChenHui", "陈会")
        env = {**ENV, "GENJIN_CHANNELS__WECOM__API_BASE": fake.base}
        setup = ready(home, env)
        options = WeComOptions(base_url="https://genjin.example.com", link_key=b"k")
        channel = WeCom(setup.config.channels.wecom, desk.db, desk.media, desk.clock, options)
        both = {"console": desk.console, "wecom": channel}
        desk.work = Work(desk.db, desk.tools, both, desk._loop, duration_s)

        async def press(site: Site, key: str, name: str = "陈会") -> str:
            pressed = asyncio.create_task(send(site, "wecom/test", name=name, event_key=key))
            while not pressed.done():
                await site.work()
                await asyncio.sleep(0.05)
            return await pressed

        async def test(site: Site) -> None:
            await site.log_in(person(desk, "陈会"))
            assert 'value="陈会" placeholder="姓名"' in await site.text("/setup")
            for _ in range(2):  # a double click is one message
                assert "平台收下了，请看手机" in await press(site, "k1")
            assert len(fake.inbox("chenhui")) == 1
            assert "这是一条测试消息" in fake.inbox("chenhui")[0].text
            fake.rules.trusted_ips = set()
            page = await press(site, "k2")
            assert "还没发出去" in page and "203.0.113.7 不在企业可信IP名单里" in page
            assert "没有企业微信账号" in await press(site, "k3", "王磊")
            assert "名单里没有这个人" in await press(site, "k4", "没有的人")

        try:
            on_site(desk, test, setup=setup)
        finally:
            asyncio.run_coroutine_threadsafe(channel.close(), desk._loop).result(10)


def test_a_stopped_token_is_tried_again_on_request(desk: Desk, home: Home) -> None:
    app = "wecom:wwfake0000000001:1000042"

    async def test(site: Site) -> None:
        await site.log_in()
        page = await site.text("/setup")
        assert "企业微信不认这个 Secret" in page and "改好了，再试一次" in page
        await send(site, "wecom/resume")
        assert desk.db.read(lambda s: platform_tokens.get(s, app)).stopped == ""

    def stopped(session: Any) -> None:
        platform_tokens.claim(session, app, seen="", now=MONDAY, lease_s=1)
        platform_tokens.stop(session, app, "40001:abc")
        channel_states.note(session, "wecom", "token", "bad_secret", {}, now=MONDAY)

    desk.db.write(stopped)
    on_site(desk, test, setup=ready(home))
