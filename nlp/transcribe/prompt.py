"""The words that Whisper is shown before it hears: names it may meet."""

from __future__ import annotations

from collections.abc import Sequence

LEAD = "以下是普通话的句子。"
# 224 tokens are the limit, a Chinese character takes up to 2: what is over is cut at the front.
ROOM = 100


def prompt(names: Sequence[str]) -> str:
    """A prompt with the first of *names* that fit; '' without names."""
    fitting: list[str] = []
    used = len(LEAD)
    for name in dict.fromkeys(n.strip() for n in names):
        if not name or used + len(name) + 1 > ROOM:
            continue
        fitting.append(name)
        used += len(name) + 1
    return f"{LEAD}{'、'.join(fitting)}。" if fitting else ""
