"""Any sound file, as bytes, to 16 kHz mono float32.

Kinds are told by the bytes, never by a name; a container's reader is then named to FFmpeg, so
that it cannot guess playlists or scripts.  Runs in the speech process: codecs are C.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nlp import sniff as look
from nlp.audio_limits import MAX_BYTES, MAX_SECONDS
from nlp.ports import SAMPLE_RATE
from sales.errors import BadAudio

Samples = NDArray[np.float32]

TOO_SHORT_S: Final = 0.3
# Reader of FFmpeg for each kind; the first that opens wins.
READERS: Final = {
    "amr-nb": "amr",
    "amr-wb": "amr",
    "ogg": "ogg",
    "webm": "matroska",
    "mp4": "mov",
    "mp3": "mp3",
    "aac": "aac",
    "wav": "wav",
    "flac": "flac",
    "aiff": "aiff",
    "asf": "asf",
}
# FFmpeg's own AMR decoders refuse or lose comfort-noise frames (issue seen with PyAV 18).
BETTER_CODECS: Final = {"amrnb": "libopencore_amrnb", "amrwb": "libopencore_amrwb"}
GIVE_UP_AFTER: Final = 200  # errors of the reader in a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """``cut``: the recording went on after the limit.  ``bad_packets``: left out, not fatal."""

    samples: Samples
    kind: str
    cut: bool = False
    bad_packets: int = 0

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE


class _Collector:
    """Parts of sound up to a limit."""

    def __init__(self, max_seconds: float) -> None:
        self.left = int(max_seconds * SAMPLE_RATE)
        self.parts: list[Samples] = []
        self.cut = False
        self.bad = 0

    def add(self, part: Samples) -> None:
        if len(part) > self.left:
            part, self.cut = part[: self.left], True
        self.left -= len(part)
        self.parts.append(part)

    def samples(self) -> Samples:
        if not self.parts:
            return np.zeros(0, np.float32)
        whole = np.nan_to_num(np.concatenate(self.parts), posinf=1.0, neginf=-1.0)
        # Float output of lossy codecs exceeds 1.0.
        return np.clip(whole, -1.0, 1.0).astype(np.float32, copy=False)


def decode(data: bytes, *, max_seconds: float = MAX_SECONDS, max_bytes: int = MAX_BYTES) -> Sound:
    """The sound in *data*, at most *max_seconds* of it.

    Raises:
        BadAudio: ``empty``, ``too_big``, ``not_audio``, ``damaged``, ``too_short``.
    """
    if not data:
        raise BadAudio("empty")
    if len(data) > max_bytes:
        raise BadAudio("too_big")
    kind = look.sniff(data)
    if kind is None:
        raise BadAudio("not_audio")
    out = _Collector(max_seconds)
    if kind == "silk":
        _silk(data, out)
    else:
        _container(data, kind, out)
    samples = out.samples()
    heard_s = len(samples) / SAMPLE_RATE
    if heard_s == 0:
        raise BadAudio("damaged")
    if heard_s < TOO_SHORT_S:
        raise BadAudio("damaged" if out.bad else "too_short", heard_s=heard_s)
    return Sound(samples=samples, kind=kind, cut=out.cut, bad_packets=out.bad)


def _container(data: bytes, kind: str, out: _Collector) -> None:
    import av

    try:
        container = av.open(io.BytesIO(data), format=READERS[kind], metadata_errors="ignore")
    except (av.error.FFmpegError, ValueError) as error:
        raise BadAudio("damaged") from error
    with container:
        if not container.streams.audio:
            raise BadAudio("not_audio")
        stream = container.streams.audio[0]
        codec = _codec(stream.codec_context)
        resample = _resampler()
        for packet in _packets(container, stream, out):
            try:
                frames = codec.decode(packet)
            except av.error.EOFError:
                break
            except (av.error.FFmpegError, ValueError):
                out.bad += 1
                continue
            for frame in frames:
                for part in resample(frame):
                    out.add(part)
            if out.cut:
                return
        for part in resample(None):
            out.add(part)


def _codec(native: Any) -> Any:
    """A better decoder than the container's own where there is one."""
    import av

    name = BETTER_CODECS.get(native.name)
    if name is None:
        return native
    try:
        better: Any = av.CodecContext.create(name, "r")
        better.sample_rate = native.sample_rate or (8_000 if name.endswith("nb") else 16_000)
        better.layout = "mono"
        better.open()
    except (av.error.FFmpegError, ValueError):
        return native
    return better


def _packets(container: Any, stream: Any, out: _Collector) -> Iterator[Any]:
    """Packets to the end, the flushing one included; reader errors are counted."""
    import av

    packets = container.demux(stream)
    errors = 0
    while errors < GIVE_UP_AFTER:
        try:
            packet = next(packets)
        except (StopIteration, av.error.EOFError):
            return
        except (av.error.FFmpegError, ValueError):
            # The generator is spent after an error: ask the container for a new one.
            errors += 1
            out.bad += 1
            packets = container.demux(stream)
            continue
        errors = 0
        yield packet


def _resampler() -> Callable[[Any], list[Samples]]:
    """Frames (None: flush) to parts; damaged files change their format in mid-stream."""
    import av

    def new() -> Any:
        return av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)

    state = {"resampler": new()}

    def parts(frame: Any) -> list[Samples]:
        try:
            frames = state["resampler"].resample(frame)
        except (av.error.FFmpegError, ValueError):
            if frame is None:
                return []
            state["resampler"] = new()
            frames = state["resampler"].resample(frame)
        return [f.to_ndarray().reshape(-1) for f in frames]

    return parts


def _silk(data: bytes, out: _Collector) -> None:
    """SILK v3 as WeChat writes it; where it is damaged, second by second."""
    blocks, cut = look.silk_blocks(data, max_seconds=out.left / SAMPLE_RATE)
    whole = _silk_samples(blocks)
    if whole is not None:
        out.add(whole)
    else:
        for at in range(0, len(blocks), 50):
            part = _silk_samples(blocks[at : at + 50])
            if part is None:
                out.bad += 1
            else:
                out.add(part)
    out.cut = out.cut or cut


def _silk_samples(blocks: list[bytes]) -> Samples | None:
    """None when the library refuses.  It wants a 0x02 before the header and no end mark."""
    import pysilk

    whole = b"\x02#!SILK_V3" + b"".join(len(b).to_bytes(2, "little") + b for b in blocks)
    pcm = io.BytesIO()
    try:
        pysilk.decode(io.BytesIO(whole), pcm, SAMPLE_RATE)
    except (pysilk.SilkError, ValueError, RuntimeError):
        return None
    raw = pcm.getvalue()
    integers = np.frombuffer(raw[: len(raw) // 2 * 2], dtype="<i2")
    return integers.astype(np.float32) / np.float32(32768)


def duration_s(data: bytes) -> float | None:
    """Length by the container's own bookkeeping, without decoding; None where it has none.

    For the receipt only: a damaged file may claim anything.
    """
    kind = look.sniff(data)
    readers: dict[str, Callable[[bytes], float | None]] = {
        "amr-nb": lambda d: len(look.amr_offsets(d)) * 0.02,
        "amr-wb": lambda d: len(look.amr_offsets(d)) * 0.02,
        "silk": lambda d: len(look.silk_blocks(d, max_seconds=36_000)[0]) * 0.02,
        "ogg": look.ogg_seconds,
        "wav": look.wav_seconds,
        "mp4": look.mp4_seconds,
        "mp3": look.mp3_seconds,
        "flac": look.flac_seconds,
    }
    return readers[kind](data) if kind in readers else None
