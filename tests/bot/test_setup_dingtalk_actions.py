"""The buttons of DingTalk's part of the set-up page, with the real channel against the fake."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.channels.build import build_check, build_directory
from bot.channels.dingtalk.channel import DingTalk, Options
from bot.home import Home
from bot.work import Work
from nlp.audio import duration_s
from storage import lists, people
from storage.database import Database
from tests.fakes.dingtalk.server import FakeDingTalk
from tests.support.desk import MONDAY, Desk
from tests.support.setup import dingtalk, ready, section, send
from tests.support.site import Site, on_site


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    db = Database(sqlite_url)
    made = Desk(db, tmp_path)
    db.write(lambda s: lists.put_person(s, now=MONDAY, name="陈会", role="admin", dingtalk="chen"))
    yield made
    made.close()
    db.close()


class Real:
    """The program's channel, not run, and what the page is handed of it."""

    def __init__(self, desk: Desk, home: Home, fake: FakeDingTalk) -> None:
        bases = {"api_base": fake.api_base, "oapi_base": fake.oapi_base}
        self.setup = ready(home, dingtalk(**bases))
        options = Options(base_url="https://genjin.example.com", link_key=b"k")
        channel = DingTalk(
            self.setup.config.channels.dingtalk, desk.db, desk.media, desk.clock, options
        )
        self._desk, self.channel = desk, channel
        both = {"console": desk.console, "dingtalk": channel}
        desk.work = Work(desk.db, desk.tools, both, desk._loop, duration_s)
        check = build_check({"dingtalk": channel})
        directory = build_directory(self.setup.config, {"dingtalk": channel}, desk.db, desk.clock)

        async def there(work: Any) -> Any:  # the channel lives on the desk's own loop
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, desk._loop))

        self.setup = ready(
            home,
            dingtalk(**bases),
            check=lambda name: there(check(name)),
            sync=lambda name, **more: there(directory.sync(name, **more)),
        )

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.channel.close(), self._desk._loop).result(10)


@pytest.fixture
def fake(desk: Desk) -> Iterator[FakeDingTalk]:
    with FakeDingTalk(clock=desk.clock) as made:
        made.add_person("chen", "陈会")
        made.add_person("wang", "王磊", leads=[1])
        yield made


@pytest.fixture
def real(desk: Desk, home: Home, fake: FakeDingTalk) -> Iterator[Real]:
    made = Real(desk, home, fake)
    yield made
    made.close()


def test_the_check_tells_each_answer_in_words(desk: Desk, real: Real, fake: FakeDingTalk) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        page = section(await send(site, "dingtalk/check"), "dingtalk")
        assert page.partition("<h3>检查</h3>")[2].count(">好了<") == 5
        fake.app.scopes.discard("qyapi_get_department_member")
        page = section(await send(site, "dingtalk/check"), "dingtalk")
        assert re.search(
            r"读成员 <span[^>]*>不行</span><br>应用没有权限：通讯录部门成员读权限", page
        )
        fake.app.client_secret = "another"
        fake.expire_tokens()
        await asyncio.to_thread(desk.clock.move, timedelta(hours=3))
        page = section(await send(site, "dingtalk/check"), "dingtalk")
        assert "钉钉不认这对 Client ID 和 Client Secret" in page
        assert "改好了，再试一次" not in page  # it is tried again by itself
        assert (await site.post("/setup/dingtalk/resume", data={"token": site.token})).status == 404
        assert fake.messages == []

    on_site(desk, test, setup=real.setup)


def test_a_test_message_and_why_it_does_not_arrive(
    desk: Desk, real: Real, fake: FakeDingTalk
) -> None:
    async def press(site: Site, key: str, name: str) -> str:
        form = {"name": name, "event_key": key}
        pressed = asyncio.create_task(send(site, "dingtalk/test", **form))
        while not pressed.done():
            await site.work()
            await asyncio.sleep(0.05)
        return section(await pressed, "dingtalk")

    async def test(site: Site) -> None:
        await site.log_in()
        for _ in range(2):  # a double click is one message
            assert "平台收下了，请看手机" in await press(site, "k1", "陈会")
        assert ["这是一条测试消息" in text for text in fake.texts("chen")] == [True]
        assert "这个人没有钉钉账号" in await press(site, "k2", "李娜")
        fake.app.visible = {"wang"}
        assert "他不在应用的可见范围里" in await press(site, "k3", "陈会")
        fake.app.scopes.clear()
        page = await press(site, "k4", "陈会")
        assert "还没发出去" in page and "企业内机器人发送消息权限" in page

    on_site(desk, test, setup=real.setup)


def test_the_directory_by_a_button_and_who_is_who(
    desk: Desk, real: Real, fake: FakeDingTalk
) -> None:
    desk.db.write(lambda s: lists.put_person(s, now=MONDAY, name="王磊", wecom="wanglei"))

    async def test(site: Site) -> None:
        await site.log_in()
        page = section(await send(site, "dingtalk/sync"), "dingtalk")
        assert "2 人，新增 0，更新 1" in page
        assert "1 个名字对不上是谁" in page and "--dingtalk 账号" in page
        page = section(await send(site, "dingtalk/sync", same_names="1"), "dingtalk")
        assert "更新 2" in page and "对不上是谁" not in page  # 王磊 leads 陈会
        page = section(await send(site, "wecom/sync"), "wecom")
        assert "没有在运行" in page

    on_site(desk, test, setup=real.setup)
    found = desk.db.read(lambda s: people.by_platform(s, "dingtalk", "wang"))
    assert found is not None and found.name == "王磊"
