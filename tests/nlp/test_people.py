"""People in talk: surname and title, role and name, and words that only look like them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.people import find_people


@pytest.mark.parametrize(
    ("text", "name", "role"),
    [
        ("恒基的王磊经理说", "王磊", "经理"),
        ("设备部黄工通完电话", "黄", "设备部工程师"),
        ("检验科高主任", "高", "检验科主任"),
        ("采购小顾", "小顾", "采购"),
        ("新来的叫沈丽华", "沈丽华", ""),
        ("仓储经理老崔聊了", "崔", "仓储经理"),
        ("运营总监Amy同意续", "Amy", "运营总监"),
        ("老板黎总说", "黎", "老板"),
        ("研发部的邱博士", "邱", "研发部博士"),
        ("校长江雪说", "江雪", "校长"),
        ("生产厂长宋强", "宋强", "生产厂长"),
        ("跟欧阳主任聊了", "欧阳", "主任"),
        ("设备部赵国栋说可以", "赵国栋", "设备部"),
        ("新经理姓韩", "韩", ""),
        ("闵护士长说", "闵", "护士长"),
    ],
)
def test_people(text: str, name: str, role: str) -> None:
    (person,) = find_people(text)
    assert (person.name, person.role) == (name, role)


@pytest.mark.parametrize(
    "text",
    [
        "周总结一下", "万元总价", "对方总监说", "高工资", "曾经理解过", "由于主任不在", "小时工", "老客户介绍",
        "最高价格", "这个老厂长", "车间主任说", "工程总量", "任何总价", "小程序", "老板娘说",
    ],
)  # fmt: skip
def test_words_that_are_no_people(text: str) -> None:
    assert find_people(text) == []


@given(st.text(alphabet="王李高方赵总经理工老小科长说的部设备 Amy，", max_size=30))
def test_spans_are_in_order_and_inside(text: str) -> None:
    last = 0
    for person in find_people(text):
        assert last <= person.span[0] < person.span[1] <= len(text)
        last = person.span[1]
