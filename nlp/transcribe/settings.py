"""What an admin may set about speech, and what a worker process is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nlp.audio_limits import MAX_BYTES, MAX_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSettings:
    """When a segment is not believed (see ``nlp.transcribe.filters``)."""

    no_speech: float = 0.6  # with ``no_speech_logprob``: the model itself heard nothing
    no_speech_logprob: float = -0.5
    min_logprob: float = -1.2  # average per token
    max_compression: float = 2.4  # zlib ratio of the text; a loop compresses well
    repeats: int = 5  # the same 2..10 characters in a row
    same_lines: int = 2  # of equal segments in a row, how many are kept
    credits: bool = True  # subtitle credits that Whisper learnt from films


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSettings:
    """``backend``: auto | faster-whisper | whisper | server | platform.

    ``model``: a name in the models folder, an absolute path, ``demo-voice``, or '' for the best
    that is there.  ``threads`` 0: all cores but one.
    """

    backend: str = "auto"
    model: str = ""
    device: str = "cpu"
    threads: int = 0
    url: str = ""
    api_key: str = field(default="", repr=False)
    language: str = "zh"
    max_seconds: float = MAX_SECONDS
    max_bytes: int = MAX_BYTES
    filters: FilterSettings = FilterSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """All that the speech process needs to know; crosses the pipe."""

    backend: str  # faster-whisper | whisper | server
    model: str  # for people
    path: Path | None  # of the weights
    settings: SpeechSettings
    threads: int = 1
    memory_bytes: int = 0  # limit of the address space, 0: none
    window_s: float = 28.0  # longest piece given to the model at once
    join_pause_s: float = 3.0  # a longer pause begins another piece
    takes_prompt: bool = True
    nice: int = 10
