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
from nlp.dates.windows import Context, plus
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
    r"不对|说错|错了|看错|讲错|打错|写错|念错|听错|说反|记反|搞反|口误|更正|纠正|搞错|记错|弄错|应该是|应当是|改成|改到|改为|改在|挪到|"
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
    return _corrected(_same_day(hits, kept, body), kept, body)


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
    if not window.past and _was_over(phrase, folded.text):
        window.start, window.end = _rolled_back(phrase)
        window.past, window.rule = True, window.rule + "-told"
    due = window.due
    past = window.past or _gone(window.start, window.end, due, ctx.today)
    loose = window.loose
    if not past and due is not None:
        if _only_today(phrase) and _DONE.match(folded.text, phrase.end):
            past = True
        elif window.grain in ("year", "half", "quarter", "month") and bare_period(
            folded.text, phrase.end, topic=window.rule == "year" and phrase.atoms[0].n == 0
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


_TELLS: Final = "签买装发谈交订下送付吊丢报降打提欠收见来去到建供出批停拖压定换修坏开办弄量查问聊做拿要租拆测试教"
# 三月份签的合同, 十月二十号送的, 元旦那会儿: the words behind tell that it is over.
_WAS: Final = re.compile(
    r"(?:那(?:会儿|次|回|批|阵子?|一?单)|(?:我们|他们|咱们|我|他|她|人家|就|刚|才|已经|只|又|也|从[^ ,。]{1,4}|在[^ ,。]{1,4})*"
    rf"[^ ,。;!?要得会让请给把必须]{{0,2}}?[{_TELLS}](?:[\u4e00-\u9fff])?(?:的(?!时候|话|是|[上下]午)|过(?![来去])|了(?!解|吧|就|再|才|给)))"
)
_ROLLING: Final = frozenset(
    {
        "month",
        "day",
        "dayraw",
        "md",
        "weekday",
        "half",
        "quarter",
        "season",
        "festival",
        "edge",
        "months",
    }
)


def _was_over(phrase: Phrase, text: str) -> bool:
    """Whether a day that could be the last or the next one is told as over."""
    kinds = {atom.kind for atom in phrase.atoms}
    if not kinds <= _ROLLING | {"part", "clock"} or "-" in phrase.window.rule.replace("-", "", 1):
        return False
    if any(
        atom.kind in ("month", "quarter") and atom.word == "rel" and atom.n >= 1
        for atom in phrase.atoms
    ):
        return False
    return bool(_WAS.match(text, phrase.end))


def _rolled_back(phrase: Phrase) -> tuple[date | None, date | None]:
    """The window of such a phrase one week, month or year earlier."""
    window = phrase.window
    if phrase.has("month", "md", "half", "quarter", "season", "festival", "months"):
        step = {"months": -12}
    elif phrase.has("day", "dayraw", "edge"):
        step = {"months": -1}
    else:
        step = {"days": -7}
    return tuple(plus(one, **step) if one else None for one in (window.start, window.end))  # type: ignore[return-value]


def _gone(start: date | None, end: date | None, due: date | None, today: date) -> bool:
    last = due or end or start
    return last is not None and last < today


def _only_today(phrase: Phrase) -> bool:
    first = phrase.atoms[0]
    return first.kind in ("part", "clock") or (first.kind == "relday" and first.n == 0)


_STUTTER: Final = re.compile(r"[ ,]*(?:吧|呃|嗯|啊|那个)?[ ,]*")
_FAR = 40


def _same_day(hits: list[DateHit], phrases: list[Phrase], body: str) -> list[DateHit]:
    """下周,下周三 is said once more exactly; an hour alone is of the day named before it."""
    for n in range(len(hits) - 1):
        one, other = hits[n], hits[n + 1]
        gap = body[phrases[n].end : phrases[n + 1].start]
        if (
            _STUTTER.fullmatch(gap)
            and other.start is not None
            and one.start is not None
            and other.text[: len(one.text)] == one.text
        ):
            hits[n] = replace(one, superseded=True)
        alone = {atom.kind for atom in phrases[n + 1].atoms} <= {"part", "clock"}
        if (
            alone
            and one.due
            and not (one.past or other.past)
            and len(gap) <= _FAR
            and "。" not in gap
        ):
            hits[n + 1] = replace(
                other,
                start=one.start,
                end=one.end,
                due=one.due,
                past=False,
                clock=other.clock or one.clock,
            )
    return hits


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
