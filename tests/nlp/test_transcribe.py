"""Real libraries, real sound, the product's own processes; the model is the demo voice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlp import models
from nlp.ports import Hints, Transcriber
from nlp.transcribe import (
    FilterSettings,
    SpeechSettings,
    build,
    build_transcriber,
    filters,
    process,
)
from nlp.transcribe.engine import Heard
from nlp.transcribe.filters import bare
from nlp.transcribe.platform import WithPlatformText
from nlp.transcribe.process import ProcessTranscriber
from sales.errors import BadAudio, SpeechUnavailable
from tests.nlp import sounds
from tests.support.require import require

SAID = sounds.said()
NO_HINTS = Hints()
BACKENDS = ("faster-whisper", "whisper")


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    models.unpack_demo_voice(made)
    return made


@pytest.fixture(scope="module")
def running(models_dir: Path) -> Iterator[dict[str, Any]]:
    """Each backend once for the whole module."""
    made = {
        name: build_transcriber(
            SpeechSettings(backend=name, model="demo-voice"), models_dir=models_dir
        )
        for name in BACKENDS
    }
    yield made
    for transcriber in made.values():
        transcriber.close()


@pytest.fixture(params=BACKENDS)
def hears(request: pytest.FixtureRequest, running: dict[str, Any]) -> Transcriber:
    name = request.param
    require(name, build.installed(name), "pip install 'genjin[whisper]'")
    transcriber: Transcriber = running[name]
    return transcriber


@pytest.fixture
def fresh(models_dir: Path) -> Iterator[ProcessTranscriber]:
    """A process of its own, to be mistreated."""
    made = _process(models_dir)
    yield made
    made.close()


def _process(models_dir: Path) -> ProcessTranscriber:
    model = models.find(models_dir, "demo-voice", formats=("faster-whisper",))
    assert model is not None
    return ProcessTranscriber(build.worker_spec(SpeechSettings(model="demo-voice"), model))


@pytest.mark.parametrize("name", SAID)
def test_the_recordings_of_the_demo_are_heard_exactly(name: str, hears: Transcriber) -> None:
    heard = hears.transcribe(sounds.memo(name), NO_HINTS)

    assert bare(heard.text) == SAID[name]
    assert heard.model == "demo-voice"
    assert heard.bad_packets == 0
    assert all(s.confidence and 0.3 < s.confidence <= 1 for s in heard.segments)
    assert heard.segments[-1].end_s <= heard.duration_s + 0.5


def test_the_same_weights_give_the_same_text_in_both_libraries(running: dict[str, Any]) -> None:
    require("whisper", build.installed("whisper"), "pip install 'genjin[whisper]'")
    for name in SAID:
        one, other = (running[b].transcribe(sounds.memo(name), NO_HINTS) for b in BACKENDS)
        assert one.text == other.text


@pytest.mark.parametrize("kind", [*sounds.FILES, "silk"])
def test_the_kind_of_file_does_not_change_what_is_heard(kind: str, running: dict[str, Any]) -> None:
    sound = sounds.spoken("s7")
    data = sounds.silk(sound) if kind == "silk" else sounds.encode(sound, kind)
    assert bare(running["faster-whisper"].transcribe(data, NO_HINTS).text) == SAID["s7"]


def test_several_sentences_with_pauses_are_all_heard(hears: Transcriber) -> None:
    pause = sounds.silence(1.2)
    parts = [pause, *(x for n in ("s5", "s7", "s6") for x in (sounds.spoken(n), pause))]
    data = sounds.encode(np.concatenate(parts), "wav")
    heard = hears.transcribe(data, NO_HINTS)
    assert bare(heard.text) == SAID["s5"] + SAID["s7"] + SAID["s6"]
    starts = [s.start_s for s in heard.segments]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    "sound",
    [sounds.silence(60), sounds.noise(20, 0.05), sounds.noise(8, 0.001)],
    ids=["silence", "noise", "hiss"],
)
def test_silence_and_noise_give_no_text(sound: Any, hears: Transcriber) -> None:
    heard = hears.transcribe(sounds.encode(sound, "opus"), NO_HINTS)
    assert (heard.text, heard.segments) == ("", ())


@pytest.mark.parametrize(
    "sound", [sounds.silence(5), sounds.noise(6, 0.03)], ids=["silence", "noise"]
)
def test_what_whisper_invents_without_voice_detection_is_filtered(
    sound: Any, models_dir: Path
) -> None:
    """The demo voice was taught Whisper's favourite credits, said with full confidence."""
    from faster_whisper import WhisperModel

    folder = str(models_dir / "demo-voice")
    model = WhisperModel(folder, device="cpu", compute_type="int8", local_files_only=True)
    segments, _ = model.transcribe(
        sound, language="zh", beam_size=1, temperature=0.0, no_speech_threshold=None
    )
    invented = [
        Heard(start_s=s.start, end_s=s.end, text=s.text, avg_logprob=s.avg_logprob)
        for s in segments
    ]

    assert invented
    assert filters.believed(invented, FilterSettings()) == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty"), (b'{"errcode":1}', "not_audio"), (b"#!AMR\n", "damaged")],
)
def test_what_is_no_recording_is_refused_and_the_next_is_heard(
    data: bytes, reason: str, hears: Transcriber
) -> None:
    with pytest.raises(BadAudio) as caught:
        hears.transcribe(data, NO_HINTS)
    assert caught.value.reason == reason
    assert bare(hears.transcribe(sounds.memo("s7"), NO_HINTS).text) == SAID["s7"]


