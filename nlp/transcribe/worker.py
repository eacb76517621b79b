"""The speech process: decodes and hears, one recording after the other.

Started by ``nlp.transcribe.process`` with a connection to it and standard input as a lifeline:
when the parent is gone, however it went, standard input ends and this process with it.
"""

from __future__ import annotations

import logging
import math
import os
import resource
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

from nlp.ports import Hints, Segment, Transcript
from nlp.transcribe import filters
from nlp.transcribe.engine import Engine, Heard, make
from nlp.transcribe.script import simplified
from nlp.transcribe.settings import WorkerSpec
from sales.errors import BadAudio, SpeechUnavailable

log = logging.getLogger(__name__)


def main(descriptor: int) -> None:
    """Serve the parent until it hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes us
    threading.Thread(target=_die_with_parent, daemon=True).start()
    connection = Connection(descriptor)
    spec: WorkerSpec = connection.recv()
    _be_modest(spec)
    try:
        engine = make(spec)
    except Exception as error:
        connection.send(("failed", f"{type(error).__name__}: {error}"))
        return
    connection.send(("ready",))
    while True:
        try:
            data, hints = connection.recv()
        except EOFError:
            return
        answer = _answer(connection, engine, spec, data, hints)
        connection.send(answer)
        if answer[0] == "broken":
            return


def _answer(
    connection: Connection, engine: Engine, spec: WorkerSpec, data: bytes, hints: Hints
) -> tuple[Any, ...]:
    try:
        return ("done", _hear(connection, engine, spec, data, hints))
    except BadAudio as error:
        return ("bad_audio", error.reason, error.heard_s)
    except SpeechUnavailable as error:
        return ("unavailable", error.reason, error.retry_after_s, str(error))
    except Exception as error:
        # A library's bug or too little memory: start afresh rather than guess what is left.
        log.exception("speech process: recording not heard")
        return ("broken", f"{type(error).__name__}: {error}")


def _hear(
    connection: Connection, engine: Engine, spec: WorkerSpec, data: bytes, hints: Hints
) -> Transcript:
    from nlp.audio import decode

    began = time.perf_counter()
    settings = spec.settings
    sound = decode(data, max_seconds=settings.max_seconds, max_bytes=settings.max_bytes)
    connection.send(("decoded", sound.duration_s))
    heard = engine.hear(sound.samples, hints)
    kept = filters.believed(heard, settings.filters, names=hints.names)
    segments = tuple(_segment(h) for h in kept)
    return Transcript(
        text=joined([s.text for s in segments]),
        segments=segments,
        language=hints.language or settings.language,
        backend=spec.backend,
        model=spec.model,
        duration_s=sound.duration_s,
        compute_s=time.perf_counter() - began,
        cut=sound.cut,
        bad_packets=sound.bad_packets,
    )


def _segment(heard: Heard) -> Segment:
    sure = None if heard.avg_logprob is None else min(1.0, math.exp(heard.avg_logprob))
    return Segment(
        start_s=heard.start_s, end_s=heard.end_s, text=simplified(heard.text), confidence=sure
    )


def joined(texts: list[str]) -> str:
    """Segments as one text: a comma where a segment ends without any mark."""
    text = ""
    for part in filter(None, texts):
        if text and text[-1].isalnum():
            text += "，"
        text += part
    return text


def _be_modest(spec: WorkerSpec) -> None:
    """Behind the web server in the queue for cores, and within its memory."""
    os.nice(spec.nice)
    if spec.memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (spec.memory_bytes, spec.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with_parent() -> None:
    # Reading the descriptor itself: a daemon thread must not hold the lock of sys.stdin.
    while os.read(sys.__stdin__.fileno() if sys.__stdin__ else 0, 1024):
        pass
    os._exit(0)
