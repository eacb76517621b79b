"""The packed demo voice: a tiny Whisper checkpoint that only knows espeak's Mandarin.

For the demo and the tests, in both forms: CTranslate2 int8 and openai-whisper.  How it was made
and what it can do: ``tools/demo_voice/MODEL_CARD.md``.  Never for real recordings.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path
from typing import Final

NAME: Final = "demo-voice"
CARD: Final = "genjin.json"
_DONE: Final = "manifest.json"


def manifest() -> dict[str, dict[str, object]]:
    """Size and SHA-256 of every unpacked file, by name."""
    text = (resources.files(__name__) / _DONE).read_text()
    files: dict[str, dict[str, object]] = json.loads(text)["files"]
    return files


def unpack(models_dir: Path) -> Path:
    """See ``nlp.models.unpack_demo_voice``.  Safe against a second process doing the same."""
    folder = models_dir / NAME
    packed = resources.files(__name__)
    listed = (packed / _DONE).read_text()
    if (folder / _DONE).is_file() and (folder / _DONE).read_text() == listed:
        return folder
    models_dir.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{NAME}-", dir=models_dir))
    try:
        for name, said in manifest().items():
            data = lzma.decompress((packed / f"{name}.xz").read_bytes())
            if hashlib.sha256(data).hexdigest() != said["sha256"]:
                raise ValueError(f"demo voice: {name} is damaged")
            (part / name).write_bytes(data)
        (part / _DONE).write_text(listed)
        part.chmod(0o755)
        _put(part, folder, listed)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _put(part: Path, folder: Path, listed: str) -> None:
    """Rename into place; an older version goes, an equal one of another process stays."""
    for _ in range(3):
        try:
            os.replace(part, folder)  # noqa: PTH105  (Path.replace is the same, this says atomic)
        except OSError:
            if (folder / _DONE).is_file() and (folder / _DONE).read_text() == listed:
                return
            shutil.rmtree(folder, ignore_errors=True)
        else:
            return
    raise OSError(f"cannot put the demo voice into {folder}")
