"""Spans of time: 三天内, 两周后, 三天前, 未来一个月, N个工作日, and offsets from another event.

A span counts from today, or from the phrase or event that stands before it: 国庆后三天内,
会后两天内.
The event's day is looked up among the phrases heard earlier; an event without a day gives a hit
without a due day (memos_dev_README: "an offset from an undated event -> null").
A bare span (两年, 六十天) is a length, not a date, unless words of delivery follow it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from nlp.dates.model import Atom, Phrase, Window
from nlp.dates.windows import Context, plus

_LINK: Final = re.compile(r"[ ]?[又零加]?[ ]?")
_POST: Final = re.compile(
    r"[ ]?(?:左右|的时间|时间)?(?:(?P<within>[之以]内|内(?![部容存科行参置径涵销审控网业])|"
    r"里(?![面程])|不到)"
    r"|(?P<later>[之以]后|开外|过后)|(?P<after>后(?![天面续台期勤补悔备果院端缀视]))|"
    r"(?P<ago>[之以]?前(?![台期面提景端往天年段后]))|(?P<since>以来))"
)
_PRE: Final = re.compile(
    r"(?:(?P<past>最近的?|近|过去的?|(?<![一-鿿])前|(?<![一-鿿])上|这)|(?P<next>未来的?|"
    r"接下来的?|今后的?|往后|(?<![一-鿿])后|(?<![一-鿿])下)|(?P<wait>再过|再等|再有|还剩|"
    r"(?<![超不通经难])过|等))[ ]?$"
)
_DELIVER: Final = re.compile(
    r"[ ]?(?:左右|时间)?(?:就|能|可以|我|我们|一定|肯定|保证|给你|给您)*(?:给|交(?!期|流)|"
    r"出(?!差|来的)|发|搞定|完成|答复|回复|到货|送到|送货|做完|做好|弄好|解决|回话|供货|"
    r"装完|装好|上线)"
)
# 一天能出三百箱 is a rate.
_RATE: Final = re.compile(
    r"(?:一|每)(?:天|年|个月|周|个星期|个礼拜|小时|个小时)[^,。 ]{0,4}?(?:出|走|跑|卖|产|用|翻|耗|发|做|送|给)[^,。 ]{0,2}[\d一二两三四五六七八九十几]"
)
_LENGTH_L: Final = re.compile(
    r"(?:用了?|试用|等了?|花了?|做了?|要|需要|质保|保修|账期|帐期|流程|超过|超|至少|最少|"
    r"每|隔|延期|延|拖了?|晚了?|提前|有效期|周期|满|才|连续|工期|交期|干了?|"
    r"前后|已经|跑了?|谈了?|合作了?|共|还有|一共|住了?|了)[ ]?$"
)
_HABIT_L: Final = re.compile(r"(?:每|隔|每隔|提)[ ]?$")
_EVENT: Final = re.compile(
    r"(?P<event>[一-鿿]{1,8}?)(?:以后|之后|过后|完后|后|完了?|[ ]?起)(?:的|再|[ ,])*$"
)
_EVENT_VERB: Final = re.compile(
    r"(?P<event>到货|收货|收到[一-鿿]{0,4}|拿到[一-鿿]{0,4}|验收(?:合格|通过)?|签(?:完|了|"
    r"订)?(?:合同|约|字)?|发货|开票|付款|打款|到账|中标|投产|安装|调试|"
    r"交货|交付|下单|试用|上会|开完会|会议|定标|开标|回款|上线|培训|考察|出差回来|回来)"
    r"(?:了)?(?:的|再|[ ,])*$"
)
_NO_EVENT: Final = re.compile(r"(?:^|[ ,。])(?:然|最|今|此|随|往|以|之)后$")
# An event and the words by which it was announced earlier.
_ANNOUNCED: Final = (
    (re.compile(r"会|评审|汇报"), re.compile(r"会(?![给把发来去有用尽])|评审|汇报")),
    (re.compile(r"收|拿到|到货|到手|送到|接到"), re.compile(r"给|发|寄|送|到货|交|出货|收")),
    (re.compile(r"签|合同"), re.compile(r"签")),
    (re.compile(r"付|款|到账"), re.compile(r"付|款|到账")),
    (re.compile(r"标"), re.compile(r"标")),
    (re.compile(r"试|测"), re.compile(r"试|测")),
)


def _moved(
    start: date, atom: Atom, count: float, ctx: Context, sign: int
) -> tuple[date, str | None]:
    """*start* moved by *count* units of *atom*; hours and minutes also give the clock."""
    count = min(count, 40000.0)
    unit = atom.word
    if unit in ("hour", "minute", "minute15", "second"):
        scale = {"hour": 3600, "minute": 60, "minute15": 900, "second": 1}[unit]
        base = ctx.now if start == ctx.today else datetime.combine(start, datetime.min.time())
        try:
            moved = base + timedelta(seconds=sign * count * scale)
        except OverflowError:
            return start, None
        return moved.date(), f"{moved.hour:02d}:{moved.minute:02d}"
    whole, half = int(count), count != int(count)
    if unit == "workday":
        try:
            return ctx.calendar.add_workdays(start, sign * min(whole, 2000)), None
        except OverflowError:
            return start, None
    if unit in ("month", "quarter", "year"):
        months = whole * {"month": 1, "quarter": 3, "year": 12}[unit]
        extra = {"month": 0, "quarter": 0, "year": 6}[unit] if half else 0
        days = 15 if half and unit == "month" else 0
        return plus(start, months=sign * (months + extra), days=sign * days), None
    days = whole * {"day": 1, "week": 7}[unit] + (half * (3 if unit == "week" else 1))
    return plus(start, days=sign * days), None


def _total(
    start: date, run: Sequence[Atom], high: bool, ctx: Context, sign: int
) -> tuple[date, str | None]:
    clock: str | None = None
    for atom in run:
        start, clock = _moved(start, atom, atom.y if high else atom.x, ctx, sign)
    return start, clock


def _announced(text: str, event: str, at: int, phrases: Sequence[Phrase]) -> Phrase | None:
    """The latest phrase before *at* whose own words speak of *event*."""
    for phrase in reversed([p for p in phrases if p.end <= at and p.window.end]):
        said = text[phrase.end : min(phrase.end + 12, at)]
        said += "|" + text[max(0, phrase.start - 6) : phrase.start]
        for of_event, of_announcement in _ANNOUNCED:
            if of_event.search(event) and of_announcement.search(said):
                return phrase
        if any(event[n : n + 2] in said for n in range(len(event) - 1)):
            return phrase
    return None


def _anchor(
    text: str, start: int, phrases: Sequence[Phrase], ctx: Context
) -> tuple[date | None, int]:
    """The day a span at *start* counts from, and where the words of the anchor begin.

    None as day: it hangs on an event that has no day.
    """
    for phrase in phrases:
        if phrase.end <= start and re.fullmatch(r"[ ,]?(?:的|再|起)?", text[phrase.end : start]):
            window = phrase.window
            if window.rule.endswith("-after") and window.start:
                base = plus(window.free, days=-1) if window.free else window.start
                return base, phrase.start
    left = text[max(0, start - 14) : start]
    match = _EVENT_VERB.search(left) or _EVENT.search(left)
    if match is None or _NO_EVENT.search(left[: match.end()].rstrip(" ,的再")):
        return ctx.today, start
    event = re.split(r"[ ,。]", match["event"])[-1]
    if not event or event in ("之", "以", "然", "最", "今", "随", "往"):
        return ctx.today, start
    phrase_found = _announced(text, event.lstrip("号日"), start, phrases)
    return (phrase_found.window.end if phrase_found else None), start


def read_offsets(text: str, atoms: list[Atom], phrases: list[Phrase], ctx: Context) -> list[Phrase]:
    """The spans of *atoms* that name a time; *phrases* are the dated ones, modifiers applied."""
    found: list[Phrase] = []
    at = 0
    while at < len(atoms):
        if atoms[at].kind != "dur":
            if atoms[at].kind == "nth" and atoms[at].word in ("day", "workday"):
                nth = _nth_day(text, atoms[at], phrases, ctx)
                found += [nth] if nth else []
            at += 1
            continue
        run = [atoms[at]]
        while at + len(run) < len(atoms):
            following = atoms[at + len(run)]
            if following.kind != "dur" or not _LINK.fullmatch(text[run[-1].end : following.start]):
                break
            run.append(following)
        at += len(run)
        phrase = _read(text, run, sorted(phrases + found, key=lambda p: p.start), ctx)
        if phrase is not None:
            found.append(phrase)
    return found


def _read(text: str, run: list[Atom], phrases: list[Phrase], ctx: Context) -> Phrase | None:
    start, end = run[0].start, run[-1].end
    left = text[max(0, start - 8) : start]
    post, pre = _POST.match(text, end), _PRE.search(left)
    if _HABIT_L.search(left) or re.search(r"[A-Za-z0-9.\-]$", left):
        return None
    kind = post.lastgroup if post else None
    lead = pre.lastgroup if pre else None
    vague = any(atom.x != atom.y or atom.n for atom in run)
    window: Window | None = None
    if post is not None:
        end = post.end()
    else:
        dated = _beside(text, run, phrases, ctx) or _before_event(text, run, phrases, ctx)
        if dated is not None:
            return dated
    if kind == "ago":
        window = _ago(text, start, run, phrases, ctx)
    elif kind == "since" or (lead == "past" and kind not in ("after", "later")):
        since, _ = _total(ctx.today, run, True, ctx, -1)
        window = Window(
            start=since, end=ctx.today, due=None, grain="day", rule="span-past", past=True
        )
        if left.endswith("这") and kind == "within":
            window.past, window.start = False, ctx.today
            window.end = window.due = _total(ctx.today, run, True, ctx, 1)[0]
    elif (
        kind in ("within", "after", "later")
        or lead in ("next", "wait")
        or run[-1].word == "workday"
    ):
        base, begin = _anchor(text, start, phrases, ctx)
        if lead in ("next", "wait") and pre and begin == start:
            base = ctx.today
            start -= len(left) - pre.start()
        window = _forward(base, run, kind or ("within" if lead != "wait" else "later"), ctx)
        if begin < run[0].start:
            _absorb(phrases, begin)
            start = begin
    elif _DELIVER.match(text, end) and not _LENGTH_L.search(left) and not _RATE.match(text, start):
        base, _ = _anchor(text, start, phrases, ctx)
        window = _forward(base, run, "within", ctx)
        window.loose = True
    if window is None:
        return None
    window.loose = window.loose or vague
    return Phrase(start=start, end=end, atoms=tuple(run), window=window)


def _nth_day(text: str, atom: Atom, phrases: list[Phrase], ctx: Context) -> Phrase | None:
    """会后第二天: the day after the event, which is its first."""
    if atom.n < 1:
        return None
    base, begin = _anchor(text, atom.start, phrases, ctx)
    if base == ctx.today and begin == atom.start:
        return None
    window = Window(start=None, end=None, due=None, grain="day", rule="offset-undated", loose=True)
    if base is not None:
        after_break = begin < atom.start  # the break's last day; the event itself counts as first
        if atom.word == "workday":
            day = ctx.calendar.add_workdays(base, min(atom.n, 400))
        else:
            day = plus(base, days=atom.n - (not after_break))
        window = Window(start=day, end=day, due=day, grain="day", rule="nth-day-after")
    _absorb(phrases, begin)
    return Phrase(start=begin, end=atom.end, atoms=(atom,), window=window)


def _beside(text: str, run: list[Atom], phrases: list[Phrase], ctx: Context) -> Phrase | None:
    """国庆前一周, 周五前两天: so long before a day that has just been named; 国庆后一周
    after it."""
    start, end = run[0].start, run[-1].end
    for phrase in phrases:
        if phrase.end > start or not phrase.atoms:
            continue
        gap, window = text[phrase.end : start], phrase.window
        anchor = window.start or window.end
        if anchor and re.fullmatch(r"(?:放假|节)?(?:[之以]前|前|提前)的?", gap):
            day, _ = _total(anchor, run, True, ctx, -1)
            begin = phrase.start
            _absorb(phrases, begin)
            found = Window(start=day, end=day, due=day, grain="day", rule="span-before-day")
            return Phrase(start=begin, end=end, atoms=tuple(run), window=found)
        if window.start and window.rule.endswith("-after") and gap in ("", "的"):
            base = plus(window.free, days=-1) if window.free else window.start
            begin = phrase.start
            _absorb(phrases, begin)
            found = _forward(base, run, "within", ctx)
            return Phrase(start=begin, end=end, atoms=tuple(run), window=found)
    return None


_EVENT_AHEAD: Final = re.compile(r"(?P<event>[\u4e00-\u9fff]{2,4}?)(?:之|以)?前(?:的|最多|最少)?$")


def _before_event(text: str, run: list[Atom], phrases: list[Phrase], ctx: Context) -> Phrase | None:
    """开业前一天: so long before an event that was dated earlier in the text."""
    start, end = run[0].start, run[-1].end
    ahead = _EVENT_AHEAD.search(text, max(0, start - 8), start)
    if ahead is None:
        return None
    found = _announced(text, ahead["event"], ahead.start(), phrases)
    if found is None or found.window.end is None:
        return None
    day, _ = _total(found.window.end, run, True, ctx, -1)
    window = Window(start=day, end=day, due=day, grain="day", rule="span-before-event")
    return Phrase(start=ahead.start(), end=end, atoms=tuple(run), window=window)


def _absorb(phrases: list[Phrase], begin: int) -> None:
    """国庆后三天内 is one phrase: its anchor no longer stands for itself."""
    for phrase in phrases:
        if phrase.start == begin:
            phrase.atoms = ()


def _forward(base: date | None, run: list[Atom], kind: str, ctx: Context) -> Window:
    if base is None:
        return Window(
            start=None, end=None, due=None, grain="day", rule="offset-undated", loose=True
        )
    end, clock = _total(base, run, True, ctx, 1)
    low, _ = _total(base, run, False, ctx, 1)
    names = {atom.word for atom in run}
    provisional = "workday" in names and ctx.calendar.provisional(base, end)
    rule = f"span-{'workdays' if 'workday' in names else kind}"
    first: date | None = base if kind == "within" else low
    last: date | None = None if kind == "later" else end
    return Window(
        start=first, end=last, due=end, grain="day", rule=rule, provisional=provisional,
        clock=clock if kind in ("after", "later") else None,
    )  # fmt: skip


def _ago(
    text: str, start: int, run: list[Atom], phrases: list[Phrase], ctx: Context
) -> Window | None:
    begin, clock = _total(ctx.today, run, True, ctx, -1)
    end, _ = _total(ctx.today, run, False, ctx, -1)
    return Window(
        start=begin, end=end, due=None, grain="day", rule="span-ago", past=True, clock=clock
    )
