"""A lease has one holder at a time, on both engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from storage import leases
from storage.database import Database
from tests.support.desk import MONDAY

NAME = "wecom_bot:BOT"
SOON, LATER = MONDAY + timedelta(seconds=19), MONDAY + timedelta(seconds=20)


def test_one_has_it_until_it_runs_out(database: Database) -> None:
    take = partial(leases.take, name=NAME, for_s=20)
    assert database.write(lambda s: take(s, holder="a", now=MONDAY))
    assert not database.write(lambda s: take(s, holder="b", now=SOON))
    assert database.write(lambda s: take(s, holder="a", now=SOON))  # kept, and longer
    assert not database.write(lambda s: take(s, holder="b", now=LATER))
    assert database.read(lambda s: leases.holder(s, NAME, now=LATER)) == "a"

    much_later = LATER + timedelta(seconds=19)
    assert database.write(lambda s: take(s, holder="b", now=much_later))
    assert not database.write(lambda s: take(s, holder="a", now=much_later))


def test_only_its_holder_gives_it_back(database: Database) -> None:
    take = partial(leases.take, name=NAME, for_s=20)
    database.write(lambda s: take(s, holder="a", now=MONDAY))
    database.write(lambda s: leases.release(s, NAME, holder="b"))
    assert database.read(lambda s: leases.holder(s, NAME, now=MONDAY)) == "a"
    database.write(lambda s: leases.release(s, NAME, holder="a"))
    assert database.read(lambda s: leases.holder(s, NAME, now=MONDAY)) == ""
    assert database.write(lambda s: take(s, holder="b", now=MONDAY))


def test_who_knows_that_the_other_is_dead_need_not_wait(database: Database) -> None:
    for holder in ("a", "b"):
        database.write(
            lambda s, holder=holder: leases.seize(s, NAME, holder=holder, now=MONDAY, for_s=20)
        )
    assert database.read(lambda s: leases.holder(s, NAME, now=MONDAY)) == "b"


def test_of_many_at_once_one_gets_it(database: Database) -> None:
    def ask(number: int) -> bool:
        return database.write(
            lambda s: leases.take(s, NAME, holder=f"p{number}", now=MONDAY, for_s=20)
        )

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(24))) == 1
