"""The set-up page as a test sees it: what the program hands it, its forms, its steps."""

from __future__ import annotations

import re
from typing import Any

from bot import config as settings
from bot.home import Home
from bot.web.deps import Setup
from storage import office
from tests.support.desk import Desk
from tests.support.site import Site

ENV = {
    "GENJIN_CHANNELS__WECOM__ENABLED": "true",
    "GENJIN_CHANNELS__WECOM__CORP_ID": "wwfake0000000001",
    "GENJIN_CHANNELS__WECOM__AGENT_ID": "1000042",
    "GENJIN_CHANNELS__WECOM__SECRET": "fakeSecretOfTheSalesAppxxxxxxxxxxxxxxxxxxxx",
    "GENJIN_CHANNELS__WECOM__TOKEN": "tokenOfTheTest",
    "GENJIN_CHANNELS__WECOM__AES_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "GENJIN_WEB__PUBLIC_URL": "https://genjin.example.com",
}

DINGTALK = {
    "GENJIN_CHANNELS__DINGTALK__ENABLED": "true",
    "GENJIN_CHANNELS__DINGTALK__CLIENT_ID": "dingexample0001",
    "GENJIN_CHANNELS__DINGTALK__CLIENT_SECRET": "example-secret-0001",
    "GENJIN_WEB__PUBLIC_URL": "https://genjin.example.com",
}


def dingtalk(**given: str) -> dict[str, str]:
    """The settings of the fake's app, with *given* ones of the channel."""
    return DINGTALK | {f"GENJIN_CHANNELS__DINGTALK__{key.upper()}": to for key, to in given.items()}


def ready(home: Home, env: dict[str, str] | None = None, **more: Any) -> Setup:
    """What the program would hand the page after a start with *env*."""
    chosen = ENV if env is None else env
    return Setup(home=home, config=settings.load(home.path, chosen), env=chosen, **more)


def person(desk: Desk, name: str) -> int:
    return next(one.id for one in desk.db.read(office.people) if one.name == name)


async def send(site: Site, path: str, **form: str) -> str:
    """Post a form; the page that follows."""
    answer = await site.post(f"/setup/{path}", data={**form, "token": site.token})
    assert answer.status == 303, (answer.status, await answer.text())
    return await site.text(answer.headers["Location"].partition("#")[0])


def section(page: str, channel: str) -> str:
    return page.partition(f'id="{channel}"')[2].partition("</section>")[0]


def step(page: str, title: str, channel: str = "wecom") -> str:
    """Mark and words of one step."""
    found = re.search(
        rf"<li><b>{title}</b> <span[^>]*>([^<]*)</span><br>(.*?)</li>", section(page, channel)
    )
    assert found, title
    return f"{found[1]}: {found[2]}"
