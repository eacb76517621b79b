"""What every score is: a tally per field, and what went wrong in which row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

Row = Mapping[str, Any]


@dataclass(slots=True)
class Tally:
    """Counts of one field."""

    right: int = 0
    found: int = 0
    wanted: int = 0

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.wanted if self.wanted else 1.0

    @property
    def f1(self) -> float:
        total = self.found + self.wanted
        return 2 * self.right / total if total else 1.0


@dataclass(slots=True)
class Table:
    """``spans`` counts items found, ``dishonest`` those without a place in their text (goal: 0)."""

    fields: dict[str, Tally]
    noun: str = "rows"
    rows: int = 0
    errors: list[str] = field(default_factory=list)
    spans: int = 0
    dishonest: int = 0

    @classmethod
    def of(cls, names: Sequence[str], noun: str) -> Self:
        return cls({name: Tally() for name in names}, noun)

    def count(self, name: str, right: int, found: int, wanted: int, *, error: str) -> None:
        """Add to one field; *error* is kept when something is missing or too much."""
        tally = self.fields[name]
        tally.right += right
        tally.found += found
        tally.wanted += wanted
        if right < max(found, wanted):
            self.errors.append(error)

    def to_dict(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "items": self.spans,
            "items_without_source": self.dishonest,
            "fields": {
                name: {
                    "precision": round(one.precision, 4), "recall": round(one.recall, 4),
                    "f1": round(one.f1, 4), "right": one.right, "found": one.found, "wanted": one.wanted,
                }
                for name, one in self.fields.items()
            },
        }  # fmt: skip


def format_table(table: Table, *, errors: bool = False) -> str:
    """The table as text: a line per field with precision, recall, F1 and counts."""
    width = max(12, *(len(name) for name in table.fields))
    lines = [f"{'field':<{width}} {'P':>6}{'R':>7}{'F1':>7}{'right':>7}{'found':>7}{'wanted':>8}"]
    for name, one in table.fields.items():
        lines.append(
            f"{name:<{width}} {one.precision:>6.3f}{one.recall:>7.3f}{one.f1:>7.3f}"
            f"{one.right:>7}{one.found:>7}{one.wanted:>8}"
        )
    lines.append(
        f"{table.rows} {table.noun}, {table.spans} items, {table.dishonest} without a source span"
    )
    if errors:
        lines += ["", *table.errors]
    return "\n".join(lines)


def format_weeks(tables: Mapping[str, Table], *, errors: bool = False) -> str:
    """F1 of every field by week; the table called '' closes it."""
    names = list(tables[""].fields)
    lines = ["week      memos  " + "  ".join(names)]
    for week, table in tables.items():
        cells = [f"{table.fields[name].f1:>{len(name)}.3f}" for name in names]
        lines.append(f"{week or 'all':<9} {table.rows:>5}  " + "  ".join(cells))
    if errors:
        lines += ["", *tables[""].errors]
    return "\n".join(lines)


def read_rows(lines: Iterable[str], *, needs: Sequence[str] = ("expect",)) -> list[Row]:
    """Labelled rows of a JSON-lines file, each with ``text`` and one of *needs*.

    Raises:
        ValueError: a line is not a labelled row; the text names the line.
    """
    rows: list[Row] = []
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw)
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number}: not JSON: {error.msg}") from None
        if (
            not isinstance(row, dict)
            or not isinstance(row.get("text"), str)
            or not any(key in row for key in needs)
            or ("expect" in needs and not isinstance(row["expect"], dict))
        ):
            raise ValueError(f"line {number}: a labelled row needs text and {' or '.join(needs)}")
        rows.append(row)
    return rows
