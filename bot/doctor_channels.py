"""Doctor's lines about the platforms: complete, let in, called, and reaching everybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from bot import channel_words, dingtalk_words, words
from bot.channel_health import Health, look
from bot.config import Config
from bot.dingtalk_health import DingTalkHealth, Quota, template_ids
from bot.doctor import Finding, Level
from sales.clock import COMPANY_ZONE
from sales.errors import BotError
from storage.database import Database, sqlite_path
from storage.migrations import runner

# Nothing works while these are wrong.
_BAD: Final = frozenset(("token", "ip", "app"))
_BAD_ON_DINGTALK: Final = frozenset(
    (
        "connection",
        "robot",
        "permission",
        "permission:qyapi_robot_sendmsg",
        "quota:api",
        "quota:push",
    )
)
_QUIET_AFTER: Final = timedelta(hours=72)  # a week-end is quiet
_SYNC_AFTER: Final = timedelta(hours=24)
_WITH_DIRECTORY: Final = ("wecom", "dingtalk")


def examine(config: Config, *, now: datetime | None = None) -> Iterator[Finding]:
    """Every channel that is switched on; nothing is changed and no platform is asked."""
    for channel, lacking in config.half_configured().items():
        text = words.half_configured(channel, lacking)
        yield Finding(check="channels", level="bad", text=text, todo=words.CHANNELS_FIX)
    ready = config.ready_channels()
    if not ready:
        if not config.half_configured():
            yield _fine("channels", words.CHANNELS_NONE)
        return
    yield _fine("channels", words.CHANNELS_OK, names="、".join(ready))
    yield from _public_url(config)
    yield from _in_database(config, ready, now or datetime.now(UTC))


def _warn(check: str, said: tuple[str, str], **facts: object) -> Finding:
    text, todo = (part.format(**facts) for part in said)
    return Finding(check=check, level="warn", text=text, todo=todo)


def _fine(check: str, text: str, **facts: object) -> Finding:
    return Finding(check=check, level="ok", text=text.format(**facts))


def _public_url(config: Config) -> Iterator[Finding]:
    if not config.web.public_url:
        yield _warn("web", channel_words.NO_PUBLIC_URL)
    elif not config.web.public_url.startswith("https://"):
        yield _warn("web", channel_words.NO_HTTPS)


def _in_database(config: Config, ready: tuple[str, ...], now: datetime) -> Iterator[Finding]:
    url = config.database.url
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return
    try:
        if runner.database_version(url) != runner.head():
            return
        database = Database(url)
        try:
            found = {
                channel: database.read(partial(look, config=config, channel=channel, now=now))
                for channel in ready
                if channel in channel_words.LOOKED_AT
            }
        finally:
            database.close()
    except BotError:  # told by the database's own check
        return
    for channel, health in found.items():
        lines = [*_lines(config, channel, health, now)]
        if all(one.level == "ok" for one in lines):
            lines.append(_fine(channel, channel_words.FINE))
        yield from lines


def _lines(config: Config, channel: str, health: Health, now: datetime) -> Iterator[Finding]:
    for one in health.problems:
        text, todo = channel_words.problem(channel, one.problem, one.detail, topic=one.topic)
        bad = _BAD | _BAD_ON_DINGTALK if channel == "dingtalk" else _BAD
        now_bad = one.topic in bad and one.problem != "inactive_soon"
        level: Level = "bad" if now_bad else "warn"
        since = channel_words.local(one.since)
        text = channel_words.WRONG.format(text=text, since=since)
        yield Finding(check=channel, level=level, text=text, todo=todo)
    if channel == "wecom" or (channel == "dingtalk" and not config.channels.dingtalk.stream):
        yield from _callback(config, channel, health, now)
    if health.dingtalk is not None:
        yield from _dingtalk(config, health, health.dingtalk, now)
    if channel in _WITH_DIRECTORY:
        yield from _people(channel, health, now)


def _callback(config: Config, channel: str, health: Health, now: datetime) -> Iterator[Finding]:
    said = dingtalk_words if channel == "dingtalk" else channel_words
    last, refused = health.last_call, health.last_refused
    if refused is not None and (last is None or refused.at > last.at):
        why = channel_words.attempt(refused.outcome, refused.reason, channel)
        yield _warn(channel, channel_words.ONLY_REFUSED, why=why)
    if last is None:
        callback = config.callback
        if callback.is_loopback:
            where = {"host": callback.host, "port": callback.port}
            yield _warn(channel, said.LOOPBACK, **where)
        yield _warn(channel, said.NEVER_CALLED)
    elif now - last.at > _QUIET_AFTER and health.lacks.with_id:
        hours = int((now - last.at).total_seconds() // 3600)
        yield _warn(channel, channel_words.QUIET, hours=hours, at=channel_words.local(last.at))
    else:
        yield _fine(channel, channel_words.CALLED, at=channel_words.local(last.at))


def _dingtalk(
    config: Config, health: Health, mine: DingTalkHealth, now: datetime
) -> Iterator[Finding]:
    settings, name = config.channels.dingtalk, "dingtalk"
    for trap in mine.traps:
        text, todo = channel_words.problem(name, trap.code, trap.detail)
        yield Finding(check=name, level="warn", text=text, todo=todo)
    heard = mine.traffic.message_at
    if heard is None and (settings.stream or health.last_call is not None):
        mode = dingtalk_words.MODES[settings.stream]
        yield _warn(name, dingtalk_words.NO_MESSAGE_YET, mode=mode)
    if settings.stream:
        if mine.connected:
            yield _fine(name, dingtalk_words.CONNECTED)
        elif health.problem("connection") is None:
            yield _warn(name, dingtalk_words.NOT_CONNECTED)
        if heard is not None:
            yield _heard(health, heard, now)
    if not template_ids(settings):
        yield _fine(name, dingtalk_words.NO_TEMPLATE)
    yield _fine(
        name,
        dingtalk_words.USED,
        month=now.astimezone(COMPANY_ZONE).month,
        api=mine.api.used,
        api_of=_of(mine.api),
        push=mine.push.used,
        push_of=_of(mine.push),
    )


def _heard(health: Health, heard: datetime, now: datetime) -> Finding:
    at = channel_words.local(heard)
    if now - heard <= _QUIET_AFTER or not health.lacks.with_id:
        return _fine("dingtalk", dingtalk_words.HEARD, at=at)
    hours = int((now - heard).total_seconds() // 3600)
    return _warn("dingtalk", dingtalk_words.QUIET, hours=hours, at=at)


def _of(quota: Quota) -> str:
    return dingtalk_words.OF.format(limit=quota.limit) if quota.limit else ""


def _people(channel: str, health: Health, now: datetime) -> Iterator[Finding]:
    synced = health.directory
    if synced.whole_at is None:
        yield _warn(channel, channel_words.NOT_SYNCED)
    elif now - synced.whole_at > _SYNC_AFTER:
        at = channel_words.local(synced.whole_at)
        yield _warn(channel, channel_words.SYNC_OLD, at=at)
    else:
        at, members = channel_words.local(synced.whole_at), synced.applied.members
        yield _fine(channel, channel_words.SYNCED, at=at, members=members)
    option = channel_words.option(channel)
    for said, listed in (
        (channel_words.WITHOUT_ID, health.lacks.without_id),
        (channel_words.UNKNOWN_ID, health.lacks.unknown_id if synced.whole_at else ()),
        (channel_words.HELD, synced.applied.held),
    ):
        if listed:
            names = channel_words.names(listed)
            facts = {"count": len(listed), "names": names, "option": option}
            yield _warn(channel, said, **facts, channel=channel)
