"""What the readers reach on the sentences in the repository, as floors.

A change that costs one of them a sentence is seen here.  The figures of a first run, before anybody
had looked at a batch, stand in ``tools/language/README.md``.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nlp.evaluate import Table, dates, read_rows, sums
from nlp.match import NameIndex

DATA = Path(__file__).parents[2] / "tools" / "language" / "data"


def rows(name: str, needs: tuple[str, ...]) -> list[Any]:
    return list(read_rows((DATA / f"{name}.jsonl").read_text("utf-8").splitlines(), needs=needs))


def reached(table: Table, floors: dict[str, tuple[int, int]]) -> None:
    """*floors*: of each field so many right at least, and so many found at most."""
    assert table.dishonest == 0
    assert set(table.fields) == set(floors)
    for name, (right, found) in floors.items():
        tally = table.fields[name]
        assert tally.right >= right, (name, *table.errors)
        assert tally.found <= found, (name, *table.errors)


@pytest.mark.parametrize(
    ("name", "floors"),
    [
        ("dates_d1", {"due, in talk": (189, 194), "none, in talk": (69, 70)}),
        ("dates_d2", {"due, in talk": (169, 206), "none, in talk": (61, 70)}),
    ],
)
def test_dates(name: str, floors: dict[str, tuple[int, int]]) -> None:
    reached(dates.score(rows(name, dates.NEEDS)), floors)


@pytest.mark.parametrize(
    ("name", "floors"),
    [
        (
            "sums_a1",
            {
                "sums": (270, 271),
                "shares": (43, 43),
                "roles": (102, 104),
                "texts without one": (83, 83),
            },
        ),
        (
            "sums_a2",
            {
                "sums": (338, 342),
                "shares": (40, 40),
                "roles": (80, 81),
                "texts without one": (70, 75),
            },
        ),
    ],
)
def test_sums(name: str, floors: dict[str, tuple[int, int]]) -> None:
    reached(sums.score(rows(name, sums.NEEDS)), floors)


@cache
def index(names: str) -> NameIndex:
    return NameIndex(json.loads((DATA / f"names_{names}.json").read_text("utf-8")))


@pytest.mark.parametrize(("name", "found", "clean"), [("names_n1", 241, 82), ("names_n2", 198, 69)])
def test_names(name: str, found: int, clean: int) -> None:
    """A name is found where a sure hit holds it, a tie where a hit holds all that are alike."""
    missed, dirty = [], []
    wanted = plain = 0
    for row in rows(name, ("names",)):
        sure = [set(hit.names) for hit in index(row["names"]).find(row["text"]) if hit.sure]
        for one in row["expect"]:
            alike = set(one) if isinstance(one, list) else {one}
            wanted += 1
            if not any(alike <= names for names in sure):
                missed.append((row["id"], row["text"], one, sure))
        if not row["expect"]:
            plain += 1
            if sure:
                dirty.append((row["id"], row["text"], sure))
    assert wanted - len(missed) >= found, missed
    assert plain - len(dirty) >= clean, dirty
