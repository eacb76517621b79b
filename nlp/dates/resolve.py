"""The resolver: the atoms of one phrase, by kind, to the window of days they name.

Conventions: EXTRACTION section 2 and memos_dev_README.  What is named without a year or month is
the next one that is not past; what carries 上, 去, 昨 or its own year stays where it was put.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from nlp.dates.festivals import nth_weekday
from nlp.dates.lexicon import PARTS, small
from nlp.dates.model import Atom, Window
from nlp.dates.windows import Context, Slots, day, month_window, plus, single, span, year_of
from nlp.dates.yearly import festival, lunar, new_year, next_break, season

# A weekday said on that weekday means today until business is over, then next week's.
TODAY_COUNTS_UNTIL: Final = 18


def _part_of(start: date, end: date, word: str, unit: str) -> Window | None:
    """初, 中, 底, 上旬... of a month, quarter or year that runs from *start* to *end*."""
    if unit == "month":
        tenth = {"初": (1, 5), "上旬": (1, 10), "中": (15, 15), "中旬": (11, 20), "中上旬": (6, 15)}
        tenth |= {"中下旬": (15, end.day), "下旬": (21, end.day), "底": (end.day, end.day)}
        first, last_day = tenth[word]
        return span(start.replace(day=first), start.replace(day=last_day), "edge", f"month-{word}")
    if "旬" in word:  # 中旬 alone is of the month
        return None
    if word == "底":
        return span(end, end, "edge", f"{unit}-end")
    if word == "初":
        last = plus(start, days=9) if unit == "quarter" else plus(start, months=1, days=-1)
        return span(start, last, "edge", f"{unit}-start")
    middle = plus(start, months=1 if unit == "quarter" else 5)
    low, high = month_window(middle.year, middle.month)
    return span(
        low, high if unit == "quarter" else plus(low, months=2, days=-1), "edge", f"{unit}-mid"
    )


def _month(slots: Slots, ctx: Context) -> tuple[int, int] | None:
    """Year and month of the month slot, before a day rolls it on."""
    atom = slots["month"]
    year = year_of(slots, ctx)
    if atom.word == "rel":
        moved = plus(ctx.today.replace(day=1), months=atom.n)
        return moved.year, moved.month
    if not 1 <= atom.n <= 12:
        return None
    if year is None:
        year = ctx.today.year + (atom.n < ctx.today.month)
    return year, atom.n


def _nth(slots: Slots, ctx: Context, start: date, end: date) -> Window | None:
    """第N周, 第N天, 第N个周X, 第N个月 of a window.  Week 1 of a month has its first Monday."""
    atom = slots["nth"]
    if atom.word == "weekday":
        if (end - start).days > 31 or not (-1 <= atom.n <= 5):
            return None
        return single(nth_weekday(start.year, start.month, atom.n, atom.m), "nth-weekday")
    if atom.word == "week":
        if (end - start).days > 31:  # of a year: ISO weeks
            try:
                monday = date.fromisocalendar(start.year, atom.n, 1)
            except ValueError:
                return None
        elif atom.n < 0:
            monday = plus(end, days=-end.weekday())
        else:
            monday = plus(start, days=(-start.weekday()) % 7 + 7 * (atom.n - 1))
        if "weekday" in slots:
            return single(plus(monday, days=slots["weekday"].m - 1), "nth-week")
        return span(monday, plus(monday, days=6), "week", "nth-week")
    if atom.word == "month":
        first = plus(start, months=atom.n - 1) if atom.n > 0 else end.replace(day=1)
        return span(*month_window(first.year, first.month), "month", "nth-month")
    when = plus(start, days=atom.n - 1) if atom.n > 0 else end
    return single(when if start <= when <= end else None, "nth-day")


def _in_month(slots: Slots, ctx: Context) -> Window | None:
    found = _month(slots, ctx)
    if found is None:
        return None
    year, month = found
    number = slots.get("day") or slots.get("dayraw") or slots.get("moonday")
    fixed = "year" in slots or slots["month"].word == "rel"
    if number is not None:
        return _numbered(number, year, month, fixed=fixed, ctx=ctx)
    start, end = month_window(year, month)
    if "edge" in slots:
        window = _part_of(start, end, slots["edge"].word, "month")
        if window and window.end and window.end < ctx.today and not fixed:
            return _part_of(*month_window(year + 1, month), slots["edge"].word, "month")
        return window
    if "nth" in slots:
        return _nth(slots, ctx, start, end)
    return span(start, end, "month", "month")


def _numbered(atom: Atom, year: int, month: int, *, fixed: bool, ctx: Context) -> Window | None:
    """Day numbers of a month; a month and day already past is next year's, 29 February the next."""
    for step in range(9):
        low, high = _ends(atom, year + step, month)
        if low and high:
            if fixed or high >= ctx.today:
                return span(low, high, "day", "month-day")
        elif fixed:
            return None
    return None


