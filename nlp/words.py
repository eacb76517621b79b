"""How common a word is: the counts of jieba's dictionary as evidence, read when first asked for.

Only the counts are needed here, so the dictionary file is read as it is: a fifth of a second, where
starting jieba's tokenizer costs a whole one.
"""

from __future__ import annotations

import importlib.util
from functools import cache, lru_cache
from pathlib import Path

COMMON = 150  # occurrences in jieba's counts from which a word is an everyday one


@cache
def _counts() -> dict[str, str]:
    """Word -> its count, as written in the file: ``word count tag`` a line."""
    spec = importlib.util.find_spec("jieba")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("jieba is not installed")
    parts = (Path(spec.submodule_search_locations[0]) / "dict.txt").read_text("utf-8").split()
    return dict(zip(parts[::3], parts[1::3], strict=True))


@lru_cache(maxsize=50_000)
def frequency(word: str) -> int:
    """How often *word* was counted in ordinary text; 0 when it is no word."""
    return int(_counts().get(word, "0"))


def is_common(word: str, limit: int = COMMON) -> bool:
    return frequency(word) >= limit


def word_set(text: str) -> frozenset[str]:
    """The words of a block of text."""
    return frozenset(text.split())