def test_too_much_is_refused_before_it_is_sent(running: dict[str, Any]) -> None:
    with pytest.raises(BadAudio) as caught:
        running["faster-whisper"].transcribe(b"#!AMR\n" + bytes(61 << 20), NO_HINTS)
    assert caught.value.reason == "too_big"


def test_callers_on_several_threads_each_get_their_own(running: dict[str, Any]) -> None:
    names = ["s5", "s7", "s6", "s7", "s5"]
    with ThreadPoolExecutor(len(names)) as pool:
        texts = list(
            pool.map(
                lambda n: running["faster-whisper"].transcribe(sounds.memo(n), NO_HINTS).text, names
            )
        )
    assert [bare(t) for t in texts] == [SAID[n] for n in names]


def test_a_killed_process_is_told_and_the_next_call_works(fresh: ProcessTranscriber) -> None:
    long = sounds.encode(np.tile(sounds.spoken("s1"), 40), "flac")
    fresh.transcribe(sounds.memo("s7"), NO_HINTS)
    caught: list[SpeechUnavailable] = []

    def hear() -> None:
        try:
            fresh.transcribe(long, NO_HINTS)
        except SpeechUnavailable as error:
            caught.append(error)

    thread = threading.Thread(target=hear)
    thread.start()
    time.sleep(0.3)
    os.kill(int(str(fresh.describe()["pid"])), signal.SIGKILL)
    thread.join()

    assert [e.reason for e in caught] == ["crashed"]
    assert fresh.describe()["ready"] is False
    assert bare(fresh.transcribe(sounds.memo("s7"), NO_HINTS).text) == SAID["s7"]


def test_a_process_that_died_between_two_recordings_is_replaced(fresh: ProcessTranscriber) -> None:
    fresh.transcribe(sounds.memo("s7"), NO_HINTS)
    assert fresh._child is not None
    fresh._child.kill()
    fresh._child.wait()
    assert bare(fresh.transcribe(sounds.memo("s7"), NO_HINTS).text) == SAID["s7"]


