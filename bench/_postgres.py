"""A private PostgreSQL for a bench: started as an unprivileged user on a free port, durable (fsync on)."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from _backend import free_port

START_S = 30.0


class Postgres:
    """A running server; leave the block and it is gone."""

    def __enter__(self) -> Self:
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not binaries:
            raise SystemExit("PostgreSQL is not installed; run tests/parts.sh")
        self._folder = Path(tempfile.mkdtemp(prefix="bench-pg-"))
        self._port = free_port()
        environ, who = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, _unprivileged(self._folder)
        data, postgres = self._folder / "data", binaries[-1].with_name("postgres")
        subprocess.run(
            [binaries[-1], "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale"],
            check=True, capture_output=True, env=environ, cwd=self._folder, **who,
        )  # fmt: skip
        options = [f"unix_socket_directories={self._folder}", "listen_addresses=127.0.0.1"]
        self._server = subprocess.Popen(
            [postgres, "-D", data, "-p", str(self._port), *(word for option in options for word in ("-c", option))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ, cwd=self._folder, **who,
        )  # fmt: skip
        ready = [str(binaries[-1].with_name("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        deadline = time.monotonic() + START_S
        while subprocess.run(ready, check=False).returncode:
            if self._server.poll() is not None or time.monotonic() > deadline:
                self.__exit__(None, None, None)
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.terminate()
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def database(self) -> str:
        """The URL of its empty database."""
        return f"postgresql://bench@127.0.0.1:{self._port}/postgres"


def _unprivileged(folder: Path) -> dict[str, Any]:
    """As root, run as the user postgres: initdb refuses root."""
    if os.geteuid():
        return {}
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
