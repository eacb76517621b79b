"""Next step and summary of one record, in the memo's own words (F7)."""

from __future__ import annotations

from collections.abc import Sequence

from nlp.extract.promises import Promise
from nlp.extract.scene import Scene
from sales.facts import CommitmentFact, RecordFacts

_SUMMARY_LINE = 60


def next_step(promises: list[Promise]) -> str:
    """Our earliest next action, else what we wait for, in the memo's words."""
    ours = [one for one in promises if one.fact.who == "us" and not one.fact.conditional]
    ours = ours or [one for one in promises if one.fact.who == "us"]
    if ours:
        return _step(min(ours, key=_when))
    theirs = [one for one in promises if one.fact.who == "customer"]
    return _step(min(theirs, key=_when)) if theirs else ""


def _when(one: Promise) -> tuple[bool, str]:
    fact: CommitmentFact = one.fact
    return fact.due is None, fact.due.isoformat() if fact.due else ""


def _step(one: Promise) -> str:
    return (one.due_text + one.fact.what).strip()


def summary(scene: Scene, record: RecordFacts, clauses: Sequence[int]) -> str:
    """Two lines at most, cut from the memo: what they want or hold against it, and what follows."""
    promised = [one.span for one in record.commitments]
    lines: list[str] = []
    first: list[str] = []
    weight = 0
    for number in clauses:
        clause = scene.clauses[number]
        if any(start < clause.end and clause.start < end for start, end in promised):
            continue
        text = scene.said(clause.span).strip(" ,，。、")
        if len(text) < 3 or (len(clauses) > 3 and not _tells(record, clause.span)):
            continue
        if weight + len(text) > _SUMMARY_LINE:
            continue
        first.append(text)
        weight += len(text) + 1
    if first:
        lines.append(" ".join(first))
    second: list[str] = []
    weight = 0
    for start, end in promised:
        text = scene.said((start, end)).strip(" ,，。、")
        if text not in second and weight + len(text) <= _SUMMARY_LINE:
            second.append(text)
            weight += len(text) + 1
    if second:
        lines.append(" ".join(second))
    return "\n".join(lines)


def _tells(record: RecordFacts, span: tuple[int, int]) -> bool:
    """Whether a clause carries a product, a sum, an objection or a rival."""
    places = [
        *(one.span for one in record.objections),
        *(one.span for one in record.products),
        *(one.span for one in record.amounts),
        *(one.span for one in record.competitors),
        *(one.span for one in record.contacts if one.decision_maker),
    ]
    return any(start < span[1] and span[0] < end for start, end in places)
