"""The working-day table and the moving feasts, seeded from chinesecalendar and lunar_python.

``sales.calendar`` holds the rule and takes the table as data; the libraries stop here.
Source of the statutory days: 全国年节及纪念日放假办法 as amended for 2025 (除夕 and 5 May 2 added).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from sales.calendar import WorkCalendar, YearList

_FORECAST: Final = range(2004, 2100)


@lru_cache(maxsize=256)
def lunar_day(year: int, month: int, day: int) -> date | None:
    """Solar date of a day of the lunar year *year*; None when that month is shorter."""
    from lunar_python import Lunar

    try:
        solar = Lunar.fromYmd(year, month, day).getSolar()
        return date(solar.getYear(), solar.getMonth(), solar.getDay())
    except Exception:  # the library raises bare Exception for a day that does not exist
        return None


@lru_cache(maxsize=64)
def new_year_eve(year: int) -> date | None:
    """除夕 before the lunar new year that falls into the solar *year*."""
    first = lunar_day(year, 1, 1)
    return first - timedelta(days=1) if first else None


@lru_cache(maxsize=64)
def solar_terms(year: int) -> dict[str, date]:
    """The solar terms (清明, 冬至...) that fall into the solar *year*."""
    from lunar_python import Solar

    terms: dict[str, date] = {}
    for table_year in (year, year + 1):  # a table begins with the winter solstice before its year
        table = Solar.fromYmd(table_year, 6, 1).getLunar().getJieQiTable()
        for name, solar in table.items():
            if solar.getYear() == year and "一" <= name[0] <= "鿿":
                terms[name] = date(year, solar.getMonth(), solar.getDay())
    return terms


@lru_cache(maxsize=256)
def statutory_days(year: int) -> frozenset[date]:
    """The days off that the law fixes, before the State Council moves weekends around them."""
    days = [date(year, 1, 1), date(year, 5, 1), date(year, 5, 2)]
    days += [date(year, 10, day) for day in (1, 2, 3)]
    eve = new_year_eve(year)
    if eve:
        days += [eve + timedelta(days=n) for n in range(4)]
    days += [day for day in (lunar_day(year, 5, 5), lunar_day(year, 8, 15)) if day]
    qingming = solar_terms(year).get("清明")
    return frozenset([*days, qingming] if qingming else days)


class _Statutory(Mapping[int, frozenset[date]]):
    """Statutory days by year, worked out when a year is first asked for."""

    def __getitem__(self, year: int) -> frozenset[date]:
        if year not in _FORECAST:
            raise KeyError(year)
        return statutory_days(year)

    def __iter__(self) -> Iterator[int]:
        return iter(_FORECAST)

    def __len__(self) -> int:
        return len(_FORECAST)


@lru_cache(maxsize=1)
def seeded_calendar() -> WorkCalendar:
    """All published lists that chinesecalendar knows; later years by statute."""
    from chinese_calendar import constants

    holidays: dict[int, set[date]] = defaultdict(set)
    makeup: dict[int, set[date]] = defaultdict(set)
    for day in constants.holidays:
        holidays[day.year].add(day)
    for day in constants.workdays:
        makeup[day.year].add(day)
    lists = {
        year: YearList(frozenset(days), frozenset(makeup[year])) for year, days in holidays.items()
    }
    return WorkCalendar(lists=lists, statutory=_Statutory())
