"""From settings to a transcriber.  Cheap: engines are imported in their own process only."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Final

from nlp import models
from nlp.ports import Transcriber
from nlp.transcribe.platform import PlatformText, WithPlatformText
from nlp.transcribe.process import ProcessTranscriber
from nlp.transcribe.settings import SpeechSettings, WorkerSpec

BACKENDS: Final = ("auto", "faster-whisper", "whisper", "server", "platform")
LOCAL: Final = ("faster-whisper", "whisper")
_LIBRARY: Final = {"faster-whisper": "faster_whisper", "whisper": "whisper"}
_GB: Final = 1024**3
# Address space apart from the weights: libraries, thread stacks, arenas, ten minutes of sound.
_ROOM: Final = {"faster-whisper": 2 * _GB, "whisper": 4 * _GB, "server": 2 * _GB}
_TIMES_WEIGHTS: Final = {"faster-whisper": 3, "whisper": 6}


def build_transcriber(settings: SpeechSettings, *, models_dir: Path) -> Transcriber:
    """The transcriber that *settings* ask for.

    With no model, or none that is installed, it still gives back the platform's own text and
    otherwise raises ``SpeechUnavailable("no_model")``; ``describe()["detail"]`` says why.

    Raises:
        ValueError: an unknown backend.
    """
    if settings.backend not in BACKENDS:
        raise ValueError(f"speech backend {settings.backend!r} is not one of {BACKENDS}")
    if settings.backend == "platform":
        return PlatformText("only the platform's own text is used")
    if settings.backend == "server" or (settings.backend == "auto" and settings.url):
        if not settings.url:
            return PlatformText("speech.url is not set")
        return WithPlatformText(ProcessTranscriber(_server(settings)))
    wanted = LOCAL if settings.backend == "auto" else (settings.backend,)
    formats = tuple(name for name in wanted if installed(name))
    if not formats:
        return PlatformText(f"not installed: {', '.join(wanted)}")
    model = choose(settings.model, models_dir, formats=formats)
    if model is None:
        name = settings.model or "a model"
        return PlatformText(f"{name} for {' or '.join(formats)} is not in {models_dir}")
    if wrong := models.check(model):
        return PlatformText("; ".join(wrong))
    return WithPlatformText(ProcessTranscriber(worker_spec(settings, model)))


def choose(name: str, models_dir: Path, *, formats: tuple[str, ...]) -> models.Model | None:
    """The named model, or the best one; the demo voice is unpacked when named."""
    if not name:
        return models.best(models_dir, formats=formats)
    if name == models.NAME:
        models.unpack_demo_voice(models_dir)
    return models.find(models_dir, name, formats=formats)


def installed(backend: str) -> bool:
    return importlib.util.find_spec(_LIBRARY[backend]) is not None


def threads(settings: SpeechSettings) -> int:
    """All cores but one: a busy second process slows a full machine far more than its share."""
    return settings.threads or max(1, (os.cpu_count() or 2) - 1)


def _server(settings: SpeechSettings) -> WorkerSpec:
    name = settings.model or "server"
    return WorkerSpec(
        backend="server", model=name, path=None, settings=settings, memory_bytes=_ROOM["server"]
    )


def worker_spec(settings: SpeechSettings, model: models.Model) -> WorkerSpec:
    """What the process for *model* is told."""
    room = _ROOM[model.format] + _TIMES_WEIGHTS[model.format] * model.size_bytes
    return WorkerSpec(
        backend=model.format,
        model=model.name,
        path=model.path,
        settings=settings,
        threads=threads(settings),
        # CUDA maps the whole card into the address space.
        memory_bytes=room if settings.device == "cpu" else 0,
        window_s=model.window_s,
        join_pause_s=model.join_pause_s,
        takes_prompt=model.takes_prompt,
    )
