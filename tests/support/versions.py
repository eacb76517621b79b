"""Pretend that another program wrote the database."""

from __future__ import annotations

import sqlalchemy as sa

from storage.database import make_engine


def set_version(url: str, version: str) -> None:
    engine = make_engine(url, writer=True)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    engine.dispose()
