"""The payload files of tests/fixtures: one vendor message each, beside the events it must become.

`<event>_<version>.json` is what the vendor sent, with its source; `<event>_<version>.expected.json` the events. For
Sipuni `fields` go into a query or a form; for MANGO `message` is signed and sent to `tail`.
"""

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from server.core.events import AnyEvent
from server.core.ports import Hook, LineKeys

FIXTURES = Path(__file__).parents[2] / "fixtures"
RECEIVED_MS = 1_700_000_999_000

SIPUNI_KEYS = LineKeys({"user": "078332", "secret": "0.test5ecret01"})
API_KEY, API_SALT = "testapikey000000000000000000000a", "testapisalt000000000000000000000b"
MANGO_KEYS = LineKeys({"api_key": API_KEY, "api_salt": API_SALT})

FORM_TYPE = "application/x-www-form-urlencoded"


def names(vendor: str) -> list[str]:
    """The messages of a vendor that have a file."""
    files = (FIXTURES / vendor).glob("*.json")
    return sorted(file.name.removesuffix(".json") for file in files if not file.name.endswith(".expected.json"))


def payload(vendor: str, name: str) -> dict[str, Any]:
    """What the vendor sent."""
    return json.loads((FIXTURES / vendor / f"{name}.json").read_text())


def expected(vendor: str, name: str) -> list[dict[str, Any]]:
    """What it must become."""
    return json.loads((FIXTURES / vendor / f"{name}.expected.json").read_text())


def plain(events: list[AnyEvent]) -> list[dict[str, Any]]:
    """Events as the expected files write them: defaults left out."""
    return msgspec.json.decode(msgspec.json.encode(events))


def sipuni_get(fields: dict[str, str]) -> Hook:
    """A Sipuni event as a GET."""
    return Hook(
        method="GET", tail="", query=urlencode(fields), content_type="", body=b"", received_ms=RECEIVED_MS
    )  # fmt: skip


def sipuni_post(fields: dict[str, str]) -> Hook:
    """A Sipuni event as a posted form."""
    body = urlencode(fields).encode()
    return Hook(method="POST", tail="", query="", content_type=FORM_TYPE, body=body, received_ms=RECEIVED_MS)


def mango_form(text: str, *, sign: str | None = None, key: str = API_KEY, tail: str = "events/call") -> Hook:
    """A posted MANGO form around an exact JSON text; signed rightly unless told otherwise."""
    right = hashlib.sha256((API_KEY + text + API_SALT).encode()).hexdigest()
    body = urlencode({"vpbx_api_key": key, "sign": right if sign is None else sign, "json": text}).encode()
    return Hook(method="POST", tail=tail, query="", content_type=FORM_TYPE, body=body, received_ms=RECEIVED_MS)


def mango_hook(tail: str, message: object) -> Hook:
    """A MANGO message, compact as the vendor recommends."""
    return mango_form(json.dumps(message, ensure_ascii=False, separators=(",", ":")), tail=tail)
