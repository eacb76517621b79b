"""Text that fits: the truncation rules of the message sheet, section 1."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.fit import (
    bare_name,
    cut,
    cut_bytes,
    fit,
    limit_rows,
    short_customer,
    split_text,
    with_old,
)
from handlers.cards.model import Row

LONG_NAME = "浙江省杭州市余杭区星河智能装备精密机械制造股份有限公司"

ATOMS = [
    *"星河科技报价单赵总下周三前发给客户采购经理，。；、 ｜·（）元万折07𠮷",
    *("1.5", "12", "98.4 万", "SP-20261120-007", "2026-12-31", "11-25 周三前", "有限公司", "\n"),
    *("👨\u200d👩\u200d👧", "🇨🇳", "e\u0301", "👍🏽", "葛\U000e0100"),
]
chinese = st.lists(st.sampled_from(ATOMS), max_size=60).map("".join)
anything = st.text(max_size=200) | chinese


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("上海星河科技有限公司", "星河科技"),
        ("星河科技（上海）有限公司", "星河科技"),
        ("浙江省杭州市海纳机电股份有限公司", "海纳机电"),
        ("三一集团股份有限公司", "三一"),
        ("深圳市博远教育集团有限公司", "博远教育"),
        ("北京有限公司", "北京"),  # never fewer than two characters
        ("启明医疗", "启明医疗"),
    ],
)
def test_a_name_loses_place_and_legal_form(name: str, short: str) -> None:
    assert bare_name(name) == short


def test_a_name_that_fits_is_left_alone() -> None:
    assert short_customer("上海星河科技有限公司", 10) == "上海星河科技有限公司"
    assert short_customer("上海星河科技有限公司", 6) == "星河科技"
    assert short_customer(LONG_NAME, 8) == "星河智能装备精…"


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        (f"{LONG_NAME}｜这样记对吗？", 26, "星河智能装备精密机械制造｜这样记对吗？"),
        ("星河科技精密 发报价 超2天", 11, "星河… 发报价 超2天"),
        ("折扣审批｜星河科技精密仪器装备 8.2 折", 16, "折扣审批｜星河科技… 8.2 折"),
        ("1.23 亿（待核）", 26, "1.23 亿（待核）"),
        ("交货期 2026-12-31 周四", 12, "交货期…"),  # the date does not fit: all of it goes
        ("9" * 40, 26, "…"),  # part of a number would be another number
    ],
)
def test_numbers_and_verbs_stay_names_go(text: str, limit: int, shown: str) -> None:
    assert fit(text, limit) == shown


@given(anything, st.integers(1, 60))
def test_fit_and_cut_never_exceed_the_limit(text: str, limit: int) -> None:
    assert len(fit(text, limit)) <= limit
    assert len(cut(text, limit)) <= limit
    assert len(short_customer(text, limit)) <= limit


@given(anything, st.integers(3, 200))
def test_cut_bytes_never_exceeds_the_limit(text: str, limit: int) -> None:
    assert len(cut_bytes(text, limit).encode()) <= limit


@given(chinese, st.integers(1, 60))
def test_a_run_of_digits_is_never_cut(text: str, limit: int) -> None:
    for shown in (fit(text, limit), cut(text, limit), cut_bytes(text, limit * 3)):
        assert set(re.findall(r"\d+", shown)) <= set(re.findall(r"\d+", text))


@given(chinese, st.integers(1, 60))
def test_nothing_that_is_drawn_as_one_character_is_cut(text: str, limit: int) -> None:
    for shown in (fit(text, limit), cut(text, limit)):
        assert "\ufffd" not in shown
        for at, one in enumerate(shown[:-1]):
            assert not (one == "\u200d" and shown[at + 1] == "…")
        body = shown.removesuffix("…")
        if body and shown != body and (at := text.find(body)) >= 0:
            after = text[at + len(body) : at + len(body) + 1]
            assert not (after and unicodedata.category(after).startswith("M"))


@given(st.text(max_size=30), st.integers(0, 40))
def test_short_text_stays_as_it_is(text: str, room: int) -> None:
    kept = " ".join(text.split())
    if all(unicodedata.category(one) not in ("Cc", "Cs") for one in kept):
        assert fit(kept, len(kept) + room) == kept


@given(anything.map(lambda text: text * 12), st.integers(64, 300))
def test_split_text_loses_nothing(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert all(len(part.encode()) <= limit for part in parts)
    joined = "".join(parts[:-1]) + re.sub(r"（\d+/\d+）$", "", parts[-1])
    same = re.sub(r"\s", "", joined)
    assert same == re.sub(r"\s", "", " ".join(split_text(text, 10**6)))


def test_a_long_text_says_how_many_messages_it_was() -> None:
    parts = split_text("\n".join(f"第 {n} 段：" + "说明" * 40 for n in range(20)), 2048)
    assert len(parts) == 3
    assert parts[-1].endswith("（3/3）")
    assert all(part.startswith("第 ") for part in parts)  # cut between paragraphs


def test_too_many_rows_end_in_a_count() -> None:
    rows = [Row(key="件", value=str(n)) for n in range(9)]
    shown = limit_rows(rows, 6, url="/today")
    assert len(shown) == 6
    assert (shown[-1].value, shown[-1].url) == ("还有 4 件，点开看", "/today")
    assert limit_rows(rows[:6], 6) == tuple(rows[:6])


@pytest.mark.parametrize(
    ("value", "old", "shown"),
    [
        ("11-25 周三前", "11-24 周二前", "11-25 周三前（原 11-24 周二前）"),
        ("12-02 周三 给他加急方案", "12-01 周二", "12-02 周三 给他加急方案（原 12-01）"),
        (
            "12-02 周三 寄电动闸板阀的材质证明原件",
            "12-01 周二",
            "12-02 周三 寄电动闸板阀的…（原 12-01）",
        ),
        ("11-25 周三 发报价", "11-24 周二 发报价", "11-25 周三 发报价（原 11-24 周二）"),
        ("方案报价", "", "方案报价"),
        ("9" * 24, "12-01 周二", "9" * 24),  # a number is never cut to make room
    ],
)
def test_an_old_value_is_told_where_there_is_room(value: str, old: str, shown: str) -> None:
    assert with_old(value, old, 26) == shown


@given(anything, anything, st.integers(6, 40))
def test_an_old_value_never_breaks_the_limit(value: str, old: str, limit: int) -> None:
    assert len(with_old(value, old, limit)) <= limit
