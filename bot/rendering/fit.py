"""Makes text fit, in one place (message sheet, section 1, 截短规则).

Lengths count Unicode characters unless a name says bytes (of UTF-8).  What may never be cut open:
a number with its unit, a date, an order number, an address, and anything that is drawn as one
character (combining marks, joined emoji).  Names give way first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from handlers.cards.model import Row

DOTS: Final = "…"
_ZWJ: Final = "\u200d"
_UNIT = (
    r"万亿|亿元|万元|千元|亿|万|元|块|％|%|折|天|家|件|单|台|套|个|次|人|"
    r"小时|分钟|分|秒|年|月|日|号|期|成|岁|米|吨|公斤"
)
_NUMBER = rf"[¥￥$+\-]?\d+(?:[.,:：/\-]\d+)*(?:\s?(?:{_UNIT}))*(?:\s?周[一二三四五六日天])?"
_SPOKEN = r"[〇零一二两三四五六七八九十百千万亿半]{2,}(?:元|块|折|天|号|日|月)?"
_WHOLE = re.compile(
    r"https?://[^\s，。；、）]+"
    r"|[A-Za-z]{1,8}(?:-[0-9A-Za-z]+)*-\d[0-9A-Za-z-]*"  # order numbers such as SP-20261120-007
    rf"|{_NUMBER}(?:\s?{_NUMBER})*"
    rf"|{_SPOKEN}"
)
_SEPARATOR = re.compile(r"[\s｜|·，。；、：:（）()“”「」→/,;]+")
_WEEKDAY = re.compile(r" ?周[一二三四五六日天]")
_OLD_FRAME: Final = len("（原 ）")
_LEAST_VALUE: Final = 14  # characters of a new value that stay, so that it still says what it is
_BREAKS: Final = " ｜|·，、；：:（(→/,;-"

_LEGAL = re.compile(
    r"(?:股份有限公司|有限责任公司|股份公司|有限公司|分公司|（?集团）?|公司)$"
)  # stripped from the end again and again
_COMPANY = re.compile(
    r"[\u3400-\u9fff\uf900-\ufaffA-Za-z0-9（）()·]{4,}(?:股份有限公司|有限责任公司|有限公司|集团)"
)
_BRACKETED = re.compile(r"[（(][\u4e00-\u9fff]{1,8}[）)]")
_PROVINCE = (
    "北京|上海|天津|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|"
    "海南|四川|贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_CITY = (
    "石家庄|呼和浩特|哈尔滨|乌鲁木齐|深圳|广州|苏州|杭州|南京|武汉|成都|西安|宁波|青岛|无锡|东莞|佛山|长沙|郑州|"
    "济南|合肥|福州|厦门|沈阳|大连|长春|太原|昆明|贵阳|南宁|南昌|海口|兰州|银川|西宁|拉萨|常州|嘉兴|绍兴|温州|"
    "金华|台州|泉州|烟台|潍坊|珠海|惠州|中山|南通|徐州|扬州|镇江|泰州|芜湖|洛阳|襄阳|宜昌|株洲|绵阳|唐山|保定"
)
_PLACE = re.compile(
    rf"^(?:中国)?(?:(?:{_PROVINCE})(?:省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区)?)?"
    rf"(?:(?:{_CITY})市?|[\u4e00-\u9fff]{{2,4}}?(?:市|自治州|地区))?(?:[\u4e00-\u9fff]{{1,3}}?(?:新区|区|县))?"
)


def clean(text: str, *, lines: bool = False) -> str:
    """No control characters, no half surrogates; white space as one space (*lines* are kept)."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        one if (one == "\n" and lines) or unicodedata.category(one) != "Cc" else " " for one in text
    )
    if lines:
        return "\n".join(" ".join(line.split()) for line in kept.split("\n")).strip()
    return " ".join(kept.split())


def bare_name(name: str) -> str:
    """A company's name without place and legal form; never fewer than two characters."""
    name = _keep_two(name, _BRACKETED.sub("", name))
    while (shorter := _keep_two(name, _LEGAL.sub("", name))) != name:
        name = shorter
    return _keep_two(name, _PLACE.sub("", name))


def short_customer(name: str, limit: int) -> str:
    """Rule 1: the name if it fits, else without place and legal form, else cut."""
    name = clean(name)
    if len(name) <= limit:
        return name
    return cut(bare_name(name), limit)


def cut(text: str, limit: int) -> str:
    """The beginning of *text*, ended by “…” when something was left out."""
    text = clean(text, lines=True)
    if len(text) <= limit:
        return text
    if limit <= 0:
        return ""
    return text[: _boundary(text, limit - 1)].rstrip(_BREAKS + "\n") + DOTS


def fit(text: str, limit: int) -> str:
    """One line of a card: numbers stay, company names lose their form, the longest words go."""
    text = clean(text)
    if len(text) <= limit:
        return text
    text = _COMPANY.sub(lambda found: bare_name(found[0]), text)
    if len(text) <= limit:
        return text
    return _shorten_words(text, limit) or cut(text, limit)


def cut_bytes(text: str, limit: int) -> str:
    """Like ``cut``, but *limit* counts bytes of UTF-8."""
    text = clean(text, lines=True)
    if len(text.encode()) <= limit:
        return text
    if limit < len(DOTS.encode()):
        return ""
    end = _fitting(text, 0, limit - len(DOTS.encode()))
    return text[: _boundary(text, end)].rstrip(_BREAKS + "\n") + DOTS


