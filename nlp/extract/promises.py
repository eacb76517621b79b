"""Who will do what by when: promises of both sides (F3, G5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from nlp.dates import DateHit
from nlp.extract import lexicon as lex
from nlp.extract.scene import Scene
from nlp.extract.voices import Voice
from sales.facts import CommitmentFact, Span

Who = Literal["us", "customer"]

_ONLY_DATE = re.compile(rf"^(?:就是|是|大概|最晚|最迟|时间|那就|定在|说|应该|也就是|就|在|等|不对|不是|错了|说错了|哦|改成|改到|应该是|[ ,，])*{lex.DATE}+(?:之前|以前|前|吧|左右|的样子|以内|内|那天|这样|啊|[ ,，])*$")
_CORRECTS = re.compile(r"^(?:哦|哎|啊|那个|[ ,，])*(?:不对|不是|错了|说错了|应该是|改成|改到|更正|我记错了|记错了)")
_EVENT_AFTER = re.compile(r"(?P<event>[\u4e00-\u9fff]{1,4}?)(?:以后|之后|后|完|起)(?:的|在|就|[ ,，])*$")
_DURATION = re.compile(r"(?:天|日|周|星期|礼拜|月|工作日|年)(?:之?内|以内)?$")
_FIXED_DAY = re.compile(r"[号日]|周[一二三四五六日天末]|星期[一二三四五六日天]|礼拜[一二三四五六日天]|明天|后天|今天|月底|月初|年底")
_WAITING = re.compile(r"(?:等|等着|等他|等客户)")
_BARE = re.compile(r"^(?:给|发|寄|送|交|报|带|拿|提供|回复|答复|安排|换|补)?(?:给|到)?(?:他们|她们|他|她|对方|客户|我们|我)?(?:过去|出去|过来|出来|一下|一份|送到|货|样)?(?:了|的|吧|啊)?$")
_WANTED = re.compile(r"(?:想要|需要|要求|要(?!求|是|么|不)|催|问)(?:我们|我)?(?:提供|给|发|寄|送|看|先看|出)?(?:一份|一个|一下|个|份)?(?P<thing>[\u4e00-\u9fffA-Za-z0-9 Ⓖ]{2,12}?)$")
_TOPIC = re.compile(r"^(?P<thing>[\u4e00-\u9fffA-Za-z0-9Ⓖ]{2,12}?)(?:他|她|他们|客户|对方)?(?:要|想要|需要)(?P<kind>[\u4e00-\u9fff]{0,6})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A commitment and the clause it stands in."""

    fact: CommitmentFact
    clause: int
    due_text: str


def find_promises(scene: Scene, voices: list[Voice], numbers: list[int]) -> list[Promise]:
    """Promises in the clauses of one customer, in spoken order."""
    out: list[Promise] = []
    pending: tuple[int, Voice] | None = None  # what the customer asked of us, not yet accepted
    actor: Who | Literal[""] = ""
    loose_date: DateHit | None = None  # said alone, before its act
    for index, number in enumerate(numbers):
        clause, voice = scene.clauses[number], voices[number]
        text = scene.masked[clause.start : clause.end]
        days = _days(scene, clause.span)
        if days and _ONLY_DATE.match(text):
            if out and out[-1].clause >= number - 2 and (_CORRECTS.match(text) or out[-1].fact.due is None):
                out[-1] = _with_day(scene, out[-1], days[-1])
            elif not (pending and re.match(r"就是|也就是|最晚|最迟", text)):
                loose_date = days[-1]
            continue
        if pending and pending[0] >= number - 3 and voice.subject != "customer" and lex.ACCEPTED.search(scene.fixed[clause.start : clause.end]) and not days:
            made = _make(scene, pending[0], replace(pending[1], promised=True), "us", scene.clauses[pending[0]].span, None, "us")
            pending = None
            if made:
                out.append(made)
                actor = "us"
            continue
        carried = loose_date if loose_date and not days else None
        who = _who(text, voice, actor, bool(days or carried))
        if voice.demand and not voice.promised:
            pending = (number, voice)
            actor = actor if not voice.speaker else ""
            loose_date = None
            continue
        if who:
            made = _make(scene, number, voice, who, clause.span, carried, actor)
            if made:
                out.append(made)
                pending = None
                actor = who
                loose_date = None
                continue
        if voice.subject or voice.speaker:
            actor = voice.subject or voice.speaker
        elif clause.hard:
            actor = ""
        loose_date = None
        del index
    return _distinct(out)


