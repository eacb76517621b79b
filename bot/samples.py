"""The recordings that the demo offers, and what each one says."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "demo" / "memos"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenMemo:
    title: str
    text: str
    path: Path


def spoken_memos() -> list[SpokenMemo]:
    listed = tomllib.loads((FOLDER / "memos.toml").read_text("utf-8"))["memo"]
    return [
        SpokenMemo(title=one["title"], text=one["text"], path=FOLDER / one["file"])
        for one in listed
    ]
