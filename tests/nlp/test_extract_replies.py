"""Replies that correct a card, and texts that are none."""

from __future__ import annotations

from datetime import datetime

import pytest

from nlp.extract import build_extractor
from nlp.ports import Correction, KnownContact, World

NOW = datetime.fromisoformat("2026-11-23T09:40:00+08:00")
WORLD = World(
    customers=dict.fromkeys(
        [
            "恒基水泥有限公司",
            "汇通热力公司",
            "汇通快修",
            "驰远车灯有限公司",
            "致远教育",
            "康源药业有限公司",
        ],
        (),
    ),
    contacts={"恒基水泥有限公司": [KnownContact(name="王磊", role="采购经理")]},
    products=("电动闸板阀", "蝶阀", "球阀"),
)
extractor = build_extractor()


def read(text: str) -> Correction | None:
    made = extractor.correction(text, now=NOW, world=WORLD)
    if made is not None:
        assert text[slice(*made.span)] == made.text
    return made


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("不对 是下周三", "2026-12-02"),
        ("不对是下周三", "2026-12-02"),
        ("改成周四", "2026-11-26"),
        ("错了 十五号", "2026-12-15"),
        ("把时间改成月底", "2026-11-30"),
        ("日期不对 是周五", "2026-11-27"),
        ("推到下周五", "2026-12-04"),
    ],
)
def test_another_day(text: str, due: str) -> None:
    made = read(text)
    assert made is not None and made.field == "due"
    assert str(made.due) == due


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("金额 100万", 1_000_000),
        ("金额100万", 1_000_000),
        ("预算改成三十五万八", 358_000),
        ("单价是2300", 2300),
        ("错了是三十五万", 350_000),
    ],
)
def test_another_sum(text: str, amount: float) -> None:
    made = read(text)
    assert made is not None and (made.field, made.amount) == ("amount", amount)


@pytest.mark.parametrize(
    ("text", "name", "wrong"),
    [
        ("客户是驰远不是致远", "驰远车灯有限公司", "致远"),
        ("不是恒基 是康源", "康源药业有限公司", "恒基"),
        ("改成恒基", "恒基水泥有限公司", ""),
        ("不对 是迟远", "驰远车灯有限公司", ""),
        ("公司名错了 是汇通热力", "汇通热力公司", ""),
        ("客户是华新重工", "华新重工", ""),
    ],
)
def test_another_customer(text: str, name: str, wrong: str) -> None:
    made = read(text)
    assert made is not None and made.customer is not None
    assert (made.customer.name, made.wrong) == (name, wrong)


def test_an_ambiguous_customer_is_asked_about() -> None:
    made = read("不是恒基 是汇通")
    assert made is not None and made.customer is not None
    assert not made.customer.known
    assert set(made.customer.candidates) == {"汇通热力公司", "汇通快修"}


def test_another_contact() -> None:
    made = read("是李主任不是黎主任")
    assert made is not None and made.contact is not None
    assert (made.contact.name, made.contact.new, made.wrong) == ("李", True, "黎主任")
    known = read("不对 王磊")
    assert known is not None and known.contact is not None and not known.contact.new


def test_another_product_and_next_step() -> None:
    made = read("产品是蝶阀")
    assert made is not None and made.product is not None and made.product.name == "蝶阀"
    step = read("下一步是发样品")
    assert step is not None and (step.field, step.text) == ("next_step", "发样品")


@pytest.mark.parametrize(
    "text",
    [
        "不对", "帮助", "你好", "查 恒基", "今天去了恒基", "客户说太贵了", "待办", "", "。",
        "今天拜访恒基水泥赵经理 安全阀要四十个 不对 是三十个 他说下周二上会",
        "报价 恒基 电动闸板阀 15台 每台9800",
    ],
)  # fmt: skip
def test_what_corrects_nothing(text: str) -> None:
    assert read(text) is None