def _days(scene: Scene, span: Span) -> list[DateHit]:
    """Days in a clause that something can be due on."""
    today = scene.now.date()
    return [
        hit
        for hit in scene.dates
        if span[0] <= hit.span[0] < span[1]
        and not hit.past
        and not hit.superseded
        and hit.due is not None
        and hit.due >= today
    ]


def _who(text: str, voice: Voice, actor: str, dated: bool) -> Who | Literal[""]:
    """Whose act the clause tells."""
    to_us, to_them = lex.TO_US.search(text), lex.TO_THEM.search(text)
    if voice.subject == "us":
        return "us"
    if voice.subject == "customer":
        if lex.CUSTOMER in text and voice.speaker == "" and to_them and not to_us and not lex.THEIRS_ONLY.search(text):
            return "customer"
        return "customer"
    if to_us and not to_them:
        return "customer"
    if to_them and not to_us:
        return "us"
    if voice.promised and not voice.speaker:
        return "us" if not lex.THEIRS_ONLY.search(text) else "customer"
    if voice.speaker == "customer":
        return "customer"
    if lex.THEIRS_ONLY.search(text) and not (actor == "us" and lex.OURS.search(text) and not re.search(r"付|打款|上会|验收|签字|回款", text)):
        return "customer"
    if actor == "customer" and lex.THEIRS.search(text) and not lex.OURS_ONLY.search(text) and not re.search(r"发过去|送过去|寄过去|过去|送去", text):
        return "customer" if re.search(r"付|回|答复|定|签|批|会|确认|通知|结果|来|提供|给我|安排", text) else "us"
    return "us" if dated else (actor if actor in ("us", "customer") else "")  # type: ignore[return-value]


def _make(
    scene: Scene, number: int, voice: Voice, who: Who, span: Span, carried: DateHit | None, actor: str
) -> Promise | None:
    """The promise of one clause, None when nothing was promised."""
    clause = scene.clauses[number]
    text = scene.masked[clause.start : clause.end]
    body = text[max(0, voice.body - clause.start) :]
    days = _days(scene, clause.span)
    if not days and carried is not None:
        days = [carried]
    verbs = lex.OURS if who == "us" else lex.THEIRS
    stripped = re.sub(f"[{lex.MARKS}]", "", body) if not verbs.search(body) else body
    if not verbs.search(stripped) and not verbs.search(text):
        return None
    if QUESTIONED(scene, number) or _refused(text, who, voice):
        return None
    conditional = bool(lex.CONDITION.search(text)) or _hangs_on_condition(scene, number)
    if lex.STATE.search(text) and not voice.promised and who == "us" and not re.search(r"(?:发|送|寄|给|回复|联系|签|谈|拜访)", body):
        return None
    if lex.PAST.search(text) and not (days and not _past_with_day(text)):
        return None
    if who == "customer":
        if voice.subject == "customer" and voice.speaker == "customer" and lex.OURS_ONLY.search(body) and not lex.THEIRS_ONLY.search(body):
            return None  # their wish for what we do: 园长说放暑假前装好
        if re.match(r".{0,3}(?:希望|想|最好|打算|要求|需要|要在|得在)", body) and not voice.promised:
            return None
        if not voice.promised and re.search(r"(?:要在|要求|得在|必须|希望|想要?(?!办法)).{0,12}", text) and not lex.THEIRS_ONLY.search(body):
            return None
        if not days and not _worth_undated(scene, number, text, body, voice):
            return None
    elif not days:
        later = lex.LATER_US.search(text) and (voice.subject == "us") and not voice.speaker == "customer"
        if not (voice.promised or later) or (conditional):
            return None
        if voice.caused and not voice.promised:
            return None
    if conditional and not (days and (voice.promised or voice.speaker)):
        return None
    hit = _best_day(days, clause.span, text) if days else None
    due, due_span, certainty, provisional, due_text = _due(scene, number, hit)
    what = _what(scene, number, voice, who, hit)
    if not what:
        return None
    fact = CommitmentFact(
        who=who, what=what, due=due, span=span, certainty=certainty, conditional=conditional,
        due_span=due_span, provisional=provisional,
    )  # fmt: skip
    return Promise(fact=fact, clause=number, due_text=due_text)


