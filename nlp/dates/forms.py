"""From a match of the lexer's expression (``atoms``) to the atom that it stands for.

Each function reads the groups of one alternative there; None where the letters fit and the value
cannot be (13/45).
"""

from __future__ import annotations

import re
from typing import Final

from nlp.dates.lexicon import DAYS, DIGIT, EDGES, PAIRS, UNITS, small
from nlp.dates.model import Atom
from nlp.numbers import scan

_LATE, _EARLY = 20, 10  # from a late day to an early one: into the next month
_WEEKDAY: Final = {c: i for i, c in enumerate("一二三四五六日", 1)} | {"天": 7, "末": 8}


def _step(word: str) -> int:
    """下下 = 2, 上 = -1, 本 = 0."""
    return word.count("下") - word.count("上")


def at(kind: str, m: re.Match[str], n: int = 0, k: int = 0, word: str = "") -> Atom:
    return Atom(kind, m.start(), m.end(), n, k, word)


def _full_date(m: re.Match[str], year: int, month: int, day: int) -> Atom | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return at("date", m, year, month * 100 + day)


def _century(two: int) -> int:
    """07年 is 2007, 87年 is 1987: two digits reach ten years beyond the present decade."""
    return two + (2000 if two < 50 else 1900)


def iso(m: re.Match[str]) -> Atom | None:
    return _full_date(m, *(int(part) for part in re.findall(r"\d+", m["iso"])))


def mdy(m: re.Match[str]) -> Atom | None:
    month, day, year = (int(part) for part in m["mdy"].split("/"))
    return _full_date(m, year, month, day)


def ymd(m: re.Match[str]) -> Atom | None:
    year, month, day = (int(part) for part in m["ymd"].split("-"))
    return _full_date(m, _century(year), month, day)


def md(m: re.Match[str]) -> Atom | None:
    month, day = (int(part) for part in re.findall(r"\d+", m["md"]))
    return at("md", m, month, day, m["md"]) if 1 <= month <= 12 and 1 <= day <= 31 else None


def year(m: re.Match[str]) -> Atom:
    text = m["year"].removesuffix("年")
    if text == "两千":
        return at("year", m, 2000)
    value = int("".join(str(DIGIT[c]) if c in DIGIT else c for c in text))
    return at("year", m, _century(value) if len(text) == 2 else value)


def years(m: re.Match[str]) -> Atom:
    return at("years", m, int(m["yr_from"]), int(m["yr_to"]))


def half(m: re.Match[str]) -> Atom:
    word = m["half"]
    return at("half", m, 1 if word[0] in "上前" else 2, _step(word[0]) if "个" in word else 0)


def quarter(m: re.Match[str]) -> Atom:
    if m["q_rel"]:
        return at("quarter", m, _step(m["q_rel"]), word="rel")
    if m["q_first"]:
        return at("quarter", m, small(m["q_first"]), word="upto")
    return at("quarter", m, small(m["q_n"] or m["q_q"]))


def month(m: re.Match[str]) -> Atom:
    if m["m_rel"] is not None:
        return at("month", m, _step(m["m_rel"]), word="rel")
    if m["m_moon"]:
        names = {"正月": 1, "腊月": 12, "冬月": 11}
        return at("month", m, names[m["m_moon"]], word="lunar")
    return at("month", m, small(m["m_n"]))


def edge(m: re.Match[str]) -> Atom:
    unit = {"年": 1, "季": 2, "月": 3}.get(m["e_unit"][0] if m["e_unit"] else "", 0)
    word = m["e_word"]
    return at("edge", m, unit, word=EDGES.get(word, word))


def _second(m: re.Match[str], group: str, first: int) -> tuple[str, int]:
    """The second weekday of 周三四, 周三到周五, and where the atom ends.

    Without a word between, only the next day makes a pair: 周五三方会议 is a Friday.
    """
    if m[group] is None:
        return "", m.end()
    linked = m.string[m.start(group) - 1] not in "一二三四五六"
    if linked or _WEEKDAY[m[group]] == first + 1:
        return m[group], m.end()
    return "", m.start(group)


def week(m: re.Match[str]) -> Atom:
    first = m["w_day"] or m["w_day2"] or ""
    day = _WEEKDAY.get(first) or small(first)
    second, end = _second(m, "w_to", day)
    return Atom("week", m.start(), end, _step(m["w_rel"]), day, second)


def half_week(m: re.Match[str]) -> Atom:
    return at("halfweek", m, 1 if m["hw"][0] in "上前" else 2)


def weekday(m: re.Match[str]) -> Atom:
    day = _WEEKDAY.get(m["wd"]) or small(m["wd"])
    second, end = _second(m, "wd_to", day)
    return Atom("weekday", m.start(), end, day, word=second)


