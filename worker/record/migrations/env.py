"""What Alembic runs: the steps, on the connection and in the transaction that `worker.record.schema` gives it."""

from __future__ import annotations

from alembic import context

from worker.record.schema import SCHEMA_TABLE
from worker.record.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=SCHEMA_TABLE,
    # SQLite undoes half an upgrade as well as PostgreSQL does.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
