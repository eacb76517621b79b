"""Fuzz the readers of language: nothing they are given may raise, hang or be quoted wrongly.

    python -m tools.fuzz_language --inputs 1000000 [--seed N] [--processes K]

Inputs are mutated sentences of ``tools/language/data`` and fragments put together.  What made a
reader answer in a new way is kept and mutated further.  The same seed and number of processes give
the same inputs.  Exit status: 0 sound, 1 something failed (with the shortest text that still does).
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import os
import random
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any, Final

from nlp.amounts import AmountHit, find_amounts
from nlp.dates import DateHit, find_dates
from nlp.extract.rules import RuleExtractor
from nlp.match import Hit, NameIndex
from nlp.ports import Correction, KnownContact, World
from sales.facts import MemoFacts, RecordFacts, Span

ROOT: Final = Path(__file__).resolve().parents[1]
SLOW_S: Final = 1.0  # seconds of processor time for one input that are a failure
_HANGS_S: Final = 2.0  # after which a reader is interrupted
_LONGEST: Final = 2000  # characters; a spoken memo of five minutes has fewer
_ROUND: Final = 2000  # inputs handed to a process at once
_KEPT: Final = 4000  # texts kept for their behaviour
_SHRINK_S: Final = 20.0  # processor time spent on making a failing text shorter
_TOLD: Final = 20  # different failures that are shrunk and shown

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

_WORDS: Final = """
    今天 明天 后天 大后天 昨天 下周三 这周五 下下周 礼拜天 周末 月底 年底 月初 下个月 上个月
    二十号 31号 三十一号 二月三十号 2月29日 二月二十九 13月45日 闰六月初八 闰月 腊月二十九
    正月十五 除夕 国庆节前 中秋 春节后 元旦 清明 2026-11-23 2026/2/30 2026.1.1 99999年 零年一月
    9999年12月31日 0001年1月1日 二零二六年 一百年后 三万天以后 Q3 三季度 上半年 下午三点半
    25点61分 半夜十二点 48小时内 两个工作日 一个半月 三到五天 三五天内 十天半个月 周一到周五
    1号到3号到5号 会后两天内 到货后 春节前 之前 以后 内 左右 之间 到 至 - ~ — 前 后 三十五万
    35万 三十五万八 两千三 一千零五 十几 几十万 五六十万 三十 百 万 亿 兆 零 点 半 一点五 0.5 .5
    1,600 1，600 1.2.3 10-15万 10~15k 二十到三十万到四十万 6w5 3k 百分之十 百分之 万分之四
    五分之一 八五折 打对折 三成半 10% ‰ 5个点 块 元 毛 分 角 五块三 两毛五 美元 USD 日元 ¥ $ €
    HK$ 人民币 欧 刀 每台 一台 单价 总价 报价 预算 首付 台 套 个 吨 公斤 DN80 BS600 PLC X5
    一三八零零一三八零零零 13800138000 恒基 恒基水泥 横鸡 汇通 驰远 致远 国泰 国太 球阀 求发
    闸板阀 王经理 王磊 陈科长 欧阳主任 老张 小李 李娜 周凯 客户 他 她 他们 我 我们 说 要求 答应
    承诺 让我们 嫌 太贵 交期太长 担心 拍板 签合同 给他方案 发报价 回话 不对 不是 是 说错了
    应该是 改成 客户是 金额 交期 联系人 产品 下一步 把 而是 如果 就 但是 然后 另外 对了 第一家
    去了 拜访了 谢谢观看 查 待办 订阅日报 你好 呃 嗯 ， 。 、 ； ！ ？ : … “ ” （ ） ( ) 【 ， ,
    . ; ! ? / \\ | _ # @ & * + = % " ' 下週三 禮拜 三點 兩萬塊 壹仟贰佰 〇 ○ ㊀ ② ⅷ ½ ² ٣ ３５
    Ａ ＤＮ８０ ￥ ～ ß ﬁ İ ı ŉ ǰ ΐ 😀 👨‍👩‍👧 🇨🇳 é e\u0301 \u0301\u0302 \u200b \u200d \u2060
    \ufeff \u202e \ufffd \uffff \U0010ffff \x00 \x07 \x1b[0m \x7f \x85 \u2028 𠮷 𝟛
    https://a.b/c?d=1 a.b@c.cn Ⓟ Ⓓ null <b> {x} %s
"""
FRAGMENTS: Final = (
    *_WORDS.split(),
    " ", "  ", "\u3000", "\n", "\r\n", "\t", "\u00a0", "\u2003", "9" * 60, "0" * 40, "1." * 20,
    "1,000" * 12, "一" * 50, "零" * 50, "十百千万亿" * 8, "一二三四五六七八九" * 6, "点五" * 20,
    "万亿" * 20, "１２３" * 15, "的" * 40, " 的" * 30,
    "不对" * 20, "到" * 30, "下" * 30, "分之" * 20,
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


@cache
def seeds() -> tuple[str, ...]:
    """The sentences of the training data."""
    lines = [
        line
        for path in sorted((ROOT / "tools" / "language" / "data").glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    return tuple(
        row["text"] for line in lines if line.strip() and "text" in (row := json.loads(line))
    )


Mutation = Callable[[random.Random, str, str], str]  # a text and another one to take from
_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {ord(" "): 0x3000}
_CHANGES: Final[tuple[Callable[[str], str], ...]] = (
    str.upper, str.lower, str.title, str.swapcase,
    lambda text: text.translate(_FULL_WIDTH),
    lambda text: "".join(char for char in text if char.isalnum()),
    " ".join,
    lambda text: "".join(text.split()),
    lambda text: text[::-1],
)  # fmt: skip


def _cut(rng: random.Random, text: str) -> tuple[int, int]:
    """A short stretch of *text*, maybe empty."""
    start = rng.randint(0, len(text))
    return start, min(len(text), start + rng.choice((0, 1, 1, 2, 3, 5, 8, 13)))


def _splice(rng: random.Random, text: str, other: str) -> str:
    return text[: rng.randint(0, len(text))] + other[rng.randint(0, len(other)) :]


def _drop(rng: random.Random, text: str, other: str) -> str:
    start, end = _cut(rng, text)
    return text[:start] + text[end:]


def _double(rng: random.Random, text: str, other: str) -> str:
    start, end = _cut(rng, text)
    return text[:end] + text[start:end] * rng.choice((1, 1, 1, 2, 4)) + text[end:]


def _swap(rng: random.Random, text: str, other: str) -> str:
    a, b, c, d = sorted((*_cut(rng, text), *_cut(rng, text)))
    return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def _fragment(rng: random.Random, text: str, other: str) -> str:
    start, end = _cut(rng, text)
    end = rng.choice((start, end))
    return text[:start] + rng.choice(FRAGMENTS) + text[end:]


def _code_point(rng: random.Random, text: str, other: str) -> str:
    limit = rng.choice((0x80, 0x3000, 0xA000, 0x110000))
    code = rng.randrange(limit)
    place = rng.randint(0, len(text))
    letter = "" if 0xD800 <= code < 0xE000 else chr(code)  # a lone surrogate is no text
    return text[:place] + letter + text[place + rng.randint(0, 1) :]


def _change(rng: random.Random, text: str, other: str) -> str:
    start, end = (0, len(text)) if rng.random() < 0.5 else _cut(rng, text)
    return text[:start] + rng.choice(_CHANGES)(text[start:end]) + text[end:]


_MUTATIONS: Final[tuple[Mutation, ...]] = (
    _fragment, _fragment, _fragment, _splice, _drop, _double, _swap, _code_point, _change,
)  # fmt: skip


def mutated(rng: random.Random, kept: Sequence[str]) -> str:
    """A new text: mostly 5 to 60 characters, one in some hundreds a long repetition."""

    def piece() -> str:
        drawn = rng.random()
        if drawn < 0.3:
            return "".join(rng.choices(FRAGMENTS, k=rng.randint(1, 8)))
        text = rng.choice(kept) if kept and drawn < 0.6 else rng.choice(seeds())
        start = rng.randint(0, max(0, len(text) - 5))
        return text[start : start + rng.randint(5, 60)] if drawn < 0.98 else text

    text = piece()
    for _ in range(rng.choice((1, 1, 2, 2, 3, 5))):
        text = rng.choice(_MUTATIONS)(rng, text, piece())
    if text and rng.random() < 0.003:
        start, end = _cut(rng, text)
        unit = text[start:end] or text
        text = text[:start] + unit * (rng.randint(200, _LONGEST) // len(unit)) + text[end:]
    return text[:_LONGEST]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """``kind`` is the same for texts that fail in the same way."""

    reader: str
    now: datetime
    text: str
    kind: str
    words: str


@dataclass(slots=True)
class Report:
    """``slowest`` is seconds, reader, length and beginning of the text; ``new`` the texts kept."""

    inputs: int = 0
    failed: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)  # the first of each kind
    seen: set[str] = field(default_factory=set)
    new: list[str] = field(default_factory=list)
    slowest: list[tuple[float, str, int, str]] = field(default_factory=list)

    def add(self, other: Report) -> None:
        self.inputs += other.inputs
        self.failed += other.failed
        self.failures = {**other.failures, **self.failures}
        self.seen |= other.seen
        self.new = (self.new + other.new)[-_KEPT:]
        self.slowest = heapq.nlargest(10, self.slowest + other.slowest)


@contextmanager
def _alarm() -> Iterator[Callable[[float], object]]:
    """Gives what sets the processor time left, 0 for no limit; where there are such timers."""
    if not hasattr(signal, "setitimer"):
        yield lambda seconds: None
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise Wrong(f"slow: stopped after {_HANGS_S:.0f} s")

    before = signal.signal(signal.SIGVTALRM, ring)
    try:
        yield lambda seconds: signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def failure_of(
    name: str, text: str, now: datetime, limit: Callable[[float], object], *, twice: bool = True
) -> Failure | frozenset[str]:
    """What *text* does to a reader: how it fails, or what its answer holds."""
    try:
        limit(_HANGS_S)
        return probe(name, text, now, twice=twice)
    except Exception as error:
        frames = [
            one for one in traceback.extract_tb(error.__traceback__) if str(ROOT) in one.filename
        ]
        place = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else ""
        about = str(error).partition(":")[0] if isinstance(error, Wrong) else place
        kind = f"{name} {type(error).__name__} {about}"
        return Failure(reader=name, now=now, text=text, kind=kind, words=f"{error} ({place})")
    finally:
        limit(0)


def shrunk(failure: Failure, limit: Callable[[float], object]) -> Failure:
    """The failure with as little text as still fails in the same way."""
    best, size, end = failure, max(1, len(failure.text) // 2), time.process_time() + _SHRINK_S
    while size and time.process_time() < end:
        place, smaller = 0, False
        while place < len(best.text) and time.process_time() < end:
            text = best.text[:place] + best.text[place + size :]
            again = failure_of(best.reader, text, best.now, limit)
            if isinstance(again, Failure) and again.kind == best.kind:
                best, smaller = again, True
            else:
                place += size
        if not smaller or size > 1:
            size //= 2
    return best


def hunt(seed: str, inputs: int, kept: Sequence[str] = ()) -> Report:
    """Try *inputs* mutations that follow from *seed* and *kept*, in this process."""
    rng, report = random.Random(seed), Report()
    names = list(readers())
    shares = [one.share for one in readers().values()]
    pool = list(kept)
    with _alarm() as limit:
        for name in names:  # tables load when first asked for; that is no slow input
            readers()[name].read("恒基的王经理说下周三前报三十五万八太贵", NOWS[0])
        for _ in range(inputs):
            [name] = rng.choices(names, shares)
            text, now, twice = mutated(rng, pool), rng.choice(NOWS), rng.random() < 0.05
            began = time.process_time()
            found = failure_of(name, text, now, limit, twice=twice)
            took = time.process_time() - began
            report.inputs += 1
            if len(report.slowest) < 10 or took > report.slowest[-1][0]:
                report.slowest = heapq.nlargest(
                    10, [*report.slowest, (took, name, len(text), text[:40])]
                )
            if isinstance(found, Failure):
                report.failed += 1
                if found.kind not in report.failures and len(report.failures) < _TOLD:
                    report.failures[found.kind] = shrunk(found, limit)
                continue
            behaviour = f"{name}: {'; '.join(sorted(found))}"
            if behaviour not in report.seen:
                report.seen.add(behaviour)
                report.new.append(text)
                pool.append(text)
    return report


def run(inputs: int, *, seed: int, processes: int, say: Callable[[str], None]) -> Report:
    """Hunt in rounds on several processes; a round builds on what earlier ones have kept."""
    whole, began, told = Report(), time.monotonic(), time.monotonic()
    waiting: deque[Future[Report]] = deque()
    given = number = 0
    with ProcessPoolExecutor(processes) as workers:
        while given < inputs or waiting:
            while given < inputs and len(waiting) < 2 * processes:
                size = min(_ROUND, inputs - given)
                waiting.append(workers.submit(hunt, f"{seed}/{number}", size, tuple(whole.new)))
                given, number = given + size, number + 1
            if wait([waiting[0]], timeout=1).done:
                done = waiting.popleft().result()
                fresh = done.seen - whole.seen
                done.new = done.new if fresh else []
                whole.add(done)
            if time.monotonic() - told >= 5:
                told = time.monotonic()
                say(_line(whole, told - began))
    say(_line(whole, time.monotonic() - began))
    return whole


def _line(report: Report, seconds: float) -> str:
    return (
        f"{report.inputs} inputs in {seconds:.0f} s, {report.inputs / seconds:.0f} inputs/s, "
        f"{report.failed} failures, {len(report.seen)} behaviours seen"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz_language", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    report = run(args.inputs, seed=args.seed, processes=args.processes, say=say)
    print("slowest:")
    for took, name, length, text in report.slowest:
        print(f"  {took * 1000:.0f} ms {name}, {length} characters: {text!r}")
    for one in report.failures.values():
        print(f"!! {one.kind}: {one.words}\n   now={one.now.isoformat()} text={one.text!r}")
    print(lines[-1])
    return 1 if report.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
