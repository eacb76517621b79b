"""Who will do what by when: promises of both sides (F3, G5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from nlp.dates import DateHit
from nlp.extract import lexicon as lex
from nlp.extract.acts import act_words, counts, is_question, whose
from nlp.extract.promise_days import (
    ENDS_WITH_DATE,
    ONLY_DATE,
    at_hand,
    best_day,
    day_behind,
    days_in,
)
from nlp.extract.scene import Scene
from nlp.extract.signs import may_promise, of_promise
from nlp.extract.voices import Voice
from nlp.learned import load
from sales.facts import CommitmentFact, Span

Who = Literal["us", "customer"]

_CORRECTS = re.compile(
    r"^(?:哦|哎|啊|那个|[ ,，])*(?:不对|不是|错了|说错了|应该是|改成|改到|更正|我记错了|记错了)"
)
_THEY_AGREE = re.compile(
    r"^(?:那)?(?:他|她|他们|对方|客户|Ⓟ+)(?:也|就|当场|最后)*(?:都)?(?:答应|同意|认可|接受|点头)了?(?:的|下来)?$"
)
_SURE_ENOUGH = 0.35  # probability from which a clause counts
_ACT = 2  # letters that an act has at least
_SHORT = 4  # letters of an act that says nothing new: 开始弄, 给
_FAR = 3  # clauses between a demand and its acceptance


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A commitment, the clause it stands in and the words of its day."""

    fact: CommitmentFact
    clause: int
    due_text: str


@dataclass(slots=True)
class _Track:
    """What earlier clauses leave open."""

    numbers: list[int]  # the clauses of this customer
    actor: Who | Literal[""] = ""
    demand: int | None = None  # clause in which the customer asked something of us
    day: DateHit | None = None  # said before its act
    bare: bool = False  # the clause before named somebody and nothing else


def rule_promises(
    scene: Scene, voices: list[Voice], numbers: list[int]
) -> tuple[dict[int, Promise], dict[int, str]]:
    """What the rules alone make of the clauses, and where a day is at hand for each clause."""
    out: list[Promise] = []
    track = _Track(numbers=numbers)
    for number in numbers:
        _step(scene, voices, number, track, out)
    hands = {
        number: kind
        for place, number in enumerate(numbers)
        if (kind := at_hand(scene, numbers, place)[0])
    }
    return {one.clause: one for one in out}, hands


def find_promises(scene: Scene, voices: list[Voice], numbers: list[int]) -> list[Promise]:
    """Promises in the clauses of one customer, in spoken order.

    The rules say what a clause looks like; the model, which has seen how people promise and how
    they do not, says whether it counts and whose it is.
    """
    model = load("promises")
    made, hands = rule_promises(scene, voices, numbers)
    out: list[Promise] = []
    for place, number in enumerate(numbers):
        one = made.get(number)
        if one is None and number not in hands and not may_promise(scene, voices, number):
            continue
        signs = of_promise(
            scene, voices, number, by_rule=one.fact.who if one else "", days=hands.get(number, "")
        )
        scores = model.scores(signs)
        who: Who = "us" if scores["us"] >= scores["customer"] else "customer"
        if scores["us"] + scores["customer"] < _SURE_ENOUGH:
            continue
        if one is None:
            one = _unruled(scene, voices, numbers, place, who)
        elif one.fact.who != who:
            one = replace(one, fact=replace(one.fact, who=who))
        if one is not None:
            out.append(one)
    return _distinct(out)


def _unruled(
    scene: Scene, voices: list[Voice], numbers: list[int], place: int, who: Who
) -> Promise | None:
    """The promise of a clause that only the model takes for one."""
    number = numbers[place]
    clause = scene.clauses[number]
    text = scene.masked[clause.start : clause.end]
    if ONLY_DATE.match(text) or _is_bare(text, voices[number], clause.start):
        return None  # no act is named
    what = act_words(scene, number, voices[number]) or scene.said(clause.span).strip(" ,，。")
    if len(what) < _ACT:
        return None
    return _promise(
        scene, number, who, what, days=at_hand(scene, numbers, place)[1], span=clause.span,
        conditional=bool(lex.CONDITION.search(scene.masked, clause.start, clause.end)),
    )  # fmt: skip


