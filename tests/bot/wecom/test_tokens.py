"""The access token: fetched once for everybody, replaced once, never in a loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.channels.base import ChannelAway, ChannelError
from bot.channels.wecom.client import WeComClient
from bot.channels.wecom.errors import WeComAway
from sales.clock import FixedClock
from storage import platform_tokens
from storage.database import Database
from tests.fakes.wecom.server import FakeWeCom
from tests.support.desk import MONDAY
from tests.support.wecom_desk import app_of, problems

T = TypeVar("T")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(MONDAY)


@pytest.fixture
def fake(clock: FixedClock) -> Iterator[FakeWeCom]:
    with FakeWeCom(clock=clock.now, crypto_by="python") as made:
        made.add_member("lina", "李娜")
        yield made


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


def asked(fake: FakeWeCom) -> int:
    return len(fake.calls_to("gettoken"))


def with_clients(
    fake: FakeWeCom,
    db: Database,
    clock: FixedClock,
    work: Callable[..., Awaitable[T]],
    *,
    many: int = 1,
    **given: Any,
) -> T:
    async def run() -> T:
        clients = [WeComClient(app_of(fake, **given), db, clock) for _ in range(many)]
        try:
            return await work(*clients)
        finally:
            for one in clients:
                await one.close()

    return asyncio.run(run())


async def hello(client: WeComClient, number: int = 1) -> dict[str, Any]:
    body = {
        "touser": "lina",
        "msgtype": "text",
        "agentid": client.agent_id,
        "text": {"content": f"你好 {number}"},
    }
    return await client.send("message/send", body)


def test_many_calls_of_several_processes_fetch_once(
    fake: FakeWeCom, database: Database, clock: FixedClock
) -> None:
    """Each client stands for a process: only the database is shared."""
    fake.slow("gettoken", 0.3)

    async def work(*clients: WeComClient) -> None:
        await asyncio.gather(*(hello(one, n) for n, one in enumerate(clients * 5)))

    with_clients(fake, database, clock, work, many=4)

    assert asked(fake) == 1
    assert len(fake.inbox("lina")) == 20


def test_it_is_kept_until_five_minutes_before_its_end(
    fake: FakeWeCom, db: Database, clock: FixedClock
) -> None:
    async def work(client: WeComClient) -> None:
        await hello(client)
        clock.move(timedelta(seconds=7200 - 301))
        await hello(client, 2)
        assert asked(fake) == 1
        clock.move(timedelta(seconds=2))
        await hello(client, 3)
        assert asked(fake) == 2

    with_clients(fake, db, clock, work)
    assert [one.errcode for one in fake.calls_to("message/send")] == [0, 0, 0]


@pytest.mark.parametrize("errcode", [40014, 42001])
def test_over_in_mid_send_it_is_replaced_once_and_the_message_arrives_once(
    fake: FakeWeCom, database: Database, clock: FixedClock, errcode: int
) -> None:
    async def work(*clients: WeComClient) -> None:
        await hello(clients[0])
        fake.revoke_tokens(errcode)
        await asyncio.gather(*(hello(one, n) for n, one in enumerate(clients, 2)))

    with_clients(fake, database, clock, work, many=3)

    assert asked(fake) == 2
    assert sorted(one.text for one in fake.inbox("lina")) == [f"你好 {n}" for n in range(1, 5)]


def test_a_newer_token_in_the_store_is_used_instead_of_fetching(
    fake: FakeWeCom, db: Database, clock: FixedClock
) -> None:
    async def work(first: WeComClient, second: WeComClient) -> None:
        await hello(first)
        old = await second.tokens.get()
        fake.revoke_tokens()
        await hello(first, 2)
        assert asked(fake) == 2
        assert await second.tokens.get(refused=old) != old
        assert asked(fake) == 2

    with_clients(fake, db, clock, work, many=2)


@pytest.mark.parametrize("errcode", [40014, 41001, 42001])
def test_a_token_that_is_refused_again_and_again_ends_in_no_loop(
    fake: FakeWeCom, db: Database, clock: FixedClock, errcode: int
) -> None:
    fake.fail("message/send", errcode=errcode, times=None)

    async def work(client: WeComClient) -> None:
        for _ in range(5):
            with pytest.raises(ChannelAway):
                await hello(client)
        assert len(fake.calls_to("message/send")) == 2
        assert asked(fake) == 2
        assert problems(db) == {"token": "token_refused"}

        fake.heal()
        clock.move(timedelta(seconds=61))
        await hello(client)
        assert problems(db) == {}

    with_clients(fake, db, clock, work)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"secret": "wrong"}, (40001, "bad_secret")),
        ({"corp_id": "wwother"}, (40013, "bad_corp_id")),
    ],
)
def test_a_wrong_secret_is_asked_once_until_somebody_acts(
    fake: FakeWeCom,
    db: Database,
    clock: FixedClock,
    given: dict[str, str],
    found: tuple[int, str],
) -> None:
    errcode, problem = found

    async def work(client: WeComClient, second: WeComClient) -> None:
        for _ in range(3):
            for one in (client, second):
                with pytest.raises(WeComAway) as caught:
                    await hello(one)
                assert caught.value.errcode == errcode
            clock.move(timedelta(hours=3))
        assert asked(fake) == 1
        assert problems(db) == {"token": problem}

        await client.ask_again()
        with pytest.raises(WeComAway):
            await hello(client)
        assert asked(fake) == 2

    with_clients(fake, db, clock, work, many=2, **given)


def test_40091_stops_as_well(fake: FakeWeCom, db: Database, clock: FixedClock) -> None:
    fake.fail("gettoken", errcode=40091)

    async def work(client: WeComClient) -> None:
        for _ in range(3):
            with pytest.raises(WeComAway):
                await hello(client)
            clock.move(timedelta(hours=1))

    with_clients(fake, db, clock, work)
    assert (asked(fake), problems(db)) == (1, {"token": "bad_secret"})


def test_changed_settings_are_tried_without_being_asked(
    fake: FakeWeCom, db: Database, clock: FixedClock
) -> None:
    async def refused(client: WeComClient) -> None:
        with pytest.raises(WeComAway):
            await hello(client)

    with_clients(fake, db, clock, refused, secret="wrong")
    with_clients(fake, db, clock, hello)

    assert (asked(fake), problems(db)) == (2, {})
    assert len(fake.inbox("lina")) == 1


def test_a_process_that_died_while_fetching_holds_nobody_for_long(
    fake: FakeWeCom, db: Database, clock: FixedClock
) -> None:
    async def work(client: WeComClient) -> None:
        app, now = client.tokens.app, clock.now()
        db.write(lambda s: platform_tokens.claim(s, app, seen="", now=now, lease_s=20))
        waiting = asyncio.create_task(hello(client))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        clock.move(timedelta(seconds=20))
        await waiting

    with_clients(fake, db, clock, work)
    assert asked(fake) == 1


def test_while_another_process_fetches_the_old_one_serves_to_its_end(
    fake: FakeWeCom, db: Database, clock: FixedClock
) -> None:
    async def work(client: WeComClient) -> None:
        await hello(client)
        old = await client.tokens.get()
        clock.move(timedelta(seconds=7200 - 200))
        app, now = client.tokens.app, clock.now()
        db.write(lambda s: platform_tokens.claim(s, app, seen=old, now=now, lease_s=20))
        await hello(client, 2)

    with_clients(fake, db, clock, work)
    assert asked(fake) == 1


def test_no_token_for_a_moment_is_no_reason_to_stop(
    fake: FakeWeCom, db: Database, clock: FixedClock
) -> None:
    fake.fail("gettoken", errcode=-1)

    async def work(client: WeComClient) -> None:
        with pytest.raises(ChannelError) as caught:
            await hello(client)
        assert caught.value.transient
        await hello(client)

    with_clients(fake, db, clock, work)
    assert asked(fake) == 2


def test_banned_from_asking_we_stay_away_for_an_hour(
    fake: FakeWeCom, db: Database, clock: FixedClock
) -> None:
    fake.rules.wrong_secrets_per_hour = 0

    async def work(client: WeComClient) -> None:
        with pytest.raises(ChannelAway) as caught:
            await hello(client)
        assert caught.value.retry_after_s == 3600
        clock.move(timedelta(minutes=59))
        with pytest.raises(ChannelAway) as caught:
            await hello(client)
        assert caught.value.retry_after_s == 60
        assert asked(fake) == 1
        fake.rules.wrong_secrets_per_hour = 2000
        clock.move(timedelta(minutes=1))
        await hello(client)

    with_clients(fake, db, clock, work)


def test_neither_token_nor_secret_is_told(
    fake: FakeWeCom,
    db: Database,
    clock: FixedClock,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    told: list[str] = []

    async def work(client: WeComClient) -> None:
        await hello(client)
        secrets = [fake.secret, await client.tokens.get()]
        for break_it in (
            lambda: fake.drop("message/send"),
            lambda: fake.garble("message/send"),
            lambda: fake.fail("message/send", status=302),
            lambda: fake.fail(
                "message/send", errcode=40058, errmsg=f"bad access_token={secrets[1]}&x"
            ),
        ):
            break_it()
            with pytest.raises(ChannelError) as caught:
                await hello(client)
            told.append(f"{caught.value!r} {caught.value} {caught.value.__context__!r}")
        captured = capsys.readouterr()
        told.append(captured.out + captured.err)
        for secret in secrets:
            assert not any(secret in one for one in told)

    with_clients(fake, db, clock, work)
    assert "40058" in told[-1]


def test_two_processes_with_a_connection_each_fetch_once(
    fake: FakeWeCom, database_url: str, clock: FixedClock
) -> None:
    fake.slow("gettoken", 0.2)

    def process(number: int) -> None:
        db = Database(database_url)
        try:
            with_clients(fake, db, clock, lambda client: hello(client, number))
        finally:
            db.close()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(process, (1, 2)))
    assert asked(fake) == 1
    assert len(fake.inbox("lina")) == 2
