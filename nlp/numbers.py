"""Reading numbers as Chinese people say and write them, and the folding of text before reading.

Conventions (EXTRACTION section 3, steps 1 and 4):

- Digits, Chinese, formal (壹仟) and mixed (25万6千) numerals are one language.
- A single digit after a unit names the next unit down: 三十五万八 = 358,000, 两千三 = 2,300, but
  一百零五 = 105, because 零 says that places were skipped.
- Two neighbouring digits before a unit are a range: 五六十万 = 500,000 to 600,000.
- 几 is one to ten (几十万), or the open last place (十几 = 10 to 20).
- Digits read out one by one (二零一六, 一三八零零) are a string of digits.

All spans are half open and count characters of the text that was given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from sales.facts import Span

_TRADITIONAL: Final = (
    "禮礼週周號号點点個个後后兩两萬万億亿節节國国慶庆時时鐘钟間间內内這这過过開开圓圆幣币塊块錢钱"
    "對对負负幾几餘余雙双陸陆貳贰參叁勞劳動动兒儿聖圣誕诞婦妇軍军黨党師师晝昼聽听當当"
    "從从臺台單单價价"
    "報报預预總总歲岁農农曆历歷历陰阴陽阳舊旧臘腊應应該该說说錯错還还給给約约將将於于"
    "現现親亲復复東东樹树"
    "難难餅饼齋斋買买賣卖貨货訂订標标議议題题題题達达電电話话壽寿獎奖額额傢家讓让啟启"
    "夠够實实頭头為为與与"
    "來来們们無无沒没樓楼廠厂車车費费貴贵簽签約约結结進进關关發发倆俩權权贖赎龐庞爾尔"
    "猶犹衛卫歡欢銭钱後后準准備备產产當当優优減减資资財财務务際际紙纸營营業业導导辦办"
    "處处問问談谈試试驗验調调項项幫帮"
)
_FOLD: Final = {
    **{ord(a): b for a, b in zip(_TRADITIONAL[::2], _TRADITIONAL[1::2], strict=True)},
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    ord("￥"): "¥",
    ord("〇"): "零",
    ord("○"): "零",
    ord("　"): " ",
    ord("－"): "-",
    ord("—"): "-",
    ord("–"): "-",
    ord("−"): "-",
    ord("ー"): "-",
    ord("～"): "~",
}

_DIGITS: Final = {
    **dict(zip("零一二三四五六七八九", range(10), strict=True)),
    **dict(zip("壹贰叁肆伍陆柒捌玖", range(1, 10), strict=True)),
    "两": 2,
    "俩": 2,
    "幺": 1,
}
_SMALL: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_BIG: Final = {"万": 10**4, "亿": 10**8, "兆": 10**12}
_SUFFIX: Final = {"k": 10**3, "w": 10**4, "m": 10**6}

_D = "".join(_DIGITS)
_U = "".join((*_SMALL, *_BIG))
_ONE = _D.replace("两", "").replace("俩", "")  # what may stand behind the decimal point

# A space inside a number or between a number and its unit is a matter of typing; any other space
# is kept, since in recognised speech a pause is the only comma there is (二十万 三台).
_SPACE: Final = re.compile(
    rf"(?<=[0-9a-zA-Z%$¥])\s+(?=[年月日号点时分秒天周星礼个千万亿元块美欧港日%季小工成折])"
    rf"|(?<=[0-9])\s+(?=[kKmMwW](?![a-zA-Z]))"
    rf"|(?<=[年月])\s+(?=[0-9])"
    rf"|(?<=[{_U}])\s+(?=[{_D}]\s*[{_U}])"
    rf"|(?<=[{_D}{_U}])\s+(?=[万亿兆点折成又]|个\s*百|分\s*之)"
    rf"|(?<=[{_D}{_U}几])\s+(?=[十百千]*[几多余]?[万亿])(?!千万[别不要得记注小])"
    rf"|(?<=[百佰千仟万])\s+(?=分\s*之)|(?<=分)\s+(?=之)|(?<=[之又])\s+(?=[0-9负{_D}{_U}])"
    rf"|(?<=百)\s+(?=分点)|(?<=个)\s+(?=百)|(?<=[点])\s+(?=[{_D}])"
)
_COMMA: Final = re.compile(r"(?<=[0-9])，(?=[0-9])(?!\d{3}\.\d)")
_CJK_GAP: Final = re.compile(r"(?<=[一-鿿])\s+(?=[一-鿿])")
_CJK: Final = re.compile(r"[一-鿿]")


@dataclass(frozen=True, slots=True)
class Folded:
    """Text in simplified characters and half width; ``place`` leads each one back, None if same."""

    text: str
    place: tuple[int, ...] | None

    def span(self, start: int, end: int) -> Span:
        """The span in the original text of ``text[start:end]``, which must not be empty."""
        if self.place is None:
            return (start, end)
        return (self.place[start], self.place[end - 1] + 1)


def fold(text: str) -> Folded:
    """Fold width, script and the spaces that only typing put there; nothing else is touched."""
    # A full-width comma between half-width digits parts two numbers, unless decimals follow.
    folded = _COMMA.sub("、", text).translate(_FOLD)
    if " " not in folded and "\u00a0" not in folded and "\t" not in folded:
        return Folded(folded, None)
    gaps = _CJK_GAP.findall(folded)
    # 一 百 五 十 个: every character apart is a way of printing, not a row of pauses.
    dense = len(gaps) * 2 >= len(_CJK.findall(folded)) > 1
    drop = {at for m in _SPACE.finditer(folded) for at in range(*m.span())}
    if dense:
        drop |= {at for m in _CJK_GAP.finditer(folded) for at in range(*m.span())}
    if not drop:
        return Folded(folded, None)
    place = tuple(at for at in range(len(folded)) if at not in drop)
    return Folded("".join(folded[at] for at in place), place)


Form = Literal["digits", "chinese", "string"]


@dataclass(frozen=True, slots=True)
class Number:
    """One number or range in folded text.  ``unit`` is its last multiplier (万 = 10000), else 1.

    ``form`` is ``string`` for digits read out one by one: a year, a telephone, never a quantity.
    """

    start: int
    end: int
    low: float
    high: float
    approx: bool
    unit: int
    form: Form

    @property
    def value(self) -> float | tuple[float, float]:
        return self.low if self.low == self.high else (self.low, self.high)


_ASCII = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?(?!\.\d)|\d+|(?<![\w.])\.\d+"
_RUN: Final = re.compile(
    rf"(?:{_ASCII}|[{_D}{_U}几半]|数(?=[十百千万亿]))"
    rf"(?:{_ASCII}|[{_D}{_U}]|几(?![个天位次点家])|[多余来](?=[{_U}])|个半?(?=亿)|"
    rf"点(?=[{_ONE}])|半(?![年月天小个]))*"
    r"(?:[kKmMwW](?![a-zA-Z])(?:\d(?![\d.]))?)?"
)
_TOKEN: Final = re.compile(rf"{_ASCII}|[{_D}{_U}几数半多余来点个kKmMwW]")
_FRACTION: Final = re.compile(r"分之")


@dataclass(slots=True)
class _Sum:
    """A number under construction: whole groups, the group being read, and the digit in hand."""

    total: float = 0.0
    group: float = 0.0
    digit: float | None = None
    last_unit: int = 1
    floor: int = 10**9  # the smallest unit the present group has used
    zero: bool = False
    units: bool = False

    def small(self, unit: int) -> bool:
        if unit >= self.floor:
            return False
        if self.digit is None:
            if self.group and unit > 10:  # 一千零十二 is heard, 一千百 is not
                return False
            self.digit = 1
        if self.digit >= 1000 and unit < 1000:
            return False
        self.group += self.digit * unit
        self.digit, self.floor, self.last_unit, self.zero, self.units = (
            None,
            unit,
            unit,
            False,
            True,
        )
        return True

    def big(self, unit: int) -> bool:
        self.group += self.digit or 0
        if self.group == 0:
            if not self.total:
                return False
            self.total *= unit
        elif self.total and self.last_unit < unit and self.total < unit:
            self.total = (self.total + self.group) * unit
        else:
            self.total += self.group * unit
        self.group, self.digit, self.floor = 0.0, None, 10**9
        self.last_unit, self.zero, self.units = unit, False, True
        return True

    def put(self, digit: float) -> bool:
        if self.digit is not None:
            return False
        self.digit = digit
        return True

    def nought(self, *, alone: bool) -> bool:
        """零 holds a place; alone, or before a point, it is a value."""
        if self.digit is not None:
            return False
        self.zero = True
        if alone:
            self.digit = 0
        return True

    def open_place(self, side: int) -> bool:
        """几 in front is 1 to 10; behind a unit the last place is open (十几)."""
        if self.digit is not None:
            return False
        if self.group or self.total:
            self.group += (0, 10)[side] * (1 if self.zero else self.last_unit // 10)
        else:
            self.digit = (1, 10)[side]
        return True

    def half(self, *, after_unit_word: bool) -> bool:
        if self.digit is not None:
            if not after_unit_word:
                return False
            self.digit += 0.5  # 一个半亿
            return True
        if self.units:
            self.group += self.last_unit / 2
        else:
            self.digit = 0.5
        return True

    def scale(self, factor: int) -> bool:
        """6w, 2.5k; a digit behind it is elliptic as after 万: 6w5."""
        if self.digit is None or self.units:
            return False
        self.group, self.digit = self.digit * factor, None
        self.last_unit, self.units = factor, True
        return True

    def decimals(self, digits: str) -> bool:
        fraction = float(f"0.{digits}")
        if self.digit is None or self.floor < 10**9:
            self.group = self.close() - self.total + fraction
        else:
            self.digit += fraction
        return True

    def close(self) -> float:
        if self.digit is not None:
            elliptic = self.units and not self.zero and self.digit < 10
            self.group += self.digit * (self.last_unit // 10 if elliptic else 1)
            self.digit = None
        return self.total + self.group


def _digits(tokens: list[str]) -> list[str | tuple[int, int]] | None:
    """Join neighbouring Chinese digits: a range before a unit, else None for a plain string."""
    out: list[str | tuple[int, int]] = []
    at = 0
    while at < len(tokens):
        here = tokens[at]
        after = tokens[at + 1] if at + 1 < len(tokens) else ""
        if out and out[-1] == "点":  # decimals are read one by one
            decimals = ""
            while at < len(tokens) and tokens[at] in _DIGITS:
                decimals += str(_DIGITS[tokens[at]])
                at += 1
            out.append(decimals)
            continue
        if here in _DIGITS and after in _DIGITS and here != "零":
            low, high = _DIGITS[here], _DIGITS[after]
            if after == "零" or not (high == low + 1 or (low, high) == (3, 5)):
                return None
            out.append((low, high))
            at += 2
            if at < len(tokens) and tokens[at] in _DIGITS:
                return None
            continue
        out.append(here)
        at += 1
    return out


def _evaluate(tokens: list[str | tuple[int, int]], side: int) -> tuple[float, int] | None:
    """Value and last multiplier of *tokens*, taking the low (0) or high (1) end of ranges."""
    state = _Sum()
    for at, token in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else ""
        if at and tokens[at - 1] == "点":
            fits = state.decimals(str(token))
        elif isinstance(token, tuple):
            fits = state.put(token[side])
        elif token == "零":
            fits = state.nought(alone=len(tokens) == 1 or following == "点")
        elif token in _DIGITS:
            fits = state.put(_DIGITS[token])
        elif token in _SMALL:
            fits = state.small(_SMALL[token])
        elif token in _BIG:
            fits = state.big(_BIG[token])
        elif token in ("几", "数"):
            fits = state.open_place(side)
        elif token in ("多", "余", "来", "点", "个"):  # 个: 三个亿
            fits = state.units or state.digit is not None
        elif token == "半":
            fits = state.half(after_unit_word=at > 0 and tokens[at - 1] == "个")
        elif token.lower() in _SUFFIX:
            fits = state.scale(_SUFFIX[token.lower()])
        else:
            fits = state.put(float(token.replace(",", "")))
        if not fits:
            return None
    return state.close(), state.last_unit


def _parse(text: str) -> tuple[float, float, bool, int, Form] | None:
    """Low, high, approx, last multiplier and form of a whole folded numeral, or None."""
    tokens: list[str] = _TOKEN.findall(text)
    if not tokens or sum(map(len, tokens)) != len(text):
        return None
    plain = [token for token in tokens if token in _DIGITS]
    if len(plain) == len(tokens) >= 2:
        joined = _digits(tokens)
        if joined is None or len(tokens) != 2:
            value = float("".join(str(_DIGITS[token]) for token in plain))
            return value, value, False, 1, "string"
    marked = _digits(tokens)
    if marked is None:
        return None
    low, high = _evaluate(marked, 0), _evaluate(marked, 1)
    if low is None or high is None or not low[0] <= high[0] < math.inf:
        return None
    vague = low[0] != high[0] or any(token in ("多", "余", "来", "几", "数") for token in tokens)
    form: Form = "digits" if tokens[0][0].isdigit() or tokens[0][0] == "." else "chinese"
    return low[0], high[0], vague, low[1], form


_ENDS_IN_ONE: Final = ("统", "唯", "单")
# Nobody says or writes longer ones; trying every part of a long run takes the cube of its length.
_LONGEST_RUN: Final = 40
_LONGEST_PART: Final = 24  # of a run that is no number as a whole
_ADVERB_AFTER: Final = ("别", "不", "要", "得", "记", "注", "小")


def scan(text: str) -> Iterator[Number]:
    """All numerals of folded *text*, longest first at each place, left to right."""
    at = 0
    while m := _RUN.search(text, at):
        start, end = m.span()
        if end - start > _LONGEST_RUN:
            at = end
            continue
        if text[start] in _BIG:  # no number begins with 万: none of its parts need be tried
            at = start + 1
            continue
        if text[start] == "一" and end - start > 1 and text[start - 1 : start] in _ENDS_IN_ONE:
            start += 1  # 统一三万八
        if text.endswith("千万", start, end) and text[end : end + 1] in _ADVERB_AFTER:
            end -= 2  # 三百万 千万别报高了
            at = end
        while end > start:
            parsed = _parse(text[start:end])
            if parsed is not None:
                low, high, approx, unit, form = parsed
                yield Number(start, end, low, high, approx, unit, form)
                break
            end = min(end - 1, start + _LONGEST_PART)
        at = max(end, at, start + 1)


def read_number(text: str) -> float | None:
    """The number that the whole of *text* is, or None.  A range has no single number.

    >>> read_number("三十五万八"), read_number("一百零五"), read_number("负一又二分之一")
    (358000.0, 105.0, -1.5)
    """
    folded = fold(text.strip()).text
    sign = 1.0
    if folded[:1] in ("负", "-"):
        folded, sign = folded[1:], -1.0
    whole = 0.0
    if "又" in folded:
        left, _, folded = folded.partition("又")
        parsed = _parse(left)
        if parsed is None or "分之" not in folded:
            return None
        whole = parsed[0]
    if _FRACTION.search(folded):
        below, _, above = folded.partition("分之")
        low, high = _parse(below), _parse(above)
        if low is None or high is None or low[0] == 0:
            return None
        return sign * (whole + high[0] / low[0])
    parsed = _parse(folded)
    if parsed is None or parsed[0] != parsed[1]:
        return None
    return sign * parsed[0]
