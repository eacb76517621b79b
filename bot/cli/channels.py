"""The platforms by hand: a test message, and the directory now."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Final, TypeVar

import click
import structlog

from bot import channel_words as said
from bot import trial_message, words
from bot.channels.base import ChannelError, Outgoing
from bot.channels.build import build_channels, build_directory
from bot.cli import support
from bot.config import Config
from bot.config_channels import Channels
from bot.home import Home
from sales.clock import SystemClock
from sales.people import Person
from storage import people
from storage.database import Database
from storage.directory import Applied
from storage.media import MediaStore

T = TypeVar("T")

NAMES: Final = ("wecom", "dingtalk", "wecom_bot")
WITH_DIRECTORY: Final = ("wecom", "dingtalk")
_NEEDS_PROGRAM: Final = ("wecom_bot",)  # whoever connects besides it pushes it out
_PATIENCE_S, _LOOK_S = 30.0, 0.3


@click.command("send-test")
@click.option("--channel", type=click.Choice(NAMES), help="通道；不写就是打开的第一个")
@click.option("--to", "name", required=True, help="发给谁（姓名）")
def send_test(channel: str | None, name: str) -> int:
    """Through the running program where there is one, else directly."""
    home, config = support.set_up()
    ready = (one for one in NAMES if one in config.ready_channels())
    channel = channel or next(ready, NAMES[0])
    title = said.TITLES[channel]
    if channel not in config.ready_channels():
        raise click.ClickException(said.TEST_NO_CHANNEL.format(title=title))
    with support.database() as database:
        person = database.read(partial(people.by_name, name=name))
        if person is None:
            raise click.ClickException(words.NO_USER.format(name=name))
        user = database.read(partial(people.user_on, person_id=person.id, channel=channel))
        if not user:
            option = said.option(channel)
            text = said.TEST_NO_ID.format(name=name, title=title, option=option)
            raise click.ClickException(text)
        if home.holder() is not None:
            return _through_the_program(database, channel, person)
        if channel in _NEEDS_PROGRAM:
            raise click.ClickException(said.TEST_NEEDS_PROGRAM.format(title=title))
        return _directly(home, config, database, channel=channel, person=person, user=user)


def sync_directory(channel: str, *, same_names: bool = False) -> int:
    """Read one channel's directory now, or that of every channel that has one."""
    home, config = support.set_up()
    chosen = (channel,) if channel else WITH_DIRECTORY
    ready = [one for one in chosen if one in config.ready_channels()]
    if not ready:
        names = "、".join(said.TITLES[one] for one in WITH_DIRECTORY)
        raise click.ClickException(said.SYNC_NONE.format(names=names))
    failed = 0
    with support.database() as database:
        for one in ready:
            failed += _sync(home, config, database, one, same_names)
    return int(failed > 0)


def _sync(home: Home, config: Config, database: Database, channel: str, same_names: bool) -> bool:
    """Whether it failed."""

    async def work(opened: Any) -> Applied:
        directory = build_directory(config, {channel: opened}, database, SystemClock())
        return await directory.sync(channel, same_names=same_names)

    title = said.TITLES[channel]
    try:
        applied = _with(channel, home, config, database, work)
    except ChannelError as error:
        why = said.problem(channel, error.code, {})[0] if error.code == "nobody_visible" else ""
        why = why or trial_message.why(str(error), "")
        click.echo(said.SYNC_FAILED.format(title=title, why=why), err=True)
        return True
    click.echo(
        said.SYNC_DONE.format(
            title=title,
            members=applied.members,
            added=applied.added,
            updated=applied.updated,
            left=applied.left,
            back=applied.back,
        )
    )
    if applied.held:
        names = said.names(applied.held, 20)
        click.echo(said.SYNC_HELD.format(names=names, option=said.option(channel)))
    return False


def _through_the_program(database: Database, channel: str, person: Person) -> int:
    """Leave it in the outbox and watch; the program polls it."""
    put = partial(
        trial_message.put,
        channel=channel,
        person=person,
        key=secrets.token_hex(8),
        now=support.now(),
    )
    number = database.write(put)
    assert number is not None  # they have an id there: the caller looked
    until = time.monotonic() + _PATIENCE_S
    while True:
        fate = database.read(partial(trial_message.fate, outbox_id=number))
        assert fate is not None  # rows of the outbox stay
        if fate.state != "waiting" or fate.why or time.monotonic() > until:
            break
        time.sleep(_LOOK_S)
    if fate.state == "sent":
        click.echo(said.TEST_SENT.format(name=person.name, title=said.TITLES[channel]))
        return 0
    if fate.state == "failed":
        raise click.ClickException(said.TEST_FAILED.format(why=fate.why))
    text = said.TEST_WAITING.format(why=fate.why) if fate.why else said.TEST_QUEUED
    raise click.ClickException(text)


def _directly(
    home: Home, config: Config, database: Database, *, channel: str, person: Person, user: str
) -> int:
    message = Outgoing(
        effect_key=f"test:{channel}:{secrets.token_hex(8)}",
        kind="text",
        conversation=f"{channel}:{user}",
        user=user,
        text=trial_message.text(support.now()),
    )

    async def work(opened: Any) -> None:
        await opened.send(message)

    try:
        _with(channel, home, config, database, work)
    except ChannelError as error:
        why = trial_message.why(str(error), person.name)
        raise click.ClickException(said.TEST_FAILED.format(why=why)) from None
    click.echo(said.TEST_SENT.format(name=person.name, title=said.TITLES[channel]))
    return 0


def _with(
    channel: str,
    home: Home,
    config: Config,
    database: Database,
    work: Callable[[Any], Awaitable[T]],
) -> T:
    """Do *work* with the channel called *channel*, which is not run."""
    alone = Channels(**{channel: getattr(config.channels, channel)})
    config = config.model_copy(update={"channels": alone})

    async def run() -> T:
        media = MediaStore(home.media)
        opened: Any = build_channels(config, database, media, SystemClock())[channel]
        try:
            return await work(opened)
        finally:
            await opened.close()

    with _quiet_logs():
        return asyncio.run(run())


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    """What a channel logs is for the running program; the command says it in words."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**before)
