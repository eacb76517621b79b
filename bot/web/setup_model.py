"""The parts of the set-up page: what a section of it holds, and how one is put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot import channel_words
from bot import config as settings
from bot.channel_health import Health
from bot.config import Config
from bot.dingtalk_health import Quota
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
    since: datetime | None = None
    may_resume: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Card templates to import into the platform: name of a file and what it draws."""

    version: str
    listed: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """``option``: of ``genjin user edit``."""

    channel: str
    title: str
    platform: str
    option: str
    state: tuple[str, str]  # words, and the class that colours them
    steps: tuple[Step, ...]
    values: tuple[Value, ...]
    fields: tuple[Field, ...]
    problems: tuple[Problem, ...]
    health: Health
    running: bool
    has_callback: bool = False
    has_directory: bool = False
    has_check: bool = False
    quotas: Mapping[str, Quota]
    files: Files | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """``saved`` stands in the files and takes effect with the next start of what is ``running``.

    ``old_files``: the templates' files changed since the admin imported them.
    """

    saved: Config
    running: Config
    origins: Mapping[str, str]  # key: the file or variable that set it
    health: Health
    old_files: bool = False


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


def section(
    view: View,
    channel: str,
    steps: list[Step],
    *,
    keys: tuple[str, ...],
    values: Iterable[Value] = (),
    quotas: Mapping[str, Quota] | None = None,
    files: Files | None = None,
    has_callback: bool = False,
    has_directory: bool = False,
    has_check: bool = False,
) -> Section:
    return Section(
        channel=channel,
        title=channel_words.TITLES[channel],
        platform=channel_words.PLATFORMS[channel],
        option=channel_words.option(channel),
        state=_state(view, channel, steps),
        steps=tuple(steps),
        values=tuple(values),
        fields=tuple(field(view, f"channels.{channel}.{key}") for key in keys),
        problems=_problems(view, channel),
        health=view.health,
        running=channel in view.running.ready_channels(),
        has_callback=has_callback,
        has_directory=has_directory,
        has_check=has_check,
        quotas=quotas or {},
        files=files,
    )


def _problems(view: View, channel: str) -> tuple[Problem, ...]:
    found = []
    for one in view.health.problems:
        text, todo = channel_words.problem(channel, one.problem, one.detail, topic=one.topic)
        may_resume = one.topic == "token" and channel == "wecom"
        found.append(Problem(text=text, todo=todo, since=one.since, may_resume=may_resume))
    for trap in view.health.dingtalk.traps if view.health.dingtalk else ():
        text, todo = channel_words.problem(channel, trap.code, trap.detail)
        found.append(Problem(text=text, todo=todo))
    return tuple(found)


def _state(view: View, channel: str, steps: list[Step]) -> tuple[str, str]:
    mine = getattr(view.saved.channels, channel)
    lacking = view.saved.half_configured().get(channel, ())
    if not mine.enabled:
        name = "off"
    elif lacking:
        name = "half"
    elif _changed(view, channel):
        name = "restart"
    elif _problems(view, channel):
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


def restart(view: View, channel: str) -> list[Step]:
    if not _changed(view, channel):
        return []
    return [Step(mark="todo", title=words.RESTART[0], text=words.RESTART[1])]


def step(done: bool, said: tuple[str, str], **facts: object) -> Step:
    title, text = said
    return Step(mark="done" if done else "todo", title=title, text=text.format(**facts))
