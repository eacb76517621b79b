"""What the customer holds against it: a category and the clause that says so (F3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from nlp.extract import lexicon as lex
from nlp.extract.scene import Scene
from nlp.extract.signs import of_objection
from nlp.extract.voices import Voice
from nlp.learned import load
from sales.facts import ObjectionFact, Span

_N = r"[\d一二两三四五六七八九十百千万几]"

_SURELY_NOTHING = 0.97  # of a clause that is not worth reading with its neighbour
_SURE_ENOUGH = 0.5  # probability of any objection from which a clause counts


@dataclass(frozen=True, slots=True)
class _Felt:
    category: str
    clause: int
    span: Span


def find_objections(
    scene: Scene, voices: list[Voice], clause_numbers: list[int]
) -> list[ObjectionFact]:
    """Objections in the clauses of one customer, one per category, in spoken order."""
    felt = [
        *_felt_by_model(scene, voices, clause_numbers),
        *_gaps(scene, voices, clause_numbers),
        *_undercut(scene, voices, clause_numbers),
    ]
    merged: dict[str, list[_Felt]] = {}
    for one in felt:
        merged.setdefault(one.category, []).append(one)
    out = []
    for category, group in merged.items():
        span = _joined(scene, sorted(group, key=lambda one: one.span))
        out.append(ObjectionFact(category=category, text=scene.said(span), span=span))
    return sorted(out, key=lambda one: (one.span, one.category))


def _felt_by_model(scene: Scene, voices: list[Voice], numbers: list[int]) -> list[_Felt]:
    """What the model hears in each clause, and in each two neighbours where one alone says less."""
    model = load("objections")
    signs = {number: of_objection(scene, voices, number) for number in numbers}
    logits = {number: model.logits(found) for number, found in signs.items()}
    best: dict[int, tuple[float, str]] = {}
    nothing: dict[int, float] = {}  # how surely a clause alone says nothing

    def weigh(window: tuple[int, ...], summed: list[int]) -> float:
        scores = model.probabilities(summed)
        sure = 1.0 - scores.pop("")
        if sure >= _SURE_ENOUGH:
            category = max(scores, key=scores.__getitem__)
            for one in window:
                if sure > best.get(one, (0.0, ""))[0]:
                    best[one] = (sure, category)
        return 1.0 - sure

    for number in numbers:
        nothing[number] = weigh((number,), logits[number])
    for one, other in pairwise(numbers):
        if other == one + 1 and max(nothing[one], nothing[other]) < _SURELY_NOTHING:
            both = zip(
                logits[one], logits[other], model.logits(signs[one] & signs[other]), strict=True
            )
            weigh((one, other), [left + right - twice for left, right, twice in both])
    return [
        _Felt(category, number, scene.clauses[number].span)
        for number, (_, category) in sorted(best.items())
    ]


def _gaps(scene: Scene, voices: list[Voice], numbers: list[int]) -> list[_Felt]:
    """A demand and what we have instead: 交期要在30天以内 + 我们现在要45天; 一百八十度 + 我们一百五."""
    out: list[_Felt] = []
    for number, following in pairwise(numbers):
        if following != number + 1:
            continue
        first = scene.fixed[scene.clauses[number].start : scene.clauses[number].end]
        second = scene.fixed[scene.clauses[following].start : scene.clauses[following].end]
        if not re.match(
            rf"(?:可|但|而|但是|可是|可我|但我)?我们(?:的)?(?:现在|目前|这边|只能|最快|只有|才|标准|评估|排期|生产|最少|至少)*(?:要|做到|只能|是|到|最快|最多|耐|只有)?{_N}+",
            second,
        ):
            continue
        category = ""
        if (
            re.search(r"(?:必须|一定|要|得).{0,10}(?:上线|交付|到货|装好|交货|投产|完工)", first)
            and re.search(rf"{_N}+个?(?:天|周|月|礼拜|星期)", second)
        ) or re.search(
            rf"(?:交期|交货|供货|工期|到货).{{0,6}}(?:要|在|得|不能)?.{{0,6}}{_N}+(?:天|周|个月)",
            first,
        ):
            category = "交期"
        elif re.search(
            rf"(?:要求?|得|必须|需要).{{0,16}}{_N}+(?:度|公斤|兆帕|MPa|毫米|微米|转|吨|千瓦|伏|小时|万次|%|级)",
            first,
        ):
            category = "技术"
        if category:
            span = (scene.clauses[number].start, scene.clauses[following].end)
            out.append(_Felt(category, number, span))
    return out


def _undercut(scene: Scene, voices: list[Voice], numbers: list[int]) -> list[_Felt]:
    """A rival's sum held up to us: 宏图那边两块九."""
    out = []
    for number in numbers:
        clause = scene.clauses[number]
        text = scene.masked[clause.start : clause.end]
        if (
            voices[number].subject != "us"
            and re.search(
                rf"(?:{lex.RIVAL}+|隔壁|别家|别人家|别的(?:厂家?|供应商|牌子)|其他(?:厂家?|家|供应商)|另外?一家|同行|(?:现在|原来|目前)的?(?:供应商|厂家|牌子)|网上|市面上|市场价)[^{lex.MARKS}]{{0,6}}{lex.SUM}",
                text,
            )
            and not re.search(r"比我们(?:贵|高)", text)
        ):
            out.append(_Felt("价格", number, clause.span))
    return out


def _joined(scene: Scene, group: list[_Felt]) -> Span:
    """Neighbouring clauses of one objection as one quote; otherwise the first alone."""
    start, end = group[0].span
    last = group[0].clause
    for one in group[1:]:
        if one.clause <= last + 1 or one.span[0] <= end:
            end, last = max(end, one.span[1]), one.clause
    return start, end