def split_text(text: str, limit: int = 2048) -> list[str]:
    """Rule 3: a plain text as messages of at most *limit* bytes; the last says “（2/2）”.

    Breaks at a line's end where it can, else at a sentence's end, else where nothing is cut open.
    """
    text = clean(text, lines=True)
    if len(text.encode()) <= limit:
        return [text]
    room = limit - 24  # for the longest “（123/123）”
    parts: list[str] = []
    start = 0
    while start < len(text):
        end = max(_fitting(text, start, room), start + 1)
        if end < len(text):
            end = _best_break(text, start, end)
        part = text[start:end].strip("\n ")
        if part:
            parts.append(part)
        start = end
    if len(parts) > 1:
        parts[-1] += f"（{len(parts)}/{len(parts)}）"
    return parts


def limit_rows(rows: Sequence[Row], limit: int, *, url: str = "") -> tuple[Row, ...]:
    """Rule 4: too many rows end in “还有 N 件，点开看”."""
    if len(rows) <= limit:
        return tuple(rows)
    left_out = len(rows) - limit + 1
    return (*rows[: limit - 1], Row(key="更多", value=f"还有 {left_out} 件，点开看", url=url))


def with_old(value: str, old: str, limit: int) -> str:
    """``新值（原 旧值）`` (G1).  First the old value is told shorter, then the new one."""
    value = fit(value, limit)
    if not old:
        return value
    old = clean(old)
    same_end = _before_same_end(old, value)
    for told in dict.fromkeys((old, same_end, _WEEKDAY.sub("", same_end))):
        if len(value) + len(told) + _OLD_FRAME <= limit:
            return f"{value}（原 {told}）"
    told = _WEEKDAY.sub("", same_end)
    shorter = fit(value, max(_LEAST_VALUE, limit - len(told) - _OLD_FRAME))
    told = fit(told, limit - len(shorter) - _OLD_FRAME)
    if not told.rstrip(DOTS) or not shorter.rstrip(DOTS):
        return value
    return f"{shorter}（原 {told}）"


def _before_same_end(old: str, value: str) -> str:
    """*old* without the last words that *value* ends in as well."""
    words, kept = value.split(" "), old.split(" ")
    while len(kept) > 1 and words and kept[-1] == words[-1]:
        kept.pop()
        words.pop()
    return " ".join(kept)


def _keep_two(name: str, shorter: str) -> str:
    return shorter if len(shorter) >= 2 else name


def _shorten_words(text: str, limit: int) -> str:
    """*text* with its longest words cut, numbers whole; '' when that is not enough."""
    pieces = list(_pieces(text))
    while (excess := sum(len(piece) for piece, _ in pieces) - limit) > 0:
        at = max(
            (n for n, (piece, word) in enumerate(pieces) if word and len(piece) > 3),
            key=lambda n: len(pieces[n][0]),
            default=None,
        )
        if at is None:
            return ""
        word = pieces[at][0]
        shorter = cut(word, max(len(word) - excess, 3))
        pieces[at] = (shorter, False)
        if len(shorter) >= len(word):
            return ""
    return "".join(piece for piece, _ in pieces)


def _pieces(text: str) -> Iterable[tuple[str, bool]]:
    """The text in pieces; True where a piece is a word that may be cut."""
    at = 0
    for found in _WHOLE.finditer(text):
        yield from _words(text[at : found.start()])
        yield found[0], False
        at = found.end()
    yield from _words(text[at:])


def _words(text: str) -> Iterable[tuple[str, bool]]:
    at = 0
    for found in _SEPARATOR.finditer(text):
        if found.start() > at:
            yield text[at : found.start()], True
        yield found[0], False
        at = found.end()
    if at < len(text):
        yield text[at:], True


def _boundary(text: str, end: int) -> int:
    """The last place at or before *end* where nothing is cut open."""
    moved = True
    while moved and 0 < end < len(text):
        moved = False
        for found in _WHOLE.finditer(text):
            if found.start() < end < found.end():
                end, moved = found.start(), True
                break
            if found.start() >= end:
                break
        while 0 < end < len(text) and _joined(text, end):
            end, moved = end - 1, True
    return end


def _best_break(text: str, start: int, end: int) -> int:
    """Where to end a message that holds text[start:end] and more follows."""
    line = text.rfind("\n", start + 1, end + 1)
    if line > start:
        return line + 1
    for mark in ("。", "；", "？", "！", ". ", "，"):
        sentence = text.rfind(mark, start + (end - start) // 2, end)
        if sentence > start:
            return sentence + len(mark)
    safe = _boundary(text, end)
    if safe > start:
        return safe
    while end > start + 1 and _joined(text, end):  # one unbroken thing longer than a message
        end -= 1
    return end


def _fitting(text: str, start: int, room: int) -> int:
    """The largest end so that text[start:end] takes at most *room* bytes."""
    end, used = start, 0
    while end < len(text):
        used += len(text[end].encode())
        if used > room:
            break
        end += 1
    return end


def _joined(text: str, at: int) -> bool:
    """Whether the characters on both sides of *at* are drawn as one."""
    before, after = text[at - 1], text[at]
    if unicodedata.category(after).startswith("M") or _ZWJ in (after, before):
        return True
    point = ord(after)
    if 0x1F3FB <= point <= 0x1F3FF or 0xE0020 <= point <= 0xE007F:  # skin tones, tag sequences
        return True
    if _is_flag_letter(after) and _is_flag_letter(before):
        first = at
        while first > 0 and _is_flag_letter(text[first - 1]):
            first -= 1
        return (at - first) % 2 == 1
    return False


def _is_flag_letter(one: str) -> bool:
    return 0x1F1E6 <= ord(one) <= 0x1F1FF
