"""Access tokens shared by processes: one fetches, whatever happens to it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from storage import platform_tokens
from storage.database import Database
from tests.support.desk import MONDAY

APP = "wecom:corp:1"
LATER = MONDAY + timedelta(hours=2)


def claim(db: Database, *, seen: str = "", after_s: float = 0) -> bool:
    now = MONDAY + timedelta(seconds=after_s)
    return db.write(lambda s: platform_tokens.claim(s, APP, seen=seen, now=now, lease_s=20))


def keep(db: Database, token: str) -> None:
    db.write(lambda s: platform_tokens.keep(s, APP, token=token, now=MONDAY, expires_at=LATER))


def test_of_many_who_want_to_fetch_one_may(database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda _: claim(database), range(16)))

    assert won.count(True) == 1


def test_the_lease_of_one_that_died_runs_out(database: Database) -> None:
    assert claim(database)
    assert not claim(database, after_s=19)
    assert claim(database, after_s=20)


def test_whoever_saw_an_older_token_does_not_fetch(database: Database) -> None:
    assert claim(database)
    keep(database, "T1")

    assert not claim(database, seen="")
    assert claim(database, seen="T1")
    keep(database, "T2")
    assert not claim(database, seen="T1")

    kept = database.read(lambda s: platform_tokens.get(s, APP))
    assert (kept.token, kept.got_at, kept.expires_at) == ("T2", MONDAY, LATER)
    assert kept.fetching_until is None


def test_after_a_failure_the_next_may_try_at_once(database: Database) -> None:
    assert claim(database)
    database.write(lambda s: platform_tokens.release(s, APP))
    assert claim(database)


def test_stopped_until_an_admin_asks_again(database: Database) -> None:
    assert not database.write(lambda s: platform_tokens.resume(s, APP))
    assert claim(database)
    database.write(lambda s: platform_tokens.stop(s, APP, "40001:print"))
    assert database.read(lambda s: platform_tokens.get(s, APP)).stopped == "40001:print"

    assert database.write(lambda s: platform_tokens.resume(s, APP))
    assert database.read(lambda s: platform_tokens.get(s, APP)).stopped == ""
    assert not database.write(lambda s: platform_tokens.resume(s, APP))


def test_a_token_ends_what_stopped_us(database: Database) -> None:
    assert claim(database)
    database.write(lambda s: platform_tokens.stop(s, APP, "40001:print"))
    keep(database, "T1")
    assert database.read(lambda s: platform_tokens.get(s, APP)).stopped == ""
