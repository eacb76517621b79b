"""Counting what was sent: never more than the cap in any span, for all processes together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import send_windows
from storage.database import Database
from storage.platform_tables import SendWindowRow
from storage.send_windows import Cap, Full
from tests.support.desk import MONDAY

MINUTE = Cap(scope="member:lina", most=5, span_s=60, bucket_s=10)
HOUR = Cap(scope="member:lina:hour", most=8, span_s=3600, bucket_s=300)


def take(db: Database, *caps: Cap, after_s: float = 0) -> Full | None:
    now = MONDAY + timedelta(seconds=after_s)
    return db.write(lambda s: send_windows.take(s, caps, now=now))


def test_one_more_than_the_cap_waits_until_the_span_is_over(database: Database) -> None:
    assert [take(database, MINUTE, after_s=n) for n in range(5)] == [None] * 5

    full = take(database, MINUTE, after_s=9)
    assert full == Full(MINUTE, 61.0)  # the bucket ends at 10, and counts for a minute
    assert take(database, MINUTE, after_s=69.9) is not None
    assert take(database, MINUTE, after_s=70) is None


def test_what_one_cap_refuses_no_cap_counts(database: Database) -> None:
    assert [take(database, HOUR, MINUTE) for _ in range(5)] == [None] * 5
    for _ in range(10):
        assert take(database, HOUR, MINUTE) is not None

    assert [take(database, HOUR) for _ in range(4)] == [None] * 3 + [Full(HOUR, 3900.0)]


def test_scopes_do_not_share(database: Database) -> None:
    other = Cap(scope="member:wanglei", most=5, span_s=60, bucket_s=10)
    for _ in range(5):
        assert take(database, MINUTE) is None
    assert take(database, other) is None


def test_many_at_once_stay_below_it(database: Database) -> None:
    cap = Cap(scope="app", most=7, span_s=60, bucket_s=60)
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda _: take(database, cap), range(20)))
    assert taken.count(None) == 7


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(gaps=st.lists(st.floats(0, 40), min_size=10, max_size=40))
def test_no_span_anywhere_holds_more_than_the_cap(sqlite_url: str, gaps: list[float]) -> None:
    sent: list[datetime] = []
    db = Database(sqlite_url)
    try:
        db.write(lambda s: s.execute(sa.delete(SendWindowRow)))
        now = MONDAY
        for gap in gaps:
            now += timedelta(seconds=gap)
            at = now
            if db.write(lambda s, at=at: send_windows.take(s, [MINUTE], now=at)) is None:
                sent.append(now)
    finally:
        db.close()
    for first in sent:
        span = [one for one in sent if first <= one < first + timedelta(seconds=60)]
        assert len(span) <= MINUTE.most


def test_once_for_each_window(database: Database) -> None:
    def first(window: str) -> bool:
        until = MONDAY + timedelta(hours=1)
        return database.write(
            lambda s: send_windows.first_time(s, "told:lina", window, until=until)
        )

    assert [first("10"), first("10"), first("11")] == [True, False, True]


def test_what_no_longer_counts_is_forgotten(database: Database) -> None:
    take(database, MINUTE)
    take(database, HOUR)

    def forget(after_s: float) -> int:
        now = MONDAY + timedelta(seconds=after_s)
        return database.write(lambda s: send_windows.forget_old(s, now=now))

    assert (forget(69), forget(70), forget(3899), forget(3900)) == (0, 1, 0, 1)
