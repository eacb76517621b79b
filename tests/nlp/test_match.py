"""Names of a list in recognised speech."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.match import NameIndex
from nlp.pinyin import fold, readings, same, same_sound
from nlp.shortnames import short_forms
from nlp.text import clauses, normalise, stream

NAMES = [
    "恒基水泥有限公司",
    "安顺水泥厂",
    "汇通热力公司",
    "汇通快修",
    "理工大学附属中学",
    "理工大厦物业",
    "驰远车灯有限公司",
    "致远教育",
    "再见餐饮",
    "城西第二中学",
    "城西二小",
    "和平社区卫生服务中心",
    "和平饭店",
    "天天见便利店",
    "天天果园",
    "东湖区人民医院",
    "华东石油销售",
    "鑫瑞密封件厂",
    "永丰酒店",
    "金谷大酒店",
    "海纳机电",
]
index = NameIndex(NAMES)


def names(text: str) -> list[tuple[str, ...]]:
    return [hit.names for hit in index.find(text) if hit.sure]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("今天去了恒基水泥", "恒基水泥有限公司"),
        ("恒基那边说周五给答复", "恒基水泥有限公司"),
        ("理工附中的物理实验台丢了", "理工大学附属中学"),
        ("城西二中的唐老师", "城西第二中学"),
        ("和平社区卫生中心 心电图机五台", "和平社区卫生服务中心"),
        ("迟远车灯 SQE邹工反馈", "驰远车灯有限公司"),
        ("天天见便利 那个奶酪棒", "天天见便利店"),
        ("鑫瑞密封件研发部的邱博士", "鑫瑞密封件厂"),
        ("跟东湖人民医院的高主任谈了", "东湖区人民医院"),
        ("恒 基 水泥有限公司", "恒基水泥有限公司"),
        ("去了横机水泥", "恒基水泥有限公司"),
        ("金鼓大酒店要两台", "金谷大酒店"),
    ],
)
def test_short_and_misspelt_names(text: str, name: str) -> None:
    assert names(text) == [(name,)]


@pytest.mark.parametrize(
    "text",
    [
        "下次再见 谢谢观看",
        "把华东这边超过七天没动的商机列给我",
        "上海纳税人很多",
        "他们天天催我们发货",
        "世界和平是大家的愿望",
        "去了汇通快递寄样品",
        "今天没有拜访 在家写标书",
        "",
        "。",
    ],
)
def test_text_without_a_customer_stays_clean(text: str) -> None:
    assert names(text) == []


def test_a_tie_is_returned_as_a_tie() -> None:
    (hit,) = index.find("去了汇通")
    assert set(hit.names) == {"汇通热力公司", "汇通快修"}


def test_a_correction_comes_first() -> None:
    learned = index.learn({"恒机": "恒基", "持院": "驰远车灯有限公司", "甲": "没有的公司"})
    assert [hit.names for hit in index.find("持院催货", learned)] == [("驰远车灯有限公司",)]
    assert [hit.names for hit in index.find("恒机说行", learned)] == [("恒基水泥有限公司",)]


def test_a_given_short_name_counts() -> None:
    given_short = NameIndex({"江苏三叶机械有限公司": ["小三叶"]})
    assert [hit.names for hit in given_short.find("小三叶说要货")] == [("江苏三叶机械有限公司",)]


def test_twenty_thousand_names() -> None:
    rng = random.Random(3)
    heads = "恒金宝汇青博海蓝星康源山泉启明永丰远华盛达兴隆瑞祥鑫诚信德安泰和顺鸿宏伟天成联众迅捷优佳美惠新圣龙腾飞凯越"
    trades = [
        "水泥",
        "制药",
        "热力",
        "钢铁",
        "建材",
        "化工",
        "环保",
        "机电",
        "造纸",
        "饮料",
        "食品",
        "超市",
        "物流",
        "电子",
        "阀门",
        "包装",
    ]
    many = {"".join(rng.sample(heads, 3)) + rng.choice(trades) + "有限公司" for _ in range(21_000)}
    names = sorted(many)[:20_000]
    large = NameIndex([*names, "驰远车灯有限公司"])
    text = (
        "今天去了迟远车灯 SQE邹工反馈车灯支架毛刺超标 要八D报告 我们周五前给 他还说价格太高让我们再降一点"
        * 2
    )
    large.find(text)
    start = time.perf_counter()
    for _ in range(20):
        hits = large.find(text)
    assert (time.perf_counter() - start) / 20 < 0.1
    assert ("驰远车灯有限公司",) in [hit.names for hit in hits]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=8), st.text(max_size=60))
def test_any_list_and_any_text(given_names: list[str], text: str) -> None:
    found = NameIndex(given_names).find(text)
    assert found == NameIndex(given_names).find(text)
    last = 0
    for hit in found:
        assert last <= hit.span[0] < hit.span[1] <= len(text)
        assert set(hit.names) <= set(given_names)
        assert 0 < hit.score <= 1
        last = hit.span[1]


@given(st.text(max_size=60))
def test_normalising_keeps_places(text: str) -> None:
    assert len(normalise(text)) == len(text)
    heard = stream(text)
    assert len(heard.letters) == len(heard.at) == len(heard.gap)
    assert list(heard.at) == sorted(heard.at)
    last = 0
    for one in clauses(text):
        assert last <= one.start < one.end <= len(text)
        last = one.end


def test_sounds() -> None:
    assert same("迟", "驰") == 0.97
    assert same("南", "兰") == 0.9
    assert same("恒", "恒") == 1
    assert same("恒", "水") == 0
    assert same_sound("刑", "邢")
    assert not same_sound("刑", "邢伟")
    assert readings("长") == ("zhang", "chang")
    assert fold("zhang") == fold("zan")


def test_short_forms_of_registered_names() -> None:
    forms = {one.text for one in short_forms("恒基水泥有限公司")}
    assert {"恒基水泥有限公司", "恒基水泥", "恒基"} <= forms
    assert "水泥" not in forms
    assert "理工附中" not in {one.text for one in short_forms("理工大厦物业")}
    assert "城西二中" in {one.text for one in short_forms("城西第二中学")}
    assert "恒力" in {one.text for one in short_forms("上海恒力包装股份有限公司")}
