"""Our backend as it is run (`python -m server serve`) over a database with one large account; its CPU, its backlog."""

import os
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.request import urlopen

import jwt
from _vendors import API_KEY, API_SALT, MANGO_PATH, SIPUNI_PATH, SIPUNI_USER

from server.core.book import BookRow
from server.core.messages import DirectoryView
from server.core.records import ACTIVE, Account, Line, Seat, Tokens, User
from server.core.rights import Rights
from server.settings import Settings
from server.sql import Stmt, connect
from server.store.hooks import ALL_UNREAD
from server.store.migrate import migrate
from server.wiring import stores

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

SECRET_KEY = "k" * 32
CLIENT_ID, CLIENT_SECRET = "5c9b7a52-0000-4000-8000-00000000be7c", "s" * 64
ACCOUNT = 31_000_001
NOBODY = "http://127.0.0.1:9"
"""Where this account's amoCRM would be: logging is refused at once and its lane is held; only its first try is paid."""
READY_S = 30.0
TICK_HZ = os.sysconf("SC_CLK_TCK")
START_MS = time.time_ns() // 1_000_000
FIRST_EXTENSION, FIRST_USER = 1000, 500_000
TOKEN_S = 1800


def extensions(agents: int) -> list[str]:
    """The extensions of that many agents; each is the same on both lines."""
    return [str(FIRST_EXTENSION + place) for place in range(agents)]


def user_of(extension: str) -> int:
    """The user who sits there."""
    return FIRST_USER + int(extension) - FIRST_EXTENSION


def phone(number: int) -> str:
    """The telephone number of a contact, E.164 without the plus."""
    return f"79{number:09d}"


def token(user_id: int, *, account_id: int = ACCOUNT, client: tuple[str, str], audience: str) -> str:
    """amoCRM's one-time token for a user; `client`: the integration's id and secret."""
    client_id, secret = client
    now_s = int(time.time())
    claims = {
        "iss": "https://bench.amocrm.ru", "aud": audience, "jti": str(uuid.uuid4()), "iat": now_s, "nbf": now_s,
        "exp": now_s + TOKEN_S, "account_id": account_id, "user_id": user_id, "client_uuid": client_id,
        "is_admin": False,
    }  # fmt: skip
    return jwt.encode(claims, secret, algorithm="HS256")


async def furnish(url: str, *, agents: int, contacts: int) -> None:
    """Migrate the database and fill it: two lines, `agents` seats on each, `contacts` in the phone book."""
    db = await connect(url)
    await migrate(db, url)
    kept = stores(Settings(secret_key=SECRET_KEY), db)
    account = Account(
        id=ACCOUNT, host="bench.amocrm.ru", origin=NOBODY, name="Bench", state=ACTIVE, hook_secret="h" * 32,
        created_ms=START_MS, progress=DirectoryView(is_complete=True),
        tokens=Tokens("access", "refresh", START_MS + 86_400_000),
    )  # fmt: skip
    await kept.accounts.put(account)
    await kept.accounts.set_progress(ACCOUNT, account.progress)
    sipuni, mango = {"user": SIPUNI_USER, "secret": "x" * 16}, {"api_key": API_KEY, "api_salt": API_SALT}
    for provider, path, credentials in (("sipuni", SIPUNI_PATH, sipuni), ("mango", MANGO_PATH, mango)):
        line = Line(
            id=f"l_{provider}", account_id=ACCOUNT, provider=provider, name=provider, path=path,
            credentials=credentials, created_ms=START_MS,
        )  # fmt: skip
        await kept.lines.put(line)
    view = {"contacts": "A", "companies": "A", "leads": "A"}
    places = extensions(agents)
    users = [(user_of(place), Rights(user_id=user_of(place), group_id=1, view=view)) for place in places]
    await kept.accounts.set_users(ACCOUNT, [User(one, f"Agent {one}", 1, False, True, rights) for one, rights in users])
    seats = [Seat(f"l_{provider}", place, user_of(place)) for provider in ("sipuni", "mango") for place in places]
    await kept.lines.set_seats(ACCOUNT, seats)
    book = [
        BookRow(id=number, name=f"Client {number}", owner_id=FIRST_USER, group_id=1, phones=(phone(number)[-10:],))
        for number in range(1, contacts + 1)
    ]
    await kept.directory.put(ACCOUNT, "contacts", book)
    await db.close()


@dataclass
class Backend:
    """A running backend; leave the block and it is stopped."""

    database: str
    state: Path
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process."""
        assert self.process is not None
        return self.process.pid

    def token(self, user_id: int) -> str:
        """A user's one-time token."""
        return token(user_id, client=(CLIENT_ID, CLIENT_SECRET), audience="http://localhost")

    def __enter__(self) -> Self:
        self.port = free_port()
        environ = {
            "KOMMUTATOR_LISTEN": f"127.0.0.1:{self.port}",
            "KOMMUTATOR_PUBLIC_URL": f"http://localhost:{self.port}",
            "KOMMUTATOR_STATE": str(self.state),
            "KOMMUTATOR_DATABASE": self.database,
            "KOMMUTATOR_SECRET_KEY": SECRET_KEY,
            "KOMMUTATOR_AMO_CLIENT_ID": CLIENT_ID,
            "KOMMUTATOR_AMO_CLIENT_SECRET": CLIENT_SECRET,
            "KOMMUTATOR_AMO_DEV_ORIGINS": NOBODY,
        }
        with (self.state / "backend.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server", "serve"], cwd=ROOT, env={**os.environ, **environ}, stderr=log
            )
        wait_until_ready(f"{self.url}/readyz", self.process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    async def backlog(self) -> int:
        """How many webhooks were stored and not read yet."""
        db = await connect(self.database, readonly=True)
        try:
            return len(await db.read(ALL_UNREAD))
        finally:
            await db.close()

    async def count(self, stmt: Stmt) -> int:
        """The only value of a statement's only row."""
        db = await connect(self.database, readonly=True)
        try:
            return int((await db.read(stmt))[0][0])
        finally:
            await db.close()


def cpu_s(pid: int) -> float:
    """Processor time that a process has used, in all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK_HZ


def free_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Ask until the answer is 200. Raises RuntimeError when the process ends before, or takes too long."""
    deadline = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=2):  # noqa: S310  # our own process
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url}: no answer; exit code {process.poll()}")
