"""Drivers' errors as the house's. An error that shows a mistake of ours (bad SQL, a missing parameter) stays raw."""

import sqlite3

import asyncpg

from server.core.errors import OwnError, StoreUnavailable


class RowRefused(OwnError):
    """The database refused a row."""

    slug = "row-refused"
    temporary = False


_REFUSED = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    OverflowError,  # sqlite3: an integer beyond 64 bits
    UnicodeEncodeError,  # sqlite3: a lone surrogate in a text
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
)
_UNAVAILABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, cancelled by command_timeout
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.TransactionRollbackError,  # deadlock or serialization, still there after the retries
    asyncpg.ReadOnlySQLTransactionError,  # a stand-by after a fail-over
    asyncpg.InterfaceError,  # the connection is closed
    asyncpg.InternalClientError,  # it was cut in the middle of an operation
    OSError,
    TimeoutError,
)


def translate(error: Exception) -> Exception:
    """The house's error for a driver's, or the same error when nobody but a programmer can answer it."""
    if isinstance(error, _REFUSED):
        return RowRefused(f"The database refused a row: {error}")
    if isinstance(error, _UNAVAILABLE) or _is_sqlite_trouble(error):
        return StoreUnavailable(f"The database does not answer: {error or type(error).__name__}")
    return error


def _is_sqlite_trouble(error: Exception) -> bool:
    """Locked, full, unreadable: sqlite3 says it with OperationalError, which it also uses for bad SQL."""
    if not isinstance(error, sqlite3.Error):
        return False
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the low byte of an extended code
    return primary not in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_RANGE)
