"""Forms of names with one syllable misheard, lost or added, found by three codes that were right.

A fault in one of the first four syllables leaves three of them right, and a later one leaves the
first three: so four keys of three codes a form, and three keys a place of the memo, find every
form that is one syllable off, with a handful of look-ups whatever the length of the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from nlp.pinyin import same

T = TypeVar("T")

_SHORTEST, _LONGEST = 4, 14  # lengths of forms that may differ in one syllable
_POSTINGS = 400  # three syllables in more forms than this say nothing
_LONG = 6  # from here on the wrong syllable may sound like anything
_LOST_OR_ADDED = 0.85
_PENALTY = 0.12
# Which three of its first four syllables a key holds.
_ALL, _NOT_THIRD, _NOT_SECOND, _NOT_FIRST = range(4)


class NearForms(Generic[T]):
    """Codes of forms by the keys above."""

    def __init__(self) -> None:
        self._keys: dict[str, list[tuple[str, str, T, int]]] = {}

    def add(self, code: str, text: str, owner: T) -> None:
        """Index a form: its folded *code*, its letters, and what it stands for."""
        if not _SHORTEST <= len(code) <= _LONGEST:
            return
        first, second, third, fourth = tuple(code[:4])
        keys = (
            first + second + third,
            first + second + fourth,
            first + third + fourth,
            second + third + fourth,
        )
        for kind, key in enumerate(keys):
            self._keys.setdefault(key, []).append((code, text, owner, kind))

    def find(self, letters: str, codes: str) -> Iterator[tuple[int, int, T, float]]:
        """Start, end, owner and likeness of every form heard with one syllable off."""
        seen: set[tuple[int, str]] = set()
        for place in range(len(codes) - 2):
            window = codes[place : place + 4]
            keys = [(window[:3], 0)]
            if len(window) == 4:
                keys += [(window[0] + window[1] + window[3], 1), (window[0] + window[2:], 2)]
            for key, hole in keys:
                postings = self._keys.get(key)
                if not postings or len(postings) > _POSTINGS:
                    continue
                for code, text, owner, kind in postings:
                    start = place - 1 if kind == _NOT_FIRST and not hole else place
                    if start < 0 or (start, text) in seen:
                        continue
                    seen.add((start, text))
                    end, likeness = _one_off(letters, codes, start, code, text)
                    if end:
                        yield start, end, owner, likeness


def _one_off(letters: str, codes: str, start: int, code: str, text: str) -> tuple[int, float]:
    """Where *code* ends that is heard from *start* with one syllable off, and how alike; (0, 0) if not."""
    size = len(code)
    heard = codes[start : start + size + 1]
    wrong = 0
    for ours, theirs in zip(heard, code, strict=False):
        if ours != theirs:
            break
        wrong += 1
    if wrong >= size:
        return 0, 0.0  # nothing is off: the dictionary has it
    if len(heard) >= size and heard[wrong + 1 : size] == code[wrong + 1 :]:
        alike = same(letters[start + wrong], text[wrong])
        if (alike and wrong > 1) or (size >= _LONG and wrong > 1):  # 云汉 is not 云海
            return start + size, round((size - 1 + alike) / size - _PENALTY, 3)
    if wrong >= 2 and size > _SHORTEST and heard[wrong : size - 1] == code[wrong + 1 :]:
        return start + size - 1, _LOST_OR_ADDED
    if wrong >= 1 and len(heard) > size and heard[wrong + 1 : size + 1] == code[wrong:]:
        return start + size + 1, _LOST_OR_ADDED
    return 0, 0.0
