"""The combiner: atoms to phrases, and what stands around a phrase to its window.

Three steps: neighbouring atoms from coarse to fine make a phrase (明年 + 三月 + 5号 + 下午 + 三点);
two phrases with 到 between them make a range; 前, 后, 内, 起, 左右 and 过完 change the window.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Final

from nlp.dates.model import Atom, Phrase, Window
from nlp.dates.resolve import resolve
from nlp.dates.vetoes import is_habit, refused
from nlp.dates.windows import Context, Slots, plus

_RANK: Final = {
    "lead": 15, "year": 10, "half": 20, "quarter": 20, "month": 30, "months": 30, "years": 10,
    "festival": 30, "newyear": 30,
    "break": 30, "inside": 30, "season": 30, "edge": 40, "nth": 45, "nspan": 45, "week": 50,
    "halfweek": 50, "weekday": 60, "day": 60, "dayraw": 60,
    "moonday": 60, "date": 60, "md": 60, "relday": 60, "relpair": 60, "part": 70, "clock": 80,
}  # fmt: skip
# Which atoms may stand before the atom of a kind; what is not listed opens a phrase.
_AFTER: Final = {
    "half": {"year"},
    "quarter": {"year"},
    "lead": {"year"},
    "month": {"year", "lead"},
    "months": {"year"},
    "festival": {"year", "lead"},
    "season": {"year"},
    "edge": {"year", "quarter", "month"},
    "nspan": {"year", "month", "quarter", "half"},
    "nth": {"year", "month", "quarter"},
    "weekday": {"week", "nth"},
    "day": {"month"},
    "dayraw": {"month"},
    "moonday": {"month", "lead"},
    "md": {"year"},
    "part": {"date", "md", "festival", "week", "weekday", "day", "dayraw", "moonday", "relday",
    "relpair", "nth"},
    "clock": {"date", "md", "week", "weekday", "day", "dayraw", "moonday", "relday", "relpair",
    "part", "nth", "festival"},
}  # fmt: skip
_GAP: Final = re.compile(r"(?:[ ]?(?:的|那天|当天|这天|呃|嗯|那个)?[ ]?)")
_WIDE_GAP: Final = re.compile(r"[ ]?,[ ]?")
_JOIN: Final = re.compile(r"[ ]?(?:一直)?(?:到|至|-|~|=>)[ ]?(?:了)?")
_BETWEEN: Final = re.compile(r"[ ]?(?:和|与|跟)[ ]?")

_POST: Final = re.compile(
    r"[ ]?(?:那天|当天)?(?:"
    r"(?P<before>[及或和]?[之以]前|前(?![台期面提景端往天年段几两三一半任不锋沿途程来言者所"
    r"后妻额置辈缀])|为止|截止)"
    r"|(?P<after>[及或和]?[之以]后|过后|后(?![天面续台期勤补悔备果来院端缀视街门卫]))"
    r"|(?P<since>起(?![来草诉点订码步色])|开始|以来)"
    r"|(?P<within>[之以]内|内(?![部容存蒙科外行衣参置径涵销审控网业])|期间|里(?![面程]))"
    r"|(?P<about>左右|前后|上下|许(?![可多])))"
)
_FESTIVE: Final = re.compile(
    r"(?:当?天)?(?:节|放假|假期|长假|小长假|假日|大促|黄金周|促销|活动)?(?=[之以]?前|"
    r"[之以]?后|过后|期间|上班|开工|回来|$|.)"
)
_DONE_L: Final = re.compile(r"(?:过完|过了|放完|休完|等过|忙完)(?:这个)?$")
_DONE_R: Final = re.compile(r"(?:节|假期?|长假)?(?:以后|之后|过后|后)?")
_BACK_R: Final = re.compile(r"(?:节|假期?|长假|放假)?(?:回来|上班|开工|复工|结束)(?:以?后|之后)?")
_CUTOFF_L: Final = re.compile(r"(?:截止到?|截至)[ ]?$")
_FROM_L: Final = re.compile(r"从[ ]?$")
_ABOUT_L: Final = re.compile(r"(?:大概|大约|差不多|约|可能|估计|也许|预计)(?:在|要|是|得|到)?[ ]?$")


def slots_of(atoms: tuple[Atom, ...]) -> Slots:
    return {atom.kind: atom for atom in atoms}


def _attaches(text: str, group: list[Atom], atom: Atom) -> bool:
    last = group[-1]
    if _RANK[atom.kind] <= _RANK[last.kind] or last.kind not in _AFTER.get(atom.kind, ()):
        return False
    if atom.kind == "weekday" and last.m:
        return False
    if atom.kind in ("dayraw", "edge") and atom.kind == "dayraw" and atom.start != last.end:
        return False
    if atom.kind in ("part", "clock") and last.kind == "week" and not last.m:
        return False
    if atom.kind == "nth" and atom.word == "weekday" and last.kind != "month":
        return False
    gap = text[last.end : atom.start]
    if gap == "":
        return True
    if _GAP.fullmatch(gap):
        return atom.kind != "clock" or "的" not in gap or last.kind == "part"
    return bool(_WIDE_GAP.fullmatch(gap)) and (last.kind, atom.kind) == ("year", "month")


def group_atoms(text: str, atoms: list[Atom], ctx: Context) -> list[Phrase]:
    """Phrases of dated atoms, refused ones left out; durations are read elsewhere."""
    phrases: list[Phrase] = []
    at = 0
    while at < len(atoms):
        if atoms[at].kind == "dur":
            at += 1
            continue
        group = [atoms[at]]
        while at + len(group) < len(atoms):
            following = atoms[at + len(group)]
            if following.kind == "dur" or not _attaches(text, group, following):
                break
            group.append(following)
        phrase = _best(text, tuple(group), ctx)
        if phrase is not None:
            _remember(phrase, ctx)
            phrases.append(phrase)
            at += len(phrase.atoms)
        else:
            at += len(group) if is_habit(text, group[0].start) else 1
    return phrases


def _best(text: str, group: tuple[Atom, ...], ctx: Context) -> Phrase | None:
    """The longest beginning of *group* that names a window and is not refused."""
    for size in range(len(group), 0, -1):
        atoms = group[:size]
        start, end = atoms[0].start, atoms[-1].end
        if refused(text, atoms, start, end):
            continue
        window = resolve(slots_of(atoms), ctx)
        if window is not None:
            return Phrase(start=start, end=end, atoms=atoms, window=window)
    return None


def _remember(phrase: Phrase, ctx: Context) -> None:
    """A month that was named is the month of the day numbers that follow."""
    end = phrase.window.end
    if end and phrase.has("month", "date", "md") and end >= ctx.today:
        start = phrase.window.start or end
        ctx.month = (start.year, start.month)


def _inherit(left: Phrase, right: Phrase, ctx: Context) -> Window | None:
    """The right end of a range, with what only the left end says: 9月28号到30号, 下午5点到6点."""
    lowest = min(_RANK[atom.kind] for atom in right.atoms)
    whole = right.has("relday", "relpair", "date", "week", "festival", "newyear", "break", "nth")
    coarse = () if whole else tuple(atom for atom in left.atoms if _RANK[atom.kind] < lowest)
    window = resolve(slots_of(coarse + right.atoms), ctx) if coarse else right.window
    start = left.window.start
    if window is None or start is None or window.end is None:
        return window
    if window.end < start and right.has("month", "md") and not right.has("year"):
        while window.end < start:
            window.start = plus(window.start or window.end, months=12)
            window.end = plus(window.end, months=12)
        window.due = window.end
    elif window.end < start and right.has("weekday", "week"):
        window.end = plus(window.end, days=7)
    elif window.end < start and right.has("day"):
        window.end = plus(window.end, months=1)
    return window


def join_ranges(text: str, phrases: list[Phrase], ctx: Context) -> list[Phrase]:
    """X到Y, X至Y, X和Y之间 as one phrase."""
    joined: list[Phrase] = []
    for phrase in phrases:
        previous = joined[-1] if joined else None
        gap = text[previous.end : phrase.start] if previous else ""
        end = phrase.end
        both = re.compile(r"之?间").match(text, end)
        linked = bool(_JOIN.fullmatch(gap)) or bool(both and _BETWEEN.fullmatch(gap))
        window = _inherit(previous, phrase, ctx) if previous and linked else None
        if previous and window and window.end and previous.window.start:
            if window.end < previous.window.start:
                joined.append(phrase)
                continue
            first = previous.window
            merged = replace(
                window, start=first.start, due=window.end, rule="range", clock=first.clock,
                provisional=first.provisional or window.provisional, loose=False,
            )  # fmt: skip
            start = previous.start
            led = _FROM_L.search(text, 0, start)
            joined[-1] = Phrase(
                start=led.start() if led else start,
                end=both.end() if both else end,
                atoms=previous.atoms + phrase.atoms,
                window=merged,
            )
        else:
            joined.append(phrase)
    return joined


def _weekday_alone(phrase: Phrase) -> bool:
    return len(phrase.atoms) == 1 and phrase.atoms[0].kind == "weekday" and phrase.atoms[0].n < 8


def _numbered_day(phrase: Phrase) -> bool:
    window = phrase.window
    return phrase.has("day", "dayraw", "date", "md") and window.start == window.end is not None


def _agrees(window: Window, weekday: Phrase) -> bool:
    return window.start is not None and window.start.isoweekday() == weekday.atoms[0].n


def _nearest_agreeing(phrase: Phrase, weekday: int, ctx: Context) -> None:
    """星期天, 二月十号: when only the day just gone by was a Sunday, that one is meant."""
    window = phrase.window
    if window.start is None or window.start.isoweekday() == weekday or phrase.has("year", "date"):
        return
    last = plus(window.start, months=-12 if phrase.has("month", "md") else -1)
    if last.isoweekday() == weekday and (ctx.today - last).days <= 60:
        window.start = window.end = window.due = last


def merge_appositions(text: str, phrases: list[Phrase], ctx: Context) -> list[Phrase]:
    """周五 20号, 10月12号,星期一: two names of one day are one phrase."""
    merged: list[Phrase] = []
    for phrase in phrases:
        previous = merged[-1] if merged else None
        if previous and re.fullmatch(
            r"[ ,(]{0,2}(?:也就是|就是|是)?", text[previous.end : phrase.start]
        ):
            a, b = previous.window, phrase.window
            if _weekday_alone(phrase) and _numbered_day(previous) and _agrees(a, phrase):
                previous.end = phrase.end
                continue
            if _weekday_alone(previous) and _numbered_day(phrase):
                _nearest_agreeing(phrase, previous.atoms[0].n, ctx)
                if _agrees(b, previous):
                    merged[-1] = replace(phrase, start=previous.start)
                    continue
            one_day = (
                a.start is not None and (a.start, a.end) == (b.start, b.end) and a.start == a.end
            )
            if one_day and not phrase.has("clock") and {a.rule, b.rule} != {"time-of-day"}:
                window = replace(b, clock=b.clock or a.clock)
                atoms = previous.atoms + phrase.atoms
                merged[-1] = Phrase(
                    start=previous.start, end=phrase.end, atoms=atoms, window=window
                )
                continue
        merged.append(phrase)
    return merged


def apply_modifiers(text: str, phrase: Phrase, ctx: Context) -> None:
    """Read 前, 后, 内, 起, 左右, 过完 and 截止 around *phrase* into its window and span."""
    window = phrase.window
    before = text[max(0, phrase.start - 8) : phrase.start]
    if phrase.has("festival", "newyear", "break"):
        _festive(text, phrase, before)
    if cut := _CUTOFF_L.search(before):
        phrase.start -= len(before) - cut.start()
        window.start = None
    post = _POST.match(text, phrase.end)
    if post:
        phrase.end = post.end()
        kind = post.lastgroup
        if kind == "before":
            _until(window, ctx, inclusive=post["before"][0] in "及或和为截", phrase=phrase)
        elif kind == "after":
            _open(window, inclusive=post["after"][0] in "及或和")
        elif kind == "since":
            _since(window, text[post.start() : post.end()])
        elif kind == "within" and window.grain == "holiday" and window.free and window.eve:
            window.start, window.end = plus(window.eve, days=1), plus(window.free, days=-1)
            if window.running is not None:
                window.start, window.end = ctx.today, window.running
            window.due = window.end
        elif kind == "about":
            window.loose = True
    if _ABOUT_L.search(before):
        window.loose = True


def _festive(text: str, phrase: Phrase, before: str) -> None:
    """过完国庆, 国庆放假前, 国庆回来: the words between a feast and its modifier."""
    done = _DONE_L.search(before)
    said_done = phrase.has("newyear") and text[phrase.start] == "过"
    back = _BACK_R.match(text, phrase.end)
    if done or said_done or (back and back.end() > phrase.end):
        if done:
            phrase.start -= len(before) - done.start()
        tail = back if back and back.end() > phrase.end else _DONE_R.match(text, phrase.end)
        phrase.end = tail.end() if tail else phrase.end
        _open(phrase.window, inclusive=False)
        return
    middle = re.compile(r"(?:节|放假|假期|长假|小长假|假日|大促|黄金周|促销|活动|假)").match(
        text, phrase.end
    )
    if middle:
        phrase.end = middle.end()


def _until(window: Window, ctx: Context, *, inclusive: bool, phrase: Phrase) -> None:
    """X前: X itself; before a week, month or year its eve; before a legal holiday, before
    its break."""
    start, end = window.start, window.end
    if phrase.atoms[-1].kind in ("part", "clock"):
        window.start = None
        if window.clock is None:
            window.clock = {"下班": "18:00", "收工": "18:00", "中午": "12:00", "正午": "12:00"}.get(
                phrase.atoms[-1].word
            )
        return
    window.start = None
    if inclusive or start is None or end is None:
        return
    if window.eve is not None:
        window.end = window.eve
        if window.eve < ctx.today <= end:
            window.end = end
    elif window.grain in ("week", "month", "quarter", "half", "year", "weekend"):
        window.end = start - timedelta(days=1)
        if window.grain in ("week", "weekend"):
            friday = plus(start, days=-3 if window.grain == "week" else -1)
            window.due = friday if friday >= ctx.today else window.end
            window.rule += "-before"
            return
        if window.end < ctx.today <= end:  # said inside the month itself: its end is meant
            window.end = end
    window.due = window.end
    window.rule += "-before"


def _open(window: Window, *, inclusive: bool) -> None:
    """X后 opens on X, or on the first day after a week, month or year, or after a break."""
    if window.running is not None:
        window.start = plus(window.running, days=1)
    elif window.free is not None:
        window.start = window.free
    elif not inclusive and window.grain not in ("day", "edge"):
        window.start = plus(window.end, days=1) if window.end else None
    window.end = None
    window.due = window.start
    window.rule += "-after"


def _since(window: Window, word: str) -> None:
    if "以来" in word:
        window.past = True
        return
    window.end = None
    window.due = window.start
    window.rule += "-from"
