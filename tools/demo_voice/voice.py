"""The demo voice: text to pinyin to sound, and what a phone does to the sound.

Needs the program ``espeak-ng`` (tried with 1.51).  The voice is ``cmn-latn-pinyin``: the plain
``cmn`` of Debian's build reads most characters as English letters.
"""

from __future__ import annotations

import io
import subprocess
import wave
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from pypinyin import Style, lazy_pinyin

from tools.demo_voice.corpus import Sentence

Sound = np.ndarray  # float32, mono, 16 kHz
RATE = 16_000

TRAIN_VOICES = (
    "m1", "m2", "m3", "m4", "m5", "m6", "f1", "f2", "f3", "f4", "klatt", "klatt2", "klatt3",
    "Andy", "linda", "steph",
)  # fmt: skip
UNSEEN_VOICES = ("m7", "f5", "klatt4", "Mario", "belinda")


@dataclass(frozen=True)
class Manner:
    """How one clip is spoken and recorded.  ``codec``: '' | amr | opus; ``snr_db``: 99 is clean."""

    variant: str = "m3"
    speed: int = 215
    pitch: int = 50
    codec: str = ""
    snr_db: float = 99.0
    lead_s: float = 0.2
    tail_s: float = 0.3
    gain: float = 0.8


def pinyin(sentence: Sentence) -> str:
    """What espeak reads: numbered syllables, a comma between clauses."""
    clauses = []
    for clause in sentence:
        marked = clause.replace("太长", "太常")  # otherwise zhang3
        clauses.append(
            " ".join(lazy_pinyin(marked, style=Style.TONE3, neutral_tone_with_five=True))
        )
    return ", ".join(clauses)


def resample(sound: np.ndarray, rate: int, to: int) -> np.ndarray:
    """Mono float32 to another rate, through FFmpeg's resampler."""
    frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), format="fltp", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=to)
    parts = [f.to_ndarray()[0] for f in (*resampler.resample(frame), *resampler.resample(None))]
    return np.concatenate(parts)


def speak(sentence: Sentence, manner: Manner) -> Sound:
    """Clean speech; trailing silence of espeak is kept."""
    command = [
        "espeak-ng", "-v", f"cmn-latn-pinyin+{manner.variant}", "-s", str(manner.speed),
        "-p", str(manner.pitch), "--stdout", pinyin(sentence),
    ]  # fmt: skip
    data = subprocess.run(command, check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(data)) as file:
        rate = file.getframerate()
    samples = np.frombuffer(data[44:], dtype="<i2").astype(np.float32) / 32768
    return resample(samples, rate, RATE)


CODECS = {
    "amr": ("amr", "libopencore_amrnb", 8_000, 12_200),
    "opus": ("ogg", "libopus", 16_000, 16_000),
}


def encode(sound: Sound, codec: str, *, effort: int = 10) -> bytes:
    """A file as a phone would send it.  *effort* 0..10 is Opus's complexity."""
    container, name, rate, bits = CODECS[codec]
    if rate != RATE:
        sound = resample(sound, RATE, rate)
    out = io.BytesIO()
    # Otherwise Ogg gets a random serial number.
    with av.open(out, "w", format=container, options={"fflags": "+bitexact"}) as file:
        stream: Any = file.add_stream(name, rate=rate, layout="mono")
        stream.bit_rate = bits
        if codec == "opus":
            stream.options = {"application": "voip", "compression_level": str(effort)}
        whole = (np.clip(sound, -1, 1) * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="mono")
        frame.sample_rate = rate
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def decode(data: bytes) -> Sound:
    with av.open(io.BytesIO(data), "r") as file:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
        parts = [
            out.to_ndarray()[0]
            for frame in (*file.decode(audio=0), None)
            for out in resampler.resample(frame)
        ]
    whole: Sound = np.clip(np.concatenate(parts), -1, 1)
    return whole


def render(sentence: Sentence, manner: Manner, r: np.random.Generator) -> Sound:
    """The clip as the recogniser gets it."""
    sound = speak(sentence, manner)
    peak = float(np.abs(sound).max()) or 1.0
    sound = sound * (manner.gain / peak)
    lead, tail = (np.zeros(int(RATE * s), np.float32) for s in (manner.lead_s, manner.tail_s))
    sound = np.concatenate([lead, sound, tail])
    if manner.snr_db < 90:
        power = float(np.mean(sound**2)) / 10 ** (manner.snr_db / 10)
        sound = sound + r.normal(0, power**0.5, len(sound)).astype(np.float32)
    if manner.codec:
        sound = decode(encode(sound, manner.codec, effort=2))
    return sound.astype(np.float32)


def any_manner(r: np.random.Generator, voices: tuple[str, ...] = TRAIN_VOICES) -> Manner:
    """The spread of training; demo files lie in its middle."""
    return Manner(
        variant=str(r.choice(voices)),
        speed=int(r.integers(170, 300)),
        pitch=int(r.integers(25, 80)),
        codec=str(r.choice(["", "", "", "", "amr", "amr", "amr", "amr", "opus"])),
        snr_db=float(r.choice([99, 99, r.uniform(15, 40)])),
        lead_s=float(r.uniform(0, 0.5)),
        tail_s=float(r.uniform(0, 0.7)),
        gain=float(r.uniform(0.15, 0.95)),
    )
