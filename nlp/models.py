"""Speech models in a folder: what is there, what it is, and the demo voice out of the wheel.

Nothing here downloads.  A model is a CTranslate2 folder (``model.bin``, ``tokenizer.json``) or an
openai-whisper checkpoint (``*.pt``); a folder may hold both forms of the same weights.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nlp.demo_voice import CARD, NAME, unpack

__all__ = ["NAME", "Model", "best", "check", "find", "list_models", "unpack_demo_voice"]

CT2: Final = "faster-whisper"
OPENAI: Final = "whisper"
# Whisper's sizes from good to poor, to choose one when no name is set.
BY_MERIT: Final = (
    "large-v3", "turbo", "large-v2", "large", "medium", "small", "base", "tiny",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """``format``: the backend that reads it.  ``path``: a folder (CTranslate2) or a file."""

    name: str
    format: str
    path: Path
    size_bytes: int
    window_s: float = 28.0  # longest piece of sound given to it at once
    join_pause_s: float = 3.0  # a longer pause begins another piece
    takes_prompt: bool = True

    @property
    def demo(self) -> bool:
        return self.name == NAME


def list_models(models_dir: Path) -> list[Model]:
    """Every model below *models_dir*, by name."""
    if not models_dir.is_dir():
        return []
    return [m for path in sorted(models_dir.iterdir()) for m in _read(path)]


def find(models_dir: Path, name: str, *, formats: tuple[str, ...]) -> Model | None:
    """The model *name* (or an absolute path) in the first of *formats* that there is."""
    path = Path(name)
    known = list(_read(path)) if path.is_absolute() else list_models(models_dir)
    wanted = {name, path.name, path.stem}
    for wish in formats:
        for model in known:
            if model.format == wish and (path.is_absolute() or model.name in wanted):
                return model
    return None


def best(models_dir: Path, *, formats: tuple[str, ...]) -> Model | None:
    """The best model for real use in the first of *formats* that has one; never the demo."""
    for wish in formats:
        fitting = [m for m in list_models(models_dir) if m.format == wish and not m.demo]
        if fitting:
            return min(fitting, key=lambda m: (_merit(m.name), -m.size_bytes, m.name))
    return None


def check(model: Model) -> list[str]:
    """What is wrong with the files, in words for an admin; [] is fine.  Loads nothing."""
    wrong = []
    if model.format == CT2:
        for needed in ("model.bin", "config.json", "tokenizer.json"):
            if not (model.path / needed).is_file():
                wrong.append(f"{needed} is missing in {model.path}")
        if not any((model.path / f"vocabulary.{end}").is_file() for end in ("json", "txt")):
            wrong.append(f"vocabulary.json is missing in {model.path}")
    elif not model.path.is_file():
        wrong.append(f"{model.path} is missing")
    else:
        with model.path.open("rb") as file:
            if file.read(2) != b"PK" and model.size_bytes < 1_000_000:
                wrong.append(f"{model.path} is no checkpoint")
    return wrong


def unpack_demo_voice(models_dir: Path) -> Path:
    """Put the demo voice into *models_dir*/demo-voice unless it is there; returns that folder.

    Raises:
        OSError: the folder cannot be written.
        ValueError: the packed files do not have the sums of their manifest.
    """
    return unpack(models_dir)


def _read(path: Path) -> Iterator[Model]:
    if path.is_file() and path.suffix == ".pt":
        yield Model(name=path.stem, format=OPENAI, path=path, size_bytes=path.stat().st_size)
    if not path.is_dir() or path.name.startswith("."):
        return
    card = _card(path)
    if (path / "model.bin").is_file():
        names = ("model.bin", "tokenizer.json", "config.json", "vocabulary.json", "vocabulary.txt")
        size = sum((path / n).stat().st_size for n in names if (path / n).is_file())
        yield Model(name=path.name, format=CT2, path=path, size_bytes=size, **card)
    for file in sorted(path.glob("*.pt"))[:1]:
        yield Model(
            name=path.name, format=OPENAI, path=file, size_bytes=file.stat().st_size, **card
        )


def _card(folder: Path) -> dict[str, Any]:
    """What a model says about its use, in ``genjin.json`` beside it."""
    try:
        said = json.loads((folder / CARD).read_text())
        return {
            "window_s": float(said["window_s"]),
            "join_pause_s": float(said["join_pause_s"]),
            "takes_prompt": bool(said["takes_prompt"]),
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _merit(name: str) -> int:
    for rank, size in enumerate(BY_MERIT):
        if size in name:
            return rank
    return len(BY_MERIT)
