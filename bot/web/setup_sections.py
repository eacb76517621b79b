"""What the set-up page shows of each channel.  One function a channel, listed in ``SECTIONS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from bot.channel_health import Health
from bot.web import setup_dingtalk
from bot.web import setup_words as words
from bot.web.setup_model import Mark, Section, Step, Value, View, restart, section, step


def wecom(view: View) -> Section:
    saved, health = view.saved, view.health
    mine = saved.channels.wecom
    base = saved.web.public_url.rstrip("/")
    shown = base or "https://…"
    values = (
        Value(label="URL", value=f"{shown}/callback/wecom"),
        Value(label="Token", value=mine.token, secret=True),
        Value(label="EncodingAESKey", value=mine.aes_key, secret=True),
    )
    filled = all((mine.corp_id, mine.agent_id, mine.secret))
    called = health.last_call is not None
    pages = f"{saved.web.host}:{saved.web.port}"
    callback = f"{saved.callback.host}:{saved.callback.port}"
    steps = [
        step(base.startswith("https://"), words.ADDRESS, pages=pages, callback=callback),
        step(filled, words.CREATE),
        *restart(view, "wecom"),
        step(called, words.RECEIVE),
        _trusted_ip(health),
        _trusted_domain(base, health),
        step(health.directory.whole_at is not None, words.VISIBLE),
        Step(mark="look", title=words.MENU[0], text=words.MENU[1].format(today=f"{shown}/today")),
        Step(mark="look", title=words.TEST[0], text=words.TEST[1]),
    ]
    keys = ("enabled", "corp_id", "agent_id", "secret")
    return section(
        view, "wecom", steps, values=values, keys=keys, has_callback=True, has_directory=True
    )


def wecom_bot(view: View) -> Section:
    mine = view.saved.channels.wecom_bot
    connected = view.health.connected and view.health.problem("connection") is None
    steps = [
        step(bool(mine.bot_id and mine.secret), words.BOT_CREATE),
        *restart(view, "wecom_bot"),
        step(connected, words.BOT_CONNECT),
        Step(mark="look", title=words.BOT_WRITE_FIRST[0], text=words.BOT_WRITE_FIRST[1]),
        Step(mark="look", title=words.TEST[0], text=words.TEST[1]),
    ]
    return section(view, "wecom_bot", steps, keys=("enabled", "bot_id", "secret"))


SECTIONS: Final[Mapping[str, Callable[[View], Section]]] = {
    "wecom": wecom,
    "wecom_bot": wecom_bot,
    "dingtalk": setup_dingtalk.dingtalk,
}


def _trusted_ip(health: Health) -> Step:
    wrong = health.problem("ip")
    if wrong is not None:
        return step(False, words.TRUSTED_IP_WANTED, ip=wrong.detail.get("ip", "？"))
    proven = health.connected and health.directory.at is not None
    return step(proven, words.TRUSTED_IP)


def _trusted_domain(base: str, health: Health) -> Step:
    """The app's record tells its domain, where the platform gives it."""
    domain = urlsplit(base).netloc or "…"
    found = str(health.directory.facts.get("trusted_domain") or "")
    if found and found != domain:
        return step(False, words.TRUSTED_DOMAIN_OTHER, found=found, domain=domain)
    if health.problem("oauth") is not None:
        return step(False, words.TRUSTED_DOMAIN, domain=domain)
    mark: Mark = "done" if found else "look"
    return Step(
        mark=mark,
        title=words.TRUSTED_DOMAIN[0],
        text=words.TRUSTED_DOMAIN[1].format(domain=domain),
    )
