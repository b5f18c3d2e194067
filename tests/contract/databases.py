"""The databases under the contract suites: SQLite in a temporary folder, PostgreSQL as a private server.

Import the fixtures into a test module: `from databases import database_url, db  # noqa: F401`. The server is started
once per test process, on a free port, as an unprivileged user, without fsync; each test gets a database of its own.
"""

import atexit
import contextlib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from server.sql import Database, connect

START_S = 30
_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.external_service)])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kommutator.db'}"
    return await postgres_database()


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An empty database, open for writing."""
    database = await connect(database_url)
    yield database
    await database.close()


async def postgres_database() -> str:
    """A new empty database on the private server."""
    base = postgres_server()
    name = f"t{os.getpid()}_{next(_numbers)}"
    connection = await asyncpg.connect(f"{base}/postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"{base}/{name}"


@cache
def postgres_server() -> str:
    """Start the private server; its URL without a database. Skips the test where PostgreSQL is not installed."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not binaries:
        pytest.skip("PostgreSQL is not installed (no /usr/lib/postgresql/*/bin/initdb); run tests/parts.sh")
    folder, port = Path(tempfile.mkdtemp(prefix="kommutator-pg-")), _free_port()
    as_user = _unprivileged(folder)
    data, log = folder / "data", folder / "log"
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    subprocess.run(
        [binaries[-1], "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"],
        check=True, capture_output=True, env=environment, cwd=folder, **as_user,
    )  # fmt: skip
    careless = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]  # a test's data need not survive
    options = [f"unix_socket_directories={folder}", "listen_addresses=127.0.0.1", "max_connections=100", *careless]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [binaries[-1].with_name("postgres"), "-D", data, "-p", str(port), *(x for o in options for x in ("-c", o))],
            stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=folder, **as_user,
        )  # fmt: skip
    atexit.register(_stop, server, folder)
    _wait(server, port, log)
    return f"postgresql://test@127.0.0.1:{port}"


def _unprivileged(folder: Path) -> dict[str, Any]:
    """As root, run as the user postgres: initdb refuses root."""
    if os.geteuid():
        return {}
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _free_port() -> int:
    # Test processes of one machine begin apart, and below the ports of sandboxes (tests/support/sandboxes.py).
    for port in range(10_000 + os.getpid() % 8_000, 20_000):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port below 20 000")


def _wait(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    ready = [shutil.which("pg_isready") or "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready, check=False).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"PostgreSQL did not start:\n{log.read_text()}")
        time.sleep(0.03)


def _stop(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(10)
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)
