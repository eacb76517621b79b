"""What alembic runs for each migration.  ``runner`` hands it an open connection."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from storage import tables  # noqa: F401 - all of them
from storage.table_base import Base, UtcDateTime


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """A migration must not change with our classes: their types are written out."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def ours(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """The queue engine's own tables on PostgreSQL are its business."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_item=render_item,
    include_object=ours,
    render_as_batch=True,
    transactional_ddl=True,  # SQLite too: our engine begins the transaction itself
)
context.run_migrations()
