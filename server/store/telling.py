"""Telling the other nodes of a change, in the transaction that makes it."""

from collections.abc import Callable
from typing import Any

from server.core.ports import News
from server.sql import Params, Script, Stmt

Tell = Callable[..., Script[None]]
"""`core.ports.Bus.telling`: a script that tells news within the caller's transaction."""


def tell_nobody(*_news: News) -> Script[None]:
    """For stores that nobody else reads."""
    yield from ()


def told(tell: Tell, stmt: Stmt, params: Params | list[Params], *news: News) -> Script[Any]:
    """One statement and its news; answers as the statement does."""
    answer = yield stmt, params
    yield from tell(*news)
    return answer