def _step(
    scene: Scene, voices: list[Voice], number: int, track: _Track, out: list[Promise]
) -> None:
    """Read one clause: it may promise, correct, accept, or leave something open."""
    clause, voice = scene.clauses[number], voices[number]
    text = scene.masked[clause.start : clause.end]
    days = days_in(scene, clause.span)
    if ONLY_DATE.match(text):
        if days:
            _lone_day(scene, number, track, out, day=days[-1])
        return
    if not text.strip(" ,，。" + lex.DATE) or _CORRECTS.fullmatch(text.strip()):
        return
    if _accepted(scene, voices, number, track, out):
        return
    if voice.subject and _is_bare(text, voice, clause.start):
        track.actor, track.bare = voice.subject, True
        track.day = days[-1] if days else None
        return
    if voice.demand and not voice.promised:
        track.demand, track.day = number, None
        return
    if voice.asked and not days:
        track.actor, track.bare, track.day = "customer", True, None
        return
    if track.bare and not voice.subject and track.actor:
        voice = replace(voice, subject=track.actor)
    track.bare = False
    used = days or ([track.day] if track.day else [])
    if not used and voice.subject:
        used = day_behind(scene, track.numbers, number)
    who = whose(text, voice, track.actor, dated=bool(used))
    made = _make(scene, number, voice, who, used) if who else None
    if made is not None and who:
        if days and _completes(out, made, number):
            out[-1] = _with_day(scene, out[-1], days[0])
        else:
            out.append(made)
        track.actor, track.day, track.demand = who, None, None
        return
    if voice.subject or voice.speaker:
        track.actor = voice.subject or voice.speaker
    elif clause.hard:
        track.actor = ""
    track.day = days[-1] if days and ENDS_WITH_DATE.search(text) else None


def _completes(out: list[Promise], made: Promise, number: int) -> bool:
    """Whether *made* only says when: 我说行 下周二开始弄."""
    last = out[-1] if out else None
    return (
        last is not None
        and last.fact.who == made.fact.who
        and last.fact.due is None
        and last.clause >= number - _FAR
        and len(made.fact.what) <= _SHORT
    )


def _is_bare(text: str, voice: Voice, start: int) -> bool:
    """Whether the clause only names who (and when): 他下周三 before 不对 下周四开会."""
    rest = re.sub(
        rf"[{lex.MARKS} ,，。]|不对|不是|那个|嗯|呃", "", text[max(0, voice.body - start) :]
    )
    return len(rest) == 0


def _lone_day(
    scene: Scene, number: int, track: _Track, out: list[Promise], *, day: DateHit
) -> None:
    """A day said alone: it corrects or completes the promise before, or waits for the next act."""
    clause = scene.clauses[number]
    text = scene.masked[clause.start : clause.end]
    near = bool(out) and out[-1].clause >= number - 2
    if near and (_CORRECTS.match(text) or out[-1].fact.due is None):
        out[-1] = _with_day(scene, out[-1], day)
    elif not (track.demand is not None and re.match(r"就是|也就是|最晚|最迟", text)):
        track.day = day


def _accepted(
    scene: Scene, voices: list[Voice], number: int, track: _Track, out: list[Promise]
) -> bool:
    """Whether the clause says yes to what was asked; the yes makes a promise of it."""
    clause, voice = scene.clauses[number], voices[number]
    text = scene.fixed[clause.start : clause.end].strip(" ,，。")
    asked = track.demand
    if (
        asked is not None
        and asked >= number - _FAR
        and voice.subject != "customer"
        and not days_in(scene, clause.span)
        and lex.ACCEPTED.search(text)
    ):
        made = _make(
            scene,
            asked,
            replace(voices[asked], promised=True),
            "us",
            days_in(scene, scene.clauses[asked].span),
        )
        if made:
            out.append(made)
            track.actor, track.demand = "us", None
        return True
    masked = scene.masked[clause.start : clause.end].strip(" ,，。")
    if track.day is not None and _THEY_AGREE.match(masked):
        span = (min(track.day.span[0], clause.start), clause.end)
        what = _topic(scene, number, track.day)
        out.append(
            _promise(
                scene, number, "customer", what, days=[track.day], span=span, conditional=False
            )
        )
        track.day = None
        return True
    return False


