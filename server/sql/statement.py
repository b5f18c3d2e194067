"""Statements and scripts: what is written once and runs on both databases.

Theory of operation. SQLAlchemy Core is our language, not our runtime: measured per transaction, its async engine costs
three to five times the bare driver. So a `Stmt` is compiled once per dialect, at first use, into text that the driver
takes as it is. No result or bind processors run; therefore columns are BigInteger, Text, LargeBinary and Float only
(`ddl.forbidden_columns`), which both drivers pass unchanged.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import ARRAY, BigInteger, Executable, bindparam, literal_column
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.postgresql import insert as insert  # noqa: PLC0414  # its ON CONFLICT compiles on SQLite too
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import Compiled as CoreCompiled
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnClause, ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NULLTYPE

T = TypeVar("T")
Row = tuple[Any, ...]
Params = Mapping[str, Any]
Step = tuple["Stmt", Params | Sequence[Params]]
Script = Generator[Step, Any, T]
"""One transaction. It yields steps and is sent, for each, its rows (SELECT, RETURNING), else the number of rows
touched; a step with a list of parameter sets is sent None. It must not wait for anything but its steps."""


def lit(number: int) -> ColumnClause[int]:
    """A number spelled out in the SQL text.

    Partial indexes match only what is in the text: with `state < :x` SQLite never uses them, nor do PostgreSQL's
    generic plans.
    """
    return literal_column(str(int(number)), BigInteger)


class among(FunctionElement[bool]):  # noqa: N801  # reads as a clause: where(among(job.c.id, "ids"))
    """`column IN <list parameter>` as static SQL: `= ANY` on PostgreSQL, `json_each` on SQLite."""

    # Not Boolean: SQLite has none, and SQLAlchemy would add "= 1", which hides the column from its index.
    type = NULLTYPE  # type: ignore[assignment]  # see above
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        super().__init__(column, bindparam(name, type_=ARRAY(column.type)))


@compiles(among, "postgresql")
def _any(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **kw)} = ANY ({compiler.process(values, **kw)})"


@compiles(among, "sqlite")
def _json_each(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = element.clauses
    listed = f"SELECT value FROM json_each({compiler.process(values, **kw)})"  # noqa: S608  # values is a parameter
    return f"{compiler.process(column, **kw)} IN ({listed})"


class Compiled:
    """A statement compiled for one dialect: its text and how to lay out its parameters."""

    __slots__ = ("_lists", "_order", "_values", "returns_rows", "sql")

    def __init__(self, compiled: CoreCompiled) -> None:
        self.sql = str(compiled)
        self.returns_rows = False
        self._values: dict[str, Any] = {}  # constants of the statement, e.g. LIMIT 10
        self._lists: tuple[str, ...] = ()
        self._order: tuple[str, ...] = ()
        if isinstance(compiled, SQLCompiler):
            binds = compiled.binds
            self.returns_rows = bool(compiled.effective_returning) or getattr(compiled.statement, "is_select", False)
            self._values = {k: b.value for k, b in binds.items() if not b.required}
            self._lists = tuple(k for k, b in binds.items() if isinstance(b.type, ARRAY))
            self._order = tuple(compiled.positiontup or ())

    def named(self, params: Params) -> Params:
        """For sqlite3: by name, lists as JSON text."""
        if not self._values and not self._lists:
            return params
        return {**self._values, **params, **{k: json.dumps(list(params[k])) for k in self._lists}}

    def positional(self, params: Params) -> list[Any]:
        """For asyncpg: in the order of $1, $2, ..."""
        full = {**self._values, **params} if self._values else params
        return [full[name] for name in self._order]


class Stmt:
    """A Core statement (or DDL), compiled once per dialect.

    `columns`: for INSERT without values, which columns the parameter sets name.
    """

    def __init__(self, core: Executable | ExecutableDDLElement, *, columns: Sequence[str] | None = None) -> None:
        self._core = core
        self._columns = columns

    def __repr__(self) -> str:
        return f"<Stmt {self.sqlite.sql}>"

    @cached_property
    def sqlite(self) -> Compiled:
        return self._compile(sqlite.dialect(paramstyle="named"))

    @cached_property
    def postgresql(self) -> Compiled:
        return self._compile(asyncpg.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy's constructor

    def _compile(self, dialect: Dialect) -> Compiled:
        if isinstance(self._core, ExecutableDDLElement):
            return Compiled(self._core.compile(dialect=dialect))
        options = {"render_postcompile": True}
        compiled = self._core.compile(dialect=dialect, column_keys=self._columns, compile_kwargs=options)  # type: ignore[attr-defined]  # every Executable of Core is a ClauseElement
        return Compiled(compiled)
