"""Statements compile to the text that each driver takes."""

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, bindparam, select, update

from server.sql import Stmt, among, insert, lit

TABLE = Table(
    "t", MetaData(), Column("id", BigInteger, primary_key=True), Column("name", Text), Column("n", BigInteger)
)


def test_an_upsert_reads_alike_on_both() -> None:
    """PostgreSQL's INSERT ... ON CONFLICT of SQLAlchemy serves SQLite as well; a release that ends that fails here."""
    row = insert(TABLE).inline()
    stmt = Stmt(row.on_conflict_do_update(index_elements=["id"], set_={"n": row.excluded.n}), columns=["id", "n"])

    assert stmt.sqlite.sql.endswith("ON CONFLICT (id) DO UPDATE SET n = excluded.n")
    assert stmt.postgresql.sql.endswith("ON CONFLICT (id) DO UPDATE SET n = excluded.n")


def test_a_literal_stands_in_the_text() -> None:
    """`lit` spells the number out, as partial indexes need it."""
    stmt = Stmt(select(TABLE.c.id).where(TABLE.c.n < lit(2)))

    assert "n < 2" in stmt.sqlite.sql
    assert "n < 2" in stmt.postgresql.sql


def test_membership_leaves_the_column_bare() -> None:
    """`among` does not wrap the column (no "= 1" behind it), so that its index is used."""
    stmt = Stmt(select(TABLE.c.n).where(among(TABLE.c.id, "ids")))

    assert stmt.sqlite.sql.endswith("t.id IN (SELECT value FROM json_each(:ids))")
    assert stmt.postgresql.sql.endswith("t.id = ANY ($1::BIGINT[])")


def test_parameters_are_laid_out_for_the_driver() -> None:
    """asyncpg gets values in order, sqlite3 by name with lists as JSON; constants of the statement come along."""
    stmt = Stmt(update(TABLE).where(among(TABLE.c.id, "ids"), TABLE.c.n == bindparam("old")).values(n=9, name=None))
    given = {"old": 1, "ids": [3, 4]}

    assert stmt.postgresql.positional(given) == [None, 9, [3, 4], 1]
    named = stmt.sqlite.named(given)
    assert (named["ids"], named["old"], named["n"], named["name"]) == ("[3, 4]", 1, 9, None)


def test_a_statement_knows_whether_it_answers_with_rows() -> None:
    """SELECT and RETURNING answer with rows, other statements with a count."""
    change = update(TABLE).values(n=1)

    assert Stmt(select(TABLE.c.id)).sqlite.returns_rows
    assert Stmt(change.returning(TABLE.c.id)).postgresql.returns_rows
    assert not Stmt(change).postgresql.returns_rows
