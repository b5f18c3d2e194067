"""The revisions of the schema, run by Alembic (`store/migrate.py`), for both databases.

A change of the tables is a file of its own in `versions/`, written by hand and never edited once released, and its name
here. It must not import `schema`: a revision says what the tables were like when it was written. On SQLite a column is
changed within `op.batch_alter_table`. tests/contract/test_store_migrate.py compares the outcome with the schema.
"""

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""All revisions, the oldest first: known without importing Alembic, for a start that has nothing to migrate."""
