"""Two statements that SQLite and PostgreSQL spell alike but SQLAlchemy keeps apart."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.table_base import Base


def insert_new(session: Session, table: type[Base], **values: Any) -> Any | None:
    """Insert unless a unique key stands in the way.

    Returns:
        The new row's first primary key column, or None when there was such a row already.
    """
    key = sa.inspect(table).primary_key[0]
    # Column defaults of the mapping must apply, so the insert goes through the table.
    statement = insert_of(session, table).values(**values)
    return session.execute(statement.on_conflict_do_nothing().returning(key)).scalar_one_or_none()


def insert_of(session: Session, table: type[Base]) -> Any:
    """The dialect's own ``insert``, which knows ``on_conflict_do_nothing``."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    return dialect.insert(cast("sa.Table", table.__table__))


def changed(session: Session, statement: sa.Update | sa.Delete) -> int:
    """Run *statement*; how many rows it touched.  A compare-and-set won when this is 1."""
    result: Any = session.execute(statement)
    return int(result.rowcount)
