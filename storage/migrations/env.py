"""Alembic's way in. `storage.schema.upgrade` hands over a connection inside a transaction, so that DDL is all or nothing."""

from alembic import context

from storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,  # SQLite alters most things by making the table anew
)
with context.begin_transaction():
    context.run_migrations()
