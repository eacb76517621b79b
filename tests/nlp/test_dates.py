"""The fields of a date hit, corrections, offsets; and what holds for any text at all."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.amounts import find_amounts
from nlp.dates import find_dates, seeded_calendar
from nlp.dates.festivals import FESTIVALS
from sales.calendar import YearList

NOW = datetime(2026, 3, 11, 10, 0, tzinfo=timezone(timedelta(hours=8)))
WORDS = [
    "周五", "下周三", "下周", "这周", "上周", "25号", "三月", "5号", "月底", "年底", "季度末",
    "Q2", "明天", "昨天", "后天", "下午", "三点", "半", "国庆", "春节", "五一", "年前", "年后",
    "三天", "两周", "半个月", "工作日", "个", "内", "之内", "前", "之前", "后", "以后", "到",
    "至", "-", "和", "之间", "不对", "是", "不是", "改成", "会", "收到", "给报价", "最后一周",
    "第二天", "腊月", "二十", "农历", "2026年", "2月29日", "31号", "12-31", "9999年", "0年",
    "1/2", "8:30", "过完", "过", "每", "今年", "去年", "预算", "三十五万八", "块", "元", "一台",
    "打", "折", "百分之", "千", "亿", "K", " ", ",", "，", "。", "的", "我", "他说",
]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(WORDS), max_size=12).map("".join))
MOMENTS = st.datetimes(min_value=datetime(2005, 1, 1), max_value=datetime(2090, 12, 31))


@given(TEXTS, MOMENTS)
def test_any_text(text: str, now: datetime) -> None:
    hits = find_dates(text, now)
    assert hits == find_dates(text, now)
    last = 0
    for hit in hits:
        start, end = hit.span
        assert last <= start < end <= len(text)
        assert text[start:end] == hit.text
        assert hit.due is None or (hit.due >= now.date() and not hit.past)
        assert hit.start is None or hit.end is None or hit.start <= hit.end
        assert hit.rule
        last = end


@given(TEXTS, st.booleans())
def test_any_text_for_amounts(text: str, numbers: bool) -> None:
    hits = find_amounts(text, numbers=numbers)
    assert hits == find_amounts(text, numbers=numbers)
    for hit in hits:
        start, end = hit.span
        assert 0 <= start < end <= len(text)
        assert text[start:end] == hit.text
        assert numbers or hit.unit is not None


def test_fields() -> None:
    [hit] = find_dates("我们下周三下午三点前给他", NOW)
    assert (hit.text, hit.span) == ("下周三下午三点前", (2, 10))
    assert (hit.start, hit.end, hit.due) == (None, date(2026, 3, 18), date(2026, 3, 18))
    assert (hit.clock, hit.certainty, hit.past) == ("15:00", "firm", False)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("3-5号出差", [date(2026, 4, 3), date(2026, 4, 5)]),
        ("28到3号出差", [date(2026, 3, 28), date(2026, 4, 3)]),
        ("25号至2号", [date(2026, 3, 25), date(2026, 4, 2)]),
        ("明年12月28-3号", [date(2027, 12, 28), date(2028, 1, 3)]),
        ("十一月二十五到三号", [date(2026, 11, 25), date(2026, 12, 3)]),
        ("5-1号交货", [date(2026, 5, 1), date(2026, 5, 1)]),
        ("2-30号", [date(2026, 4, 2), date(2026, 4, 30)]),
        ("3-1号楼", None),
        ("5到3号", None),
        ("13-1号", None),
    ],
)
def test_day_numbers_run_forward(text: str, window: list[date] | None) -> None:
    hits = find_dates(text, NOW.replace(month=4, day=1) if text.startswith("2-") else NOW)
    assert [[hit.start, hit.end] for hit in hits] == ([window] if window else [])


def test_past_days_are_read_and_never_due() -> None:
    [hit] = find_dates("上周三去过", NOW)
    assert (hit.start, hit.due, hit.past) == (date(2026, 3, 4), None, True)


@pytest.mark.parametrize(
    "text", ["这两天", "过两天", "明后天", "下周三四", "大概周五", "月底左右", "两三天内"]
)
def test_loose(text: str) -> None:
    assert [hit.certainty for hit in find_dates(text, NOW)] == ["loose"]


def test_corrections_keep_both_and_mark_the_first() -> None:
    first, second = find_dates("周五 不对 是下周一", NOW)
    assert (first.superseded, second.superseded) == (True, False)
    first, second = find_dates("周五给报价 下周一签合同", NOW)
    assert (first.superseded, second.superseded) == (False, False)


def test_offset_from_a_dated_event() -> None:
    _, hit = find_dates("他说周五上会 会后两天内给报价", NOW)
    assert (hit.text, hit.due) == ("两天内", date(2026, 3, 15))


def test_offset_from_an_undated_event_has_no_day() -> None:
    [hit] = find_dates("验收后30天内付款", NOW)
    assert (hit.due, hit.certainty, hit.rule) == (None, "loose", "offset-undated")


def test_years_without_a_list_are_provisional() -> None:
    now = datetime(2026, 12, 30, 9)
    [hit] = find_dates("三个工作日内", now)
    assert (hit.due, hit.provisional) == (date(2027, 1, 5), True)
    off = frozenset({date(2027, 1, 1), date(2027, 1, 4)})
    listed = seeded_calendar().with_year(2027, YearList(off, frozenset()))
    [hit] = find_dates("三个工作日内", now, calendar=listed)
    assert (hit.due, hit.provisional) == (date(2027, 1, 6), False)


def test_spaces_and_width_do_not_matter() -> None:
    [hit] = find_dates("２ 月 ２８ 号前", NOW)
    assert (hit.text, hit.due) == ("２ 月 ２８ 号前", date(2027, 2, 28))


@pytest.mark.parametrize("name", sorted(FESTIVALS))
def test_every_feast_is_found(name: str) -> None:
    [hit, *_] = find_dates(f"{name}前", NOW)
    assert hit.due is not None and hit.text.startswith(name)


def test_a_thousand_texts_a_second() -> None:
    text = (
        "今天拜访了恒基水泥的王磊经理,他们需要15台电动闸板阀,报价每台1.2万。他说交期要在30天以内,我答应下周三之前给他加急方案,预算三十五万八,月底签合同,国庆后发货。"
        * 2
    )
    find_dates(text, NOW), find_amounts(text)
    began = time.process_time()
    for _ in range(50):
        find_dates(text[:100], NOW)
        find_amounts(text[:100])
    assert time.process_time() - began < 0.5  # half the wanted speed, for slow machines


def test_two_digits_that_fall_are_no_pair_of_days() -> None:
    now = datetime.fromisoformat("2026-11-23T09:40:00+08:00")

    assert find_dates("八二号", now) == []
    [pair] = find_dates("三四号过去", now)
    assert (pair.start, pair.end) == (date(2026, 12, 3), date(2026, 12, 4))
