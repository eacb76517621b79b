"""What a stretch of clauses shows to the learned models: its letters and what the rules found.

Names are masked (Ⓟ Ⓒ Ⓡ Ⓖ), so that a model learns what is said and not of whom.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from nlp.extract import lexicon as lex
from nlp.extract.grounds import ABOUT, AMISS, COMPLAINT, GROUNDS, denied
from nlp.extract.scene import Scene
from nlp.extract.voices import Voice
from sales.facts import Span

_QUIET = re.compile(r"[ ,，。、！!；;：:“”\"'（）()]+|[呃嗯哦啊]|那个|就是说|然后呢")
_MARKED = re.compile(rf"([{lex.MARKS}])\1*")


def for_reading(scene: Scene, span: Span) -> str:
    """The clause with names masked but days and sums legible: 明年三月再看 needs its words."""
    text = list(scene.fixed[span[0] : span[1]])
    for place in range(span[0], span[1]):
        mark = scene.masked[place]
        if mark in (lex.RIVAL, lex.CUSTOMER, lex.PERSON, lex.COLLEAGUE, lex.PRODUCT):
            text[place - span[0]] = mark
    return "".join(text)


def letters(text: str) -> list[str]:
    """One, two and three letters in a row, and two with one between; one mark for each name."""
    bare = "^" + _MARKED.sub(r"\1", _QUIET.sub("", text)) + "$"
    one, two = bare[1:], bare[2:]
    return [
        *bare,
        *map("".join, zip(bare, one, strict=False)),
        *map("".join, zip(bare, one, two, strict=False)),
        *map("_".join, zip(bare, two, strict=False)),
    ]


def of_objection(scene: Scene, voices: Sequence[Voice], number: int) -> set[str]:
    """Features of one clause for the model of objections; those of neighbours are simply united."""
    clause, voice = scene.clauses[number], voices[number]
    text = for_reading(scene, clause.span)
    out = set(letters(text))
    for category, pattern in GROUNDS.items():
        match = pattern.search(text)
        if match:
            out.add(f"says={category}" + ("-no" if denied(text, *match.span()) else ""))
    for category, pattern in ABOUT.items():
        if pattern.search(text):
            out.add(f"about={category}")
    for name, pattern in (("complains", COMPLAINT), ("amiss", AMISS)):
        match = pattern.search(text)
        if match:
            out.add(name + ("-no" if denied(text, *match.span()) else ""))
    out.add(f"by={voice.subject or '-'}/{voice.speaker or '-'}")
    if voice.lacking:
        out.add("of-us")
    if voice.demand:
        out.add("demand")
    return out


_SPEAKS_OF_ACT = (
    ("to-us", lex.TO_US), ("to-them", lex.TO_THEM), ("no", lex.NEGATED), ("asks", lex.QUESTION),
    ("if", lex.CONDITION), ("wish", lex.WISH), ("over", lex.PAST), ("state", lex.STATE),
    ("later", lex.LATER_US), ("promise", lex.PROMISE), ("must", lex.DEMAND),
    ("theirs", lex.THEIRS_ONLY), ("ours", lex.OURS_ONLY), ("yes", lex.ACCEPTED),
)  # fmt: skip


def of_promise(
    scene: Scene, voices: Sequence[Voice], number: int, *, by_rule: str, days: str
) -> set[str]:
    """Features of one clause for the model of promises.

    Args:
        by_rule: whose promise the rules make of it, '' for none.
        days: what day is at hand: '' none, 'here', 'before', 'behind', 'today'.
    """
    clause, voice = scene.clauses[number], voices[number]
    text = scene.masked[clause.start : clause.end]
    out = set(letters(text))
    body = scene.masked[min(voice.body, clause.end) : clause.end]
    out.update(f"act={one}" for one in _openings(body))
    out.add(f"rule={by_rule or '-'}")
    out.add(f"days={days or '-'}")
    out.add(f"rule={by_rule or '-'}/days={days or '-'}")
    out.add(f"by={voice.subject or '-'}/{voice.speaker or '-'}")
    out.add(f"by={voice.subject or '-'}/{voice.speaker or '-'}/days={days or '-'}")
    for name in ("promised", "demand", "caused", "lacking", "asked"):
        if getattr(voice, name):
            out.add(name)
    out.update(_acts(text))
    for side, near in (("<", number - 1), (">", number + 1)):
        if not 0 <= near < len(scene.clauses):
            out.add(side + "edge")
            continue
        other = scene.clauses[near]
        said = _MARKED.sub(r"\1", _QUIET.sub("", scene.masked[other.start : other.end]))
        out.add(f"{side}by={voices[near].subject or '-'}/{voices[near].speaker or '-'}")
        piece = said[-6:] if side == "<" else said[:5]
        out.update(side + piece[place : place + 2] for place in range(len(piece) - 1))
        out.update(side + name for name in _acts(scene.masked[other.start : other.end]))
        if any(voices[near].__getattribute__(name) for name in ("promised", "demand")):
            out.add(side + "asked-or-promised")
    if clause.hard:
        out.add("hard")
    return out


_ACTS_AT_ALL = frozenset({"promise", "later", "yes", "to-us", "to-them", "theirs", "ours"})


def may_promise(scene: Scene, voices: Sequence[Voice], number: int) -> bool:
    """Whether a clause without a day has any word of an act; most have none and are no promises."""
    clause, voice = scene.clauses[number], voices[number]
    acts = _acts(scene.masked[clause.start : clause.end])
    return voice.promised or voice.demand or not _ACTS_AT_ALL.isdisjoint(acts)


@lru_cache(maxsize=256)  # a clause is looked at for itself and for both neighbours
def _acts(text: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in _SPEAKS_OF_ACT if pattern.search(text))


def _openings(body: str) -> Iterator[str]:
    """The first letters of the act."""
    bare = _MARKED.sub(r"\1", _QUIET.sub("", body))[:5]
    for size in (1, 2, 3):
        if len(bare) >= size:
            yield bare[:size]


def of_message(scene: Scene, voices: Sequence[Voice], *, by_rule: str) -> set[str]:
    """Features of a whole text for the model of what a message is."""
    out = {f"rule={by_rule}", f"length={min(9, len(scene.plain) // 15)}"}
    bare = _MARKED.sub(r"\1", _QUIET.sub("", scene.masked))
    out.update(letters(bare[:120]))
    out.update("^^" + bare[:size] for size in (1, 2, 3, 4))
    out.update(bare[-size:] + "$$" for size in (1, 2, 3, 4) if bare)
    for name, things in (
        ("customers", scene.customers), ("people", scene.people), ("products", scene.products),
        ("sums", scene.sums), ("rivals", scene.rivals),
    ):  # fmt: skip
        out.add(f"{name}={min(2, len(things))}")
    out.add(f"future={any(hit.due and not hit.past for hit in scene.dates)}")
    out.add(f"past={any(hit.past for hit in scene.dates)}")
    out.add(f"us={sum(one.subject == 'us' for one in voices) > 0}")
    out.add(f"them={sum('customer' in (one.subject, one.speaker) for one in voices) > 0}")
    out.add(f"asks={bool(lex.QUESTION.search(scene.plain))}")
    return out
