"""The whole backend in this process, over a furnished database, with every edge a recording server.

`from served import served`: one house per kind of socket serves a whole module, so tests look at what changed.
"""

import base64
import hashlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakes.house import ACCOUNT, OLGA, OTHER_ACCOUNT, PAVEL, SECRET_KEY, STRANGER, furnish

from server.core import session
from server.core.session import Pass
from server.settings import Settings
from server.sql import connect
from server.store.migrate import migrate
from server.web.desk import DESK, Desk
from server.wiring import house, stores

CLIENT_ID = "00000000-aaaa-bbbb-cccc-000000000001"
CLIENT_SECRET = "integration-secret-" + "x" * 45
PUBLIC_URL = "https://voip.example"
ORIGIN = f"https://a{ACCOUNT}.amocrm.ru"
SECRETS = (
    CLIENT_SECRET, SECRET_KEY, "vendor-secret", "mango-key", "mango-salt", "path-of-l_1", "path-of-l_2",
    f"hooksecret{ACCOUNT}", f"access-{ACCOUNT}", f"refresh-{ACCOUNT}",
)  # fmt: skip
TABLES = (
    "hook", "call", "card", "dial", "job", "account", "spent_token", "line", "agent", "alert", "crm_user",
    "entry", "recording", "journal",
)  # fmt: skip


class Outside:
    """Everything that the house might send a request to."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.answer: Any = {"success": True, "id": "cb-1"}

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Note a request and answer it."""
        self.requests.append(f"{request.method} {request.path}")
        if callable(self.answer):
            return await self.answer(request)  # type: ignore[no-any-return]
        if isinstance(self.answer, bytes):
            return web.Response(body=self.answer, content_type="audio/mpeg")
        return web.json_response(self.answer)


class Served:
    """The house as strangers reach it."""

    def __init__(self, http: aiohttp.ClientSession, desk: Desk, *, url: str, file: Path, outside: Outside) -> None:
        self.http = http
        self.desk = desk
        self.url = url
        self.outside = outside
        self.outside_host = ""
        self.file = file

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """One request: status and JSON (or text)."""
        async with self.http.request(method, self.url + path, **more) as response:
            text = await response.text()
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, text

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        with sqlite3.connect(f"file:{self.file}?mode=ro", uri=True) as db:
            return {table: db.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in TABLES}  # noqa: S608

    async def bearer(self, user_id: int = OLGA, account_id: int = ACCOUNT, *, is_admin: bool = True) -> dict[str, str]:
        """The header of a valid session."""
        one = Pass(int(time.time()) + 900, account_id, user_id, is_admin)
        return {"Authorization": f"Bearer {session.sign(one, BEARER_KEY)}"}

    async def settled(self) -> None:
        """Wait until what was taken is read."""
        await self.desk.intake.drain()
        await self.desk.dialling.drain()


BEARER_KEY = hashlib.sha256(b"bearer:" + SECRET_KEY.encode()).digest()


def token(secret: str = CLIENT_SECRET, algorithm: str = "HS256", **changed: Any) -> str:
    """amoCRM's one-time token."""
    now = int(time.time())
    claims = {
        "iss": ORIGIN, "aud": PUBLIC_URL, "jti": f"j{time.time_ns()}", "iat": now, "nbf": now, "exp": now + 1800,
        "account_id": ACCOUNT, "user_id": OLGA, "is_admin": True, "client_uuid": CLIENT_ID,
    }  # fmt: skip
    return jwt.encode(claims | changed, secret, algorithm=algorithm)


def unsigned(**changed: Any) -> str:
    """A token that names "none" as its algorithm."""
    _, payload, _ = token(**changed).split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return f"{head}.{payload}."


def mango_form(message: dict[str, Any], *, sign: str | None = None, key: str = "mango-key") -> dict[str, Any]:
    """A MANGO webhook as `data` and `headers` of a request."""
    text = json.dumps(message, separators=(",", ":"))
    right = hashlib.sha256(f"mango-key{text}mango-salt".encode()).hexdigest()
    form = {"vpbx_api_key": key, "sign": right if sign is None else sign, "json": text}
    return {"data": urlencode(form), "headers": {"Content-Type": "application/x-www-form-urlencoded"}}


@asynccontextmanager
async def served(
    folder: Path, channel: str, *, is_outside_trusted: bool = False, database: str = ""
) -> AsyncIterator[Served]:
    """A furnished house that listens. With `is_outside_trusted`, what is outside counts as amoCRM, too."""
    file = folder / "kommutator.db"
    url = database or f"sqlite:///{file}"
    db = await connect(url)
    await migrate(db, url)
    kept = stores(Settings(secret_key=SECRET_KEY), db)
    await furnish(kept)
    await db.close()
    async with AsyncExitStack() as stack:
        outside = Outside()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", outside.take)
        other = TestServer(app)
        await other.start_server()
        stack.push_async_callback(other.close)
        elsewhere = str(other.make_url("/")).rstrip("/")
        settings = Settings(
            database=url, state=str(folder), secret_key=SECRET_KEY, public_url=PUBLIC_URL, amo_client_id=CLIENT_ID,
            amo_client_secret=CLIENT_SECRET, sipuni_url=elsewhere, mango_url=elsewhere, channel=channel,
            reconcile_hour=-1,
            amo_dev_origins=(elsewhere,) if is_outside_trusted else (),
        )  # fmt: skip
        built = await stack.enter_async_context(house(settings))
        server = TestServer(built)
        await server.start_server()
        stack.push_async_callback(server.close)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        one = Served(http, built[DESK], url=str(server.make_url("")).rstrip("/"), file=file, outside=outside)
        one.outside_host = elsewhere.partition("://")[2]
        yield one


__all__ = ["ACCOUNT", "OLGA", "OTHER_ACCOUNT", "PAVEL", "STRANGER", "Outside", "Served", "served"]
