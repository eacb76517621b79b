"""Backups: a folder with the database, the settings, if wanted the media, and a manifest.

SQLite is copied with its own online backup, so it may run meanwhile; PostgreSQL with ``pg_dump``.
``secrets.toml`` is never in a backup: backups travel.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from sales.errors import BotError
from storage.database import DatabaseCorrupt, StorageFull, sqlite_path

MANIFEST = "manifest.json"
_DATABASE = {"sqlite": "genjin.db", "postgresql": "genjin.dump"}


class BackupFailed(BotError):
    """``code``: ``no_tool`` (pg_dump is missing), ``tool`` (it failed), ``exists``, ``nothing``."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail


class BadBackup(BotError):
    """A backup that cannot be restored; ``detail`` names the file that is wrong, or is empty."""

    code = "bad_backup"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    name: str
    folder: Path
    at: datetime
    version: str  # of the program
    database: str  # sqlite postgresql
    media: bool
    size: int  # bytes


def make(
    url: str,
    *,
    folder: Path,
    name: str,
    now: datetime,
    version: str,
    settings: Iterable[Path] = (),
    media: Path | None = None,
) -> Backup:
    """Write the backup *name* into *folder*; it is there whole or not at all."""
    target = folder / name
    if target.exists():
        raise BackupFailed("exists", name)
    engine = "sqlite" if url.startswith("sqlite") else "postgresql"
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder))
    try:
        if engine == "sqlite":
            _copy_sqlite(url, draft / _DATABASE[engine])
        else:
            _dump_postgres(url, draft / _DATABASE[engine])
        for file in settings:
            if file.exists():
                shutil.copy2(file, draft / file.name)
        if media is not None and media.is_dir():
            shutil.copytree(media, draft / "media")
        sums = {path: _sha256(draft / path) for path in sorted(_files(draft))}
        size = sum((draft / path).stat().st_size for path in sums)
        facts = {
            "at": now.isoformat(timespec="seconds"),
            "version": version,
            "database": engine,
            "media": media is not None,
            "size": size,
            "sha256": sums,
        }
        text = json.dumps(facts, ensure_ascii=False, indent=1)
        (draft / MANIFEST).write_text(text, "utf-8")
        draft.rename(target)
    except OSError as error:
        if error.errno == 28:  # no space left
            raise StorageFull("backup") from error
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return _read(target)


def listing(folder: Path) -> list[Backup]:
    """All backups with a readable manifest, newest first."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            found.append(_read(path))
        except (BadBackup, OSError):
            continue
    return sorted(found, key=lambda one: (one.at, one.name), reverse=True)


def check(backup: Backup) -> None:
    """Every file there and unchanged, the database readable.

    Raises:
        BadBackup: naming what is wrong.
    """
    sums = _manifest(backup.folder).get("sha256")
    if not isinstance(sums, dict):
        raise BadBackup(MANIFEST)
    for path, digest in sums.items():
        file = backup.folder / path
        if not file.is_file() or _sha256(file) != digest:
            raise BadBackup(path)
    if backup.database == "sqlite" and not is_sound(backup.folder / _DATABASE["sqlite"]):
        raise BadBackup(_DATABASE["sqlite"])


def newest_sound(folder: Path) -> Backup | None:
    """The backup to restore when the database is damaged."""
    for backup in listing(folder):
        try:
            check(backup)
        except BadBackup:
            continue
        return backup
    return None


def restore(backup: Backup, url: str, *, media: Path, now: datetime) -> list[Path]:
    """Put *backup* in the place of the database; what it replaces is kept beside it.

    No process may use the database: the caller holds the data folder's lock.  Media files are
    added to what is there: they are named by their content.

    Returns:
        The files that were put aside.
    """
    check(backup)
    if backup.database != ("sqlite" if url.startswith("sqlite") else "postgresql"):
        raise BadBackup("database")
    kept: list[Path] = []
    if (path := sqlite_path(url)) is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".restoring")
        shutil.copy2(backup.folder / _DATABASE["sqlite"], draft)
        stamp = now.strftime("%Y%m%d-%H%M%S")
        for suffix in ("-wal", "-shm", ""):  # the log first: a new file must never meet an old log
            old = Path(f"{path}{suffix}")
            if old.exists():
                aside = path.with_name(f"{path.name}.replaced-{stamp}{suffix}")
                old.rename(aside)
                kept.append(aside)
        draft.rename(path)
    else:
        _load_postgres(url, backup.folder / _DATABASE["postgresql"])
    if (backup.folder / "media").is_dir():
        for source in _files(backup.folder / "media"):
            target = media / source
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(backup.folder / "media" / source, target)
    return kept


def forget_old(folder: Path, *, keep: int) -> list[str]:
    """Remove automatic backups (``auto-…``) beyond the newest *keep*."""
    old = [one for one in listing(folder) if one.name.startswith("auto-")][keep:]
    for one in old:
        shutil.rmtree(one.folder)
    return [one.name for one in old]


def is_sound(path: Path) -> bool:
    """Whether an SQLite file is undamaged.  Reads all of it."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source:
            return bool(source.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False


def _copy_sqlite(url: str, target: Path) -> None:
    path = sqlite_path(url)
    assert path is not None
    if not path.exists():
        raise BackupFailed("nothing", str(path))
    try:
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy, pages=4096)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, no log beside it
            sound = copy.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.DatabaseError as error:
        if "full" in str(error):
            raise StorageFull("backup") from error
        raise DatabaseCorrupt(str(error)) from error
    if not sound:
        raise DatabaseCorrupt("quick_check")


def _dump_postgres(url: str, target: Path) -> None:
    _tool("pg_dump", url, "--format=custom", f"--file={target}")


def _load_postgres(url: str, source: Path) -> None:
    _tool(
        "pg_restore",
        url,
        "--clean",
        "--if-exists",
        "--single-transaction",
        "--no-owner",
        str(source),
    )


def _tool(program: str, url: str, *options: str) -> None:
    """Run one of PostgreSQL's programs; the password goes through the environment."""
    if shutil.which(program) is None:
        raise BackupFailed("no_tool", program)
    address = sa.make_url(url)
    env = dict(os.environ)
    if address.password is not None:
        env["PGPASSWORD"] = str(address.password)
    where = address.set(drivername="postgresql", password=None)
    done = subprocess.run(
        [program, f"--dbname={where.render_as_string()}", *options],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise BackupFailed("tool", f"{program}: {lines[0] if lines else done.returncode}")


def _read(folder: Path) -> Backup:
    facts = _manifest(folder)
    try:
        return Backup(
            name=folder.name,
            folder=folder,
            at=datetime.fromisoformat(str(facts["at"])),
            version=str(facts["version"]),
            database=str(facts["database"]),
            media=bool(facts["media"]),
            size=int(str(facts["size"])),
        )
    except (KeyError, ValueError) as error:
        raise BadBackup(MANIFEST) from error


def _manifest(folder: Path) -> dict[str, object]:
    try:
        facts = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadBackup(MANIFEST) from error
    if not isinstance(facts, dict):
        raise BadBackup(MANIFEST)
    return facts


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