def _ends(atom: Atom, year: int, month: int) -> tuple[date | None, date | None]:
    """First and last day of the day numbers, the last one in the next month where it is ``over``."""
    low = day(year, month, atom.n)
    if atom.word == "over" and low:
        following = plus(low.replace(day=1), months=1)
        high = day(following.year, following.month, atom.m)
        return low, high if high and high > low else None
    return low, day(year, month, atom.m or atom.n)


def _bare_day(atom: Atom, ctx: Context) -> Window | None:
    """N号: in the month just named, else the next one not past."""
    if atom.word == "month-day":
        number = Atom("day", atom.start, atom.end, atom.m)
        year = ctx.today.year + (atom.n < ctx.today.month)
        return _numbered(number, year, atom.n, fixed=False, ctx=ctx)
    if ctx.month:
        low, high = _ends(atom, *ctx.month)
        if low and high and high >= ctx.today:
            return span(low, high, "day", "day-of-named-month")
    first = ctx.today.replace(day=1)
    for step in range(-1 if atom.word == "over" else 0, 4):
        month = plus(first, months=step)
        low, high = _ends(atom, month.year, month.month)
        if low and high and high >= ctx.today:
            return span(low, high, "day", "day-number")
    return None


def _week(slots: Slots, ctx: Context) -> Window | None:
    atom = slots["week"]
    monday = plus(ctx.today, days=7 * atom.n - ctx.today.weekday())
    weekday = atom.m or (slots["weekday"].n if "weekday" in slots else 0)
    if weekday:
        return _weekday_of(monday, weekday, atom.word, "week-day")
    friday = plus(monday, days=4)
    window = span(monday, plus(monday, days=6), "week", "week")
    if friday >= ctx.today or atom.n < 0:
        window.due = friday
    return window


def _weekday_of(monday: date, weekday: int, second: str, rule: str) -> Window:
    if weekday == 8:
        return span(plus(monday, days=5), plus(monday, days=6), "weekend", "weekend")
    when = plus(monday, days=weekday - 1)
    if second:
        last = {"日": 7, "天": 7}.get(second) or small(second)
        end = plus(monday, days=last - 1 + 7 * (last < weekday))
        return span(when, end, "day", rule + "s", loose=last == weekday + 1)
    return span(when, when, "day", rule)


def _weekday(atom: Atom, ctx: Context) -> Window:
    """周X alone: the next one; today counts while business lasts."""
    monday = plus(ctx.today, days=-ctx.today.weekday())
    window = _weekday_of(monday, atom.n, atom.word, "weekday")
    assert window.end is not None
    late = ctx.now.hour >= TODAY_COUNTS_UNTIL and window.end == ctx.today and atom.n != 8
    begun = bool(atom.word) and window.start is not None and window.start < ctx.today
    if window.end < ctx.today or late or begun:
        window = _weekday_of(plus(monday, days=7), atom.n, atom.word, "weekday")
    return window


