"""The sentences of the demonstration, with and without pauses, on every day of a week."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from nlp.extract import build_extractor
from nlp.ports import KnownContact, World
from sales.facts import MemoFacts

CUSTOMERS = [
    "恒基水泥有限公司",
    "青松制药股份有限公司",
    "汇通热力公司",
    "汇通快修",
    "宝丰钢铁集团",
    "金谷米业",
    "康源药业有限公司",
    "山泉饮料有限公司",
    "蓝海化工",
    "启明水务",
    "博远环保科技有限公司",
    "海纳机电",
    "星河造纸",
]
WORLD = World(
    customers=dict.fromkeys(CUSTOMERS, ()),
    contacts={"汇通热力公司": [KnownContact(name="陈志", role="科长")]},
    products=["电动闸板阀", "手动闸板阀", "隔膜阀", "减压阀", "安全阀", "球阀", "蝶阀", "止回阀"],
    competitors=("国泰", "宏胜"),
)
S1 = "今天拜访了恒基水泥的赵经理 电动闸板阀要十五台 报价每台一万二 他说交期太长 我答应下周二之前给他加急方案"
S2 = "刚跟青松制药的黄工通完电话 隔膜阀的材质证明他要原件 我后天寄给他 他说收到以后安排预付款八万六"
S3 = "汇通热力的陈科长说减压阀国泰便宜百分之十 让我们再降一点 我说最多让到每台两千三 他说周五给我回话"
S4 = "上午去了宝丰钢铁 安全阀要三十个 预算二十万 我明天发技术协议 下午去了山泉饮料 蝶阀要样品 我周五送过去"
S5 = "金谷米业的孙厂长说今年先不上了 明年三月再看 我月底再联系他"
S6 = "博远环保换了主任 新来的李主任拍板 球阀预算三十五万八 我下周三之前发报价"

extractor = build_extractor()
days = pytest.mark.parametrize("day", range(23, 30))
pauses = pytest.mark.parametrize("pauses", [True, False], ids=["pauses", "solid"])


def read(text: str, day: int, pauses: bool) -> tuple[MemoFacts, datetime]:
    now = datetime.fromisoformat(f"2026-11-{day}T09:40:00+08:00")
    text = text if pauses else text.replace(" ", "")
    facts = extractor.extract(text, now=now, world=WORLD)
    assert facts.kind == "memo"
    assert facts.unplaced == ()
    return facts, now


def weekday(now: datetime, number: int, *, weeks: int = 0) -> object:
    """Weekday *number* (Monday 0): of a later calendar week, or the next one from today."""
    monday = now.date() - timedelta(days=now.weekday())
    day = monday + timedelta(days=number, weeks=weeks)
    return day if weeks or day >= now.date() else day + timedelta(weeks=1)


@days
@pauses
def test_visit_with_price_objection_and_promise(day: int, pauses: bool) -> None:
    facts, now = read(S1, day, pauses)
    (record,) = facts.records
    assert record.customer and (record.customer.name, record.customer.known) == (
        "恒基水泥有限公司",
        True,
    )
    assert [(one.name, one.role, one.new) for one in record.contacts] == [("赵", "经理", True)]
    assert [one.name for one in record.products] == ["电动闸板阀"]
    assert [one.value for one in record.amounts] == [12000]
    assert [one.category for one in record.objections] == ["交期"]
    (promise,) = record.commitments
    assert (promise.who, promise.due) == ("us", weekday(now, 1, weeks=1))
    assert "加急方案" in promise.what
    assert record.next_step.endswith("加急方案")


@days
@pauses
def test_promises_of_both_sides(day: int, pauses: bool) -> None:
    facts, now = read(S2, day, pauses)
    (record,) = facts.records
    assert record.customer and record.customer.name == "青松制药股份有限公司"
    assert [one.name for one in record.contacts] == ["黄"]
    assert [one.name for one in record.products] == ["隔膜阀"]
    assert [one.value for one in record.amounts] == [86000]
    assert record.objections == ()
    ours, theirs = record.commitments
    assert (ours.who, ours.due) == ("us", now.date() + timedelta(days=2))
    assert "寄" in ours.what and "材质证明" in ours.what
    assert (theirs.who, theirs.due) == ("customer", None)
    assert "预付款" in theirs.what


@days
@pauses
def test_a_rivals_percentage_is_no_sum(day: int, pauses: bool) -> None:
    facts, now = read(S3, day, pauses)
    (record,) = facts.records
    assert record.customer and record.customer.name == "汇通热力公司"
    assert [(one.name, one.new) for one in record.contacts] == [("陈志", False)]
    assert [one.name for one in record.products] == ["减压阀"]
    assert [one.value for one in record.amounts] == [2300]
    assert [one.name for one in record.competitors] == ["国泰"]
    assert [one.category for one in record.objections] == ["价格"]
    assert [(one.who, one.due) for one in record.commitments] == [("customer", weekday(now, 4))]


@days
@pauses
def test_two_customers_in_one_memo(day: int, pauses: bool) -> None:
    facts, now = read(S4, day, pauses)
    first, second = facts.records
    assert first.customer and first.customer.name == "宝丰钢铁集团"
    assert [one.name for one in first.products] == ["安全阀"]
    assert [one.value for one in first.amounts] == [200000]
    assert [(one.who, one.due) for one in first.commitments] == [
        ("us", now.date() + timedelta(days=1))
    ]
    assert second.customer and second.customer.name == "山泉饮料有限公司"
    assert [one.name for one in second.products] == ["蝶阀"]
    assert second.amounts == ()
    assert [(one.who, one.due) for one in second.commitments] == [("us", weekday(now, 4))]
    assert "样品" in second.next_step


@days
@pauses
def test_a_deal_put_off(day: int, pauses: bool) -> None:
    facts, now = read(S5, day, pauses)
    (record,) = facts.records
    assert record.customer and record.customer.name == "金谷米业"
    assert [one.name for one in record.contacts] == ["孙"]
    assert [one.category for one in record.objections] == ["时机"]
    (promise,) = record.commitments
    assert promise.who == "us" and promise.due and promise.due.isoformat() == "2026-11-30"
    assert now.date() <= promise.due


@days
@pauses
def test_a_new_decision_maker(day: int, pauses: bool) -> None:
    facts, now = read(S6, day, pauses)
    (record,) = facts.records
    assert record.customer and record.customer.name == "博远环保科技有限公司"
    assert [(one.name, one.new, one.decision_maker) for one in record.contacts] == [
        ("李", True, True)
    ]
    assert [one.name for one in record.products] == ["球阀"]
    assert [one.value for one in record.amounts] == [358000]
    (promise,) = record.commitments
    assert (promise.who, promise.due) == ("us", weekday(now, 2, weeks=1))
    assert record.next_step == "下周三之前发报价"
