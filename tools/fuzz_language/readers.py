"""What is fuzzed, and what must hold of every answer."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any, Final

from nlp.amounts import AmountHit, find_amounts
from nlp.dates import DateHit, find_dates
from nlp.extract.rules import RuleExtractor
from nlp.match import Hit, NameIndex
from nlp.ports import Correction, KnownContact, World
from sales.facts import MemoFacts, RecordFacts, Span

SLOW_S: Final = 1.0  # seconds of processor time for one input that are a failure

NOWS: Final = tuple(
    datetime.fromisoformat(one)
    for one in (
        "2026-11-23T09:40:00+08:00", "2026-12-31T23:59:59+08:00", "2028-02-29T12:00:00+08:00",
        "2026-02-16T08:00:00+08:00", "2025-07-31T00:00:00+08:00", "2027-01-01T07:30:00+00:00",
    )
)  # fmt: skip
WORLD: Final = World(
    customers={
        "恒基水泥有限公司": ("恒基",), "汇通热力公司": (), "汇通快修": (), "驰远车灯有限公司": (),
        "致远电子股份有限公司": (), "宝丰钢铁集团": (), "山泉饮料有限公司": (), "三一〇医院": (),
        "ABB电气(中国)有限公司": ("ABB",), "青禾市中心医院": ("中心医院",),
    },
    contacts={
        "恒基水泥有限公司": (KnownContact(name="王磊", role="采购经理"),),
        "汇通热力公司": (KnownContact(name="陈志", role="科长"),),
        "青禾市中心医院": (
            KnownContact(name="欧阳雪", role="主任"), KnownContact(name="", role=""),
        ),
    },
    products=(
        "电动闸板阀", "手动闸板阀", "蝶阀", "球阀", "流量计 DN80", "BS600 泡罩包装机", "悬吊DR X5",
    ),
    competitors=("国泰", "宏胜", "西门子"),
    corrections={"横鸡": "恒基水泥有限公司", "求发": "球阀", "国太": "国泰", "不存在": "没有这家"},
    colleagues=("李娜", "周凯"),
)  # fmt: skip


# One of everything: weekdays, edges, spans, feasts, lunar days, working days, sums, names by sound,
# people, models, both sides' promises, objections, corrections, commands.
_EVERYDAY: Final = (
    "今天拜访了恒基水泥的王磊经理，他们要15台电动闸板阀，报价每台1.2万，他嫌贵，我答应明天给他方案",
    "横鸡水泥那边说下周三之前回话 预算三十五万八 国泰报了八五折",
    "正月十五以后再谈 腊月二十之前打款 小年前后到货 闰六月初八开工",
    "国庆前发货 节后上班签合同 春节前回款 清明 端午 中秋各一批 冬至盘点",
    "母亲节搞活动 复活节前到港 双十一 618备货 元旦后验收 除夕放假",
    "三个工作日内给答复 两周内安装 月底前付清 三季度末结账 明年上半年再看 9999年12月31日",
    "上午去了汇通热力，陈科长拍板。下午见了青禾市中心医院的欧阳主任，让我们周五送样",
    "BS六百泡罩机要两台 三幺六L的球阀 DN八零 电话幺三八零零幺三八零零零",
    "不对 是下周三", "客户是致远不是驰远", "金额 100万", "把交期改成2026年腊月初八", "产品是蝶阀",
    "查 恒基", "订阅日报 每天早上九点", "谢谢 在吗", "ＤＮ８０ 下週三 兩萬塊 壹仟贰佰", "",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """``read`` gives an answer; ``check`` raises Wrong, or names what the answer holds."""

    share: int  # of all inputs, in relation to the other readers' shares
    read: Callable[[str, datetime], Any]
    check: Callable[[str, datetime, Any], Iterator[str]]


class Wrong(Exception):
    """An answer breaks a promise of its reader."""


def hold(promise: bool, words: str, *values: object) -> None:
    if not promise:
        raise Wrong(f"{words}: {' '.join(map(repr, values))}")


def _inside(text: str, span: Span) -> None:
    hold(0 <= span[0] < span[1] <= len(text), "span outside the text", span)


def _quoted(text: str, span: Span, said: str) -> None:
    _inside(text, span)
    hold(text[slice(*span)] == said, "not the words at its span", span, said)


def _apart(spans: Sequence[Span]) -> None:
    for one, other in pairwise(spans):
        hold(one[1] <= other[0], "out of order or overlapping", one, other)


def check_dates(text: str, now: datetime, hits: list[DateHit]) -> Iterator[str]:
    _apart([hit.span for hit in hits])
    for hit in hits:
        _quoted(text, hit.span, hit.text)
        whole = hit.start and hit.end and hit.start > hit.end
        hold(not whole, "a window ends before it starts", hit)
        yield f"{hit.rule}{' past' * hit.past}{' superseded' * hit.superseded}"


def check_amounts(text: str, now: datetime, hits: list[AmountHit]) -> Iterator[str]:
    _apart([hit.span for hit in hits])
    for hit in hits:
        _quoted(text, hit.span, hit.text)
        ends = hit.value if isinstance(hit.value, tuple) else (hit.value,)
        hold(all(map(math.isfinite, ends)), "no number", hit)
        yield f"{hit.unit} {hit.role}{' range' * (len(ends) - 1)}{' ~' * hit.approx}"


def check_names(text: str, now: datetime, hits: list[Hit]) -> Iterator[str]:
    _apart([hit.span for hit in hits])
    for hit in hits:
        _inside(text, hit.span)
        hold(bool(hit.names) and set(hit.names) <= set(WORLD.customers), "no name of the list", hit)
        yield f"{hit.exact} {hit.sure} {len(hit.names)} {hit.score:.1f}"


def check_facts(text: str, now: datetime, facts: MemoFacts) -> Iterator[str]:
    yield facts.kind
    hold(facts.kind == "memo" or not facts.records, "records without a memo", facts.kind)
    for rest in facts.unplaced:
        _quoted(text, rest.span, rest.text)
        yield "unplaced"
    for record in facts.records:
        yield from _check_record(text, now, record)


def _check_record(text: str, now: datetime, record: RecordFacts) -> Iterator[str]:
    if record.customer:
        _quoted(text, record.customer.span, record.customer.said)
        yield f"customer {record.customer.known} {len(record.customer.candidates)}"
    for product in record.products:
        _quoted(text, product.span, product.said)
        yield f"product {product.known}"
    for objection in record.objections:
        _quoted(text, objection.span, objection.text)
        yield objection.category
    for contact in record.contacts:
        _inside(text, contact.span)
        yield f"contact {contact.new} {contact.decision_maker}"
    for rival in record.competitors:
        _inside(text, rival.span)
        yield f"rival {rival.known}"
    for amount in record.amounts:
        _inside(text, amount.span)
        yield f"amount {amount.role}"
    for promise in record.commitments:
        _inside(text, promise.span)
        hold(promise.due is None or promise.due >= now.date(), "due before today", promise)
        if promise.due_span:
            _inside(text, promise.due_span)
        yield f"{promise.who} {promise.due is None} {promise.conditional} {promise.certainty}"


def check_correction(text: str, now: datetime, found: Correction | None) -> Iterator[str]:
    if found is None:
        yield "none"
        return
    _quoted(text, found.span, found.text)
    for fact in (found.customer, found.contact, found.product):
        if fact is not None:
            hold(fact.span == found.span, "the fact stands elsewhere", fact)
    yield f"{found.field}{' wrong' * bool(found.wrong)}"


@cache
def readers() -> dict[str, Reader]:
    """Every reader by name; their lists are indexed once."""
    extractor, index = RuleExtractor(), NameIndex(WORLD.customers)
    return {
        "dates": Reader(share=6, read=find_dates, check=check_dates),
        "amounts": Reader(share=4, read=lambda text, now: find_amounts(text), check=check_amounts),
        "numbers": Reader(
            share=4, read=lambda text, now: find_amounts(text, numbers=True), check=check_amounts
        ),
        "names": Reader(share=3, read=lambda text, now: index.find(text), check=check_names),
        "facts": Reader(
            share=6,
            read=lambda text, now: extractor.extract(text, now=now, world=WORLD),
            check=check_facts,
        ),
        "correction": Reader(
            share=3,
            read=lambda text, now: extractor.correction(text, now=now, world=WORLD),
            check=check_correction,
        ),
    }


@cache
def warm_up() -> None:
    """Let every reader load what it loads when first asked; that time is no slow input's."""
    for reader in readers().values():
        for text in _EVERYDAY:
            for now in NOWS:
                reader.read(text, now)


def probe(name: str, text: str, now: datetime, *, twice: bool = False) -> frozenset[str]:
    """Read *text* and check the answer; what it holds.  With *twice* it must come out again.

    Raises:
        Wrong: the answer breaks a promise; anything else is the reader's own failure.
    """
    reader = readers()[name]
    began = time.process_time()
    answer = reader.read(text, now)
    took = time.process_time() - began
    seen = frozenset(reader.check(text, now, answer))
    hold(took < SLOW_S, "slow", f"{took:.2f} s")
    hold(not twice or reader.read(text, now) == answer, "another answer the second time")
    return seen
