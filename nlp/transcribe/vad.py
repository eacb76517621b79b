"""Where somebody speaks: Silero's model out of faster-whisper's wheel, for every backend.

Whisper invents sentences when it hears none, so it is only shown speech.
"""

from __future__ import annotations

from nlp.audio import Samples
from nlp.ports import SAMPLE_RATE

PAUSE_MS = 500  # a shorter pause does not end a piece
PAD_MS = 300


def pieces(samples: Samples, *, longest_s: float) -> list[tuple[int, int]]:
    """(first, end) samples of each stretch of speech, none longer than about *longest_s*."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        max_speech_duration_s=longest_s, min_silence_duration_ms=PAUSE_MS, speech_pad_ms=PAD_MS
    )
    found = get_speech_timestamps(samples, options)
    return [(int(p["start"]), int(p["end"])) for p in found]


def windows(samples: Samples, *, longest_s: float, join_pause_s: float) -> list[tuple[int, int]]:
    """Neighbouring pieces together, while they fit *longest_s* with the pauses between them.

    Every window costs Whisper the same, so few and full ones are cheap; but a pause longer than
    *join_pause_s* is where models lose the thread.
    """
    whole: list[tuple[int, int]] = []
    for start, end in pieces(samples, longest_s=longest_s):
        near = whole and start - whole[-1][1] <= join_pause_s * SAMPLE_RATE
        if near and end - whole[-1][0] <= longest_s * SAMPLE_RATE:
            whole[-1] = (whole[-1][0], end)
        else:
            whole.append((start, end))
    return whole
