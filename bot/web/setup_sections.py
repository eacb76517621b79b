"""What the set-up page shows of each channel.  One function a channel, listed in ``SECTIONS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from bot import channel_words
from bot import config as settings
from bot.channel_health import Health
from bot.config import Config
from bot.web import setup_words as words

Mark = Literal["done", "todo", "look"]  # look: only the admin can see whether it is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    mark: Mark
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Something to paste into the platform's console."""

    label: str
    value: str
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One input.  ``value`` of a secret is never shown; ``locked`` says what sets it instead."""

    key: str
    label: str
    kind: Literal["text", "number", "secret", "switch"]
    value: str = ""
    filled: bool = False
    locked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    text: str
    todo: str
    since: datetime
    may_resume: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    channel: str
    title: str
    state: tuple[str, str]  # words, and the class that colours them
    steps: tuple[Step, ...]
    values: tuple[Value, ...]
    fields: tuple[Field, ...]
    problems: tuple[Problem, ...]
    health: Health
    running: bool
    has_callback: bool = False
    has_directory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """``saved`` stands in the files and takes effect with the next start of what is ``running``."""

    saved: Config
    running: Config
    origins: Mapping[str, str]  # key: the file or variable that set it
    health: Health


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
        _step(base.startswith("https://"), words.ADDRESS, pages=pages, callback=callback),
        _step(filled, words.CREATE),
        *_restart(view, "wecom"),
        _step(called, words.RECEIVE),
        _trusted_ip(health),
        _trusted_domain(base, health),
        _step(health.directory.whole_at is not None, words.VISIBLE),
        Step(mark="look", title=words.MENU[0], text=words.MENU[1].format(today=f"{shown}/today")),
        Step(mark="look", title=words.TEST[0], text=words.TEST[1]),
    ]
    keys = ("enabled", "corp_id", "agent_id", "secret")
    return _section(
        view, "wecom", steps, values=values, keys=keys, has_callback=True, has_directory=True
    )


def wecom_bot(view: View) -> Section:
    mine = view.saved.channels.wecom_bot
    connected = view.health.connected and view.health.problem("connection") is None
    steps = [
        _step(bool(mine.bot_id and mine.secret), words.BOT_CREATE),
        *_restart(view, "wecom_bot"),
        _step(connected, words.BOT_CONNECT),
        Step(mark="look", title=words.BOT_WRITE_FIRST[0], text=words.BOT_WRITE_FIRST[1]),
        Step(mark="look", title=words.TEST[0], text=words.TEST[1]),
    ]
    return _section(view, "wecom_bot", steps, keys=("enabled", "bot_id", "secret"))


SECTIONS: Final[Mapping[str, Callable[[View], Section]]] = {
    "wecom": wecom,
    "wecom_bot": wecom_bot,
}


def field(view: View, key: str) -> Field:
    value: Any = settings.value(view.saved, key)
    origin = view.origins.get(key, "")
    in_file = origin in ("", settings.CONFIG_NAME, settings.SECRETS_NAME)
    if key in settings.secret_keys():
        kind: Literal["text", "number", "secret", "switch"] = "secret"
    elif isinstance(value, bool):
        kind = "switch"
    else:
        kind = "number" if isinstance(value, int) else "text"
    return Field(
        key=key,
        label=words.LABELS[key],
        kind=kind,
        value="" if kind == "secret" or not value else str(value),
        filled=bool(value),
        locked="" if in_file else words.FROM_ENV.format(name=origin),
    )


def _section(
    view: View,
    channel: str,
    steps: list[Step],
    *,
    keys: tuple[str, ...],
    values: tuple[Value, ...] = (),
    has_callback: bool = False,
    has_directory: bool = False,
) -> Section:
    problems = tuple(
        Problem(text=text, todo=todo, since=one.since, may_resume=one.topic == "token")
        for one in view.health.problems
        for text, todo in [channel_words.problem(channel, one.problem, one.detail)]
    )
    return Section(
        channel=channel,
        title=channel_words.TITLES[channel],
        state=_state(view, channel, steps),
        steps=tuple(steps),
        values=values,
        fields=tuple(field(view, f"channels.{channel}.{key}") for key in keys),
        problems=problems,
        health=view.health,
        running=channel in view.running.ready_channels(),
        has_callback=has_callback,
        has_directory=has_directory,
    )


def _state(view: View, channel: str, steps: list[Step]) -> tuple[str, str]:
    mine = getattr(view.saved.channels, channel)
    lacking = view.saved.half_configured().get(channel, ())
    if not mine.enabled:
        name = "off"
    elif lacking:
        name = "half"
    elif _changed(view, channel):
        name = "restart"
    elif view.health.problems:
        name = "trouble"
    else:
        name = "todo" if any(one.mark == "todo" for one in steps) else "fine"
    said, colour = words.STATES[name]
    shown = (words.LABELS.get(f"channels.{channel}.{key}", key) for key in lacking)
    return said.format(keys="、".join(shown)), colour


def _changed(view: View, channel: str) -> bool:
    """Whether what is saved differs from what runs."""
    now, later = view.running, view.saved
    mine = getattr(now.channels, channel) != getattr(later.channels, channel)
    return mine or now.web.public_url != later.web.public_url


def _restart(view: View, channel: str) -> list[Step]:
    if not _changed(view, channel):
        return []
    return [Step(mark="todo", title=words.RESTART[0], text=words.RESTART[1])]


def _trusted_ip(health: Health) -> Step:
    wrong = health.problem("ip")
    if wrong is not None:
        return _step(False, words.TRUSTED_IP_WANTED, ip=wrong.detail.get("ip", "？"))
    proven = health.connected and health.directory.at is not None
    return _step(proven, words.TRUSTED_IP)


def _trusted_domain(base: str, health: Health) -> Step:
    """The app's record tells its domain, where the platform gives it."""
    domain = urlsplit(base).netloc or "…"
    found = str(health.directory.facts.get("trusted_domain") or "")
    if found and found != domain:
        return _step(False, words.TRUSTED_DOMAIN_OTHER, found=found, domain=domain)
    if health.problem("oauth") is not None:
        return _step(False, words.TRUSTED_DOMAIN, domain=domain)
    mark: Mark = "done" if found else "look"
    return Step(
        mark=mark,
        title=words.TRUSTED_DOMAIN[0],
        text=words.TRUSTED_DOMAIN[1].format(domain=domain),
    )


def _step(done: bool, said: tuple[str, str], **facts: object) -> Step:
    title, text = said
    return Step(mark="done" if done else "todo", title=title, text=text.format(**facts))
