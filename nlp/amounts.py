"""Sums, shares and discounts in sales talk: ``find_amounts`` (EXTRACTION section 3, step 4).

A sum is a number with a currency, or a number without one in a price frame (报三十五万八,
预算十二万, 两千三一台), and nothing that is counted, measured, dated, dialled or a model's name.

Values: sums in their currency's main unit (yuan); ``%`` and ``折`` in per cent of the whole, so
that 八折, 80折 and 百分之八十 compare (八折 = 80, 9.5折 = 95).  A range is the pair (low, high).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from nlp import amounts_words as words
from nlp.amounts_framed import beside_sums, framed, role_of
from nlp.amounts_plain import OF, Item, plain_numbers
from nlp.dates.atoms import read_atoms
from nlp.dates.find import correction_between, denied_before
from nlp.numbers import Number, fold, scan
from sales.facts import Span

Value = float | tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountHit:
    """One amount.  ``role``: 报价 单价 总价 预算 竞品价 首付 成交 or ''; ``unit`` None
    for a number."""

    span: Span
    text: str
    value: Value
    unit: str | None
    approx: bool = False
    role: str = ""
    superseded: bool = False
    rule: str = ""  # the reading that took it for an amount


_CURRENCY: Final = re.compile(
    r"(?P<more>[多余来几])?[ ]?(?:元|块)?(?P<code>"
    + "|".join(sorted(map(re.escape, words.CODE), key=len, reverse=True))
    + r")(?![a-zA-Z])"
)
_FOREIGN: Final = re.compile(r"美元|美金|美刀|欧元|港币|港元|日元|英镑|台币")
_SIGN_L: Final = re.compile(
    r"(?:(?P<sign>US\$|HK\$|[¥$€£₩])|(?P<code>人民币|美元|港币|港元|欧元|日元|英镑|台币|"
    r"RMB|rmb|USD|EUR|HKD))[ ]?$"
)
_JOIN: Final = re.compile(r"[ ]?(?:\(含\))?[ ]?(?:到|至|-|~)[ ]?")
_COINS: Final = re.compile(
    r"[ 又]*(?P<zero>零)?(?P<n>\d{1,2}|[一二两三四五六七八九])(?P<coin>毛|角|分|美分|"
    r"日本钱|本钱|仙)"
)
_COIN: Final = re.compile(r"(?P<coin>毛|角|分)(?P<more>钱)?")
_TAIL: Final = re.compile(
    r"(?P<zero>零)?(?P<n>\d{1,2}|[一二两三四五六七八九])(?![十百千万亿\d.]|日均|"
    r"[ ]?(?:[个台套只件条张支瓶箱盒月号日点年天周家人次位米吨百折伏安瓦寸毫]|包(?![邮安送教住吃上])))"
    r"|(?P<half>半)"
)
_PERCENT: Final = re.compile(
    r"[ ]?(?P<more>[多来])?(?:%|(?P<permille>‰)|个百分点|(?P<points>个点)|(?P<tenth>成)"
    r"(?P<half>半)?|(?P<fold>折))"
)
_BARE_UNIT: Final = re.compile(r"(?<![零一二两三四五六七八九十百千万亿几\d])([万亿])(?=分之)")
_HALF_PRICE: Final = re.compile(r"(?<=打)对(?=折)")
_URL: Final = re.compile(r"https?://\S+|[\w.]+@[\w.]+")


def find_amounts(text: str, *, numbers: bool = False) -> list[AmountHit]:
    """Every sum, share and discount of *text*; with *numbers* the plain numbers too."""
    folded = fold(text)
    body = folded.text
    items = list(_items(body))
    read = list(_classified(body, items, numbers))
    if not numbers:
        beside_sums(body, read)
    taken = [item for item in read if item.unit is not None]
    taken = _joined(body, taken)
    if numbers:
        taken += plain_numbers(body, items, taken)
    taken.sort(key=lambda item: item.start)
    hits: list[AmountHit] = []
    for n, item in enumerate(taken):
        start, end = folded.span(item.start, item.end)
        value: Value = item.low if item.low == item.high else (item.low, item.high)
        hits.append(
            AmountHit(
                span=(start, end), text=text[start:end], value=value, unit=item.unit,
                approx=item.approx, role=item.role, superseded=_superseded(body, taken, n), rule=item.rule,
            )
        )  # fmt: skip
    return hits


def _superseded(body: str, taken: list[Item], n: int) -> bool:
    """Whether a correction and a later amount of the same type take *taken[n]* back."""
    if n + 1 >= len(taken) or taken[n].unit != taken[n + 1].unit or taken[n].unit is None:
        return False
    gap = body[taken[n].end : taken[n + 1].start]
    return correction_between(gap) or denied_before(
        body[max(0, taken[n].start - 6) : taken[n].start], gap
    )


def _numerals(body: str) -> list[Number]:
    """The numbers of *body*, with the bare unit of 万分之四 and the word for half of 打对折."""
    found = list(scan(body))
    for m in _BARE_UNIT.finditer(body):
        value = {"万": 1e4, "亿": 1e8}[m[1]]
        found.append(Number(m.start(), m.end(), value, value, False, int(value), "chinese"))
    for m in _HALF_PRICE.finditer(body):
        found.append(Number(m.start(), m.end(), 5.0, 5.0, False, 1, "chinese"))
    return sorted(found, key=lambda number: number.start)


def _items(body: str) -> Iterator[Item]:
    """Numbers and spoken ranges of numbers (二十到三十万: the unit of the right end
    serves both)."""
    numbers = _numerals(body)
    urls = [m.span() for m in _URL.finditer(body)]
    at = 0
    while at < len(numbers):
        number = numbers[at]
        at += 1
        if any(low <= number.start < high for low, high in urls):
            continue
        item = Item(number.start, number.end, number.low, number.high, number.approx, number)
        if at < len(numbers) and number.form != "string":
            other = numbers[at]
            if _JOIN.fullmatch(body[number.end : other.start]) and other.form != "string":
                low = _lifted(number, other)
                if low < other.high:
                    item = Item(number.start, other.end, low, other.high, True, other)
                    at += 1
        yield item


def _lifted(left: Number, right: Number) -> float:
    """The left end of a range, in the unit of the right one when it has none of its own."""
    unit = right.unit
    if (
        right.form == "digits"
        and unit == 1
        and right.high >= 1000
        and right.high % 1000 == 0
        and left.high < 100
    ):
        unit = 1000  # 10~15k
    if unit >= 1000 and left.unit < unit and left.low * unit < right.high:
        return left.low * unit
    return left.low


def _classified(body: str, items: list[Item], numbers: bool) -> Iterator[Item]:
    """The items with their unit; what is no amount keeps None."""
    dated = [(a.start, a.end) for a in read_atoms(body)] if items else []
    previous_end = 0
    skip_to = 0
    for n, item in enumerate(items):
        if item.start < skip_to:
            continue
        of = OF.match(body, item.end)
        if of and n + 1 < len(items) and items[n + 1].start == of.end():
            _share(body, item, items[n + 1])
            item.rule = "share-of"
            skip_to = item.end
        elif item.number.form == "string" and len(body[item.start : item.end]) == 2:
            item.rule = "share" if _percent(body, item) else ""  # 八五折
        elif _money(body, item, previous_end):
            item.rule = "currency"
        elif _percent(body, item):
            item.rule = "share"
        else:
            item.dated = any(low <= item.start and item.end <= high for low, high in dated)
            if not item.dated:
                framed(body, item, previous_end, alone=not numbers)
        if item.unit is not None:
            item.approx = item.approx or bool(
                words.ABOUT_L.search(body, max(0, item.start - 6), item.start)
                or words.ABOUT_R.match(body, item.end)
            )
            role = role_of(body, item, previous_end)
            if item.unit not in ("%", "折") or role == "首付":
                item.role = role if role and item.role in ("", "单价") else item.role
            previous_end = item.end
        skip_to = max(skip_to, item.end)
        yield item


def _share(body: str, below: Item, above: Item) -> None:
    """百分之六, 千分之二; with a number of its own below (五分之一) it is a plain fraction."""
    named = body[below.start] not in "百佰千仟万"
    below.end = above.end
    below.approx = above.approx
    if named or below.low <= 0:
        return
    scale = 100 / below.low
    below.low, below.high, below.unit = (
        round(above.low * scale, 12),
        round(above.high * scale, 12),
        "%",
    )


def _money(body: str, item: Item, previous_end: int) -> bool:
    """Attach a currency before or after, and the coins behind it (五块三, 三元四分)."""
    if body[item.start] in "千万百" and item.end - item.start == 1 and not item.approx:
        return False
    left = body[max(0, item.start - 4) : item.start]
    sign = _SIGN_L.search(left)
    if sign and item.start - len(left) + sign.start() < previous_end:
        sign = None  # 10日元5日本钱: that 日元 belongs to the ten
    after = _CURRENCY.match(body, item.end)
    if after and not _no_money(body, item, after["code"], after.start("code")):
        item.unit = words.CODE[after["code"]]
        item.approx = item.approx or bool(after["more"])
        item.end = after.end()
        if not item.approx or item.low == item.high:
            _coins(body, item, kuai=after["code"] in ("块", "蚊", "块钱"))
            if item.unit == "CNY" and (named := _FOREIGN.match(body, item.end)):
                item.unit, item.end = words.CODE[named[0]], named.end()  # 四块八美金
        if body.startswith("钱", item.end):
            item.end += 1
        return True
    if sign:
        item.unit = words.SIGNS[sign["sign"]] if sign["sign"] else words.CODE[sign["code"]]
        item.start -= len(left) - sign.start()
        return True
    return _coin_alone(body, item)


def _coin_alone(body: str, item: Item) -> bool:
    """两毛五一个, 八分钱, 三分八一条: less than a yuan."""
    coin = _COIN.match(body, item.end)
    if coin is None or item.low >= 100 or words.JIAO_R.match(body, item.end):
        return False
    whole = item.start == 0 and coin.end() == len(body)
    framed = bool(words.STRONG_L.search(body[max(0, item.start - 12) : item.start]))
    tail = None if words.ONE_OF_R.match(body, coin.end()) else _TAIL.match(body, coin.end())
    end = tail.end() if tail and tail["n"] else coin.end()
    told = framed and bool(words.BOUND_R.match(body, coin.end()))
    money = (coin["more"] and not (coin["coin"] == "角" and not framed)) or (
        coin["coin"] == "分" and ((tail and tail["n"]) or told)
    )
    if not (coin["coin"] == "毛" or whole or money or words.ONE_OF_R.match(body, end)):
        return False
    scale = 0.01 if coin["coin"] == "分" else 0.1
    item.low, item.high, item.unit = round(item.low * scale, 4), round(item.high * scale, 4), "CNY"
    item.end = coin.end()
    if tail and tail["n"] and not coin["more"]:
        number = next(scan(tail["n"]))
        item.low = item.high = round(item.low + number.low * scale / 10, 4)
        item.end = tail.end()
    return True


def _no_money(body: str, item: Item, code: str, at: int) -> bool:
    if code == "块":
        left = body[max(0, item.start - 1) : item.start]
        alone = item.end - item.start == 1 and body[item.start] == "一"
        if words.KUAI_R.match(body, at) or words.KUAI_L.search(left):
            return True
        if words.PIECES_L.search(body[max(0, item.start - 3) : item.start]) and item.high < 100:
            counted = any(words.KUAI_R.match(body, m.start()) for m in re.finditer("块", body))
            if counted and not body.startswith("块钱", at):
                return True  # 五块板 坏了两块
        return alone and not re.match(r"块(?:钱|[一二三四五六七八九半\d])", body[at : at + 2])
    if code == "元":
        return bool(words.YUAN_R.match(body, at))
    return (
        code in ("刀", "欧")
        and not re.match(r"$|[,。 ]|可以|左右|能|以", body[at + 1 : at + 3])
        and not words.ONE_OF_R.match(body, at + 1)
    )


def _coins(body: str, item: Item, *, kuai: bool) -> None:
    found, last = False, 0.0
    while coin := _COINS.match(body, item.end):
        scale = 0.1 if coin["coin"] in "毛角" else 0.01
        number = next(scan(coin["n"]))
        item.low = item.high = round(item.low + number.low * scale, 4)
        item.end = coin.end()
        found = True
        last = scale
    if words.ONE_OF_R.match(body, item.end):
        return  # 两块八一盒
    if found and last == 0.1 and (tail := _TAIL.match(body, item.end)) and tail["n"]:
        number = next(scan(tail["n"]))  # 九块六毛五
        item.low = item.high = round(item.low + number.low / 100, 4)
        item.end = tail.end()
    if found or not kuai:
        return
    tail = _TAIL.match(body, item.end)
    if tail is None:
        return
    if tail["half"]:
        extra = 0.5
    else:
        number = next(scan(tail["n"]))
        extra = number.low / (100 if tail["zero"] or number.low >= 10 else 10)
    item.low = item.high = round(item.low + extra, 4)
    item.end = tail.end()


def _percent(body: str, item: Item) -> bool:
    after = _PERCENT.match(body, item.end)
    if after is None:
        return False
    scale, unit = 1.0, "%"
    if after["permille"]:
        scale = 0.1
    elif after["tenth"]:
        if item.high > 10 or words.CHENG_R.match(body, after.end()):
            return False
        scale = 10.0
    elif after["fold"]:
        if item.high == 10 or item.high > 100 or words.ZHE_R.match(body, after.end()):
            return False
        scale, unit = (10.0 if item.high < 10 else 1.0), "折"
    elif after["points"] and words.NOT_POINTS_R.match(body, after.end()):
        return False
    half = 5.0 if after["half"] else 0.0
    item.low, item.high = round(item.low * scale + half, 6), round(item.high * scale + half, 6)
    item.approx, item.unit, item.end = item.approx or bool(after["more"]), unit, after.end()
    return True


def _joined(body: str, taken: list[Item]) -> list[Item]:
    """五元六角-五元七毛八分: two sums of one currency with 到 between them are a range."""
    out: list[Item] = []
    for item in taken:
        last = out[-1] if out else None
        if (
            last
            and last.unit == item.unit
            and last.low == last.high <= item.low
            and _JOIN.fullmatch(body[last.end : item.start])
        ):
            out[-1] = replace(item, start=last.start, low=last.low, approx=True)
        else:
            out.append(item)
    return out