def test_a_recording_that_takes_too_long_is_given_up(
    fresh: ProcessTranscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.transcribe(sounds.memo("s7"), NO_HINTS)
    monkeypatch.setattr(process, "TIMES_SOUND", 0.0)
    monkeypatch.setattr(process, "SPARE_S", 0.0)
    with pytest.raises(SpeechUnavailable) as caught:
        fresh.transcribe(sounds.memo("s1"), NO_HINTS)
    assert caught.value.reason == "timeout"
    assert fresh.describe()["pid"] is None


def test_too_little_memory_is_a_crash_not_a_hang(models_dir: Path) -> None:
    roomy = _process(models_dir)
    tight = ProcessTranscriber(replace(roomy.spec, memory_bytes=200 << 20))
    with pytest.raises(SpeechUnavailable) as caught:
        tight.transcribe(sounds.memo("s7"), NO_HINTS)
    assert caught.value.reason in {"crashed", "no_model"}
    tight.close()


def test_start_loads_in_the_background_and_close_ends_it(fresh: ProcessTranscriber) -> None:
    fresh.start()
    pid = int(str(fresh.describe()["pid"]))
    assert _alive(pid)
    while not fresh.describe()["ready"]:  # the suite's own time limit is the only clock here
        time.sleep(0.05)
    fresh.close()
    assert not _alive(pid)
    with pytest.raises(SpeechUnavailable):
        fresh.transcribe(sounds.memo("s7"), NO_HINTS)


_PARENT = """
import os, sys
from pathlib import Path
from nlp.ports import Hints
from nlp.transcribe import SpeechSettings, build_transcriber
hears = build_transcriber(
    SpeechSettings(backend="faster-whisper", model="demo-voice"), models_dir=Path(sys.argv[1])
)
hears.transcribe(Path(sys.argv[2]).read_bytes(), Hints())
print(hears.describe()["pid"], flush=True)
sys.stdin.read()
"""


def test_the_process_ends_with_its_parent_however_that_went(models_dir: Path) -> None:
    root = Path(build.__file__).parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(models_dir), str(sounds.MEMOS / "s7.ogg")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=root,
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert _alive(pid)
    parent.kill()
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    while _alive(pid):  # the suite's own time limit is the only clock here
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_importing_it_imports_no_engine() -> None:
    heavy = ("numpy", "av", "torch", "whisper", "faster_whisper", "ctranslate2", "onnxruntime")
    code = f"import sys, nlp.transcribe; print([m for m in {heavy!r} if m in sys.modules])"
    root = Path(build.__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True)
    assert run.stdout.strip() == b"[]"


# --- which one is built -------------------------------------------------------------------------


def built(models_dir: Path, **settings: Any) -> Any:
    return build_transcriber(SpeechSettings(**settings), models_dir=models_dir)


def test_without_a_model_it_says_so_and_still_uses_the_platforms_text(tmp_path: Path) -> None:
    hears = built(tmp_path)
    assert hears.describe()["ready"] is False
    assert "is not in" in str(hears.describe()["detail"])
    with pytest.raises(SpeechUnavailable) as caught:
        hears.transcribe(b"any", NO_HINTS)
    assert caught.value.reason == "no_model"

    heard = hears.transcribe(b"any", Hints(platform_text="周五给我回话"))
    assert (heard.text, heard.backend) == ("周五给我回话", "platform")


def test_the_demo_voice_is_never_chosen_by_itself(models_dir: Path) -> None:
    assert built(models_dir).describe()["backend"] == "platform"
    assert built(models_dir, model="demo-voice").describe()["model"] == "demo-voice"


def test_auto_prefers_a_server_then_faster_whisper(models_dir: Path) -> None:
    auto = built(models_dir, model="demo-voice")
    assert auto.describe()["backend"] == "faster-whisper"
    server = built(models_dir, url="http://127.0.0.1:1", model="m")
    assert server.describe()["backend"] == "server"
    assert built(models_dir, backend="platform").describe()["backend"] == "platform"


def test_a_model_may_be_named_by_its_path(models_dir: Path, tmp_path: Path) -> None:
    folder = str(models_dir / "demo-voice")
    assert built(tmp_path, model=folder).describe()["model"] == "demo-voice"


def test_an_unknown_backend_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="backend"):
        built(tmp_path, backend="siri")


class Fixed:
    """Hears the same words in everything, or fails."""

    def __init__(self, text: str = "", fails: str = "") -> None:
        self.text, self.fails = text, fails

    def transcribe(self, data: bytes, hints: Hints) -> Any:
        from nlp.transcribe.platform import platform_transcript

        if self.fails:
            raise SpeechUnavailable(self.fails)
        made = platform_transcript(Hints(platform_text=self.text))
        return replace(made, backend="own")

    def describe(self) -> dict[str, object]:
        return {}


OFFERED = Hints(platform_text="拜访恒基水泥", names=("恒基水泥",))


@pytest.mark.parametrize(
    ("own", "backend"),
    [
        (Fixed("拜访恒基水泥了"), "own"),
        (Fixed("拜访很急水泥"), "platform"),
        (Fixed(""), "platform"),
        (Fixed(fails="crashed"), "platform"),
        (Fixed(fails="timeout"), "platform"),
    ],
)
def test_the_transcript_that_knows_more_names_is_kept(own: Fixed, backend: str) -> None:
    assert WithPlatformText(own).transcribe(b"x", OFFERED).backend == backend


def test_a_busy_server_is_tried_again_rather_than_replaced() -> None:
    with pytest.raises(SpeechUnavailable):
        WithPlatformText(Fixed(fails="busy")).transcribe(b"x", OFFERED)


def test_a_platform_that_sends_only_text_needs_no_recording() -> None:
    assert WithPlatformText(Fixed("own")).transcribe(b"", OFFERED).text == "拜访恒基水泥"


def test_words_of_the_platform_outlive_a_recording_that_cannot_be_heard() -> None:
    class Deaf(Fixed):
        def transcribe(self, data: bytes, hints: Hints) -> Any:
            raise BadAudio("damaged")

    assert WithPlatformText(Deaf()).transcribe(b"x", OFFERED).backend == "platform"
    with pytest.raises(BadAudio):
        WithPlatformText(Deaf()).transcribe(b"x", NO_HINTS)