def relday(m: re.Match[str]) -> Atom:
    return at("relday", m, DAYS[m["rd"]])


def relpair(m: re.Match[str]) -> Atom:
    return Atom("relpair", m.start(), m.end(), *PAIRS[m["rp"]], word=m["rp"])


def day(m: re.Match[str]) -> Atom | None:
    if m["d_pair"]:
        *tens, low, high = tuple(m["d_pair"])
        ten = small("".join(tens)) if tens else 0
        if DIGIT[high] <= DIGIT[low]:
            return None  # 八二号 is no pair of days
        return at("day", m, ten + DIGIT[low], ten + DIGIT[high], "pair")
    if m["d_from"]:
        return _days(m, small(m["d_from"]), small(m["d_to"]))
    return at("day", m, small(m["d_n"]))


def _days(m: re.Match[str], first: int, last: int) -> Atom | None:
    """3-5号; 28到3号 ends in the next month; 3-1号 is how some write 3月1号; 5到3号 is nothing."""
    if first <= last:
        return at("day", m, first, last, "to")
    after_month = m.start() > 0 and m.string[m.start() - 1] in "月份"
    if first <= 12 and not after_month and re.match(r"\d+-\d", m[0]):
        return at("day", m, first, last, "month-day")
    late = first >= _LATE and last <= _EARLY
    return at("day", m, first, last, "over") if late else None


def months(m: re.Match[str]) -> Atom:
    return at("months", m, small(m["ms_from"]), small(m["ms_to"]))


def festival(m: re.Match[str]) -> Atom:
    return at("festival", m, word=m["fest"])


def clock(m: re.Match[str]) -> Atom | None:
    hour, minute, word = 0, 0, ""
    if m["c_h"]:
        hour, minute, word = int(m["c_h"]), int(m["c_m"]), "colon"
        if m["c_ap"]:
            word = "pm" if m["c_ap"][0] in "pP" else "am"
    else:
        hour = 0 if m["c_hour"] == "零" else small(m["c_hour"])
        tail = m["c_tail"] or ""
        word = "tail" if tail else ""
        if tail.startswith("半"):
            minute = 30
        elif tail.endswith("刻"):
            minute = 15 * small(tail[0])
        elif m["c_min"]:
            minute = small(m["c_min"].removeprefix("零") or "零")
        if m["c_pair"]:
            return Atom("clock", m.start(), m.end(), small(m["c_pair"]), 0, "pair", x=hour)
    return at("clock", m, hour, minute, word) if hour <= 24 and minute < 60 else None


def part(m: re.Match[str]) -> Atom:
    return at("part", m, word=m["pt"])


def _amount(text: str) -> tuple[float, float]:
    if text == "几":
        return 3.0, 5.0
    if text == "半":
        return 0.5, 0.5
    number = next(scan(text), None)
    return (number.low, number.high) if number and number.end == len(text) else (0.0, 0.0)


def duration(m: re.Match[str]) -> Atom | None:
    low, high = _amount(m["u_n"])
    if high <= 0:
        return None
    unit = UNITS[m["u_unit"]]
    if m["u_half"] or m["u_mid"]:
        low, high = low + 0.5, high + 0.5
    return Atom("dur", m.start(), m.end(), n=int(bool(m["u_more"])), word=unit, x=low, y=high)


def duration_days(m: re.Match[str]) -> Atom | None:
    low, high = _amount(m["du_n"])
    return Atom("dur", m.start(), m.end(), word="day", x=low, y=high) if high > 0 else None


def nth(m: re.Match[str]) -> Atom:
    last = m["n_last"] is not None
    unit = m["n_unit"]
    if m["n_wd"]:
        return at("nth", m, -1 if last else small(m["n_n"]), _WEEKDAY[m["n_wd"]], "weekday")
    word = {"月": "month", "工作日": "workday"}.get(unit, "day")
    if unit in ("周", "星期", "礼拜"):
        word = "week"
    return at("nth", m, -1 if last else small(m["n_n"]), word=word)


def nspan(m: re.Match[str]) -> Atom | None:
    unit = {"天": "day", "日": "day", "周": "week", "期": "week"}.get(m["ns_unit"][-1], "month")
    count = int(_amount(m["ns_n"])[0])
    sign = 1 if m["ns_at"] in "前头" else -1
    return at("nspan", m, sign * count, word=unit) if count else None


def iso_run(m: re.Match[str]) -> Atom | None:
    return _full_date(m, *(int(part) for part in m["tight"].split("-")))


def half_span(m: re.Match[str]) -> Atom:
    word = m["hm"]
    unit = (
        "month" if "月" in word else "year" if "年" in word else "day" if "天" in word else "hour"
    )
    return Atom("dur", m.start(), m.end(), word=unit, x=0.5, y=0.5)
