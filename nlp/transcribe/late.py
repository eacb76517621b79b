"""A model that is put into the folder while the program runs is used without a restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from nlp.ports import Hints, Transcriber, Transcript
from nlp.transcribe.platform import PlatformText

LOOK_AGAIN_S: Final = 5.0


class LateModel:
    """Builds again, at most every few seconds, as long as nothing was found that can hear."""

    def __init__(
        self, build: Callable[[], Transcriber], *, look_again_s: float = LOOK_AGAIN_S
    ) -> None:
        self._build = build
        self._look_again_s = look_again_s
        self._lock = threading.Lock()
        self._current = build()
        self._looked_at = time.monotonic()
        self._started = False

    def transcribe(self, data: bytes, hints: Hints) -> Transcript:
        return self._now().transcribe(data, hints)

    def describe(self) -> Mapping[str, object]:
        return self._now().describe()

    def start(self) -> None:
        """Load the model in the background, now or as soon as there is one."""
        self._started = True
        self._warm(self._now())

    def close(self) -> None:
        _call(self._current, "close")

    def _now(self) -> Transcriber:
        with self._lock:
            late = time.monotonic() - self._looked_at >= self._look_again_s
            if isinstance(self._current, PlatformText) and late:
                self._looked_at = time.monotonic()
                self._current = self._build()
                self._warm(self._current)
            return self._current

    def _warm(self, found: Transcriber) -> None:
        if self._started:
            _call(found, "start")


def _call(found: Transcriber, name: str) -> None:
    act = getattr(found, name, None)
    if act is not None:
        act()
