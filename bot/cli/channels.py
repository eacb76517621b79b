"""The platforms by hand: a test message, and the directory now."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

import click

from bot import channel_words as said
from bot import trial_message, words
from bot.channels.base import ChannelError, Outgoing
from bot.channels.wecom.channel import WeCom, WeComOptions
from bot.channels.wecom.directory import WeComDirectory
from bot.cli import support
from bot.config import Config
from bot.directory import Directory
from bot.home import Home
from sales.clock import SystemClock
from sales.people import Person
from storage import people
from storage.database import Database
from storage.directory import Applied
from storage.media import MediaStore

T = TypeVar("T")

NAMES: Final = ("wecom", "wecom_bot")
_WITH_DIRECTORY: Final = ("wecom",)
_PATIENCE_S, _LOOK_S = 30.0, 0.3


@click.command("send-test")
@click.option(
    "--channel", type=click.Choice(NAMES), default="wecom", show_default=True, help="通道"
)
@click.option("--to", "name", required=True, help="发给谁（姓名）")
def send_test(channel: str, name: str) -> int:
    """Through the running program where there is one, else directly."""
    home, config = support.set_up()
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
        if channel != "wecom":
            raise click.ClickException(said.TEST_NEEDS_PROGRAM.format(title=title))
        return _directly(home, config, database, person, user)


def sync_directory(channel: str) -> int:
    """Read one channel's directory now, or that of every channel that has one."""
    home, config = support.set_up()
    chosen = (channel,) if channel else _WITH_DIRECTORY
    ready = [one for one in chosen if one in config.ready_channels() and one in _WITH_DIRECTORY]
    if not ready:
        names = "、".join(said.TITLES[one] for one in _WITH_DIRECTORY)
        raise click.ClickException(said.SYNC_NONE.format(names=names))
    failed = 0
    with support.database() as database:
        for one in ready:
            failed += _sync(home, config, database, one)
    return int(failed > 0)


def _sync(home: Home, config: Config, database: Database, channel: str) -> bool:
    """Whether it failed."""

    async def work(wecom: WeCom) -> Applied:
        source = WeComDirectory(wecom.client, agent_id=config.channels.wecom.agent_id)
        return await Directory(database, SystemClock(), [source]).sync(channel)

    title = said.TITLES[channel]
    try:
        applied = _with_wecom(home, config, database, work)
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


def _directly(home: Home, config: Config, database: Database, person: Person, user: str) -> int:
    message = Outgoing(
        effect_key=f"test:wecom:{secrets.token_hex(8)}",
        kind="text",
        conversation=f"wecom:{user}",
        user=user,
        text=trial_message.text(support.now()),
    )

    async def work(wecom: WeCom) -> None:
        await wecom.send(message)

    try:
        _with_wecom(home, config, database, work)
    except ChannelError as error:
        why = trial_message.why(str(error), person.name)
        raise click.ClickException(said.TEST_FAILED.format(why=why)) from None
    click.echo(said.TEST_SENT.format(name=person.name, title=said.TITLES["wecom"]))
    return 0


def _with_wecom(
    home: Home, config: Config, database: Database, work: Callable[[WeCom], Awaitable[T]]
) -> T:
    async def run() -> T:
        wecom = WeCom(
            config.channels.wecom,
            database,
            MediaStore(home.media),
            SystemClock(),
            WeComOptions(base_url=config.base_url, link_key=config.web.session_key.encode()),
        )
        try:
            return await work(wecom)
        finally:
            await wecom.close()

    return asyncio.run(run())
