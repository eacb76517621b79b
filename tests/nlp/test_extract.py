"""The extractor on harder memos, kinds of text, names, and properties of whatever comes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.evaluate import read_rows
from nlp.evaluate.memos import score
from nlp.extract import build_extractor
from nlp.ports import KnownContact, World
from sales.facts import MemoFacts, RecordFacts

NOW = datetime.fromisoformat("2026-11-23T09:40:00+08:00")
WORLD = World(
    customers={
        "恒基水泥有限公司": (), "汇通热力公司": (), "汇通快修": (), "驰远车灯有限公司": (), "宝丰钢铁集团": (),
        "山泉饮料有限公司": (),
    },
    contacts={
        "恒基水泥有限公司": [KnownContact(name="王磊", role="采购经理")],
        "汇通热力公司": [KnownContact(name="陈志", role="科长")],
    },
    products=("电动闸板阀", "手动闸板阀", "蝶阀", "球阀", "安全阀", "流量计 DN80"),
    competitors=("国泰", "宏胜"),
    colleagues=("李娜", "周凯"),
)  # fmt: skip
extractor = build_extractor()


def read(text: str, world: World = WORLD) -> MemoFacts:
    return extractor.extract(text, now=NOW, world=world)


def only(text: str, world: World = WORLD) -> RecordFacts:
    facts = read(text, world)
    assert facts.kind == "memo", text
    assert len(facts.records) == 1, [one.customer for one in facts.records]
    return facts.records[0]


def name_of(text: str, world: World = WORLD) -> str | None:
    customer = only(text, world).customer
    return customer.name if customer else None


def test_harder_memos_stay_as_good_as_they_are() -> None:
    rows = read_rows(
        Path(__file__).with_name("test_extract_memos.jsonl").read_text("utf-8").splitlines()
    )
    table = score(rows)
    floors = {
        "customer": 0.97, "contacts": 0.95, "products": 0.90, "amounts": 0.95, "objections": 0.90,
        "who+due": 0.93, "commitments": 0.86, "competitors": 0.95,
    }  # fmt: skip
    low = {
        name: round(table.fields[name].f1, 3)
        for name, floor in floors.items()
        if table.fields[name].f1 < floor
    }
    assert not low, "\n".join(table.errors)
    assert table.dishonest == 0


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("把华东这边超过七天没动的商机列给我", "command"),
        ("查 恒基", "command"),
        ("恒基最近咋样", "command"),
        ("待办", "command"),
        ("帮助", "command"),
        ("今天有啥要跟的", "command"),
        ("推进 恒基 到报价", "command"),
        ("本月丢单前三", "command"),
        ("昨天为啥降了", "command"),
        ("阈值 触达 5天", "setting"),
        ("订阅日报", "setting"),
        ("只看华北", "setting"),
        ("节假日不发", "setting"),
        ("每天9:10", "setting"),
        ("你好", "chat"),
        ("今天没有拜访 在家写标书 谢谢观看 下次再见", "chat"),
        ("谢谢", "chat"),
        ("", "chat"),
        ("。。。", "chat"),
    ],
)
def test_what_is_no_memo_has_no_records(text: str, kind: str) -> None:
    facts = read(text)
    assert (facts.kind, facts.records) == (kind, ())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("恒基的王经理说周五签合同", "恒基水泥有限公司"),
        ("今天去了横基水泥 他们要蝶阀", "恒基水泥有限公司"),
        ("迟远车灯催货 我明天发", "驰远车灯有限公司"),
        ("汇通快修要两个球阀 我后天送过去", "汇通快修"),
        ("王磊说报价太高 我周三给新报价", "恒基水泥有限公司"),
        ("去了鼎盛重工 跟他们设备处谭处长谈了 要三台蝶阀", "鼎盛重工"),
        ("不是恒基 是宝丰钢铁 耿部长要安全阀 我周五报价", "宝丰钢铁集团"),
    ],
)
def test_customers_by_short_name_sound_contact_and_frame(text: str, name: str) -> None:
    assert name_of(text) == name


def test_a_tie_is_asked_about_not_guessed() -> None:
    customer = only("汇通的李经理说球阀要二十个 我明天报价").customer
    assert customer is not None
    assert (customer.known, customer.name) == (False, "汇通")
    assert set(customer.candidates) == {"汇通热力公司", "汇通快修"}


def test_a_contact_breaks_the_tie() -> None:
    assert name_of("汇通的陈科长说球阀要二十个 我明天报价") == "汇通热力公司"


def test_a_correction_learnt_before_is_used() -> None:
    world = World(customers=WORLD.customers, corrections={"持院": "驰远车灯有限公司"})
    assert name_of("持院说交期太长 我周五前给方案", world) == "驰远车灯有限公司"


def test_our_own_people_are_no_contacts() -> None:
    record = only("我和李娜一起去了恒基水泥 王经理说球阀可以 我让我们技术部的张工明天出图纸")
    assert [one.name for one in record.contacts] == ["王磊"]


def test_who_left_is_no_contact() -> None:
    record = only("恒基水泥的王经理离职了 现在是采购部的孟经理负责 他要蝶阀报价 我明天给")
    assert [(one.name, one.new) for one in record.contacts] == [("孟", True)]


def test_a_withdrawn_value_is_gone() -> None:
    record = only("宝丰钢铁要安全阀 预算二十万 不对 是三十万 我下周二报价 不对 是下周三")
    assert [one.value for one in record.amounts] == [300000]
    assert [str(one.due) for one in record.commitments] == ["2026-12-02"]


def test_a_demand_becomes_a_promise_when_accepted() -> None:
    asked = only("恒基水泥的王经理让我们周五前报价")
    agreed = only("恒基水泥的王经理让我们周五前报价 我答应了")
    assert asked.commitments == ()
    assert [(one.who, str(one.due)) for one in agreed.commitments] == [("us", "2026-11-27")]


@pytest.mark.parametrize(
    "text",
    [
        "恒基水泥的王经理不是嫌贵 就是想了解一下球阀",
        "恒基水泥的王经理说价格没问题 质量也满意",
        "恒基水泥的王经理没说贵 要了两个球阀",
    ],
)
def test_a_denied_objection_is_none(text: str) -> None:
    assert only(text).objections == ()


def test_a_conditional_plan_is_no_promise() -> None:
    record = only("恒基水泥的王经理说如果价格合适下周再签")
    assert all(one.conditional for one in record.commitments)


def test_a_spoken_model_is_the_catalogues() -> None:
    record = only("恒基水泥要DN八零的流量计两台 我明天发参数")
    assert [(one.name, one.known) for one in record.products] == [("流量计 DN80", True)]


def test_an_ambiguous_product_stays_as_spoken() -> None:
    record = only("恒基水泥的王经理要闸板阀 我明天报价")
    assert [(one.name, one.known) for one in record.products] == [("闸板阀", False)]


def test_bits_of_the_first_customer_go_back_to_it() -> None:
    facts = read(
        "上午去了恒基水泥 王磊要球阀报价 下午去了山泉饮料 蝶阀要样品 我周五送过去 对了 王磊还说交期不能超过三十天 我明天给他报价"
    )
    first, second = facts.records
    assert first.customer and first.customer.name == "恒基水泥有限公司"
    assert [str(one.due) for one in first.commitments] == ["2026-11-24"]
    assert [str(one.due) for one in second.commitments] == ["2026-11-27"]


def test_own_affairs_are_listed_not_dropped() -> None:
    facts = read(
        "上午去了恒基水泥 球阀要十个 我明天报价 下午去了山泉饮料 蝶阀要样品 我周五送过去 另外油卡没钱了要报销"
    )
    assert [one.text for one in facts.unplaced] == ["另外油卡没钱了要报销"]


def test_noise_of_the_recogniser_leaves_no_trace() -> None:
    record = only("恒基水泥的王经理要两个球阀 我明天报价 谢谢大家观看 请不吝点赞订阅")
    assert "观看" not in record.summary


def test_the_summary_has_only_words_of_the_memo() -> None:
    text = "恒基水泥的王经理说球阀太贵 我答应周五前给新报价"
    for line in only(text).summary.splitlines():
        assert all(piece in text for piece in line.split(" "))


def test_facts_survive_json() -> None:
    facts = read("恒基水泥的王经理说球阀太贵 报价每台一万二 我答应周五前给新报价")
    assert MemoFacts.from_dict(facts.to_dict()) == facts


def test_many_customers_do_not_slow_it_down() -> None:
    import time

    names = {
        f"{a}{b}{trade}有限公司": ()
        for a in "恒金宝汇青博海蓝星康源启永远华盛"
        for b in "达兴隆瑞祥鑫诚信德安泰和顺鸿宏伟"
        for trade in ("水泥", "机电", "食品", "制药", "环保")
    }
    world = World(customers={**names, **WORLD.customers})
    read("恒基水泥的王经理说球阀太贵", world)
    start = time.perf_counter()
    for _ in range(20):
        read("恒基水泥的王经理说球阀太贵 报价每台一万二 我答应周五前给新报价", world)
    assert (time.perf_counter() - start) / 20 < 0.1


pieces = st.lists(
    st.sampled_from(
        [
            "恒基水泥",
            "汇通",
            "的",
            "王经理",
            "陈科长",
            "说",
            "交期太长",
            "我",
            "答应",
            "下周二之前",
            "给他",
            "方案",
            "报价",
            "每台一万二",
            "不对",
            "是",
            "三十万",
            "国泰",
            "便宜",
            "百分之十",
            "让我们",
            "再降",
            "他",
            "周五",
            "回话",
            "球阀",
            "闸板阀",
            "要十五台",
            "。",
            "，",
            "今天",
            "去了",
            "谢谢观看",
            "老张",
            "小",
            "Amy",
            "ＡＢＣ",
            "１２",
            "个",
            "明天",
            "如果",
            "就",
            "签",
            "嫌",
            "不是",
            "拍板",
            "离职了",
            "山泉饮料",
            "下午",
            "\n",
            "😀",
            "呃",
            "第一家",
            "二十号",
            "预算",
            " ",
            "\u3000",
        ]
    ),
    max_size=40,
).map("".join)


def spans(facts: MemoFacts) -> list[tuple[int, int]]:
    out = [one.span for one in facts.unplaced]
    for record in facts.records:
        out += [record.customer.span] if record.customer else []
        for group in (
            record.contacts,
            record.products,
            record.amounts,
            record.objections,
            record.commitments,
            record.competitors,
        ):
            out += [one.span for one in group]
        out += [one.due_span for one in record.commitments if one.due_span]
    return out


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(pieces, st.text(max_size=80)))
def test_never_raises_and_every_span_is_honest(text: str) -> None:
    facts = read(text)
    assert facts == read(text)
    assert facts.kind == "memo" or facts.records == ()
    for start, end in spans(facts):
        assert 0 <= start < end <= len(text)
    for record in facts.records:
        if record.customer:
            assert text[slice(*record.customer.span)] == record.customer.said
        for objection in record.objections:
            assert text[slice(*objection.span)] == objection.text
        for product in record.products:
            assert text[slice(*product.span)] == product.said
    for one in facts.unplaced:
        assert text[slice(*one.span)] == one.text
    extractor.correction(text, now=NOW, world=WORLD)
