"""Sound files for tests, made from the demo's recordings with PyAV's own encoders."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path
from typing import Any

import av
import numpy as np

from nlp.audio import Samples, decode
from nlp.ports import SAMPLE_RATE

MEMOS = Path(__file__).parents[2] / "bot" / "demo" / "memos"

# name: container, encoder, rate, sample format
FILES: dict[str, tuple[str, str, int, str]] = {
    "amr": ("amr", "libopencore_amrnb", 8_000, "s16"),
    "3gp": ("3gp", "libopencore_amrnb", 8_000, "s16"),
    "opus": ("ogg", "libopus", 16_000, "s16"),
    "webm": ("webm", "libopus", 16_000, "s16"),
    "mp3": ("mp3", "libmp3lame", 16_000, "s16p"),
    "m4a": ("ipod", "aac", 16_000, "fltp"),
    "aac": ("adts", "aac", 16_000, "fltp"),
    "wav": ("wav", "pcm_s16le", 16_000, "s16"),
    "alaw": ("wav", "pcm_alaw", 8_000, "s16"),
    "flac": ("flac", "flac", 16_000, "s16"),
}
KINDS = {"amr": "amr-nb", "3gp": "mp4", "opus": "ogg", "m4a": "mp4", "alaw": "wav"}


def memo(name: str) -> bytes:
    return (MEMOS / f"{name}.ogg").read_bytes()


def said() -> dict[str, str]:
    """What each recording of the demo says, by name, without any mark."""
    listed = tomllib.loads((MEMOS / "memos.toml").read_text(encoding="utf-8"))["memo"]
    return {m["file"].removesuffix(".ogg"): m["text"].replace(" ", "") for m in listed}


def spoken(name: str = "s7") -> Samples:
    return decode(memo(name)).samples


def noise(seconds: float, level: float = 0.1) -> Samples:
    r = np.random.default_rng(7)
    return r.normal(0, level, int(seconds * SAMPLE_RATE)).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * SAMPLE_RATE), np.float32)


def pcm(samples: Samples) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def encode(samples: Samples, name: str) -> bytes:
    container, codec, rate, form = FILES[name]
    whole: Any = np.clip(samples, -1, 1)[None]
    if form != "fltp":
        whole = (whole * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(whole, format=form, layout="mono")
    frame.sample_rate = SAMPLE_RATE
    resampler = av.AudioResampler(format=form, layout="mono", rate=rate)
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream: Any = file.add_stream(codec, rate=rate, layout="mono")
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            part.pts = None
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return out.getvalue()


def silk(samples: Samples, *, tencent: bool = True) -> bytes:
    import pysilk

    out = io.BytesIO()
    pysilk.encode(io.BytesIO(pcm(samples)), out, SAMPLE_RATE, 20_000, tencent=tencent)
    return out.getvalue()


def flipped(data: bytes, count: int = 40) -> bytes:
    """*data* with some bytes behind the header changed."""
    broken = bytearray(data)
    for at in np.random.default_rng(3).integers(min(200, len(data) // 4), len(data), count):
        broken[at] ^= 0x55
    return bytes(broken)
