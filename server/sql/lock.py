"""One process per SQLite file: a lock file beside the database says who writes.

Two processes on one file would both lease lanes as the owner "local" and send calls twice. The lock is the kernel's
(fcntl.flock), so it dies with its process; local disks only, flock over NFS is not to be trusted.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from server.core.errors import ConfigError, StoreLocked, StoreUnavailable

MEMORY = ":memory:"


def sqlite_path(url: str) -> Path | None:
    """The file of a `sqlite:///path` URL; None for the memory database and for other databases."""
    scheme, _, path = url.partition(":///")
    if scheme != "sqlite" or path in ("", MEMORY):
        return None
    if "?" in path:
        raise ConfigError(f"database: {url!r} must be sqlite:///PATH without options")
    return Path(path)


class FileLock:
    """The right to write a database file; held until `release` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, database: Path) -> Self:
        """Take the lock of `database`. Raises StoreLocked naming the holder, StoreUnavailable without the folder."""
        path = database.with_name(database.name + ".lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as exc:
            raise StoreUnavailable(f"Cannot write beside the database: {exc}") from exc
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            pid = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise StoreLocked(f"Process {pid or '(unknown)'} holds {database}.", pid=pid, path=str(database)) from exc
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would race with the next holder."""
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
