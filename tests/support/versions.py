"""Databases as other versions of the program left them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command

from storage.database import make_engine
from storage.migrations import runner


def set_version(url: str, version: str) -> None:
    engine = make_engine(url, writer=True)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    engine.dispose()


def old_database(file: Path, version: str) -> None:
    """An SQLite file with the tables of *version* and nothing in them, in place of *file*."""
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(name).unlink(missing_ok=True)
    engine = make_engine(f"sqlite:///{file}", writer=True)
    with engine.begin() as connection:
        command.upgrade(runner.alembic_config(connection), version)
    engine.dispose()
