"""Scores of ``genjin eval amounts``.

Two kinds of labelled rows: ``amounts`` (every sum of a sentence, in order, [] where there is none)
and the form of public test sets, ``type`` with ``entities`` or ``value``.  A sum counts when its
value is right (to one part in a million) and its unit agrees; a label without a unit takes any.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nlp.amounts import AmountHit, find_amounts
from nlp.evaluate.table import Row, Table

NEEDS = ("amounts", "type")
FIELDS = (
    "sums", "shares", "roles", "texts without one", "currency", "currency_spans", "percent", "number",
)  # fmt: skip
_SHARES = ("%", "折")

Wanted = tuple[Any, str | None]


def score(rows: Iterable[Row]) -> Table:
    """Read every row and compare; fields that no row is about are left out."""
    table = Table.of(FIELDS, "texts")
    for row in rows:
        table.rows += 1
        kind = row.get("type", "")
        hits = find_amounts(row["text"], numbers=kind == "number")
        for hit in hits:
            table.spans += 1
            table.dishonest += row["text"][hit.span[0] : hit.span[1]] != hit.text
        if "amounts" in row:
            _in_talk(table, row, hits)
        else:
            _public(table, row, hits, kind)
    table.fields = {name: one for name, one in table.fields.items() if one.found or one.wanted}
    return table


def _in_talk(table: Table, row: Row, hits: Sequence[AmountHit]) -> None:
    error = f"{row.get('id')} {row['text']}: found {_shown(hits)}, wanted {row['amounts']}"
    if not row["amounts"]:
        table.count("texts without one", int(not hits), 1, 1, error=error)
        return
    told = {one["text"] for one in row["amounts"]}
    hits = [hit for hit in hits if not hit.superseded or hit.text in told]  # some label both
    for name, share in (("sums", False), ("shares", True)):
        wanted = [
            (one["value"], one["unit"])
            for one in row["amounts"]
            if (one["unit"] in _SHARES) == share
        ]
        found = [hit for hit in hits if (hit.unit in _SHARES) == share]
        table.count(name, _right(found, wanted), len(found), len(wanted), error=error)
    for one in row["amounts"]:
        if one.get("role"):
            twin = next((hit for hit in hits if _same(hit, (one["value"], one["unit"]))), None)
            said = twin is not None and twin.role == one["role"]
            note = f"{row.get('id')} {row['text']}: {one['text']} is {one['role']}, found {twin.role if twin else None}"
            table.count("roles", int(said), int(bool(twin and twin.role)), 1, error=note)


def _public(table: Table, row: Row, hits: Sequence[AmountHit], kind: str) -> None:
    if kind == "number":
        hits = [hit for hit in hits if hit.unit not in _SHARES] or hits
    else:
        hits = [hit for hit in hits if (hit.unit in _SHARES) == (kind == "percent")]
    error = f"{row.get('id')} {row['text']}: found {_shown(hits)}"
    if "entities" in row:
        wanted = [
            (one["value"], None if kind == "number" else one["unit"]) for one in row["entities"]
        ]
    elif kind == "currency":
        wanted = [(row["value"]["amount"], row["value"]["currency"])]
    else:
        spans = [one["span"] for one in row["spans"]]
        touched = sum(
            any(h.span[0] < end and start < h.span[1] for h in hits) for start, end in spans
        )
        table.count(kind, touched, len(hits), len(spans), error=f"{error}, wanted {spans}")
        return
    table.count(
        kind, _right(hits, wanted), len(hits), len(wanted), error=f"{error}, wanted {wanted}"
    )


def _right(hits: Sequence[AmountHit], wanted: Sequence[Wanted]) -> int:
    left, right = list(wanted), 0
    for hit in hits:
        twin = next((one for one in left if _same(hit, one)), None)
        if twin is not None:
            left.remove(twin)
            right += 1
    return right


def _same(hit: AmountHit, want: Wanted) -> bool:
    value, unit = want
    got = list(hit.value) if isinstance(hit.value, tuple) else [hit.value]
    goal = value if isinstance(value, list) else [value]
    if len(got) != len(goal):
        return False
    close = all(abs(a - b) <= 1e-6 * max(1e-3, abs(b)) for a, b in zip(got, goal, strict=True))
    if hit.unit == "折":  # 八五折 is 85 to us and to public sets, which call it %; some write 8.5
        tenfold = all(abs(a - b * 10) < 1e-6 for a, b in zip(got, goal, strict=True))
        return unit in _SHARES and (close or (unit == "折" and tenfold))
    return close and unit in (None, hit.unit, "Dollar" if hit.unit == "USD" else hit.unit)


def _shown(hits: Sequence[AmountHit]) -> list[str]:
    return [f"{hit.text}={hit.value}{hit.unit or ''} {hit.role}".strip() for hit in hits]
