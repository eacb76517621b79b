"""Working days by a table that comes in as data."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nlp.dates import seeded_calendar
from sales.calendar import WorkCalendar, YearList

OCTOBER = WorkCalendar(
    lists={
        2026: YearList(
            holidays=frozenset(date(2026, 10, day) for day in range(1, 8)),
            makeup=frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
        )
    },
    statutory={2027: frozenset({date(2027, 1, 1)})},
)


def test_listed_days() -> None:
    assert not OCTOBER.is_workday(date(2026, 10, 5))
    assert OCTOBER.is_workday(date(2026, 10, 10))  # a Saturday worked
    assert not OCTOBER.is_workday(date(2026, 10, 11))


def test_counting_skips_the_break_and_counts_makeup_days() -> None:
    assert OCTOBER.add_workdays(date(2026, 9, 30), 3) == date(2026, 10, 10)
    assert OCTOBER.add_workdays(date(2026, 10, 8), -1) == date(2026, 9, 30)
    assert OCTOBER.add_workdays(date(2026, 10, 3), 0) == date(2026, 10, 8)


def test_a_year_without_a_list_is_provisional() -> None:
    assert OCTOBER.published(2026) and not OCTOBER.published(2027)
    assert OCTOBER.provisional(date(2026, 12, 31), date(2027, 1, 4))
    assert not OCTOBER.is_workday(date(2027, 1, 1))
    assert OCTOBER.break_around(date(2027, 1, 1)) == (date(2027, 1, 1), date(2027, 1, 3))


def test_next_years_list_is_a_data_change() -> None:
    known = OCTOBER.with_year(2027, YearList(frozenset(), frozenset({date(2027, 1, 2)})))
    assert known.published(2027) and known.is_workday(date(2027, 1, 2))
    assert not OCTOBER.published(2027)


def test_seeded_table_knows_the_published_years() -> None:
    calendar = seeded_calendar()
    assert calendar.published(2026)
    assert calendar.break_around(date(2026, 2, 17)) == (date(2026, 2, 15), date(2026, 2, 23))
    assert calendar.is_workday(date(2026, 2, 14))
    assert calendar.add_workdays(date(2021, 6, 14), 15) == date(2021, 7, 5)
    assert date(2030, 10, 1) in calendar.statutory[2030]


@given(st.dates(date(2004, 1, 1), date(2030, 12, 31)), st.integers(1, 60))
def test_there_and_back(day: date, count: int) -> None:
    calendar = seeded_calendar()
    start = calendar.add_workdays(day, 0)
    there = calendar.add_workdays(start, count)
    assert calendar.is_workday(there)
    assert calendar.add_workdays(there, -count) == start
    worked = sum(
        calendar.is_workday(start + timedelta(n)) for n in range(1, (there - start).days + 1)
    )
    assert worked == count
