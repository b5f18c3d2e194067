"""A server's state folder for the commands: an account, a Sipuni line, and webhooks that were taken as in life."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from server.core.ports import Hook
from server.core.records import Account, Line, Seat, Tokens
from server.providers.registry import CODECS
from server.services.calls import Calls
from server.services.intake import Intake
from server.services.lines import Lines
from server.settings import Settings
from server.sql import connect
from server.store.migrate import migrate
from server.wiring import Stores, stores

FIXTURES = Path(__file__).parents[2] / "fixtures" / "sipuni"
ACCOUNT, LINE, PATH = 31_000_001, "l_1", "secret-path"
FAR_MS = 1 << 60
TALK = ("agent_rang", "agent_answered", "agent_hung_up", "trunk_hung_up_answered")
"""An inbound call that rings at 202 and 201; 202 answers, and it ends with a recording."""


def settings_of(folder: Path, **changed: Any) -> Settings:
    """The settings of the server whose state is in `folder`."""
    known = {
        "state": str(folder), "secret_key": "k" * 32, "public_url": "https://voip.example",
        "amo_client_id": "id", "amo_client_secret": "client-secret",
    }  # fmt: skip
    return Settings(**known | changed)


def account(**changed: Any) -> Account:
    """An authorised account."""
    known = {
        "id": ACCOUNT, "host": "demo.amocrm.ru", "origin": "https://demo.amocrm.ru", "name": "Демо", "state": "active",
        "hook_secret": "crm-hook-secret", "created_ms": 5, "tokens": Tokens("access-token", "refresh-token", FAR_MS),
    }  # fmt: skip
    return Account(**known | changed)


def line(**changed: Any) -> Line:
    """A connected PBX."""
    known = {
        "id": LINE, "account_id": ACCOUNT, "provider": "sipuni", "name": "Сипуни", "path": PATH, "created_ms": 5,
        "credentials": {"user": "078332", "secret": "vendor-secret"},
    }  # fmt: skip
    return Line(**known | changed)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Stores]:
    """The stores, open for writing as the server has them."""
    db = await connect(settings.database_url)
    await migrate(db, settings.database_url)
    try:
        yield stores(settings, db)
    finally:
        await db.close()


async def connected(kept: Stores, **changed: Any) -> None:
    """An account with a line, and a user at extension 202."""
    await kept.accounts.put(account(**changed))
    await kept.lines.put(line())
    await kept.lines.set_seats(ACCOUNT, [Seat(LINE, "202", 7)])


async def hear(kept: Stores, *names: str, call_ref: str = "", at_ms: int = 1_700_000_001_000) -> None:
    """Take these Sipuni messages (files of tests/fixtures/sipuni) as webhooks of the line, 100 ms apart."""
    lines = Lines(kept.lines, CODECS)
    await lines.load()
    calls = Calls(lines, kept.calls, kept.hooks, kept.dials, clock=lambda: at_ms)
    intake = Intake(lines, kept.hooks, calls.read)
    for place, name in enumerate(names):
        fields = json.loads((FIXTURES / f"{name}_2023.json").read_text())["fields"]
        query = urlencode(fields | ({"call_id": call_ref} if call_ref else {}))
        hook = Hook(method="GET", tail="", query=query, content_type="", body=b"", received_ms=at_ms + place * 100)
        reply = await intake.take("sipuni", PATH, hook)
        assert reply.status == 200
        await intake.drain()
