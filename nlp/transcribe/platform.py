"""The text that the platform sent along with a recording, or instead of one."""

from __future__ import annotations

from collections.abc import Mapping

from nlp.ports import Hints, Segment, Transcriber, Transcript
from sales.errors import BadAudio, SpeechUnavailable

BACKEND = "platform"
# The recording will not be heard soon, or never: better the platform's words than none.
GIVE_UP = frozenset({"no_model", "crashed", "timeout"})


def platform_transcript(hints: Hints, *, duration_s: float = 0.0) -> Transcript:
    text = hints.platform_text.strip()
    segments = (Segment(start_s=0.0, end_s=duration_s, text=text),) if text else ()
    return Transcript(
        text=text,
        segments=segments,
        language=hints.language,
        backend=BACKEND,
        model=BACKEND,
        duration_s=duration_s,
        compute_s=0.0,
    )


class PlatformText:
    """Hears nothing itself."""

    def __init__(self, detail: str = "") -> None:
        self.detail = detail

    def transcribe(self, data: bytes, hints: Hints) -> Transcript:
        """Raises ``SpeechUnavailable("no_model")`` when the platform sent no text."""
        if hints.platform_text.strip():
            return platform_transcript(hints)
        raise SpeechUnavailable("no_model", retry_after_s=300.0, detail=self.detail)

    def describe(self) -> Mapping[str, object]:
        return {"backend": BACKEND, "model": "", "ready": False, "detail": self.detail}

    def start(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to stop."""


class WithPlatformText:
    """Our own transcript, or the platform's where ours fails or misses more of the names."""

    def __init__(self, own: Transcriber) -> None:
        self.own = own

    def transcribe(self, data: bytes, hints: Hints) -> Transcript:
        offered = hints.platform_text.strip()
        if offered and not data:
            return platform_transcript(hints)
        try:
            heard = self.own.transcribe(data, hints)
        except BadAudio:
            if offered:
                return platform_transcript(hints)
            raise
        except SpeechUnavailable as error:
            if offered and error.reason in GIVE_UP:
                return platform_transcript(hints)
            raise
        if offered and (not heard.text or names_in(offered, hints) > names_in(heard.text, hints)):
            return platform_transcript(hints, duration_s=heard.duration_s)
        return heard

    def describe(self) -> Mapping[str, object]:
        return self.own.describe()

    def start(self) -> None:
        start = getattr(self.own, "start", None)
        if start is not None:
            start()

    def close(self) -> None:
        close = getattr(self.own, "close", None)
        if close is not None:
            close()


def names_in(text: str, hints: Hints) -> int:
    """How many of the rep's own names *text* holds."""
    return sum(1 for name in set(hints.names) if name and name in text)
