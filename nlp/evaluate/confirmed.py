"""Scores on the company's own memos: what was read against what its person confirmed (F5).

The rep's edits are the labels, so a field counts as right when it was filed as it was read.  What
nobody corrected counts as right: the figure is at most as good as the reps' eyes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nlp.evaluate.memos import FIELDS, compare
from nlp.evaluate.table import Row, Table
from sales.drafts import Draft

CONFIRMED_FIELDS = tuple(name for name in FIELDS if name not in ("who+due", "commitments"))


def score_confirmed(rows: Iterable[tuple[str, str, Row | None, Row]]) -> dict[str, Table]:
    """A table per week and one for all of them.

    Args:
        rows: week (such as 2026-W09), record, what was read (None: nothing) and what was filed
            (see ``expected``).
    """
    tables: dict[str, Table] = {}
    whole = Table.of(CONFIRMED_FIELDS, "memos")
    for week, record, read, filed in rows:
        table = tables.setdefault(week, Table.of(CONFIRMED_FIELDS, "memos"))
        for one in (table, whole):
            one.rows += 1
            compare(one, f"{week} {record}", [read] if read else [], [filed])
    return {**tables, "": whole}


def expected(draft: Draft, customer: str) -> Mapping[str, Any]:
    """A filed draft in the form of a labelled memo."""
    facts = draft.facts
    return {
        "customer": customer,
        "contacts": [{"name": one.name, "new": one.new} for one in facts.contacts],
        "products": [one.name for one in facts.products],
        "amounts": [one.value for one in facts.amounts],
        "objections": [{"category": one.category} for one in facts.objections],
        "commitments": [
            {"who": one.who, "due": one.due.isoformat() if one.due else None, "what": one.what}
            for one in facts.commitments
        ],
        "competitors": [one.name for one in facts.competitors],
    }
