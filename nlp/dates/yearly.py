"""Windows of days that come once a year: feasts, lunar days, the turn of the year, school
holidays."""

from __future__ import annotations

from datetime import date

from nlp.dates.festivals import FESTIVALS, LEGAL, festival_day, next_festival
from nlp.dates.legal import lunar_day, new_year_eve
from nlp.dates.model import Atom, Window
from nlp.dates.windows import Context, Slots, plus, single, span, year_of


def lunar(slots: Slots, ctx: Context) -> Window | None:
    month = slots["month"].n if "month" in slots else 1
    number = slots.get("moonday") or slots.get("dayraw") or slots.get("day")
    if number is None:
        first, following = None, None
        for year in (ctx.today.year - 1, ctx.today.year, ctx.today.year + 1):
            first, following = lunar_day(year, month, 1), _lunar_month_end(year, month)
            if first and following and following >= ctx.today:
                return span(first, following, "month", "lunar-month")
        return None
    asked = year_of(slots, ctx)
    years = [asked] if asked else [ctx.today.year - 1, ctx.today.year, ctx.today.year + 1]
    for year in years:
        when = lunar_day(year, month, number.n)
        if when and (asked or when >= ctx.today):
            return single(when, "lunar")
    return None


def _lunar_month_end(year: int, month: int) -> date | None:
    return lunar_day(year, month, 30) or lunar_day(year, month, 29)


def festival(slots: Slots, ctx: Context) -> Window | None:
    name = slots["festival"].word
    year = year_of(slots, ctx)
    if year is None and "day" not in slots:
        when = next_festival(name, ctx.today)
    else:
        lunar_end = year is not None and FESTIVALS[name][0] == "eve" and slots["year"].word != "rel"
        when = festival_day(name, (year or ctx.today.year) + lunar_end)
    if when is None:
        return None
    window = span(when, when, "holiday", f"festival-{name}")
    if name in LEGAL:
        first, last_off = ctx.calendar.break_around(when)
        window.eve, window.free = plus(first, days=-1), plus(last_off, days=1)
        window.provisional = not ctx.calendar.published(when.year)
        gone = festival_day(name, ctx.today.year) if year is None else None
        if gone and gone < ctx.today <= (running := ctx.calendar.break_around(gone)[1]):
            window.running = running  # 过完国庆, said on the third day of it
    return window


def season(slots: Slots, ctx: Context) -> Window:
    """School holidays differ from town to town; these are the usual days, so the hit is loose."""
    low, high = ((1, 20), (2, 20)) if slots["season"].word == "寒假" else ((7, 1), (8, 31))
    year = year_of(slots, ctx) or ctx.today.year
    if "year" not in slots and date(year, *high) < ctx.today:
        year += 1
    return span(date(year, *low), date(year, *high), "quarter", "school-holiday", loose=True)


def new_year(atom: Atom, ctx: Context) -> Window | None:
    """年前 ends on 除夕 (said from October on, or in the weeks before it); 年后 opens
    after the break."""
    eve = new_year_eve(ctx.today.year)
    if eve is None or eve < ctx.today:
        eve = new_year_eve(ctx.today.year + 1)
    if eve is None:
        return None
    first, last = ctx.calendar.break_around(plus(eve, days=1))
    in_break = new_year_eve(ctx.today.year)
    if in_break and in_break < ctx.today <= ctx.calendar.break_around(plus(in_break, days=1))[1]:
        first, last = ctx.calendar.break_around(plus(in_break, days=1))
    window = span(eve, eve, "holiday", "new-year")
    window.eve, window.free = eve, plus(last, days=1)
    window.provisional = not ctx.calendar.published(first.year)
    return window


def next_break(ctx: Context) -> Window | None:
    """节前, 节后, 长假: of the legal holiday that is on or comes next."""
    best: date | None = None
    for name in ("元旦", "春节", "清明", "五一", "端午", "中秋", "国庆"):
        for year in (ctx.today.year, ctx.today.year + 1):
            when = festival_day(name, year)
            if when is None or ctx.calendar.break_around(when)[1] < ctx.today:
                continue
            best = when if best is None or when < best else best
    if best is None:
        return None
    first, last = ctx.calendar.break_around(best)
    window = span(first, last, "holiday", "break")
    window.eve, window.free = plus(first, days=-1), plus(last, days=1)
    window.provisional = not ctx.calendar.published(best.year)
    return window
