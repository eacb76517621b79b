"""Numbers without a unit that are sums all the same: by the words around, by their form, by
the sums beside them; and the role of a sum (单价, 预算, 竞品价 ...)."""

from __future__ import annotations

import re

from nlp import amounts_words as words
from nlp.amounts_plain import Item
from nlp.numbers import scan


def framed(body: str, item: Item, previous_end: int, *, alone: bool) -> None:
    """A number without a unit is a sum where people speak of prices, or where nothing else is
    counted in such a way: 三十五万八, 六千四, 五六十万."""
    number = item.number
    if number.form == "string" or item.low <= 0:
        return
    if item.start and words.ALPHA.match(body[item.start - 1]) and body[item.start - 1] != "#":
        return  # DN一百五, BS600
    if item.end - item.start <= 2 and words.LENGTH_L.search(
        body[max(0, item.start - 2) : item.start]
    ):
        return
    per = _price_per(body, item)
    left = body[max(0, previous_end, item.start - 16) : item.start]
    said = body[item.start : item.end]
    bare = body[item.start] in "百千万半" and not item.approx
    digits = said.replace(",", "")
    if bare or (digits.isdigit() and (len(digits) >= 8 or (len(digits) > 1 and digits[0] == "0"))):
        return
    if not per and _counted(body, item):
        return
    each = words.PER_L.search(left)
    if not (per or each) and words.TECH_L.search(body, max(0, item.start - 14), item.start):
        return
    strong = each or words.STRONG_L.search(left)
    large = any(unit in said for unit in "万亿wW")
    whole = alone and item.start == 0 and item.end == len(body) and item.high >= 1000
    measuring = words.TECH.search(body) and not words.MONEY.search(body)
    for rule, holds in (
        ("price-frame", strong and (item.high >= 100 or per or _priced(left, item))),
        ("price-of-each", each and item.high >= 2),
        ("number-alone", whole and not said.isdigit()),
        ("price-per-piece", per and item.high >= 5),
        # Nobody counts goods by the 万 without saying of what, and ends a count with 三千六.
        (
            "large" if large else "elliptic",
            alone
            and not measuring
            and (large or _tail_tells(body, item))
            and not words.NO_SUM_R.match(body, item.end),
        ),
        ("paid", alone and not measuring and item.high >= 10 and _paid(body, item, left)),
    ):
        if holds:
            item.unit, item.rule = "CNY", rule
            item.role = "单价" if per or each else ""
            return


def _counted(body: str, item: Item) -> bool:
    """Whether a measure or a counted thing follows the number."""
    if words.COUNT_R.match(body, item.end):
        return True
    if not words.MEASURE.match(body, item.end):
        return False
    pause = body.startswith(" ", item.end)
    return not pause or item.number.form == "digits" or bool(words.APART.match(body, item.end))


def beside_sums(body: str, items: list[Item]) -> None:
    """学费二十三万八 校车六千: a bare round number among sums is one too, if nothing is counted."""
    if not any(item.unit == "CNY" for item in items) or not words.MONEY.search(body):
        return
    previous_end = 0
    for item in items:
        start, end = item.start, previous_end
        previous_end = item.end
        if (
            item.unit is not None
            or item.number.form == "string"
            or item.high < 50
            or item.dated
            or item.end - start == 1
            or (start and words.ALPHA.match(body[start - 1]))
            or words.ADDRESS_L.search(body, max(0, start - 5), start)
            or _counted(body, item)
            or not words.BOUND_R.match(body, item.end)
            or words.TECH_L.search(body, max(0, start - 14), start)
            or (item.high < 1000 and words.ORDER_L.search(body, max(0, start - 3), start))
            or words.NO_SUM_R.match(body, item.end)
        ):
            continue
        said = body[start : item.end]
        if said.isdigit() and (len(said) >= 7 or said[0] == "0" or 1990 <= item.high <= 2100):
            continue
        item.unit, item.rule = "CNY", "beside-sums"
        item.role = role_of(body, item, end)


def _tail_tells(body: str, item: Item) -> bool:
    """Whether the elliptic end of a number makes it a price, since nothing like it is measured."""
    measured = item.high < 1000 and words.MEASURED_L.search(
        body, max(0, item.start - 14), item.start
    )
    return not measured and _elliptic(body[item.start : item.end])


def _elliptic(said: str) -> bool:
    """Whether the last digit is one place below the unit before it: 六千四, 1千6; not 一百零五."""
    if (
        len(said) >= 4
        and said[-3] in "百千万"
        and said[-2] in "二三四五六七八"
        and said[-1] in "三四五六七八九"
    ):
        return True  # 一千二三
    return (
        len(said) >= 3
        and said[-2] in "百千万佰仟wWkK"
        and (said[-1].isdigit() or said[-1] in "一二三四五六七八九")
        and said not in ("二百五", "一百一")
    )


def _paid(body: str, item: Item, left: str) -> bool:
    """Whether a round number is what somebody pays, gives or asks: 预存五千送八百, 最多给九百."""
    return bool(words.PAID_L.search(left) and words.BOUND_R.match(body, item.end))


def _priced(left: str, item: Item) -> bool:
    """单价十二块三 has its unit; 单价十二, 降到十一点八 are sums too, 降了三 is not."""
    return (
        bool(re.search(r"价[格是为到在:]*$|(?:降|压|砍|让|涨)到$|每[一-鿿]{1,3}$", left))
        and item.high >= 1
    )


def _price_per(body: str, item: Item) -> bool:
    """两千三一台, 八千一台: the 一 belongs to 一台, never to the number."""
    if words.ONE_OF_R.match(body, item.end):
        return True
    said = body[item.start : item.end]
    if (
        len(said) > 1
        and said[-1] == "一"
        and said[-2] in "百千万"
        and words.PER_UNIT.match(body, item.end)
    ):
        number = next(scan(said[:-1]), None)
        if number is not None and number.end == len(said) - 1:
            item.low, item.high, item.end = number.low, number.high, item.end - 1
            item.number = number
            return True
    return False


def role_of(body: str, item: Item, previous_end: int) -> str:
    """The role named nearest before the sum in its clause, else right behind it."""
    left = body[max(0, previous_end, item.start - 16) : item.start]
    left = re.split(r"[,。;!?]", left)[-1]
    best, best_at = "", -1
    for role, pattern in words.ROLES:
        for m in pattern.finditer(left):
            if m.end() > best_at:
                best, best_at = role, m.end()
    if best:
        return best
    right = body[item.end : item.end + 6]
    if words.ONE_OF_R.match(body, item.end):
        return "单价"
    if re.match(r"[ ]?的?预算", right):
        return "预算"
    return "成交" if re.match(r"[ ]?(?:成交|拿下|签)", right) else ""
