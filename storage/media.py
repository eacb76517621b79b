"""Files by content hash: ``media/ab/cdef…``; the same bytes are stored once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.database import StorageFull
from storage.sql import insert_new
from storage.tables import MediaRow

_MAGIC = (
    (b"#!AMR-WB", "audio/amr-wb"),
    (b"#!AMR", "audio/amr"),
    (b"\x02#!SILK", "audio/silk"),
    (b"#!SILK", "audio/silk"),
    (b"OggS", "audio/ogg"),
    (b"\x1aE\xdf\xa3", "audio/webm"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    sha256: str
    kind: str
    size: int
    name: str


class MediaStore:
    """The media folder.  Files are complete or absent: written beside and renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes, name: str = "") -> Stored:
        """Store *data*; on the disk when this returns.

        Raises:
            StorageFull: no space left.
        """
        sha = hashlib.sha256(data).hexdigest()
        path = self.path(sha)
        if not path.exists():
            try:
                self._write(path, data)
            except OSError as error:
                raise StorageFull(str(error)) from error
        return Stored(sha256=sha, kind=sniff(data), size=len(data), name=name)

    def get(self, sha: str) -> bytes:
        return self.path(sha).read_bytes()

    def path(self, sha: str) -> Path:
        return self.folder / sha[:2] / sha[2:]

    def remove(self, sha: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.path(sha).unlink()

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name, not only the bytes, must survive a power cut
        finally:
            os.close(folder)


def sniff(data: bytes) -> str:
    """The kind of a file by its first bytes, never by its name."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "audio/wav"
    if data[4:8] == b"ftyp":
        return "audio/mp4"
    return "application/octet-stream"


def add(session: Session, stored: Stored, *, now: datetime) -> None:
    """The file's row; once per content."""
    insert_new(
        session,
        MediaRow,
        sha256=stored.sha256,
        kind=stored.kind,
        name=stored.name,
        size=stored.size,
        created_at=now,
    )


def find(session: Session, sha: str) -> Stored | None:
    row = session.execute(sa.select(MediaRow).where(MediaRow.sha256 == sha)).scalar_one_or_none()
    if row is None:
        return None
    return Stored(sha256=row.sha256, kind=row.kind, size=row.size, name=row.name)
