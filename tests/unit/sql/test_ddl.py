"""Only types that bare drivers carry are allowed in our tables."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, DateTime, Float, LargeBinary, MetaData, String, Table, Text

from server.sql import RowId, forbidden_columns


def test_carried_types_pass() -> None:
    """Integers, texts, bytes and floats pass."""
    metadata = MetaData()
    columns = [Column("id", RowId, primary_key=True), Column("a", BigInteger), Column("b", Text)]
    Table("t", metadata, *columns, Column("c", LargeBinary), Column("d", Float))

    assert forbidden_columns(metadata) == []


def test_processed_types_are_named() -> None:
    """Every column of a type that needs SQLAlchemy's processors is named."""
    metadata = MetaData()
    Table("t", metadata, Column("a", Boolean), Column("b", DateTime), Column("c", JSON), Column("d", String(9)))

    assert [found.split()[0] for found in forbidden_columns(metadata)] == ["t.a", "t.b", "t.c", "t.d"]
