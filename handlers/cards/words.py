"""How cards write days, times, sums and lengths (message sheet, section 2)."""

from __future__ import annotations

from datetime import date, datetime

from sales import money
from sales.clock import COMPANY_ZONE
from sales.facts import AmountFact

_WEEKDAYS = "一二三四五六日"


def day(value: date) -> str:
    """11-20 周五; another year is written out when it is not the near future's own."""
    return f"{value:%m-%d} 周{_WEEKDAYS[value.weekday()]}"


def moment(at: datetime) -> str:
    """11-20 14:05 in the company's zone."""
    return f"{at.astimezone(COMPANY_ZONE):%m-%d %H:%M}"


def clock(at: datetime) -> str:
    return f"{at.astimezone(COMPANY_ZONE):%H:%M}"


def local_day(at: datetime) -> date:
    return at.astimezone(COMPANY_ZONE).date()


def length(ms: int) -> str:
    """1分32秒, 8秒."""
    seconds = max(1, round(ms / 1000))
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return f"{seconds}秒"
    return f"{minutes}分{rest:02d}秒" if rest else f"{minutes}分"


def amount(fact: AmountFact) -> str:
    """单价 1.2 万; a range both ends; （待核） when it was not heard exactly."""
    if isinstance(fact.value, tuple):
        shown = f"{money.short(fact.value[0])}到{money.short(fact.value[1])}"
    else:
        shown = money.short(fact.value)
    unsure = "（待核）" if fact.approx or isinstance(fact.value, tuple) else ""
    return f"{fact.role} {shown}{unsure}".strip()


def span_source(text: str, span: tuple[int, int], *, around: int = 0, most: int = 12) -> str:
    """The words of the memo behind a field (G2), at most *most* characters."""
    start, end = max(0, span[0] - around), min(len(text), span[1] + around)
    words = text[start:end].strip()
    return words if len(words) <= most else words[: most - 1] + "…"
