"""Every kind of recording, whole and damaged, through the one decoder."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.audio import decode, duration_s
from nlp.sniff import sniff
from sales.errors import BadAudio
from tests.nlp import sounds
from tests.support.require import require

S1 = sounds.spoken("s1")
FILES = {name: sounds.encode(S1, name) for name in sounds.FILES}
FILES["silk"] = sounds.silk(S1)
SECONDS = len(S1) / 16_000


@pytest.mark.parametrize("name", FILES)
def test_each_kind_is_told_by_its_bytes_and_decoded_whole(name: str) -> None:
    sound = decode(FILES[name])

    assert sniff(FILES[name]) == sound.kind == sounds.KINDS.get(name, name)
    assert sound.samples.dtype == np.float32
    assert np.abs(sound.samples).max() <= 1.0
    assert sound.duration_s == pytest.approx(SECONDS, abs=0.15)
    assert not sound.cut
    assert sound.bad_packets == 0


@pytest.mark.parametrize("name", FILES)
def test_loudness_survives_each_codec(name: str) -> None:
    before, after = (float(np.sqrt(np.mean(s**2))) for s in (S1, decode(FILES[name]).samples))
    assert after == pytest.approx(before, rel=0.25)  # AMR has no treble


@pytest.mark.parametrize("name", [n for n in FILES if n not in {"webm", "aac"}])
def test_the_claimed_length_is_right_without_decoding(name: str) -> None:
    assert duration_s(FILES[name]) == pytest.approx(SECONDS, abs=0.15)


def test_a_recorder_in_a_browser_claims_no_length() -> None:
    assert duration_s(FILES["webm"]) is None


@pytest.mark.parametrize("name", [n for n in FILES if n not in {"m4a", "3gp"}])
def test_half_a_file_gives_half_the_sound(name: str) -> None:
    data = FILES[name]
    assert 3.0 < decode(data[: len(data) // 2]).duration_s < SECONDS * 0.6


@pytest.mark.parametrize("name", ["m4a", "3gp"])
def test_half_an_mp4_has_no_index(name: str) -> None:
    with pytest.raises(BadAudio) as caught:
        decode(FILES[name][: len(FILES[name]) // 2])
    assert caught.value.reason == "damaged"


@pytest.mark.parametrize("name", ["amr", "mp3", "m4a", "aac", "wav"])
def test_flipped_bytes_cost_packets_not_the_recording(name: str) -> None:
    assert decode(sounds.flipped(FILES[name])).duration_s > SECONDS * 0.7


@pytest.mark.parametrize("name", FILES)
def test_what_is_behind_the_limit_is_cut(name: str) -> None:
    sound = decode(FILES[name], max_seconds=2)
    assert sound.cut
    assert sound.duration_s == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b'{"errcode":40007,"errmsg":"invalid media_id"}', "not_audio"),
        ("这不是录音\n".encode() * 50, "not_audio"),
        (bytes(np.random.default_rng(1).bytes(50_000)), "not_audio"),
        (b"\xff\xfb" + bytes(np.random.default_rng(2).bytes(50_000)), "not_audio"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "not_audio"),
        (b"#!AMR\n", "damaged"),
        (b"#!SILK_V3", "damaged"),
        (b"OggS" + bytes(200), "damaged"),
        (b"RIFF\x00\x00\x00\x00WAVE", "damaged"),
        (b"#!AMR\n" + bytes(61 * 1024 * 1024), "too_big"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_recording_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadAudio) as caught:
        decode(data)
    assert caught.value.reason == reason


def test_a_slip_of_the_finger_is_too_short() -> None:
    with pytest.raises(BadAudio) as caught:
        decode(sounds.encode(S1[:3_200], "wav"))
    assert caught.value.reason == "too_short"
    assert caught.value.heard_s == pytest.approx(0.2)


def test_video_without_sound_is_refused() -> None:
    import io

    import av

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        file.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        file.mux(stream.encode(None))
    with pytest.raises(BadAudio) as caught:
        decode(out.getvalue())
    assert caught.value.reason == "not_audio"


@pytest.mark.parametrize("tencent", [True, False])
def test_silk_with_and_without_wechats_mark(tencent: bool) -> None:
    data = sounds.silk(S1, tencent=tencent)
    for whole in (data, data + b"\xff\xff"):
        assert decode(whole).duration_s == pytest.approx(SECONDS, abs=0.15)


def test_amr_with_comfort_noise_frames_keeps_its_length(tmp_path: Path) -> None:
    """sox writes silence as DTX frames, which FFmpeg's own decoder refuses."""
    quiet = np.concatenate([S1, sounds.silence(3), S1])
    source, made = tmp_path / "a.wav", tmp_path / "a.amr-nb"
    source.write_bytes(sounds.encode(quiet, "alaw"))
    sox = shutil.which("sox")
    run = sox and subprocess.run([sox, source, "-C", "7", made], capture_output=True, check=False)
    require("sox with AMR", run and run.returncode == 0, "install sox and libsox-fmt-all")

    sound = decode(made.read_bytes())

    assert sound.duration_s == pytest.approx(len(quiet) / 16_000, abs=0.1)
    assert sound.bad_packets == 0


def test_a_bomb_of_twelve_hours_stops_at_the_limit() -> None:
    header, frame = b"#!AMR\n", b"\x7c"  # type 15: no data, one byte for 20 ms
    sound = decode(header + frame * (12 * 3600 * 50), max_seconds=600)
    assert sound.cut
    assert sound.duration_s == 600


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_any_damage_ends_in_sound_or_in_bad_audio(name: str, data: st.DataObject) -> None:
    whole = bytearray(FILES[name])
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=20)):
        whole[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(whole)))
    broken = bytes(whole[:end])
    duration_s(broken)
    try:
        sound = decode(broken, max_seconds=30)
    except BadAudio:
        return
    assert np.isfinite(sound.samples).all()
    assert 0.3 <= sound.duration_s <= 30
