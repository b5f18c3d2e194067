"""One process per SQLite file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.core.errors import ConfigError, StoreLocked, StoreUnavailable
from server.sql import FileLock, sqlite_path

HOLD = """
import sys
from pathlib import Path
from server.sql import FileLock
lock = FileLock.take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_the_holder_is_named(tmp_path: Path) -> None:
    """Whoever comes second is told the process id of the first."""
    with FileLock.take(tmp_path / "a.db"), pytest.raises(StoreLocked, match=f"Process {os.getpid()} holds"):
        FileLock.take(tmp_path / "a.db")


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    """After release the next one gets the lock; releasing twice does no harm."""
    lock = FileLock.take(tmp_path / "a.db")
    lock.release()
    lock.release()

    FileLock.take(tmp_path / "a.db").release()


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    """A holder that is killed leaves its lock to the next, although its process id still stands in the file."""
    path = tmp_path / "a.db"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(StoreLocked, match=f"Process {holder.pid} holds"):
        FileLock.take(path)

    holder.kill()
    holder.communicate()

    FileLock.take(path).release()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A database in a folder that does not exist is refused with its path."""
    with pytest.raises(StoreUnavailable, match="nowhere"):
        FileLock.take(tmp_path / "nowhere" / "a.db")


def test_the_path_of_a_url() -> None:
    """Only a file's URL has a path."""
    assert sqlite_path("sqlite:////var/lib/k.db") == Path("/var/lib/k.db")
    assert sqlite_path("sqlite:///k.db") == Path("k.db")
    assert sqlite_path("sqlite:///:memory:") is None
    assert sqlite_path("postgresql://host/name") is None
    with pytest.raises(ConfigError, match="without options"):
        sqlite_path("sqlite:///k.db?mode=ro")
