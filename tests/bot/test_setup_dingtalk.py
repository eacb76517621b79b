"""DingTalk's part of the set-up page: steps, traps, quotas, templates, and its buttons."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot import config as settings
from bot import dingtalk_health
from bot.channels.dingtalk import template_files
from bot.home import Home
from bot.web import setup_dingtalk
from handlers.messages import Inbound, Show
from handlers.post import post
from storage import cards, channel_states, dingtalk_usage, directory_sync, leases, lists
from storage import settings as kept
from storage.database import Database
from storage.directory import Member
from storage.tables import CardRow, PersonRow
from tests.support.desk import MONDAY, Desk
from tests.support.sample_cards import CARD
from tests.support.setup import dingtalk, ready, section, send, step
from tests.support.site import Site, on_site

ID = "dingexample0001"
TEMPLATE = "11111111-aaaa-bbbb-cccc-222222222222.schema"
ENV = dingtalk()
HTTP = dingtalk(stream="false")


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    db = Database(sqlite_url)
    made = Desk(db, tmp_path)
    db.write(lambda s: lists.put_person(s, now=MONDAY, name="陈会", role="admin", dingtalk="chen"))
    yield made
    made.close()
    db.close()


def connected(desk: Desk) -> None:
    settings_ = settings.DingTalk(client_id=ID)
    name = dingtalk_health.lease_name(settings_)
    desk.db.write(lambda s: leases.take(s, name, holder="p1", now=MONDAY, for_s=90))


def synced(desk: Desk) -> None:
    members = [Member(user_id="chen", shown_id="chen", name="陈会")]
    desk.db.write(lambda s: directory_sync.apply(s, "dingtalk", members, now=MONDAY))


def heard(desk: Desk) -> None:
    event = Inbound(
        channel="dingtalk",
        event_key="msg:1",
        kind="text",
        user="chen",
        conversation="dingtalk:chen",
        at=MONDAY,
        text="你好",
    )
    assert desk.accept(event)


def wrong(desk: Desk, topic: str, problem: str, **detail: Any) -> None:
    desk.db.write(lambda s: channel_states.note(s, "dingtalk", topic, problem, detail, now=MONDAY))


def shown(desk: Desk, home: Home, env: dict[str, str], **more: Any) -> str:
    """The section as the operator sees it."""
    pages: list[str] = []

    async def test(site: Site) -> None:
        await site.log_in()
        pages.append(section(await site.text("/setup"), "dingtalk"))

    on_site(desk, test, setup=ready(home, env, **more))
    return pages[0]


def mark(page: str, title: str) -> str:
    return step(f'id="dingtalk"{page}', re.escape(title), "dingtalk")


def test_the_steps_tick_themselves_off(desk: Desk, home: Home) -> None:
    titles = ("建应用，填两样", "权限", "机器人，Stream 模式", "可见范围，发布版本", "连接")
    page = shown(desk, home, {})
    assert "没有打开" in page.partition("</h2>")[0]
    assert {mark(page, title)[:2] for title in titles} == {"要做"}

    page = shown(desk, home, ENV)
    assert [mark(page, title)[:2] for title in titles] == ["好了", *["要做"] * 4]
    assert "还有几步" in page.partition("</h2>")[0]
    for name in ("qyapi_robot_sendmsg", "Card.Instance.Write", "Contact.User.Read"):
        assert name in mark(page, "权限")
    assert "https://genjin.example.com/oauth/dingtalk" in mark(page, "在钉钉里打开页面（可不做）")

    connected(desk)
    synced(desk)
    heard(desk)
    page = shown(desk, home, ENV)
    assert {mark(page, title)[:2] for title in titles} == {"好了"}
    assert "正常" in page.partition("</h2>")[0]
    assert "最近的回调" not in page and "aes_key" not in page  # Stream needs none of it


def test_a_missing_right_is_named_as_the_console_names_it(desk: Desk, home: Home) -> None:
    wrong(desk, "permission:Card.Instance.Write", "no_permission", scopes=["Card.Instance.Write"])
    page = shown(desk, home, ENV)
    assert "还缺 互动卡片实例写权限（Card.Instance.Write）" in mark(page, "权限")
    assert "应用没有权限：互动卡片实例写权限（Card.Instance.Write）" in page
    assert "有问题" in page.partition("</h2>")[0]


def test_an_address_that_is_not_let_in(desk: Desk, home: Home) -> None:
    wrong(desk, "ip", "untrusted_ip", ip="203.0.113.7")
    page = shown(desk, home, ENV)
    assert mark(page, "服务器出口IP").startswith("要做: 钉钉说本机的地址 203.0.113.7")


def test_http_mode_shows_what_to_paste(desk: Desk, home: Home) -> None:
    page = shown(desk, home, HTTP)
    mine = tomllib.loads(home.secrets_file.read_text())["channels"]["dingtalk"]
    assert re.fullmatch(r"[A-Za-z0-9]{43}", mine["aes_key"])
    for secret in (mine["token"], mine["aes_key"]):
        assert page.count(secret) == 1  # on click only
    assert page.count("https://genjin.example.com/callback/dingtalk<") == 2
    assert "消息接收模式选“HTTP 模式”" in mark(page, "机器人，HTTP 模式")
    assert "<h3>最近的回调</h3>" in page and "给机器人说一句话，这里马上会有一行" in page
    assert "连接</b>" not in page


def test_stream_mode_makes_no_keys(desk: Desk, home: Home) -> None:
    shown(desk, home, ENV)
    assert "dingtalk" not in tomllib.loads(home.secrets_file.read_text()).get("channels", {})


@pytest.mark.parametrize(
    ("env", "said"),
    [
        (dingtalk(client_id="123456789"), "Client ID 填成了 AgentId"),
        (dingtalk(robot_code="dingother"), "robot_code（dingother）和 Client ID"),
        (dingtalk(card_template_id="my template"), "不像卡片模板 ID：my template"),
        (
            {**HTTP, "GENJIN_WEB__PUBLIC_URL": ""}
            | {"GENJIN_CHANNELS__DINGTALK__CARD_TEMPLATE_ID": TEMPLATE},
            "卡片发得出去，点了没有反应",
        ),
    ],
)
def test_traps_of_the_settings(desk: Desk, home: Home, env: dict[str, str], said: str) -> None:
    page = shown(desk, home, env)
    assert said in page.partition("<h3>步骤</h3>")[0]


def test_traps_of_the_settings_that_are_none(desk: Desk, home: Home) -> None:
    page = shown(desk, home, dingtalk(robot_code=ID, card_template_id=f"{TEMPLATE}, {TEMPLATE}"))
    assert "<h3>问题</h3>" not in page


def test_cards_whose_taps_never_come_back(desk: Desk, home: Home) -> None:
    chen = next(one for one in _people(desk) if one[1] == "chen")[0]

    def draw(session: Any) -> None:
        for number in range(5):
            key = f"memo.confirm:{number}"
            said = Show(card_key=key, person_id=chen, card=CARD, subject_kind="x", subject_id=1)
            post(session, [said], now=MONDAY - timedelta(hours=30))
        for card_id in _cards(session):
            cards.remember_handle(session, card_id, f"card card_action {TEMPLATE} {card_id}")

    desk.db.write(draw)
    heard(desk)
    page = shown(desk, home, dingtalk(card_template_id=TEMPLATE))
    assert "发过 5 张卡片，一次点击也没有收到过" in page
    tap = Inbound(
        channel="dingtalk",
        event_key="tap:1",
        kind="action",
        user="chen",
        conversation="dingtalk:chen",
        at=MONDAY,
        action="noop",
    )
    assert desk.accept(tap)
    assert "<h3>问题</h3>" not in shown(desk, home, dingtalk(card_template_id=TEMPLATE))


def test_what_the_month_has_used_up(desk: Desk, home: Home) -> None:
    def use(session: Any) -> None:
        dingtalk_usage.add(session, "api", now=MONDAY, units=4000)
        dingtalk_usage.add(session, "push", now=MONDAY, units=30)
        dingtalk_usage.add(session, "push", now=MONDAY - timedelta(days=40), units=2900)

    desk.db.write(use)
    page = shown(desk, home, dingtalk(push_quota="0"))
    assert "4000 / 5000（80%） <span" in page and "快用完了" in page
    assert "<td>30</td>" in page

    detail = {"used": 4000, "limit": 5000, "month": "2026-11"}
    wrong(desk, "usage:api", "quota_low", **detail)
    wrong(desk, "quota:push", "quota_spent", code="20001", words="x")
    page = shown(desk, home, ENV)
    assert "接口调用量用了 4000 次，这个月一共 5000 次" in page
    assert "推送量用完了，大家说的话到不了这里" in page


def test_template_files_are_handed_to_admins_only(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        assert (await site.get("/setup/dingtalk/card_action.json")).status == 403
        await site.log_in(desk.wanglei)
        assert (await site.get("/setup/dingtalk/card_action.json")).status == 403
        await site.log_in()
        page = await site.text("/setup")
        for name in template_files.NAMES:
            assert f'href="/setup/dingtalk/{name}.json"' in page
            answer = await site.get(f"/setup/dingtalk/{name}.json")
            assert f'filename="{name}.json"' in answer.headers["Content-Disposition"]
            assert json.loads(await answer.text()) == json.loads(template_files.build(name))
        assert (await site.get("/setup/dingtalk/card_other.json")).status == 404

    on_site(desk, test, setup=ready(home, ENV))


def test_new_template_files_are_told_to_whoever_imported_older_ones(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        await send(site, "dingtalk/settings", **_form(card_template_id=TEMPLATE))
        page = section(await site.text("/setup"), "dingtalk")
        assert "卡片模板有新版本" not in page and setup_dingtalk.version() in page
        note = json.dumps({"version": "00000000", "ids": [TEMPLATE]})
        desk.db.write(lambda s: kept.put(s, "dingtalk.templates", note))
        page = section(await site.text("/setup"), "dingtalk")
        assert mark(page, "卡片模板有新版本").startswith("要做")
        await send(site, "dingtalk/settings", **_form(card_template_id=TEMPLATE))  # imported
        assert "卡片模板有新版本" not in await site.text("/setup")

    on_site(desk, test, setup=ready(home, {}))


def test_the_form_writes_what_is_right_and_refuses_what_is_not(desk: Desk, home: Home) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        page = await send(site, "dingtalk/settings", **_form(card_template_id="x"))
        assert "以 .schema 结尾" in section(page, "dingtalk")
        for odd in ("-1", "１２", "5e3", "9" * 20):
            page = await send(site, "dingtalk/settings", **_form(api_quota=odd))
            assert ("额度也要填数字" in page) is (odd != "１２")
        page = await send(site, "dingtalk/settings", **_form())
        assert "已存下，重启后生效" in page and "geheim" not in page

    on_site(desk, test, setup=ready(home, {}))
    found = settings.load(home.path, {}).channels.dingtalk
    assert (found.enabled, found.client_id, found.stream) == (True, ID, True)
    assert (found.client_secret, found.api_quota) == ("geheim", 5000)


def _form(**given: str) -> dict[str, str]:
    form = {
        "enabled": "1",
        "client_id": ID,
        "client_secret": "geheim",
        "stream": "1",
        "api_quota": "5000",
        "push_quota": "3000",
        **given,
    }
    return {f"channels.dingtalk.{key}": value for key, value in form.items()}


def _people(desk: Desk) -> list[tuple[int, str]]:
    rows = sa.select(PersonRow.id, PersonRow.dingtalk_id)
    return [(number, user or "") for number, user in desk.db.read(lambda s: s.execute(rows).all())]


def _cards(session: Any) -> list[str]:
    return list(session.scalars(sa.select(CardRow.id)))
