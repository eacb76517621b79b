"""Limits before decoding; apart from ``nlp.audio``, whose import needs numpy."""

from __future__ import annotations

from typing import Final

MAX_BYTES: Final = 60 * 1024 * 1024
MAX_SECONDS: Final = 600.0
