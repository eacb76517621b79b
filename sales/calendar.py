"""Working days by the legal calendar of China, as data that a rule can take.

The State Council publishes each year's list in the November before it: days off, and the weekend
days worked instead.  A year without a list counts weekends and the statutory days only, and every
answer that touches such a year is provisional (EXTRACTION section 2).  Days are local dates of
Asia/Shanghai.  Nothing here reads a clock or a library; the table comes in as data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final, Self

_DAY: Final = timedelta(days=1)
_NONE: Final[frozenset[date]] = frozenset()


@dataclass(frozen=True, slots=True)
class YearList:
    """The published list of one year: days off (weekend days may be among them), days worked."""

    holidays: frozenset[date]
    makeup: frozenset[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCalendar:
    """``lists`` by year as published; ``statutory`` days off of the years without a list."""

    lists: Mapping[int, YearList] = field(default_factory=dict)
    statutory: Mapping[int, frozenset[date]] = field(default_factory=dict)

    def published(self, year: int) -> bool:
        """Whether *year* has a published list; without one its answers are provisional."""
        return year in self.lists

    def with_year(self, year: int, published: YearList) -> Self:
        """A calendar that also knows the list of *year* (next year's list is a data change)."""
        return replace(self, lists={**self.lists, year: published})

    def is_holiday(self, day: date) -> bool:
        """A listed or statutory day off, not a mere weekend."""
        listed = self.lists.get(day.year)
        return day in (listed.holidays if listed else self.statutory.get(day.year, _NONE))

    def is_workday(self, day: date) -> bool:
        listed = self.lists.get(day.year)
        if listed and day in listed.makeup:
            return True
        return day.weekday() < 5 and not self.is_holiday(day)

    def add_workdays(self, day: date, count: int) -> date:
        """The *count*-th working day after *day* (before it when negative); *day* never counts.

        With 0: *day* itself, or the next working day when it is none.

        Raises:
            OverflowError: the answer lies outside the years that dates can have.
        """
        step = -_DAY if count < 0 else _DAY
        if count == 0:
            while not self.is_workday(day):
                day += _DAY
            return day
        left = abs(count)
        while left:
            day += step
            left -= self.is_workday(day)
        return day

    def provisional(self, first: date, last: date) -> bool:
        """Whether counting from *first* to *last* passes a year without a list."""
        low, high = sorted((first.year, last.year))
        return any(not self.published(year) for year in range(low, high + 1))

    def break_around(self, day: date) -> tuple[date, date]:
        """First and last of the days off that *day* stands in; *day* twice when it is worked."""
        if self.is_workday(day):
            return day, day
        first = last = day
        while not self.is_workday(first - _DAY):
            first -= _DAY
        while not self.is_workday(last + _DAY):
            last += _DAY
        return first, last
