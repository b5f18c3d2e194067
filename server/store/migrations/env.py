"""Alembic's entry: run the revisions on the connection that `store/migrate.py` hands over, in its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
