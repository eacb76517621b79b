"""Honest figures: each batch of memos is read by models that never saw it.

    python -m tools.language.crosscheck [--errors] [--only memos_m5]

For every file of labelled memos the models are trained on all other data, the memos of the file
are extracted, and the scores of all files are added up.  The rules may have been written with a
batch in view; what a batch scored before anybody had looked at it stands in the README beside it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nlp.learned
from nlp.evaluate import Table, format_table, score_memos
from nlp.evaluate.memos import FIELDS
from nlp.learned import LinearModel
from tools.language.train import DATA, models


def main(argv: list[str]) -> int:
    only = argv[argv.index("--only") + 1] if "--only" in argv else ""
    total = Table.of(FIELDS, "memos")
    for path in sorted(DATA.glob("memos_*.jsonl")):
        if only and path.stem != only:
            continue
        table = left_out(path)
        if not only:
            print(f"{path.stem:12}", "  ".join(f"{n} {t.f1:.3f}" for n, t in table.fields.items()))
        for name, one in table.fields.items():
            tally = total.fields[name]
            tally.right += one.right
            tally.found += one.found
            tally.wanted += one.wanted
        total.rows += table.rows
        total.spans += table.spans
        total.dishonest += table.dishonest
        total.errors += table.errors
    print(format_table(total, errors="--errors" in argv))
    return 0


def left_out(path: Path) -> Table:
    """Scores of one file, read by models trained without it."""
    from tools.language.examples import read

    made = {name: LinearModel(text) for name, text in models(without=path.name).items()}
    original, nlp.learned.MODELS = nlp.learned.MODELS, made.__getitem__
    try:
        return score_memos(read(path))
    finally:
        nlp.learned.MODELS = original


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
