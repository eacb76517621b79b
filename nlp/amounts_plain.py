"""Plain numbers, for ``find_amounts(numbers=True)``: counts, fractions, powers, dozens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from nlp import amounts_words as words
from nlp.numbers import Number, scan

OF: Final = re.compile(r"[ ]?分[ ]?之[ ]?负?")
_FORMULA: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+|\^[+-]*\d+)(?![\w.])")
_MIXED: Final = re.compile(
    r"(?<![\d/.])(?:(?P<whole>\d+) )?(?P<above>\d{1,4})/(?P<below>\d{1,4})(?![\d/])"
)


@dataclass(slots=True)
class Item:
    """A candidate in folded text: its number, and the unit once one is found."""

    start: int
    end: int
    low: float
    high: float
    approx: bool
    number: Number
    unit: str | None = None
    role: str = ""
    dated: bool = False  # inside words of a date
    rule: str = ""


def plain_numbers(body: str, items: list[Item], taken: list[Item]) -> list[Item]:
    """Numbers that are no amount: counts, fractions, powers, dozens."""
    blocked = [(item.start, item.end) for item in taken] + [
        m.span() for m in words.NOT_NUMBER.finditer(body)
    ]
    out: list[Item] = []

    def add(
        start: int, end: int, low: float, high: float, number: Number, *, approx: bool = False
    ) -> None:
        if not any(low_at < end and start < high_at for low_at, high_at in blocked):
            out.append(Item(start, end, low, high, approx, number))
            blocked.append((start, end))

    for m in _FORMULA.finditer(body):
        value = _formula(m[0])
        if value is not None:
            add(*m.span(), value, value, Number(*m.span(), value, value, False, 1, "digits"))
    for m in _MIXED.finditer(body):
        if int(m["below"]):
            value = float(m["whole"] or 0) + int(m["above"]) / int(m["below"])
            add(*m.span(), value, value, Number(*m.span(), value, value, False, 1, "digits"))
    _fractions(body, items, add)
    for number in scan(body):
        start, end, low, high = number.start, number.end, number.low, number.high
        if (
            start
            and body[start - 1] in "负-"
            and not (start > 1 and re.match(r"[\w负-]", body[start - 2]))
        ):
            start, low, high = start - 1, -high, -low
        if (
            end < len(body)
            and body[end] == "打"
            and not body.startswith(("打折", "打电", "打算"), end)
        ):
            end, low, high = end + 1, low * 12, high * 12
        if body[number.start : number.end] in ("万", "千", "百", "半", "几", "亿", "兆"):
            continue
        add(start, end, low, low if "几" in body[start:end] else high, number, approx=number.approx)
    return out


def _fractions(body: str, items: list[Item], add: object) -> None:
    numbers = list(scan(body))
    for n in range(len(numbers) - 1):
        below, above = numbers[n], numbers[n + 1]
        link = OF.fullmatch(body[below.end : above.start])
        if link is None or below.low <= 0:
            continue
        start, value = below.start, above.low / below.low
        whole = numbers[n - 1] if n else None
        if whole and re.fullmatch(r"[ ]?又[ ]?", body[whole.end : below.start]):
            start, value = whole.start, whole.low + value
        if start and body[start - 1] == "负":
            start -= 1
            value = value if body[above.start - 1] == "负" else -value
        add(start, above.end, value, value, above)  # type: ignore[operator]


def _formula(text: str) -> float | None:
    """2^-1, 1.1^+23, 12e+14; a sign before a power is outside it."""
    try:
        if "^" not in text:
            return float(text)
        base, _, power = text.partition("^")
        sign = -1.0 if base.startswith("-") else 1.0
        return sign * float(
            abs(float(base)) ** (int(power.lstrip("+-")) * (-1) ** power.count("-"))
        )
    except (OverflowError, ValueError, ZeroDivisionError):
        return None
