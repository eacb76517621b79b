"""A transcriber that keeps its model in another process.

Codecs and models are C and C++: in their own process they can be limited, killed and lost without
taking the bot along, and cannot make its event loop wait.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any, Final

from nlp.ports import Hints, Transcript
from nlp.transcribe.settings import WorkerSpec
from sales.errors import BadAudio, SpeechUnavailable

log = logging.getLogger(__name__)

LOAD_S: Final = 180.0
DECODE_S: Final = 60.0
TIMES_SOUND: Final = 10.0
SPARE_S: Final = 30.0
WAIT_TURN_S: Final = 900.0

# Not the multiprocessing module's spawn: that would import the parent's main program again.
_BOOT: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from nlp.transcribe.worker import main; main(int(sys.argv[1]))"
)
# Spinning threads of OpenMP take the core from everybody else; nothing may be downloaded.
_ENVIRONMENT: Final = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "KMP_BLOCKTIME": "0",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "CT2_VERBOSE": "-1",
}


class ProcessTranscriber:
    """One warm process, one recording at a time; callers on other threads wait their turn."""

    def __init__(self, spec: WorkerSpec) -> None:
        self.spec = spec
        self._turn = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._ready = False
        self._detail = ""
        self._closed = False

    def start(self) -> None:
        """Begin to load the model and return at once."""
        with self._turn:
            if self._child is None and not self._closed:
                self._launch()

    def transcribe(self, data: bytes, hints: Hints) -> Transcript:
        """See ``nlp.ports.Transcriber``.

        Raises:
            SpeechUnavailable: ``crashed``, ``timeout``, ``busy`` or what the backend said.
        """
        if not data:
            raise BadAudio("empty")
        if len(data) > self.spec.settings.max_bytes:
            raise BadAudio("too_big")
        if not self._turn.acquire(timeout=WAIT_TURN_S):
            raise SpeechUnavailable("busy", detail="too many recordings before this one")
        try:
            return self._transcribe(data, hints)
        finally:
            self._turn.release()

    def describe(self) -> Mapping[str, object]:
        """See ``nlp.ports.Transcriber``; ``pid`` besides, None while no process runs."""
        if not self._ready and self._turn.acquire(blocking=False):
            try:
                self._notice_ready()
            finally:
                self._turn.release()
        alive = self._child is not None and self._child.poll() is None
        return {
            "backend": self.spec.backend,
            "model": self.spec.model,
            "ready": self._ready and alive,
            "detail": self._detail,
            "pid": self._child.pid if self._child is not None and alive else None,
        }

    def close(self) -> None:
        """Stop the process; a recording that is being heard fails as ``crashed``."""
        self._closed = True
        child = self._child
        if child is not None:
            child.kill()
        with self._turn:
            self._stop()

    # --- inside one turn --------------------------------------------------------------------

    def _transcribe(self, data: bytes, hints: Hints) -> Transcript:
        if self._closed:
            raise SpeechUnavailable("crashed", detail="closed")
        if self._child is None or self._child.poll() is not None:
            self._launch()
        if not self._ready:
            self._wait_ready()
        self._send((data, hints))
        answer = self._receive(DECODE_S)
        if answer[0] == "decoded":
            answer = self._receive(TIMES_SOUND * answer[1] + SPARE_S)
        match answer:
            case ("done", Transcript() as transcript):
                return transcript
            case ("bad_audio", reason, heard_s):
                raise BadAudio(reason, heard_s=heard_s)
            case ("unavailable", reason, retry_after_s, detail):
                raise SpeechUnavailable(reason, retry_after_s=retry_after_s, detail=detail)
        self._stop()
        raise SpeechUnavailable("crashed", detail=str(answer[-1]))

    def _launch(self) -> None:
        self._stop()
        ours, theirs = socket.socketpair()
        environment = {**os.environ, **_ENVIRONMENT, "OMP_NUM_THREADS": str(self.spec.threads)}
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-c", _BOOT, str(theirs.fileno()), json.dumps(sys.path)],
                stdin=subprocess.PIPE,  # never written to: its end tells the child that we ended
                pass_fds=(theirs.fileno(),),
                env=environment,
            )
        self._pipe = Connection(ours.detach())
        self._send(self.spec)

    def _wait_ready(self) -> None:
        began = time.monotonic()
        answer = self._receive(LOAD_S)
        if answer[0] != "ready":
            self._detail = str(answer[-1])
            self._stop()
            log.error("speech model %s does not load: %s", self.spec.model, self._detail)
            raise SpeechUnavailable("no_model", retry_after_s=300.0, detail=self._detail)
        self._ready, self._detail = True, ""
        log.info("speech model %s ready in %.1f s", self.spec.model, time.monotonic() - began)

    def _notice_ready(self) -> None:
        """Take the news that a model loaded, or does not, if it has come."""
        if self._pipe is not None and not self._ready:
            with contextlib.suppress(SpeechUnavailable, OSError):
                if self._pipe.poll(0):
                    self._wait_ready()

    def _send(self, message: object) -> None:
        assert self._pipe is not None
        try:
            self._pipe.send(message)
        except OSError as error:
            raise self._crashed() from error

    def _receive(self, timeout_s: float) -> tuple[Any, ...]:
        assert self._pipe is not None
        try:
            if not self._pipe.poll(timeout_s):
                self._stop()
                self._detail = f"killed after {timeout_s:.0f} s"
                raise SpeechUnavailable("timeout", detail=self._detail)
            answer: tuple[Any, ...] = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise self._crashed() from error
        return answer

    def _crashed(self) -> SpeechUnavailable:
        status = None
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._child.wait(timeout=5)
        self._stop()
        self._detail = f"speech process ended with status {status}"
        return SpeechUnavailable("crashed", retry_after_s=5.0, detail=self._detail)

    def _stop(self) -> None:
        child, pipe = self._child, self._pipe
        self._child, self._pipe, self._ready = None, None, False
        if pipe is not None:
            pipe.close()
        if child is not None:
            child.kill()
            child.wait()
            if child.stdin is not None:
                child.stdin.close()