def _quarter(slots: Slots, ctx: Context) -> Window | None:
    atom = slots["quarter"]
    year = year_of(slots, ctx)
    current = (ctx.today.month - 1) // 3
    if atom.word == "rel":
        start = plus(date(ctx.today.year, current * 3 + 1, 1), months=3 * atom.n)
    elif atom.word == "upto":
        start = date(year or ctx.today.year, 1, 1)
        return span(start, plus(start, months=3 * atom.n, days=-1), "quarter", "quarters")
    elif 1 <= atom.n <= 4:
        over = year is None and atom.n - 1 < current
        start = date((year or ctx.today.year) + over, atom.n * 3 - 2, 1)
    else:
        return None
    end = plus(start, months=3, days=-1)
    if "edge" in slots:
        return _part_of(start, end, slots["edge"].word, "quarter")
    return span(start, end, "quarter", "quarter")


def _half(slots: Slots, ctx: Context) -> Window:
    atom = slots["half"]
    year = year_of(slots, ctx)
    if atom.m:
        now_half = date(ctx.today.year, 1 if ctx.today.month < 7 else 7, 1)
        start = plus(now_half, months=6 * atom.m)
    else:
        over = year is None and atom.n == 1 and ctx.today.month > 6
        start = date((year or ctx.today.year) + over, 1 if atom.n == 1 else 7, 1)
    return span(start, plus(start, months=6, days=-1), "half", "half-year")


