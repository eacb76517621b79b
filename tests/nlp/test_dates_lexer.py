"""The letters with which a date may begin are those of the lexer's expression."""

from __future__ import annotations

import re
from typing import Any

from nlp.dates.atoms import FIRST, WORDS


def begins(parsed: Any) -> tuple[set[int], bool]:
    """Code points that a parsed expression may begin with, and whether it may match nothing."""
    found: set[int] = set()
    for code, value in parsed:
        name = str(code)
        if name in ("ASSERT", "ASSERT_NOT", "AT"):
            continue
        empty = False
        if name == "LITERAL":
            found.add(value)
        elif name == "IN":
            for kind, what in value:
                if str(kind) == "LITERAL":
                    found.add(what)
                elif str(kind) == "RANGE":
                    found.update(range(what[0], what[1] + 1))
                else:  # \d
                    assert str(what) == "CATEGORY_DIGIT"
                    found.update(map(ord, "0123456789"))
        elif name == "BRANCH":
            for branch in value[1]:
                more, nothing = begins(branch)
                found |= more
                empty |= nothing
        elif name == "SUBPATTERN":
            more, empty = begins(value[3])
            found |= more
        else:
            assert name in ("MAX_REPEAT", "MIN_REPEAT"), name
            more, empty = begins(value[2])
            found |= more
            empty |= value[0] == 0
        if not empty:
            return found, False
    return found, True


def test_no_date_begins_with_another_letter() -> None:
    letters, empty = begins(re._parser.parse(WORDS))  # type: ignore[attr-defined]
    assert not empty
    assert {chr(one) for one in letters} == set(FIRST)
