"""Precision and recall of ``nlp.amounts`` on labelled sums, shares and numbers (JSON lines).

    python tools/eval_amounts.py FILE [-v]

A hit counts when its value is right (to one part in a million) and its unit agrees; 折 counts as
per cent, and a label without a currency takes any.  Rows of numbers are read with plain numbers.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nlp.amounts import AmountHit, find_amounts

Wanted = tuple[Any, str | None]


def wanted(row: dict[str, Any]) -> list[Wanted] | None:
    if "entities" in row:
        return [(one["value"], one["unit"]) for one in row["entities"]]
    if row["type"] == "currency":
        return [(row["value"]["amount"], row["value"]["currency"])]
    return None


def same(hit: AmountHit, want: Wanted, kind: str) -> bool:
    value, unit = want
    got = list(hit.value) if isinstance(hit.value, tuple) else [hit.value]
    goal = value if isinstance(value, list) else [value]
    if len(got) != len(goal):
        return False
    close = all(abs(a - b) <= 1e-6 * max(1e-3, abs(b)) for a, b in zip(got, goal, strict=True))
    if kind == "number":
        return close
    found = "%" if hit.unit == "折" else hit.unit
    return close and (unit in (None, found) or (unit == "Dollar" and found == "USD"))


def main(argv: list[str]) -> int:
    rows = [json.loads(line) for line in Path(argv[0]).read_text(encoding="utf-8").splitlines()]
    count: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    began = time.perf_counter()
    for row in rows:
        kind = row["type"]
        goal = wanted(row)
        hits = find_amounts(row["text"], numbers=kind == "number")
        if kind == "number":
            hits = [h for h in hits if h.unit not in ("%", "折")] or hits
        else:
            hits = [h for h in hits if (h.unit in ("%", "折")) == (kind == "percent")]
        if goal is None:
            spans = [tuple(one["span"]) for one in row["spans"]]
            right = sum(any(h.span[0] < e and s < h.span[1] for h in hits) for s, e in spans)
            goal_size = len(spans)
        else:
            left = list(goal)
            right = 0
            for hit in hits:
                match = next((one for one in left if same(hit, one, kind)), None)
                if match is not None:
                    left.remove(match)
                    right += 1
            goal_size = len(goal)
        count[kind, "want"] += goal_size
        count[kind, "got"] += len(hits)
        count[kind, "right"] += right
        if right != goal_size or right != len(hits):
            wrong.append(
                f"{row['id']} {row['text']} want {goal} got "
                f"{[(h.text, h.value, h.unit) for h in hits]}"
            )
    spent = time.perf_counter() - began
    for kind in ("currency", "currency_spans", "percent", "number"):
        want, got, right = (count[kind, key] for key in ("want", "got", "right"))
        print(
            f"{kind:15} {want:4} wanted  precision {right / max(1, got):.3f}  recall "
            f"{right / max(1, want):.3f}"
        )
    print(f"{len(rows) / spent:.0f} texts/s")
    if "-v" in argv:
        print("\n".join(wrong))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
