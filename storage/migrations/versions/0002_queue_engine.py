"""PostgreSQL's queue engine brings its own tables; the embedded queue uses the table ``job``."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    bind = op.get_bind()
    if bind.dialect.name != "postgresql":
        return
    from procrastinate.schema import SchemaManager

    # Through the driver itself: it sends many statements at once, and reads no % in them.  It is
    # still this transaction.
    raw = bind.connection.driver_connection
    assert raw is not None
    raw.execute(SchemaManager.get_schema())
