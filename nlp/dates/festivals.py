"""Names of days that come once a year, and the day each falls on in a given year.

A rule is one of: fixed (month, day), lunar (month, day), nth weekday of a month, days from Easter,
a solar term, or 除夕.  Feasts of other calendars that business in China does not date by are left
out on purpose.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from nlp.dates.legal import lunar_day, new_year_eve, solar_terms

_FIXED: Final = {
    (1, 1): "元旦 元旦节 阳历新年 公历新年",
    (2, 14): "情人节 圣瓦伦丁节",
    (3, 7): "女生节",
    (3, 8): "妇女节 三八节 三八妇女节 国际妇女节 女神节",
    (3, 12): "植树节",
    (3, 15): "国际消费者权益日 消费者权益日 三一五 三幺五 315晚会",
    (4, 1): "愚人节",
    (5, 1): "五一 劳动节 五一劳动节 国际劳动节 五一节",
    (5, 4): "青年节 五四青年节",
    (6, 1): "儿童节 国际儿童节 六一 六一节 六一儿童节",
    (6, 18): "618 六一八 六幺八",
    (7, 1): "建党节 七一建党节 七一",
    (8, 1): "建军节 八一建军节 八一",
    (9, 10): "教师节",
    (10, 1): "国庆 国庆节 十一 十一国庆",
    (10, 31): "万圣夜 万圣节前夜",
    (11, 1): "万圣节",
    (11, 11): "光棍节 双十一 双11 双1111",
    (12, 12): "双十二 双12",
    (12, 24): "平安夜",
    (12, 25): "圣诞 圣诞节",
}
_LUNAR: Final = {
    (1, 1): "春节 过年 农历新年 大年初一 新春 年初一 正月朔日 正月正时",
    (1, 15): "元宵 元宵节 正月十五 上元节",
    (5, 5): "端午 端午节 端阳节",
    (7, 7): "七夕 七夕节 乞巧节",
    (7, 15): "中元节 鬼节",
    (8, 15): "中秋 中秋节 仲秋 仲秋节",
    (9, 9): "重阳 重阳节",
    (12, 8): "腊八 腊八节",
    (12, 23): "小年 小年夜",
}
_WEEKDAY: Final = {(5, 2, 7): "母亲节", (6, 3, 7): "父亲节", (11, 4, 4): "感恩节"}
_EASTER: Final = {
    -47: "煎饼星期二 忏悔星期二",
    -46: "圣灰星期三 圣灰礼仪日 大斋首日 圣灰日",
    -7: "棕枝主日 圣枝主日 圣树主日",
    -3: "圣周四 圣周星期四 濯足节",
    -2: "耶稣受难日 受难日 主受难日 主受难节 沈默周五 圣周五",
    -1: "圣周六 复活节前夜",
    0: "复活节",
    1: "复活节星期一",
    39: "耶稣升天节 升天节",
    49: "圣灵降临日 五旬节",
    56: "圣三一主日 圣三主日 三一主日",
    60: "基督圣体节 圣体节",
}


def _words(text: str) -> list[str]:
    return text.split()


_TERMS: Final = (
    "小寒 大寒 立春 雨水 惊蛰 春分 清明 谷雨 立夏 小满 芒种 夏至 小暑 大暑 立秋 处暑 白露 "
    "秋分 寒露 "
    "霜降 立冬 小雪 大雪 冬至"
)
# 雨水, 大雪 and their like are weather far more often than a date.
_WEATHER: Final = frozenset(
    _words("雨水 小雪 大雪 大寒 小寒 大暑 小暑 小满 白露 寒露 霜降 处暑 谷雨")
)

NEW_YEAR_EVE: Final = "除夕"

Rule = tuple[str, int, int, int]


def _table() -> dict[str, Rule]:
    table: dict[str, Rule] = {}
    for (month, day), names in _FIXED.items():
        table.update(dict.fromkeys(names.split(), ("fixed", month, day, 0)))
    for (month, day), names in _LUNAR.items():
        table.update(dict.fromkeys(names.split(), ("lunar", month, day, 0)))
    for (month, nth, weekday), name in _WEEKDAY.items():
        table[name] = ("weekday", month, nth, weekday)
    for offset, names in _EASTER.items():
        table.update(dict.fromkeys(names.split(), ("easter", offset, 0, 0)))
        for name in names.split():
            table[f"东正教{name}"] = ("orthodox", offset, 0, 0)
    for term in _TERMS.split():
        if term not in _WEATHER:
            table[term] = ("term", 0, 0, 0)
    table.update(
        dict.fromkeys(("除夕", "大年三十", "年三十", "大年夜", "除夕夜"), ("eve", 0, 0, 0))
    )
    table["清明节"] = ("term", 0, 0, 0)
    return table


FESTIVALS: Final = _table()

# Names that are also numbers or plain words: they need 节, 前, 后, 期间... or 过完 beside them.
NEEDS_CUE: Final = frozenset(
    _words("十一 七一 八一 新春 六一 315 三一五 三幺五 618 六一八 大年夜 小年 立春 立夏 立秋 立冬")
)
# Legal holidays: 前 and 后 speak of their break, not of the day.
LEGAL: Final = frozenset(
    _words(
        "元旦 元旦节 春节 过年 农历新年 大年初一 新春 除夕 "
        "大年三十 年三十 除夕夜 清明 清明节 五一 五一节 劳动节 "
        "五一劳动节 国际劳动节 端午 端午节 端阳节 中秋 中秋节 仲秋 仲秋节 国庆 国庆节 十一 十一国庆"
    )
)


@lru_cache(maxsize=64)
def easter(year: int, *, orthodox: bool = False) -> date:
    """Easter Sunday, in the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    if orthodox:
        d = (19 * (year % 19) + 15) % 30
        e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7
        month, day = divmod(d + e + 114, 31)
        return date(year, month, day + 1) + timedelta(days=year // 100 - year // 400 - 2)
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


def nth_weekday(year: int, month: int, nth: int, weekday: int) -> date:
    """The *nth* (1 to 4, -1 the last) *weekday* (1 Monday to 7 Sunday) of a month."""
    if nth < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.isoweekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (nth - 1))


@lru_cache(maxsize=1024)
def festival_day(name: str, year: int) -> date | None:
    """The day of the feast *name* in the solar *year*; 小年 and 腊八 belong to the winter's end."""
    kind, a, b, c = FESTIVALS[name]
    if kind == "fixed":
        return date(year, a, b)
    if kind == "lunar":
        return lunar_day(year - 1 if a == 12 else year, a, b)
    if kind == "weekday":
        return nth_weekday(year, a, b, c)
    if kind == "term":
        return solar_terms(year).get(name.removesuffix("节"))
    if kind == "eve":
        return new_year_eve(year)
    return easter(year, orthodox=kind == "orthodox") + timedelta(days=a)


def next_festival(name: str, today: date) -> date | None:
    """The next day of the feast, *today* counted."""
    for year in (today.year, today.year + 1):
        day = festival_day(name, year)
        if day and day >= today:
            return day
    return None
