"""A memo as its page shows it: fields beside the words they came from (G2)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from handlers.cards import words
from sales import money
from sales.drafts import Draft, Edit, as_number
from sales.facts import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """``number`` ties it to the pieces of the transcript; ``old`` was replaced by a correction."""

    number: int
    key: str
    value: str
    old: str = ""
    said: str = ""  # the correction's own words
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of the transcript.  ``fields`` came from it; a segment of the sound begins here."""

    text: str
    fields: str = ""  # numbers, separated by spaces
    start_s: float | None = None


def fields_of(draft: Draft, customer: str, first_number: int) -> list[Field]:
    """Every field of one record, numbered from *first_number*."""
    return [
        Field(number=first_number + n, **made) for n, made in enumerate(_fields(draft, customer))
    ]


def pieces(
    text: str, fields: Sequence[Field], segments: Sequence[dict[str, Any]] = ()
) -> list[Piece]:
    """*text* cut where a field's words or a segment of the sound begin or end."""
    starts = _segment_starts(text, segments)
    spans = [
        (max(0, start), min(len(text), end), field.number)
        for field in fields
        for start, end in field.spans
        if start < end <= len(text)
    ]
    edges = sorted({0, len(text), *starts, *(e for s in spans for e in s[:2])})
    return [
        Piece(
            text=text[start:end],
            fields=" ".join(
                dict.fromkeys(str(number) for s, e, number in spans if s <= start and end <= e)
            ),
            start_s=starts.get(start),
        )
        for start, end in itertools.pairwise(edges)
    ]


def _segment_starts(text: str, segments: Sequence[dict[str, Any]]) -> dict[int, float]:
    """Where each segment of the sound begins in the text."""
    found: dict[int, float] = {}
    at = 0
    for segment in segments:
        said = str(segment.get("text", "")).strip()
        place = text.find(said, at) if said else -1
        if place >= 0:
            found[place] = float(segment.get("start_s", 0))
            at = place + len(said)
    return found


def _fields(draft: Draft, customer: str) -> Iterator[dict[str, Any]]:
    facts = draft.facts
    said = facts.customer
    if said or customer:
        value = customer or (f"{said.name}（名单里没有）" if said else "")
        yield _field("客户", value, draft.edit_of("customer"), said.span if said else None)
    for n, amount in enumerate(facts.amounts):
        edit = draft.edit_of(f"amounts.{n}")
        yield _field("金额", words.amount(amount), edit, amount.span, old=_old_sum(edit))
    for n, promise in enumerate(facts.commitments):
        edit = draft.edit_of(f"commitments.{n}.due")
        when = f"{words.day(promise.due)} " if promise.due else ""
        loose = (
            "（待核）"
            if promise.due and (promise.certainty == "loose" or promise.provisional)
            else ""
        )
        condition = "（有条件）" if promise.conditional else ""
        key = "我方答应" if promise.who == "us" else "对方答应"
        old = words.day(date.fromisoformat(edit.old)) if edit and edit.old else ""
        yield _field(
            key,
            f"{when}{loose}{promise.what}{condition}",
            edit,
            promise.span,
            *([promise.due_span] if promise.due_span else []),
            old=old,
        )
    for objection in facts.objections:
        yield _field("异议", f"{objection.category}：{objection.text}", None, objection.span)
    for n, contact in enumerate(facts.contacts):
        named = f"{contact.name}（{contact.role}）" if contact.role else contact.name
        key = "决策人" if contact.decision_maker else "联系人"
        edit = draft.edit_of(f"contacts.{n}")
        yield _field(key, named + ("，新" if contact.new else ""), edit, contact.span)
    for n, product in enumerate(facts.products):
        yield _field("产品", product.name, draft.edit_of(f"products.{n}"), product.span)
    for rival in facts.competitors:
        yield _field("竞品", rival.name, None, rival.span)
    if draft.follow_up:
        yield _field("跟进", words.day(draft.follow_up), None)


def _field(
    key: str, value: str, edit: Edit | None, *spans: Span | None, old: str | None = None
) -> dict[str, Any]:
    return {
        "key": key,
        "value": value,
        "old": (edit.old if edit else "") if old is None else old,
        "said": edit.said if edit else "",
        "spans": tuple(span for span in spans if span and span[0] < span[1]),
    }


def _old_sum(edit: Edit | None) -> str:
    if edit is None or not edit.old:
        return ""
    value = as_number(edit.old)
    return money.short(value) if value is not None else edit.old