def _edge(atom: Atom, ctx: Context) -> Window | None:
    """月底, 年初, 季度末 alone: of the present one, or of the next when that has gone by."""
    for step in (0, 1):
        if atom.n == 1:
            start = date(ctx.today.year + step, 1, 1)
            window = _part_of(start, plus(start, months=12, days=-1), atom.word, "year")
        elif atom.n == 2:
            start = plus(
                date(ctx.today.year, (ctx.today.month - 1) // 3 * 3 + 1, 1), months=3 * step
            )
            window = _part_of(start, plus(start, months=3, days=-1), atom.word, "quarter")
        else:
            first = plus(ctx.today.replace(day=1), months=step)
            window = _part_of(*month_window(first.year, first.month), atom.word, "month")
        if window is None or (window.end and window.end >= ctx.today):
            return window
    return None


def _in_year(slots: Slots, ctx: Context) -> Window | None:
    year = year_of(slots, ctx)
    if year is None or not 1 <= year <= 9998:
        return None
    start, end = date(year, 1, 1), date(year, 12, 31)
    if "edge" in slots:
        return _part_of(start, end, slots["edge"].word, "year")
    if "nth" in slots:
        return _nth(slots, ctx, start, end)
    return span(start, end, "year", "year")


def _relative(slots: Slots, ctx: Context) -> Window:
    if "relpair" in slots:
        atom = slots["relpair"]
        window = span(
            plus(ctx.today, days=atom.n), plus(ctx.today, days=atom.m), "day", "about-days"
        )
        window.loose = True
        return window
    when = plus(ctx.today, days=slots["relday"].n)
    return span(when, when, "day", "relative-day")


def _inside(atom: Atom, ctx: Context) -> Window | None:
    """月内, 年内, 季度内, 周内: of the present one."""
    if atom.word == "周":
        return _week({"week": Atom("week", atom.start, atom.end)}, ctx)
    if atom.word == "季度":
        return _quarter({"quarter": Atom("quarter", atom.start, atom.end, word="rel")}, ctx)
    if atom.word == "年":
        return span(date(ctx.today.year, 1, 1), date(ctx.today.year, 12, 31), "year", "year")
    return span(*month_window(ctx.today.year, ctx.today.month), "month", "month")


def _dated(slots: Slots, ctx: Context) -> Window | None:
    atom = slots["date"]
    return single(day(atom.n, atom.m // 100, atom.m % 100), "full-date")


def _slash(slots: Slots, ctx: Context) -> Window | None:
    atom = slots["md"]
    year = year_of(slots, ctx)
    number = Atom("day", atom.start, atom.end, atom.m)
    return _numbered(number, year or ctx.today.year, atom.n, fixed=year is not None, ctx=ctx)


def _first_or_last(window: Window, atom: Atom) -> Window | None:
    """前五个月, 后三天, 最后一周 of a window."""
    if window.start is None or window.end is None:
        return None
    months, days = (
        (atom.n, 0) if atom.word == "month" else (0, atom.n * (7 if atom.word == "week" else 1))
    )
    if atom.n > 0:
        edge = plus(window.start, months=months, days=days - 1)
        return span(window.start, min(edge, window.end), "edge", "first-of")
    edge = plus(plus(window.end, days=1), months=months, days=days)
    return span(max(edge, window.start), window.end, "edge", "last-of")


def resolve(slots: Slots, ctx: Context) -> Window | None:
    """The window of one phrase, or None when its atoms do not name one."""
    window = _resolve_day(slots, ctx)
    if window is not None and "nspan" in slots:
        window = _first_or_last(window, slots["nspan"])
    if window is not None:
        window.clock = clock_of(slots)
    return window


def _resolve_day(slots: Slots, ctx: Context) -> Window | None:
    if "date" in slots:
        return _dated(slots, ctx)
    if "md" in slots:
        return _slash(slots, ctx)
    if "festival" in slots:
        return festival(slots, ctx)
    if "newyear" in slots:
        return new_year(slots["newyear"], ctx)
    if "break" in slots:
        return next_break(ctx)
    lead = slots.get("lead")
    if (lead and lead.word not in ("公历", "阳历")) or "moonday" in slots:
        return lunar(slots, ctx)
    if "month" in slots:
        return lunar(slots, ctx) if slots["month"].word == "lunar" else _in_month(slots, ctx)
    if "months" in slots:
        return _months(slots, ctx)
    if "years" in slots:
        low, high = sorted((slots["years"].n, slots["years"].m))
        return span(date(low, 1, 1), date(high, 12, 31), "year", "years")
    if "inside" in slots:
        return _inside(slots["inside"], ctx)
    if "season" in slots:
        return season(slots, ctx)
    if "quarter" in slots:
        return _quarter(slots, ctx)
    if "half" in slots:
        return _half(slots, ctx)
    if "edge" in slots and "year" not in slots:
        return _edge(slots["edge"], ctx)
    if "year" in slots:
        return _in_year(slots, ctx)
    if "week" in slots:
        return _week(slots, ctx)
    if "halfweek" in slots:
        monday = plus(ctx.today, days=-ctx.today.weekday())
        low, high = (0, 2) if slots["halfweek"].n == 1 else (3, 6)
        return span(plus(monday, days=low), plus(monday, days=high), "week", "half-week")
    if "day" in slots:
        return _bare_day(slots["day"], ctx)
    if "relday" in slots or "relpair" in slots:
        return _relative(slots, ctx)
    if "weekday" in slots:
        return _weekday(slots["weekday"], ctx)
    if "nth" in slots and slots["nth"].word == "day" and slots["nth"].n > 0:
        return single(plus(ctx.today, days=slots["nth"].n - 1), "nth-day")
    if "clock" in slots or "part" in slots:
        return span(ctx.today, ctx.today, "day", "time-of-day")
    return None


def _months(slots: Slots, ctx: Context) -> Window | None:
    atom = slots["months"]
    year = year_of(slots, ctx)
    if not (1 <= atom.n <= 12 and 1 <= atom.m <= 12):
        return None
    over = year is None and (atom.m if atom.m >= atom.n else 12) < ctx.today.month
    first = (year or ctx.today.year) + over
    last = first + (atom.m < atom.n)
    return span(date(first, atom.n, 1), month_window(last, atom.m)[1], "month", "months")


def clock_of(slots: Slots) -> str | None:
    """'HH:MM' of the clock slot; an hour from 1 to 6 without a word for the half-day is
    afternoon."""
    atom = slots.get("clock")
    part = PARTS.get(slots["part"].word, "") if "part" in slots else ""
    if atom is None:
        return None
    hour = atom.n
    half = {"am": "am", "pm": "pm"}.get(atom.word, part)
    afternoon = (
        (half in ("pm", "off") and hour < 12)
        or (half == "noon" and hour < 5)
        or (not half and 1 <= hour <= 6)
    )
    if afternoon:
        hour += 12
    elif half in ("am", "night") and hour == 12:
        hour = 0
    return f"{hour % 24:02d}:{atom.m:02d}"
