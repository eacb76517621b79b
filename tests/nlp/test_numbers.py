"""The number reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.numbers import fold, read_number, scan


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("三十五万八", 358000),
        ("一百零五", 105),
        ("一百五", 150),
        ("两千三", 2300),
        ("一千零十二", 1012),
        ("十", 10),
        ("百三", 130),
        ("半百", 50),
        ("半", 0.5),
        ("9万5", 95000),
        ("25万6千", 256000),
        ("1.2万", 12000),
        ("三点五万", 35000),
        ("82,225.00", 82225),
        ("40k", 40000),
        ("3w", 30000),
        ("三个亿", 300000000),
        ("三百五十一万亿", 351e12),
        ("壹百零壹萬壹千", 1011000),
        ("负一又二分之一", -1.5),
        ("二零一六", 2016),
        ("１０", 10),
        ("三万半", 35000),
    ],
)
def test_read_number(text: str, value: float) -> None:
    assert read_number(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "万", "五十千", "三五百", "几十万", "三台", "一二三十", "abc", "零分之一"]
)
def test_no_single_number(text: str) -> None:
    assert read_number(text) is None


def spoken(number: int) -> str:
    """The full reading of a number below 10^12, as a second opinion written the other way round."""
    if number == 0:
        return "零"
    groups, text, gap = [], "", False
    while number:
        number, group = divmod(number, 10000)
        groups.append(group)
    for at in range(len(groups) - 1, -1, -1):
        group = groups[at]
        if group == 0:
            gap = bool(text)
            continue
        if text and (gap or group < 1000):
            text += "零"
        zero, part = False, ""
        for digit, unit in zip(f"{group:04d}", ("千", "百", "十", ""), strict=True):
            if digit == "0":
                zero = bool(part)
                continue
            part += ("零" if zero else "") + "零一二三四五六七八九"[int(digit)] + unit
            zero = False
        text += part + ("", "万", "亿")[at]
        gap = False
    return text


@given(st.integers(min_value=0, max_value=10**12 - 1))
def test_every_full_reading_is_read_back(number: int) -> None:
    assert read_number(spoken(number)) == number


@given(
    st.text(
        alphabet="零一二两三四五六七八九十百千万亿点半几多 0123456789.,kw分之又负个", max_size=14
    )
)
def test_scan_stays_inside_and_in_order(text: str) -> None:
    folded = fold(text)
    last = 0
    for number in scan(folded.text):
        assert last <= number.start < number.end <= len(folded.text)
        assert number.low <= number.high
        start, end = folded.span(number.start, number.end)
        assert 0 <= start < end <= len(text)
        last = number.end
    read_number(text)
