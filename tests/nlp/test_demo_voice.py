"""The packed demo voice, and the claims of its recipe that can be checked quickly."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from nlp import demo_voice, models
from tests.nlp import sounds
from tests.support.require import require
from tools.demo_voice import corpus

PACKED = Path(demo_voice.__file__).parent


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    models.unpack_demo_voice(made)
    return made


def test_it_is_small() -> None:
    assert sum(p.stat().st_size for p in PACKED.glob("*.xz")) <= 6_000_000


def test_it_unpacks_to_the_files_of_its_manifest(models_dir: Path) -> None:
    folder = models_dir / "demo-voice"
    for name, said in demo_voice.manifest().items():
        data = (folder / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (said["size"], said["sha256"])


def test_it_is_listed_in_both_forms_and_passes_the_check(models_dir: Path) -> None:
    found = models.list_models(models_dir)
    assert [(m.name, m.format, m.demo) for m in found] == [
        ("demo-voice", "faster-whisper", True),
        ("demo-voice", "whisper", True),
    ]
    assert [models.check(m) for m in found] == [[], []]
    assert models.best(models_dir, formats=("faster-whisper", "whisper")) is None


def test_unpacking_again_changes_nothing_and_an_old_version_is_replaced(tmp_path: Path) -> None:
    folder = models.unpack_demo_voice(tmp_path)
    before = (folder / "model.bin").stat().st_mtime_ns
    assert models.unpack_demo_voice(tmp_path) == folder
    assert (folder / "model.bin").stat().st_mtime_ns == before

    (folder / "manifest.json").write_text("{}")
    (folder / "model.bin").write_bytes(b"old")
    models.unpack_demo_voice(tmp_path)
    assert (folder / "model.bin").stat().st_size > 1000
    assert [p.name for p in tmp_path.iterdir()] == ["demo-voice"]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    folder = models.unpack_demo_voice(tmp_path)
    (folder / "tokenizer.json").unlink()
    [ct2] = [m for m in models.list_models(tmp_path) if m.format == "faster-whisper"]
    assert "tokenizer.json" in models.check(ct2)[0]


def test_the_recordings_say_what_the_corpus_says() -> None:
    listed = tomllib.loads((sounds.MEMOS / "memos.toml").read_text(encoding="utf-8"))["memo"]
    assert {m["file"]: m["text"] for m in listed} == {
        f"{name}.ogg": " ".join(sentence) for name, sentence in corpus.DEMO.items()
    }


def test_the_voice_speaks_the_same_bytes_twice() -> None:
    espeak = shutil.which("espeak-ng")
    require("espeak-ng", espeak, "needed to make the demo voice's speech")
    command = [str(espeak), "-v", "cmn-latn-pinyin+m3", "--stdout", "bu2 dui4"]
    first, second = (
        subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2)
    )
    assert first == second
    assert len(first) > 1000


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_one_token_of_padding_stands_for_all(models_dir: Path) -> None:
    """The trainer's short window is exactly what the library computes over 30 s."""
    require("openai-whisper", _has_whisper(), "pip install 'genjin[whisper]'")
    import torch
    import whisper

    from tools.demo_voice import train

    model = whisper.load_model(str(models_dir / "demo-voice" / "whisper.pt"))
    mel = torch.zeros(1, 80, 3000)
    mel[:, :, :800] = torch.randn(1, 80, 800, generator=torch.Generator().manual_seed(1))
    tokens = torch.tensor([[50258, 50260, 50359, 50364]])

    with torch.no_grad():
        whole = model(mel, tokens)
        heard, bias = train.hear(model, mel[:, :, : 2 * train.PLACED + 2])
        short = train.say(model, tokens, heard, bias)

    assert torch.allclose(whole, short, atol=1e-3)


def _has_whisper() -> bool:
    from nlp.transcribe.build import installed

    return installed("whisper")
