"""The day of a promise: in its clause, said before it, or said alone behind it."""

from __future__ import annotations

import re
from datetime import date

from nlp.dates import DateHit
from nlp.extract import lexicon as lex
from nlp.extract.scene import Scene
from sales.facts import Span

ONLY_DATE = re.compile(
    rf"^(?:就是|是|大概|最晚|最迟|时间|那就|定在|定到|说|应该|也就是|就|在|等|不对|不是|错了|说错了|哦|改成|改到|应该是|约在|我说|他说|她说|[ ,，])*{lex.DATE}+(?:之前|以前|前|吧|左右|的样子|以内|内|那天|这样|啊|[ ,，])*$"
)
ENDS_WITH_DATE = re.compile(rf"{lex.DATE}(?:之前|以前|前|之内|以内|内)?[ ,，]*$")
_CLOSE = 10  # letters between a day and the one said instead


def at_hand(scene: Scene, numbers: list[int], place: int) -> tuple[str, list[DateHit]]:
    """The day that a clause may be due on: in it, said before it, or said alone behind it."""
    number = numbers[place]
    here = days_in(scene, scene.clauses[number].span)
    if here:
        today = scene.now.date()
        return ("today" if all(one.due == today for one in here) else "here"), here
    if place and numbers[place - 1] == number - 1:
        before = scene.clauses[number - 1]
        if ENDS_WITH_DATE.search(scene.masked, before.start, before.end):
            days = days_in(scene, before.span)
            if days:
                return "before", days[-1:]
    if place + 1 < len(numbers) and numbers[place + 1] == number + 1:
        behind = scene.clauses[number + 1]
        if ONLY_DATE.match(scene.masked[behind.start : behind.end]):
            days = days_in(scene, behind.span)
            if days:
                return "behind", days[-1:]
    return "", []


def day_behind(scene: Scene, numbers: list[int], number: int) -> list[DateHit]:
    """A day said alone after the act, when nothing follows that could own it: 我先发给他 明天上午."""
    place = numbers.index(number)
    if place + 1 >= len(numbers) or numbers[place + 1] != number + 1:
        return []
    clause = scene.clauses[number + 1]
    if not ONLY_DATE.match(scene.masked[clause.start : clause.end]):
        return []
    if place + 2 < len(numbers):
        later = scene.clauses[numbers[place + 2]]
        owned = days_in(scene, later.span) or lex.CUSTOMER in scene.masked[later.start : later.end]
        if not (owned or later.hard):
            return []
    return days_in(scene, clause.span)[-1:]


def days_in(scene: Scene, span: Span) -> list[DateHit]:
    """Days in a clause that something can be due on; an offset from an event may have none.

    A day that was taken back gives way to the one said instead, in this clause or right after it.
    """
    today = scene.now.date()
    inside = [hit for hit in scene.dates if span[0] <= hit.span[0] < span[1]]
    days = [hit for hit in inside if _stands(hit, today)]
    if not days and inside and inside[-1].superseded:
        following = next((hit for hit in scene.dates if hit.span[0] >= span[1]), None)
        if following and _stands(following, today) and following.span[0] - span[1] <= _CLOSE:
            clause = scene.clauses[scene.clause_at(following.span[0])]
            if ONLY_DATE.match(scene.masked[clause.start : clause.end]):
                days = [following]
    return days


def _stands(hit: DateHit, today: date) -> bool:
    return not hit.past and not hit.superseded and (hit.due is None or hit.due >= today)


def best_day(days: list[DateHit]) -> DateHit | None:
    """The day that counts: a second one right behind the first makes it more exact."""
    if not days:
        return None
    dated = [one for one in days if one.due is not None] or days
    if len(dated) > 1 and dated[1].span[0] - dated[0].span[1] <= 1 and dated[1].certainty == "firm":
        return dated[1]
    return dated[0]