def QUESTIONED(scene: Scene, number: int) -> bool:  # noqa: N802 - renamed below
    clause = scene.clauses[number]
    text = scene.masked[clause.start : clause.end]
    after = scene.plain[clause.end : clause.end + 1]
    return bool(lex.QUESTION.search(text)) or after in "?？" and after != ""


def _refused(text: str, who: Who, voice: Voice) -> bool:
    match = lex.NEGATED.search(text)
    if match is None:
        return False
    return not re.match(r"(?:不变|没问题)", text[match.start() :])


def _past_with_day(text: str) -> bool:
    """Whether the act is done although a day is named: 说好了周五 is not, 昨天发了 is."""
    return bool(re.search(r"(?:发|送|寄|付|打|签|交|给|做|换|退)(?:完|好|过去|出去)?了(?=$|[ ,，。])", text)) and not re.search(
        rf"{lex.DATE}.{{0,12}}(?:就|之前|前|会|要|把)", text
    )


def _hangs_on_condition(scene: Scene, number: int) -> bool:
    if number == 0 or scene.clauses[number].hard:
        return False
    before = scene.clauses[number - 1]
    return bool(lex.CONDITION.search(scene.masked[before.start : before.end])) and before.end >= scene.clauses[number].start - 2


def _worth_undated(scene: Scene, number: int, text: str, body: str, voice: Voice) -> bool:
    """Whether a promise of the customer counts without a day."""
    if voice.promised:
        return True
    del scene, number
    spoken = voice.speaker == "customer" or "说" in text
    soon = re.search(r"(?:就|马上|尽快|回头|会|这就|安排)", text)
    return bool(spoken and soon and PAYS.search(body))


PAYS = re.compile(r"(?:安排.{0,4}(?:付|款|预付|打)|付款|打款|打过来|付(?:清|预付|定金|尾款)|汇|回复|答复|回话|寄(?:给|回|过来)|发(?:给我|过来)|给(?:我们?|个)(?:答复|回复|准信|消息|结果)|结清|补齐|转)")


def _best_day(days: list[DateHit], span: Span, text: str) -> DateHit:
    """The day nearest to the verb: the last one before it, else the first one."""
    first = lex.OURS.search(re.sub(r"^.{0,0}", "", text))
    del first, span
    return days[-1] if len(days) > 1 and days[-1].certainty == "firm" and _is_refined(days) else days[0]


def _is_refined(days: list[DateHit]) -> bool:
    return days[-1].span[0] - days[0].span[1] <= 2


def _due(
    scene: Scene, number: int, hit: DateHit | None
) -> tuple[date | None, Span | None, Literal["firm", "loose"], bool, str]:
    """The day; an offset from an event is counted from the event's own day, if that was said."""
    if hit is None:
        return None, None, "firm", False, ""
    certainty: Literal["firm", "loose"] = "loose" if hit.certainty == "loose" else "firm"
    before = scene.plain[max(0, hit.span[0] - 8) : hit.span[0]]
    event = _EVENT_AFTER.search(before)
    said = scene.said(hit.span)
    if event and _DURATION.search(said) and not _FIXED_DAY.search(said) and hit.due:
        anchor = _event_day(scene, event["event"], hit.span[0])
        if anchor is None:
            return None, hit.span, certainty, hit.provisional, said
        return anchor + (hit.due - scene.now.date()), hit.span, certainty, hit.provisional, said
    del number
    return hit.due, hit.span, certainty, hit.provisional, said


