"""The stores under their contract suites: over an empty database, with values of the house to put into them.

Import the fixtures into a test module: `from store_house import database_url, db, kept  # noqa: F401`.
"""

from typing import Any

import pytest
from databases import database_url, db  # noqa: F401
from msgspec import structs

from server.core import calls
from server.core.calls import Call
from server.core.dial import Dial
from server.core.events import LegEnded, LegRang
from server.core.jobs import Job
from server.core.records import Account, Line, Tokens
from server.core.vocabulary import DialWay, Direction, Result, Side
from server.settings import Settings
from server.sql import Database, create_all
from server.store.migrate import METADATA
from server.wiring import Stores, stores

KEY = "k" * 32
ACCOUNT = 31_000_001
LINE = "l_1"


@pytest.fixture
async def kept(db: Database) -> Stores:  # noqa: F811
    """All stores over an empty database; made from the metadata, which is quick and equals what migrations make."""
    for tables in METADATA:
        await create_all(db, tables)
    return stores(Settings(secret_key=KEY), db)


def ringing(ref: str = "r1", *, call_id: str = "", at_ms: int = 1_000_000) -> Call:
    """A live call that rings at extension 201."""
    blank = calls.begin(
        call_id=call_id or f"c_{ref}", account_id=ACCOUNT, line_id=LINE, provider="sipuni", call_ref=ref,
        received_ms=at_ms,
    )  # fmt: skip
    event = LegRang(
        key=f"{ref}:rang", at_ms=at_ms, call_ref=ref, leg_ref="201", side=Side.AGENT, extension="201",
        client_phone="+79161234567", direction=Direction.IN,
    )  # fmt: skip
    return structs.replace(calls.apply(blank, event)[0], heard_ms=at_ms)


def ended(call: Call, *, at_ms: int) -> Call:
    """The same call after nobody took it."""
    event = LegEnded(
        key=f"{call.call_ref}:ended", at_ms=at_ms, call_ref=call.call_ref, leg_ref="201", side=Side.AGENT,
        result=Result.NO_ANSWER,
    )  # fmt: skip
    return structs.replace(calls.apply(call, event)[0], heard_ms=at_ms)


def order(key: str = "click", **changed: Any) -> Dial:
    """A click-to-call that waits for its call."""
    values = {
        "id": f"d_{key}", "account_id": ACCOUNT, "agent_id": 7, "line_id": LINE, "extension": "201",
        "way": DialWay.NUMBER, "phone": "+79161234567", "key": key, "created_ms": 1_000, "changed_ms": 1_000,
    }  # fmt: skip
    return Dial(**values | changed)


def job(key: str) -> Job:
    """A job that nobody carries out here."""
    return Job(lane=f"amo:{ACCOUNT}", kind="log", key=key)


def account(account_id: int = ACCOUNT, **changed: Any) -> Account:
    """An authorised account."""
    values = {
        "id": account_id, "host": "demo.amocrm.ru", "origin": "https://demo.amocrm.ru", "name": "Демо",
        "state": "active", "hook_secret": f"hs{account_id}", "created_ms": 5,
        "tokens": Tokens("access-token", "refresh-token", 99),
    }  # fmt: skip
    return Account(**values | changed)


def line(line_id: str = LINE, **changed: Any) -> Line:
    """A connected PBX."""
    values = {
        "id": line_id, "account_id": ACCOUNT, "provider": "sipuni", "name": "Сипуни", "path": f"path-of-{line_id}",
        "credentials": {"user": "u", "secret": "vendor-secret"}, "created_ms": 5,
    }  # fmt: skip
    return Line(**values | changed)
