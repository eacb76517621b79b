"""Train the language models that the package ships.

    python -m tools.language.train

Reads ``tools/language/data``, writes ``nlp/learned/*.txt``; the same data gives the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import nlp.learned
from nlp.learned import LinearModel, dump
from tools.language import examples
from tools.language.fit import Example, fit

DATA = Path(__file__).with_name("data")
TARGET = Path(__file__).resolve().parents[2] / "nlp" / "learned"


def rows(pattern: str, without: str = "") -> list[dict[str, Any]]:
    return [
        row
        for path in sorted(DATA.glob(pattern))
        if path.name != without
        for row in examples.read(path)
    ]


def models(without: str = "") -> dict[str, str]:
    """The text of each model, trained on everything but the file called *without*."""
    memos = rows("memos_*.jsonl", without)
    cuts = _text(
        [
            *examples.cuts_of_memos(memos),
            *_kept("[!mn]*_*.jsonl", examples.cuts_of_sentences),
        ],
        l2=1.0,
    )
    made = LinearModel(cuts)  # the other models see clauses as it cuts them
    shipped, nlp.learned.MODELS = nlp.learned.MODELS, {"cuts": made}.__getitem__
    try:
        objections = [
            *_kept("objections_*.jsonl", examples.objections_of_clauses),
            *examples.objections_of_memos(memos),
        ]
        promises = [
            *examples.promises_of_memos(memos),
            *_kept("promises_*.jsonl", examples.promises_of_snippets),
        ]
        kinds = [
            *_kept("kinds_*.jsonl", examples.kinds_of_messages),
            *_kept("promises_*.jsonl", examples.kinds_of_snippets),
            *examples.kinds_of_memos(memos),
        ]
    finally:
        nlp.learned.MODELS = shipped
    return {
        "cuts": cuts,
        "objections": _text(objections, l2=0.5),
        "promises": _text(promises, l2=1.0),
        "kinds": _text(kinds, l2=1.0),
    }


@cache
def _kept(pattern: str, make: Callable[[list[dict[str, Any]]], Iterator[Example]]) -> list[Example]:
    """Examples that every run of a cross-check shares."""
    return list(make([row for row in rows(pattern) if "text" in row]))


def _text(made: Sequence[Example], *, l2: float) -> str:
    model = fit(made, l2=l2)
    weights = dict(zip(model.features, model.weights.tolist(), strict=True))
    return dump(model.labels, model.bias.tolist(), weights)


def main() -> None:
    for name, text in models().items():
        (TARGET / f"{name}.txt").write_text(text, "utf-8")
        print(f"{name}: {text.count(chr(10)) // 2} features, {len(text.encode()) // 1024} KiB")


if __name__ == "__main__":
    main()