def _event_day(scene: Scene, event: str, place: int) -> date | None:
    """The day of an event named before: 二十八号到货, 到货后三天内."""
    word = event[-2:]
    for hit in reversed([one for one in scene.dates if one.span[1] <= place and one.due]):
        clause = scene.clauses[scene.clause_at(hit.span[0])]
        nearby = scene.plain[clause.start : min(clause.end, place - len(word))]
        if word in nearby:
            return hit.due
    return None


def _with_day(scene: Scene, promise: Promise, hit: DateHit) -> Promise:
    """The promise with a day said after it, or with the corrected one."""
    start, end = promise.fact.span
    fact = replace(
        promise.fact, due=hit.due, due_span=hit.span, certainty="loose" if hit.certainty == "loose" else "firm",
        provisional=hit.provisional, span=(min(start, hit.span[0]), max(end, hit.span[1])),
    )  # fmt: skip
    return replace(promise, fact=fact, due_text=scene.said(hit.span))


def _what(scene: Scene, number: int, voice: Voice, who: Who, hit: DateHit | None) -> str:
    """The act in the memo's words: actor, day and fillers dropped, a missing object added."""
    clause = scene.clauses[number]
    kept = [
        scene.text[place]
        for place in range(max(clause.start, voice.body), clause.end)
        if scene.masked[place] != lex.DATE
    ]
    what = "".join(kept).strip(" ,，。、")
    what = re.sub(r"^(?:就|会|要|也|再|先|都|我们|我|他们|他|她|之前|以前|前|内|以内|左右|说|最晚|最迟|在|那天|的时候|[ ,，])+(?=.{2})", "", what)
    what = re.sub(r"(?:吧|啊|呢|的话|了)$", "", what).strip()
    if not what:
        return ""
    masked = "".join(scene.masked[place] for place in range(max(clause.start, voice.body), clause.end) if scene.masked[place] != lex.DATE)
    if _BARE.match(re.sub(r"^(?:就|会|要|也|再|先|都|前|之前|以前|[ ,，])+", "", masked)):
        thing = _object(scene, number)
        if thing:
            what = f"{what} {thing}"
    del hit, who
    return what


def _object(scene: Scene, number: int) -> str:
    """What was asked for just before: 样品 in 蝶阀要样品 我周五送过去."""
    for back in range(number - 1, max(-1, number - 4), -1):
        clause = scene.clauses[back]
        masked = scene.masked[clause.start : clause.end].strip(" ,，")
        offset = clause.start + scene.masked[clause.start : clause.end].find(masked[:1] or " ")
        wanted = _WANTED.search(masked)
        if wanted:
            begin, end = wanted.span("thing")
            thing = scene.text[offset + begin : offset + end].strip()
            topic = _TOPIC.match(masked)
            lead = re.match(r"^([\u4e00-\u9fffA-Za-z0-9Ⓖ]{2,12}的[\u4e00-\u9fff]{2,6}?)(?:他|她|他们|客户)", masked)
            if lead:
                thing = scene.text[offset : offset + lead.end(1)] + thing
            del topic
            return thing
        lead = re.match(r"^([\u4e00-\u9fffA-Za-z0-9Ⓖ]{2,14}?)(?:他|她|他们|客户)(?:要|想要)", masked)
        if lead:
            return scene.text[offset : offset + lead.end(1)]
    return ""


def _distinct(promises: list[Promise]) -> list[Promise]:
    """Each promise once; the same act said twice keeps the one with a day."""
    out: list[Promise] = []
    for one in promises:
        twin = next(
            (
                other
                for other in out
                if other.fact.who == one.fact.who
                and (other.fact.due == one.fact.due or None in (other.fact.due, one.fact.due))
                and (_overlap(other.fact.what, one.fact.what) >= 0.7)
            ),
            None,
        )
        if twin is None:
            out.append(one)
        elif twin.fact.due is None and one.fact.due is not None:
            out[out.index(twin)] = one
    return out


def _overlap(left: str, right: str) -> float:
    """Shared letters over the shorter text's."""
    if not left or not right:
        return 0.0
    shorter, longer = sorted((set(left), set(right)), key=len)
    return len(shorter & longer) / len(shorter)
