"""How common a word is: jieba's dictionary as evidence, loaded when first asked for."""

from __future__ import annotations

import logging
import threading
from functools import lru_cache
from typing import Any

COMMON = 150  # occurrences in jieba's counts from which a word is an everyday one

_lock = threading.Lock()
_tokenizer: Any = None


def _private() -> Any:
    """Our own tokenizer: the shared one belongs to nobody and may be changed by anybody."""
    global _tokenizer  # noqa: PLW0603 - one lazily loaded dictionary per process
    if _tokenizer is None:
        with _lock:
            if _tokenizer is None:
                import jieba

                jieba.setLogLevel(logging.WARNING)
                fresh = jieba.Tokenizer()
                fresh.initialize()
                _tokenizer = fresh
    return _tokenizer


@lru_cache(maxsize=50_000)
def frequency(word: str) -> int:
    """How often *word* was counted in ordinary text; 0 when it is no word."""
    return int(_private().FREQ.get(word) or 0)


def is_common(word: str, limit: int = COMMON) -> bool:
    return frequency(word) >= limit


def cut(text: str) -> list[str]:
    """Words of *text*."""
    return list(_private().lcut(text))


def word_set(text: str) -> frozenset[str]:
    """The words of a block of text."""
    return frozenset(text.split())
