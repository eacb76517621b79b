"""Sums of money as people write them: fen inside, yuan in words."""

from __future__ import annotations


def fen(yuan: float) -> int:
    """Yuan to fen, rounded half up at the half fen."""
    return int(yuan * 100 + 0.5) if yuan >= 0 else -fen(-yuan)


def short(yuan: float) -> str:
    """8,500 元 below ten thousand, 12.5 万 from there, 1.2 亿 from a hundred million.

    Never rounds a sum to another one: as many decimals stay as the sum needs.
    """
    if abs(yuan) >= 100_000_000:
        return f"{_plain(yuan / 100_000_000)} 亿"
    if abs(yuan) >= 10_000:
        return f"{_plain(yuan / 10_000)} 万"
    return f"{_grouped(yuan)} 元"


def _plain(value: float) -> str:
    return f"{value:.8f}".rstrip("0").rstrip(".")


def _grouped(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")
