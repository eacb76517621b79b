"""From the program's settings to those of the speech port."""

from __future__ import annotations

from pathlib import Path

from bot.config import Config
from nlp import models
from nlp.transcribe import SpeechSettings


def settings_of(config: Config, models_dir: Path, *, demo: bool = False) -> SpeechSettings:
    """*demo*: with no other choice made and no real model there, the demo voice is heard."""
    speech = config.speech
    model = speech.model
    if demo and not model and speech.backend != "server" and not speech.url:
        real = models.best(models_dir, formats=("faster-whisper", "whisper"))
        model = "" if real else models.NAME
    return SpeechSettings(
        backend=speech.backend,
        model=model,
        device=speech.device,
        threads=speech.threads,
        url=speech.url,
        api_key=speech.api_key,
        language=speech.language,
        max_seconds=speech.max_seconds,
        max_bytes=speech.max_mb * 2**20,
    )
