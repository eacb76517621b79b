"""The shapes that the date reader passes from stage to stage, and the hit it hands out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sales.facts import Span

Certainty = Literal["firm", "loose"]

# How much time a phrase names.  It decides what 前 and 后 mean: 周五前 is Friday itself, 五月前
# ends in April, 国庆前 before the break.
Grain = Literal["day", "edge", "weekend", "week", "month", "quarter", "half", "year", "holiday"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DateHit:
    """One time expression.  Days are local to ``now``; ``end`` is inclusive, None when open.

    ``due`` is the day a promise made with these words falls due; None for what is past and for
    an offset from an event whose day is not known.  ``clock`` is 'HH:MM'.  ``rule`` names the
    reading, so that a person can be asked back.  ``provisional``: it rests on a year whose list
    of holidays is not published.  ``superseded``: a correction later in the text replaced it.
    """

    span: Span
    text: str
    start: date | None
    end: date | None
    due: date | None
    clock: str | None = None
    certainty: Certainty = "firm"
    provisional: bool = False
    rule: str = ""
    past: bool = False
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Atom:
    """One word of the grammar, in folded text.  What ``n``, ``m`` and ``word`` say is the
    kind's."""

    kind: str
    start: int
    end: int
    n: int = 0
    m: int = 0
    word: str = ""
    x: float = 0.0
    y: float = 0.0


@dataclass(slots=True, kw_only=True)
class Window:
    """What a phrase means before its modifiers (前, 后, 内) are applied."""

    start: date | None
    end: date | None
    due: date | None
    grain: Grain
    rule: str
    clock: str | None = None
    loose: bool = False
    provisional: bool = False
    past: bool = False
    free: date | None = None  # of a legal holiday: the first working day after its break
    eve: date | None = None  # and the last day before it
    running: date | None = None  # the last day of that break when it is on right now


@dataclass(slots=True, kw_only=True)
class Phrase:
    """Atoms that belong together and what they mean."""

    start: int
    end: int
    atoms: tuple[Atom, ...]
    window: Window
    anchor_end: int = 0  # where a following 会后两天内 may start looking for its event

    def has(self, *kinds: str) -> bool:
        return any(atom.kind in kinds for atom in self.atoms)

    def atom(self, kind: str) -> Atom | None:
        return next((atom for atom in self.atoms if atom.kind == kind), None)
