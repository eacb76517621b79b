"""What a recogniser inside the speech process looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from nlp.audio import Samples
from nlp.ports import Hints
from nlp.transcribe.settings import WorkerSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A segment as the model gave it; None where a backend does not say."""

    start_s: float
    end_s: float
    text: str
    avg_logprob: float | None = None
    no_speech: float | None = None
    compression: float | None = None


class Engine(Protocol):
    def hear(self, samples: Samples, hints: Hints) -> list[Heard]:
        """Segments of 16 kHz mono sound, in order, before any filter.

        Raises:
            SpeechUnavailable: a server cannot hear now.
        """


def make(spec: WorkerSpec) -> Engine:
    """Load the weights.  Slow, and the only place where an engine's library is imported."""
    if spec.backend == "faster-whisper":
        from nlp.transcribe.faster import FasterWhisper

        return FasterWhisper(spec)
    if spec.backend == "whisper":
        from nlp.transcribe.openai_whisper import OpenAIWhisper

        return OpenAIWhisper(spec)
    from nlp.transcribe.server import Server

    return Server(spec)
