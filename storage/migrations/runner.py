"""Brings a database to this program's version, after a backup; refuses a newer one.

All of one upgrade is one transaction: a power cut in the middle leaves the old version.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sales.errors import BotError
from storage.database import _storage_errors, make_engine

HERE = Path(__file__).parent
VERSIONS = HERE / "versions"
# Held while migrating, so that several processes that start at once on one PostgreSQL take turns.
_ADVISORY_LOCK = 0x67656E6A6D


class DatabaseNewer(BotError):
    """The database was written by a newer program; nothing was changed."""

    code = "database_newer"

    def __init__(self, *, found: str, known: str) -> None:
        super().__init__(f"database version {found}, program knows {known}")
        self.found = found
        self.known = known


class DatabaseAway(BotError):
    """The database server cannot be reached.  ``why`` is the driver's first line, no password."""

    code = "database_away"
    transient = True

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    before: str  # '' for an empty database
    after: str
    backup: str = ""  # name of the automatic backup, '' when none was needed

    @property
    def changed(self) -> bool:
        return self.before != self.after


def versions() -> list[str]:
    """Known versions, oldest first.  A version is the number its file's name begins with."""
    return sorted(path.name.split("_")[0] for path in VERSIONS.glob("[0-9]*_*.py"))


def head() -> str:
    return versions()[-1]


def current(connection: sa.Connection) -> str:
    """Version of the database; '' for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return connection.scalar(sa.text("SELECT version_num FROM alembic_version")) or ""


def database_version(url: str) -> str:
    """The same by address.

    Raises:
        DatabaseAway, DatabaseCorrupt: as their names say.
    """
    with _transaction(url) as connection:
        return current(connection)


def migrate(url: str, *, back_up: Callable[[], str] | None = None) -> Migration:
    """Bring the database at *url* to this program's version.

    *back_up* makes a backup and returns its name; it is called only when there is something to
    lose and something to change.

    Raises:
        DatabaseNewer, DatabaseAway, DatabaseCorrupt: nothing was changed.
    """
    known = versions()
    before = database_version(url)
    if before == known[-1]:
        return Migration(before=before, after=before)
    if before and before not in known:
        raise DatabaseNewer(found=before, known=known[-1])
    backup = back_up() if before and back_up else ""
    with _transaction(url, writer=True) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        _upgrade(connection)
    return Migration(before=before, after=known[-1], backup=backup)


def alembic_config(connection: sa.Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command

    command.upgrade(alembic_config(connection), "head")


@contextlib.contextmanager
def _transaction(url: str, *, writer: bool = False) -> Iterator[sa.Connection]:
    """One connection with one transaction; the engine is thrown away afterwards."""
    engine = make_engine(url, writer=writer)
    try:
        with _storage_errors(), _reached(engine) as connection:
            if writer and engine.dialect.name == "sqlite":
                # A table that is rebuilt is dropped for a moment; checked again at the end.
                _pragma(connection, "foreign_keys=OFF")
            with connection.begin():
                yield connection
                if writer and engine.dialect.name == "sqlite":
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                    if broken is not None:
                        raise RuntimeError(f"migration broke a reference of {broken[0]}")
    finally:
        engine.dispose()


def _reached(engine: sa.Engine) -> sa.Connection:
    try:
        return engine.connect()
    except sa.exc.OperationalError as error:
        first = str(error.orig).strip().splitlines()
        raise DatabaseAway(first[0] if first else "") from None


def _pragma(connection: sa.Connection, text: str) -> None:
    raw = connection.connection.driver_connection
    assert raw is not None
    raw.execute(f"PRAGMA {text}")
