"""Scores of ``genjin eval dates``.

Two kinds of labelled rows: ``due`` (a day or null: the day on which something is due in a sentence
of sales talk) and ``value`` with ``accept`` (the window of one time expression, as public test sets
have it).  A window's due day is its last day, or its first where it is open to the right.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from nlp.dates import DateHit, find_dates
from nlp.evaluate.table import Row, Table

NEEDS = ("due", "value")
FIELDS = (
    "due, in talk", "none, in talk", "due, future", "window, future", "due, exotic", "past is past",
)  # fmt: skip
_ISO = 10

Window = tuple[date | None, date | None]


def score(rows: Iterable[Row]) -> Table:
    """Read every row and compare; fields that no row is about are left out."""
    table = Table.of(FIELDS, "texts")
    for row in rows:
        table.rows += 1
        hits = [hit for hit in find_dates(row["text"], _now(row)) if not hit.superseded]
        for hit in hits:
            table.spans += 1
            table.dishonest += not 0 <= hit.span[0] < hit.span[1] <= len(row["text"])
        if "due" in row:
            _in_talk(table, row, hits)
        else:
            _window(table, row, hits)
    table.fields = {name: one for name, one in table.fields.items() if one.found or one.wanted}
    return table


def _now(row: Row) -> datetime:
    return datetime.fromisoformat(row["now"])


def _in_talk(table: Table, row: Row, hits: list[DateHit]) -> None:
    found = sorted({hit.due for hit in hits if hit.due and not hit.past})
    wanted = date.fromisoformat(row["due"]) if row["due"] else None
    error = f"{row.get('id')} {row['now'][:_ISO]} {row['text']}: found {_shown(hits)}, wanted {row['due']}"
    if wanted is None:
        table.count("none, in talk", int(not found), 1, 1, error=error)
    else:
        table.count("due, in talk", int(wanted in found), len(found), 1, error=error)


def _window(table: Table, row: Row, hits: list[DateHit]) -> None:
    windows = _windows(row)
    if not windows:
        return  # a clock time or a length of time alone
    tags = row.get("tags", ())
    ends = [end or start for start, end in windows]
    error = f"{row.get('id')} {row['now'][:_ISO]} {row['text']}: found {_shown(hits)}, wanted {row['value']}"
    if "past" in tags:
        now = date.fromisoformat(row["now"][:_ISO])
        if ends[0] is None or ends[0] < now:
            kept = not any(hit.due and hit.due >= now for hit in hits)
            table.count("past is past", int(kept), 1, 1, error=error)
        return
    due = int(any(hit.due and hit.due in ends for hit in hits))
    wrong = int(not due and any(hit.due for hit in hits))
    if "exotic" in tags:
        table.count("due, exotic", due, due + wrong, 1, error=error)
        return
    table.count("due, future", due, due + wrong, 1, error=error)
    same = int(any((hit.start, hit.end) in windows for hit in hits))
    table.count("window, future", same, int(bool(hits)), 1, error=error)


def _windows(row: Row) -> list[Window]:
    found = []
    for value in (row["value"], *row.get("accept", ())):
        start, end = value.get("start"), value.get("end")
        if start or end:
            found.append((_day(start), _day(end, last=bool(start) and start != end)))
    return [one for one in found if any(one)]


def _day(value: str | None, *, last: bool = False) -> date | None:
    """The day of an ISO day or moment; a window that ends at midnight ends the day before."""
    if not value or len(value) < _ISO:
        return None
    day = date.fromisoformat(value[:_ISO])
    return day - timedelta(days=1) if last and value[_ISO + 1 :] == "00:00:00" else day


def _shown(hits: list[DateHit]) -> list[str]:
    return [f"{hit.text}={hit.due}{' past' if hit.past else ''}" for hit in hits]
