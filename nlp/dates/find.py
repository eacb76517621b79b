"""The pipeline from a text to its dates."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from nlp.dates.atoms import read_atoms
from nlp.dates.legal import seeded_calendar
from nlp.dates.model import DateHit, Phrase
from nlp.dates.offsets import read_offsets
from nlp.dates.phrases import apply_modifiers, group_atoms, join_ranges, merge_appositions
from nlp.dates.vetoes import bare_period, masks
from nlp.dates.windows import Context
from nlp.numbers import Folded, fold
from sales.calendar import WorkCalendar

_NOW: Final = re.compile(r"(?:现在|此时|此刻|当前|目前|眼下|马上|立刻|立即|即刻|依家|而家)")
# 今天拜访了, 上午去了: what was done today is not due today.
_DONE: Final = re.compile(
    r"[^,。;!?]{0,2}?(?:我们?|刚|就|已经|又|才|跟|和|先|在|去|"
    r"到)*[^,。;!? 要得会让请答应必须争取准备打算]{0,8}?"
    r"(?:了(?!解)|过(?![去来])|完(?![成整全]))|[^,。;!?]{0,2}没(?!问题)"
)
_STRONG: Final = re.compile(
    r"不对|说错|错了|口误|更正|纠正|搞错|记错|弄错|应该是|应当是|改成|改到|改为|改在|挪到|"
    r"推到|推迟到|延到|延期到|提前到|换成"
)
_WEAK: Final = re.compile(r"[ ,]*(?:哦|噢|喔|啊?不|呃不|不不|(?<!是)不是)[ ,]*(?:是)?[ ,]*")
_DENIED: Final = re.compile(r"(?<!是)(?:不是|并非)(?:说|在)?[ ]?$")


def correction_between(gap: str) -> bool:
    """Whether *gap*, the words between two values of one type, says the first was wrong."""
    if "。" in gap or len(gap) > 26:
        return False
    return bool(_WEAK.fullmatch(gap)) or bool(_STRONG.search(gap))


def denied_before(left: str, gap: str) -> bool:
    """不是周三 是周四: the first value is named only to be taken back."""
    return bool(_DENIED.search(left)) and bool(re.fullmatch(r"[ ,]*(?:而)?(?:应该)?是[ ]?", gap))


def find_dates(text: str, now: datetime, *, calendar: WorkCalendar | None = None) -> list[DateHit]:
    """Every time expression of *text*, in order, none overlapping.

    Args:
        text: as spoken or typed; spans refer to it as it is.
        now: when it was said; days are of its zone.
        calendar: the legal working days; the seeded table when not given.
    """
    folded = fold(text)
    ctx = Context(now, calendar or seeded_calendar())
    body = folded.text
    whole = _whole_now(folded, text, ctx)
    if whole:
        return whole
    masked = masks(body)
    atoms = [
        atom
        for atom in read_atoms(body)
        if not any(low <= atom.start < high for low, high in masked)
    ]
    if not atoms:
        return []
    phrases = group_atoms(body, atoms, ctx)
    phrases = merge_appositions(body, join_ranges(body, phrases, ctx), ctx)
    for phrase in phrases:
        apply_modifiers(body, phrase, ctx)
    phrases += read_offsets(body, atoms, phrases, ctx)
    phrases = sorted((p for p in phrases if p.atoms), key=lambda p: (p.start, -p.end))
    hits: list[DateHit] = []
    kept: list[Phrase] = []
    for phrase in phrases:
        if kept and phrase.start < kept[-1].end:
            continue
        kept.append(phrase)
        hits.append(_hit(phrase, folded, text, ctx))
    return _corrected(hits, kept, body)


def _whole_now(folded: Folded, text: str, ctx: Context) -> list[DateHit]:
    """现在 is a filler in talk; only as the whole phrase is it a time."""
    stripped = text.strip()
    if not _NOW.fullmatch(fold(stripped).text):
        return []
    at = text.index(stripped)
    span, today = (at, at + len(stripped)), ctx.today
    return [DateHit(span=span, text=stripped, start=today, end=today, due=today, rule="now")]


def _hit(phrase: Phrase, folded: Folded, text: str, ctx: Context) -> DateHit:
    window = phrase.window
    start, end = folded.span(phrase.start, phrase.end)
    due = window.due
    past = window.past or _gone(window.start, window.end, due, ctx.today)
    loose = window.loose
    if not past and due is not None:
        if _only_today(phrase) and _DONE.match(folded.text, phrase.end):
            past = True
        elif (
            window.rule == "year"
            and phrase.atoms[0].n == 0
            and bare_period(folded.text, phrase.end)
        ):
            due, loose = None, True
    return DateHit(
        span=(start, end),
        text=text[start:end],
        start=window.start,
        end=window.end,
        due=None if past else due,
        clock=window.clock,
        certainty="loose" if loose else "firm",
        provisional=window.provisional,
        rule=window.rule,
        past=past,
    )


def _gone(start: date | None, end: date | None, due: date | None, today: date) -> bool:
    last = due or end or start
    return last is not None and last < today


def _only_today(phrase: Phrase) -> bool:
    first = phrase.atoms[0]
    return first.kind in ("part", "clock") or (first.kind == "relday" and first.n == 0)


def _corrected(hits: list[DateHit], phrases: list[Phrase], body: str) -> list[DateHit]:
    """Mark what a correction took back.  An earlier hit falls when the next one replaces it."""
    for n in range(len(hits) - 1):
        gap = body[phrases[n].end : phrases[n + 1].start]
        left = body[max(0, phrases[n].start - 6) : phrases[n].start]
        if re.search(r"(?<!不)是$", left) and re.fullmatch(r"[ ,]*不是[ ]?", gap):
            hits[n + 1] = replace(hits[n + 1], superseded=True)  # 是周五不是周四
        elif correction_between(gap) or denied_before(left, gap):
            hits[n] = replace(hits[n], superseded=True)
    return hits
