"""Alembic's entry: runs the scripts in `versions/` on the connection that `engine.py` hands over."""

from alembic import context

from core.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
