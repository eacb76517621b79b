"""What every reading of a date stands on: the context it is read in, and arithmetic with days."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from nlp.dates.model import Atom, Window
from sales.calendar import WorkCalendar

Slots = dict[str, Atom]


@dataclass(slots=True)
class Context:
    """What a phrase is read against.  ``month`` is the month last named in the text."""

    now: datetime
    calendar: WorkCalendar
    month: tuple[int, int] | None = None

    @property
    def today(self) -> date:
        return self.now.date()


def day(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def plus(start: date, *, days: float = 0, months: int = 0) -> date:
    """*start* moved by calendar months (the end of a short month stands in) and then by days."""
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    year = min(max(year, 1), 9998)
    moved = date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))
    try:
        return moved + timedelta(days=days)
    except OverflowError:
        return moved


def month_window(year: int, month: int) -> tuple[date, date]:
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def span(start: date, end: date, grain: str, rule: str, **more: object) -> Window:
    return Window(start=start, end=end, due=end, grain=grain, rule=rule, **more)  # type: ignore[arg-type]


def single(when: date | None, rule: str, grain: str = "day") -> Window | None:
    return None if when is None else span(when, when, grain, rule)


def year_of(slots: Slots, ctx: Context) -> int | None:
    atom = slots.get("year")
    if atom is None:
        return None
    return ctx.today.year + atom.n if atom.word == "rel" else atom.n
