"""What a sound file is and how long it claims to be, by its bytes alone; plain Python.

Formats: AMR in RFC 4867 section 5, Ogg in RFC 3533, Opus in Ogg in RFC 7845, WAV in RIFF, MP4 in
ISO/IEC 14496-12, FLAC in RFC 9639; SILK v3 has a magic line and blocks with a 16-bit length.
"""

from __future__ import annotations

import struct
from typing import Final

# Bytes of a frame's payload by frame type (RFC 4867, the class A to C bits, octet aligned).
AMR_NB: Final = (12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0)
AMR_WB: Final = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0)
NB_MAGIC: Final = b"#!AMR\n"
WB_MAGIC: Final = b"#!AMR-WB\n"
SILK_MAGIC: Final = b"#!SILK_V3"
BLOCK_S: Final = 0.02  # one block of SILK, one frame of AMR

_MP3_KBITS: Final = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_RATES: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def sniff(data: bytes) -> str | None:
    """One of ``nlp.audio.READERS`` or ``silk``; None is no sound file that we know."""
    head = data[:16]
    if head.startswith(WB_MAGIC):
        return "amr-wb"
    if head.startswith(NB_MAGIC):
        return "amr-nb"
    if head.startswith((SILK_MAGIC, b"\x02" + SILK_MAGIC)):
        return "silk"
    for magic, kind in (
        (b"OggS", "ogg"),
        (b"\x1a\x45\xdf\xa3", "webm"),
        (b"fLaC", "flac"),
        (b"ID3", "mp3"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    ):
        if head.startswith(magic):
            return kind
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return "aiff"
    if head[4:8] in {b"ftyp", b"moov"}:
        return "mp4"
    return _mpeg(data)


def _mpeg(data: bytes) -> str | None:
    """Frames without any header: two in a row must agree, or random bytes would pass."""
    if len(data) < 8 or data[0] != 0xFF:
        return None
    if data[1] & 0xF6 == 0xF0:  # ADTS: layer bits are 0
        size = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
        second = data[size : size + 2]
        return "aac" if size > 7 and second[:1] == b"\xff" and second[1] & 0xF6 == 0xF0 else None
    frame = _mp3_frame(data, 0)
    return "mp3" if frame and _mp3_frame(data, frame[0]) else None


def _mp3_frame(data: bytes, at: int) -> tuple[int, int] | None:
    """(bytes, bits per second) of the layer III frame at *at*."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, rate, pad = head[1] >> 3 & 3, head[2] >> 2 & 3, head[2] >> 1 & 1
    bits = head[2] >> 4
    if version == 1 or rate == 3 or bits in {0, 15}:
        return None
    first = version == 3
    kbits = _MP3_KBITS[1 if first else 2][bits]
    hertz = _MP3_RATES[version][rate]
    return (144 if first else 72) * kbits * 1000 // hertz + pad, kbits * 1000


def amr_offsets(data: bytes) -> list[int]:
    """Where each whole frame begins."""
    wide = data.startswith(WB_MAGIC)
    sizes, at = (AMR_WB, len(WB_MAGIC)) if wide else (AMR_NB, len(NB_MAGIC))
    found = []
    while at < len(data):
        end = at + 1 + sizes[data[at] >> 3 & 15]
        if end > len(data):
            break
        found.append(at)
        at = end
    return found


def silk_blocks(data: bytes, *, max_seconds: float) -> tuple[list[bytes], bool]:
    """The 20 ms blocks, without magic and end mark, and whether there were more."""
    at = data.index(SILK_MAGIC) + len(SILK_MAGIC)
    blocks: list[bytes] = []
    while at + 2 <= len(data):
        (size,) = struct.unpack_from("<h", data, at)
        at += 2
        if size <= 0 or at + size > len(data):  # -1 is the end mark
            break
        if len(blocks) * BLOCK_S >= max_seconds:
            return blocks, True
        blocks.append(data[at : at + size])
        at += size
    return blocks, False


def ogg_seconds(data: bytes) -> float | None:
    """By the position in the last page."""
    last = data.rfind(b"OggS")
    if last < 0 or last + 14 > len(data):
        return None
    position: int = struct.unpack_from("<q", data, last + 6)[0]
    if position < 0:
        return None
    opus = data.find(b"OpusHead", 0, 200)
    if opus >= 0 and opus + 12 <= len(data):
        skip: int = struct.unpack_from("<H", data, opus + 10)[0]
        return max(0.0, (position - skip) / 48_000)
    speex, vorbis = data.find(b"Speex   ", 0, 200), data.find(b"\x01vorbis", 0, 200)
    if speex >= 0 and speex + 40 <= len(data):
        rate: int = struct.unpack_from("<i", data, speex + 36)[0]
    elif vorbis >= 0 and vorbis + 16 <= len(data):
        rate = struct.unpack_from("<i", data, vorbis + 12)[0]
    else:
        return None
    return position / rate if rate > 0 else None


def wav_seconds(data: bytes) -> float | None:
    at, per_second = 12, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if name == b"fmt " and at + 20 <= len(data):
            (per_second,) = struct.unpack_from("<I", data, at + 16)
        if name == b"data":
            present = min(size, len(data) - at - 8)
            return present / per_second if per_second else None
        at += 8 + size + (size & 1)
    return None


def mp4_seconds(data: bytes) -> float | None:
    at = data.find(b"mvhd")
    if at < 0 or at + 36 > len(data):
        return None
    if data[at + 4] == 1:
        scale, length = struct.unpack_from(">IQ", data, at + 24)
    else:
        scale, length = struct.unpack_from(">II", data, at + 16)
    return length / scale if scale and length else None


def mp3_seconds(data: bytes) -> float | None:
    """By the encoder's count of frames, else by size and the first frame's bit rate."""
    at = 0
    if data.startswith(b"ID3") and len(data) >= 10:
        a, b, c, d = data[6:10]
        at = 10 + (a << 21 | b << 14 | c << 7 | d)
    for start in range(at, min(at + 4096, len(data) - 4)):
        frame = _mp3_frame(data, start)
        if frame and _mp3_frame(data, start + frame[0]):
            if counted := _mp3_counted(data, start, frame[0]):
                return counted
            return (len(data) - start) * 8 / frame[1]
    return None


def _mp3_counted(data: bytes, at: int, size: int) -> float | None:
    """What a Xing or Info header in the frame at *at* says."""
    tag = max(data.find(name, at, at + size) for name in (b"Xing", b"Info"))
    if tag < 0 or tag + 12 > len(data) or not data[tag + 7] & 1:
        return None
    version, rate = data[at + 1] >> 3 & 3, data[at + 2] >> 2 & 3
    frames: int = struct.unpack_from(">I", data, tag + 8)[0]
    return frames * (1152 if version == 3 else 576) / _MP3_RATES[version][rate]


def flac_seconds(data: bytes) -> float | None:
    if len(data) < 26 or data[4] & 0x7F != 0:
        return None
    packed = int.from_bytes(data[18:26], "big")
    rate, samples = packed >> 44, packed & 0xFFFFFFFFF
    return samples / rate if rate and samples else None
