"""Precision and recall of ``nlp.dates`` on labelled time expressions (JSON lines).

    python tools/eval_time.py FILE [-v]

A row counts when one hit of its text gives the expected days, or one of ``accept``.  The due day is
compared with the last day of the expected window (the first, where it is open to the right).
Clock times alone and plain lengths of time are no days; they are counted apart.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nlp.dates import DateHit, find_dates


def day_of(value: str | None, *, last: bool = False) -> date | None:
    """The day of an ISO day or moment; a window that ends at midnight ends the day before."""
    if not value or len(value) < 10:
        return None
    day = date.fromisoformat(value[:10])
    return day - timedelta(days=1) if last and value[11:] == "00:00:00" else day


def readings(row: dict[str, Any]) -> list[tuple[date | None, date | None]]:
    found = []
    for value in [row["value"], *row["accept"]]:
        if "start" not in value and "end" not in value:
            continue
        start, end = value.get("start"), value.get("end")
        found.append((day_of(start), day_of(end, last=bool(start) and start != end)))
    return [pair for pair in found if any(pair)]


def due_right(hit: DateHit, pairs: list[tuple[date | None, date | None]]) -> bool:
    return hit.due is not None and any(hit.due == (end or start) for start, end in pairs)


def days_right(hit: DateHit, pairs: list[tuple[date | None, date | None]]) -> bool:
    return any((hit.start, hit.end) == pair for pair in pairs)


def main(argv: list[str]) -> int:
    rows = [json.loads(line) for line in Path(argv[0]).read_text(encoding="utf-8").splitlines()]
    count: Counter[str] = Counter()
    missed: list[str] = []
    began = time.perf_counter()
    for row in rows:
        hits = [
            h
            for h in find_dates(row["text"], datetime.fromisoformat(row["now"]))
            if not h.superseded
        ]
        pairs = readings(row)
        if not pairs:
            count["no day"] += 1
            count["no day, due found"] += any(h.due for h in hits)
            continue
        kind = "past" if "past" in row["tags"] else "future"
        if kind == "future" and "exotic" in row["tags"]:
            kind = "exotic"
        count[kind] += 1
        count[f"{kind} hits"] += len(hits)
        count[f"{kind} found"] += bool(hits)
        count[f"{kind} days"] += any(days_right(h, pairs) for h in hits)
        count[f"{kind} due"] += any(due_right(h, pairs) for h in hits)
        now = date.fromisoformat(row["now"][:10])
        ends = [end or start for start, end in pairs]
        count[f"{kind} due wrong"] += any(h.due and h.due not in ends for h in hits)
        if kind == "past":
            truly = all(day is None or day < now for day in ends[:1])
            count["past never due"] += truly and not any(h.due and h.due >= now for h in hits)
            count["past truly"] += truly
        if kind == "future" and not any(due_right(h, pairs) for h in hits):
            got = [(h.text, str(h.start), str(h.end), str(h.due), h.past) for h in hits]
            head = f"{row['id']} {row['now'][:10]} {row['text']} {row['tags']}"
            missed.append(f"{head} want {row['value']} got {got}")
    spent = time.perf_counter() - began
    for kind in ("future", "past", "exotic"):
        total = count[kind]
        if not total:
            continue
        print(f"{kind:7} {total:4} rows  found {count[kind + ' found'] / total:.3f}", end="  ")
        print(f"days right {count[kind + ' days'] / total:.3f}", end="  ")
        if kind != "past":
            right, wrong = count[f"{kind} due"], count[f"{kind} due wrong"]
            print(
                f"due recall {right / total:.3f}  due precision {right / max(1, right + wrong):.3f}"
            )
        else:
            print(f"never due {count['past never due']}/{count['past truly']}")
    print(f"without a day: {count['no day']} rows, {count['no day, due found']} read as a due day")
    print(f"{len(rows) / spent:.0f} texts/s")
    if "-v" in argv:
        print("\n".join(missed))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