def _topic(scene: Scene, number: int, day: DateHit) -> str:
    """What the agreement is about: the words of the clause before the day."""
    before = [one for one in scene.clauses[:number] if one.end <= day.span[0]]
    last = next((one for one in reversed(before) if one.end - one.start > 3), None)
    return scene.said(last.span).strip() if last else scene.said(day.span)


def _make(scene: Scene, number: int, voice: Voice, who: Who, days: list[DateHit]) -> Promise | None:
    """The promise of one clause, None when nothing was promised."""
    clause = scene.clauses[number]
    if is_question(scene, number):
        return None
    conditional = counts(scene, number, voice, who, days)
    if conditional is None:
        return None
    what = act_words(scene, number, voice)
    return (
        _promise(scene, number, who, what, days=days, span=clause.span, conditional=conditional)
        if what
        else None
    )


def _promise(
    scene: Scene,
    number: int,
    who: Who,
    what: str,
    *,
    days: list[DateHit],
    span: Span,
    conditional: bool,
) -> Promise:
    hit = best_day(days)
    fact = CommitmentFact(
        who=who, what=what, due=hit.due if hit else None,
        span=(min(span[0], hit.span[0]), max(span[1], hit.span[1])) if hit else span,
        certainty="loose" if hit and hit.certainty == "loose" else "firm", conditional=conditional,
        due_span=hit.span if hit else None, provisional=bool(hit and hit.provisional),
    )  # fmt: skip
    return Promise(fact=fact, clause=number, due_text=scene.said(hit.span) if hit else "")


def _with_day(scene: Scene, promise: Promise, hit: DateHit) -> Promise:
    """The promise with a day said after it, or with the corrected one."""
    start, end = promise.fact.span
    fact = replace(
        promise.fact, due=hit.due, due_span=hit.span, certainty="loose" if hit.certainty == "loose" else "firm",
        provisional=hit.provisional, span=(min(start, hit.span[0]), max(end, hit.span[1])),
    )  # fmt: skip
    return replace(promise, fact=fact, due_text=scene.said(hit.span))


def _distinct(promises: list[Promise]) -> list[Promise]:
    """Each promise once; a step without a day falls away when one with a day follows."""
    out: list[Promise] = []
    for one in promises:
        twin = next(
            (
                other
                for other in out
                if other.fact.who == one.fact.who
                and (other.fact.due == one.fact.due or None in (other.fact.due, one.fact.due))
                and (
                    _shared(other.fact.what, one.fact.what) >= 0.7
                    or (
                        one.clause - other.clause == 1
                        and other.fact.due == one.fact.due is not None
                        and min(len(other.fact.what), len(one.fact.what)) <= _SHORT
                    )
                )
            ),
            None,
        )
        if twin is None:
            out.append(one)
        elif (twin.fact.due is None and one.fact.due is not None) or (
            twin.fact.due == one.fact.due and len(twin.fact.what) < len(one.fact.what)
        ):
            out[out.index(twin)] = one
    dated = {one.fact.who for one in out if one.fact.due is not None}
    return [
        one
        for one in out
        if one.fact.due is not None or one.fact.who not in dated or not _is_preparing(one.fact.what)
    ]


def _is_preparing(what: str) -> bool:
    return bool(re.match(r"(?:回去|回头|马上|尽快|抓紧)", what))


def _shared(left: str, right: str) -> float:
    """Shared letters over the shorter text's."""
    if not left or not right:
        return 0.0
    shorter, longer = sorted((set(left), set(right)), key=len)
    return len(shorter & longer) / len(shorter)
