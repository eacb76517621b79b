"""What the commands share: opening the data folder and telling errors in words."""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from bot import config as settings
from bot import words
from bot.config import Config, ConfigError
from bot.home import Home, HomeError, HomeTaken
from sales.errors import BotError
from storage import backup
from storage.database import Database, DatabaseCorrupt, StorageFull, sqlite_path
from storage.migrations import runner


@dataclass(frozen=True, slots=True)
class Told:
    text: str
    status: int


def told(error: Exception) -> Told | None:
    """An error on purpose in words with its exit status; None for a bug."""
    if isinstance(error, ConfigError):
        return Told("\n".join(error.problems), 2)
    if isinstance(error, HomeTaken):
        return Told(str(error), 1)
    if isinstance(error, HomeError):
        return Told(str(error), 2)
    if isinstance(error, runner.DatabaseNewer):
        return Told(words.DATABASE_NEWER.format(found=error.found, known=error.known), 1)
    if isinstance(error, runner.DatabaseAway):
        return Told(words.DATABASE_AWAY.format(why=error.why), 1)
    if isinstance(error, DatabaseCorrupt):
        return Told(corrupt_words(Home.find()), 1)
    if isinstance(error, StorageFull):
        home = Home.find()
        free = {"free_mb": home.free_mb(), "path": home.path}
        return Told(words.DISK_FULL.format(**free), 1)
    if isinstance(error, backup.BackupFailed):
        return Told(words.BACKUP_FAILED[error.code].format(detail=error.detail), 1)
    if isinstance(error, backup.BadBackup):
        return Told(words.BAD_BACKUP.format(detail=error.detail), 1)
    if isinstance(error, BotError):
        return Told(words.ERRORS.get(error.code, f"{error.code}: {error}"), 1)
    return None


def corrupt_words(home: Home) -> str:
    """The database is damaged: where it is and which backup brings it back."""
    try:
        path = sqlite_path(settings.load(home.path, os.environ).database.url)
    except ConfigError:
        path = None
    found = backup.newest_sound(home.backups)
    advice = words.RESTORE_NONE
    if found is not None:
        advice = words.RESTORE_THIS.format(name=found.name, at=local(found.at))
    return words.DATABASE_CORRUPT.format(path=path or home.path) + advice


def now() -> datetime:
    """The real time: the command line has no other clock."""
    return datetime.now(UTC)


def local(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def version() -> str:
    from importlib import metadata

    try:
        return metadata.version("genjin")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "0"


def stamp() -> str:
    return now().astimezone().strftime("%Y%m%d-%H%M%S")


def set_up() -> tuple[Home, Config]:
    """The data folder, made if it is new, and its settings."""
    home = Home.find()
    if home.set_up():
        click.echo(words.SET_UP.format(path=home.path), err=True)
    return home, settings.load(home.path)


def migrate(home: Home, config: Config) -> runner.Migration:
    """Bring the database up to date, after an automatic backup."""
    home.check_space()
    url = config.database.url

    def back_up() -> str:
        name = f"auto-{stamp()}"
        backup.make(
            url,
            folder=home.backups,
            name=name,
            now=now(),
            version=version(),
            settings=[home.config_file],
        )
        backup.forget_old(home.backups, keep=config.retention.backups)
        return name

    _check_sound(url)
    done = runner.migrate(url, back_up=back_up)
    if done.backup:
        click.echo(words.MIGRATED.format(before=done.before, after=done.after, name=done.backup))
    return done


_QUICK_BYTES = 256 * 2**20


def _check_sound(url: str) -> None:
    """A damaged file is told before anything writes to it.  Big files: only doctor reads it all."""
    path = sqlite_path(url)
    if path is None or not path.exists() or not 0 < path.stat().st_size < _QUICK_BYTES:
        return
    if not backup.is_sound(path):
        raise DatabaseCorrupt("quick_check")


@contextlib.contextmanager
def database() -> Iterator[Database]:
    """The migrated database of the data folder, for one command."""
    home, config = set_up()
    migrate(home, config)
    opened = Database(config.database.url)
    try:
        yield opened
    finally:
        opened.close()


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns below each other, a Chinese character counted as two."""
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(_width(line[at]) for line in lines) for at in range(len(header))]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
