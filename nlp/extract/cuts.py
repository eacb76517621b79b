"""Where a speaker's clauses end when the recogniser wrote no marks.

A small model looks at the letters on both sides of a place, names masked; it learned from memos
that were written with marks, which it was shown without them.
"""

from __future__ import annotations

from collections.abc import Iterator

from nlp.extract import lexicon as lex
from nlp.learned import load

_SURE_ENOUGH = 0.5
_SHORT = 12  # a stretch without marks of so few letters is one clause
_LEAST = 3  # letters of a piece


def signs(before: str, after: str) -> Iterator[str]:
    """Features of the place between *before* and *after*, each mark of a name written once."""
    left, right = before[-3:], after[:3]
    for size in range(1, len(left) + 1):
        yield "l" + left[-size:]
    for size in range(1, len(right) + 1):
        yield "r" + right[:size]
    yield f"{left[-1:]}|{right[:1]}"
    yield f"{left[-2:]}|{right[:1]}"
    yield f"{left[-1:]}|{right[:2]}"
    yield f"{left[-2:]}|{right[:2]}"


def once(masked: str) -> tuple[str, list[int]]:
    """*masked* with each run of one mark as one letter, and where each letter stood."""
    letters, at = [], []
    for place, letter in enumerate(masked):
        if letter in lex.MARKS and place and masked[place - 1] == letter:
            continue
        letters.append(letter)
        at.append(place)
    return "".join(letters), at


def cut_places(masked: str, begin: int, end: int) -> list[int]:
    """Places in ``masked[begin:end]``, a stretch without marks, where a new clause begins."""
    letters, at = once(masked[begin:end])
    if len(letters) <= _SHORT:
        return []
    model = load("cuts")
    places: list[int] = []
    last = 0
    for place in range(_LEAST, len(letters) - _LEAST + 1):
        if place - last < _LEAST:
            continue
        found = signs(letters[last:place], letters[place:])
        if model.scores(found)["cut"] >= _SURE_ENOUGH:
            places.append(begin + at[place])
            last = place
    return places
