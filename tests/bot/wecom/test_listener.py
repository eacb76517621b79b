"""Which channels are built, and who listens for the platforms."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import click
import pytest
import requests

from bot import app, callback_site
from bot import config as settings
from bot.callback_site import Attempts
from bot.channels.build import build_channels, build_receivers
from bot.config import Config
from bot.home import Home
from sales.clock import SystemClock
from storage.database import Database
from storage.media import MediaStore
from storage.migrations import runner
from tests.fakes.wecom.crypto import new_aes_key

WECOM = {
    "GENJIN_CHANNELS__WECOM__ENABLED": "true",
    "GENJIN_CHANNELS__WECOM__CORP_ID": "wwfake0000000001",
    "GENJIN_CHANNELS__WECOM__AGENT_ID": "1000042",
    "GENJIN_CHANNELS__WECOM__SECRET": "s" * 43,
    "GENJIN_CHANNELS__WECOM__TOKEN": "t0ken",
    "GENJIN_CHANNELS__WECOM__AES_KEY": new_aes_key(),
    "GENJIN_CHANNELS__WECOM__API_BASE": "http://127.0.0.1:9",
}
STREAM = {
    "GENJIN_CHANNELS__DINGTALK__ENABLED": "true",
    "GENJIN_CHANNELS__DINGTALK__CLIENT_ID": "ding1",
    "GENJIN_CHANNELS__DINGTALK__CLIENT_SECRET": "s3cret",
}
CALLBACK = STREAM | {
    "GENJIN_CHANNELS__DINGTALK__STREAM": "false",
    "GENJIN_CHANNELS__DINGTALK__TOKEN": "t0ken",
    "GENJIN_CHANNELS__DINGTALK__AES_KEY": new_aes_key(),
}
BOT = {
    "GENJIN_CHANNELS__WECOM_BOT__ENABLED": "true",
    "GENJIN_CHANNELS__WECOM_BOT__BOT_ID": "b0t",
    "GENJIN_CHANNELS__WECOM_BOT__SECRET": "s3cret",
}


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


def config_of(home: Home, env: dict[str, str]) -> Config:
    return settings.load(home.path, env)


@pytest.mark.parametrize(
    ("env", "channels", "paths"),
    [
        ({}, [], []),
        (WECOM, ["wecom"], ["/callback/wecom"]),
        (BOT, ["wecom_bot"], []),
        (STREAM, ["dingtalk"], []),
        (CALLBACK, ["dingtalk"], ["/callback/dingtalk"]),
        (
            WECOM | BOT | CALLBACK,
            ["wecom", "wecom_bot", "dingtalk"],
            ["/callback/wecom", "/callback/dingtalk"],
        ),
        (WECOM | {"GENJIN_CHANNELS__WECOM__SECRET": ""}, [], []),
        (WECOM | {"GENJIN_CHANNELS__WECOM__AES_KEY": "short"}, [], []),
        (WECOM | {"GENJIN_CHANNELS__WECOM__ENABLED": "false"}, [], []),
    ],
)
def test_what_is_ready_is_built_and_no_more(
    home: Home, database: Database, env: dict[str, str], channels: list[str], paths: list[str]
) -> None:
    async def build() -> tuple[list[str], list[str]]:
        config, clock = config_of(home, env), SystemClock()
        built = build_channels(config, database, MediaStore(home.media), clock)
        attempts = Attempts(database, clock)
        receivers = build_receivers(config, built, database, clock, attempts)
        for channel in built.values():
            close: Any = getattr(channel, "close", None)
            if close:
                await close()
        return list(built), [one.path for one in receivers]

    assert asyncio.run(build()) == (channels, paths)


def test_a_key_that_is_none_is_named_as_lacking(home: Home) -> None:
    env = WECOM | {"GENJIN_CHANNELS__WECOM__AES_KEY": "geheim"}
    assert config_of(home, env).half_configured() == {"wecom": ("aes_key",)}


def parts_of(home: Home, env: dict[str, str]) -> app.Parts:
    config = config_of(home, env)
    runner.migrate(config.database.url)
    return app.build(config, home, demo=False)


def test_the_listener_runs_beside_the_pages_and_ends_with_them(home: Home) -> None:
    parts = parts_of(home, WECOM | {"GENJIN_CALLBACK__PORT": "0"})
    started: list[int] = []
    real = callback_site.start

    async def start(*given: Any, **named: Any) -> Any:
        made = await real(*given, **named)
        started.append(made.addresses[0][1])
        return made

    async def play() -> list[int]:
        stop = await app._start_callbacks(parts)
        assert stop is not None
        url = f"http://127.0.0.1:{started[0]}/callback/wecom"
        answer = await asyncio.to_thread(requests.post, url, data=b"x", timeout=10)
        await stop()
        with pytest.raises(requests.ConnectionError):
            await asyncio.to_thread(requests.post, url, data=b"x", timeout=10)
        return [answer.status_code]

    callback_site.start = start  # type: ignore[assignment]
    try:
        assert asyncio.run(play()) == [400]
    finally:
        callback_site.start = real
        parts.db.close()


def test_without_a_platform_that_calls_nobody_listens(home: Home) -> None:
    parts = parts_of(home, BOT)
    try:
        assert asyncio.run(app._start_callbacks(parts)) is None
    finally:
        parts.db.close()


def test_a_taken_port_is_told_in_words(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        parts = parts_of(home, WECOM | {"GENJIN_CALLBACK__PORT": str(port)})
        try:
            with pytest.raises(click.ClickException) as refused:
                asyncio.run(app._start_callbacks(parts))
        finally:
            parts.db.close()
    assert f"127.0.0.1:{port}" in str(refused.value)
    assert "callback.port" in str(refused.value)
