"""Webhooks of both vendors, written as the vendors write them."""

import hashlib
import json
from typing import Any
from urllib.parse import urlencode

from server.core.ports import Hook

from .clock import START_MS

START_S = START_MS // 1000
CLIENT = "79161234567"
FORM = "application/x-www-form-urlencoded"
MANGO_KEYS = ("mango-key", "mango-salt")


def sipuni(event: int, *, ref: str = "r1", at_s: int = 0, **more: Any) -> Hook:
    """An event of an inbound call at extension 201, unless told otherwise."""
    fields = {
        "event": event, "call_id": ref, "src_type": 1, "src_num": CLIENT, "dst_type": 2, "dst_num": "078332201",
        "short_dst_num": "201", "timestamp": START_S + at_s,
    }  # fmt: skip
    query = urlencode({name: value for name, value in (fields | more).items() if value is not None})
    return Hook(
        method="GET", tail="", query=query, content_type="", body=b"", received_ms=START_MS + at_s * 1000
    )  # fmt: skip


def rang(extension: str = "201", *, ref: str = "r1", at_s: int = 0, **more: Any) -> Hook:
    """A telephone rings."""
    return sipuni(1, ref=ref, at_s=at_s, short_dst_num=extension, dst_num=f"078332{extension}", **more)


def answered(extension: str = "201", *, ref: str = "r1", at_s: int = 2, **more: Any) -> Hook:
    """An agent takes the call."""
    return sipuni(3, ref=ref, at_s=at_s, short_dst_num=extension, dst_num=f"078332{extension}", **more)


def ended(extension: str = "201", *, ref: str = "r1", at_s: int = 9, talk_from_s: int | None = 2, **more: Any) -> Hook:
    """The leg is over; `talk_from_s` None: nobody took it."""
    status = "NOANSWER" if talk_from_s is None else "ANSWER"
    talk = {"call_answer_timestamp": 0 if talk_from_s is None else START_S + talk_from_s}
    fields = {"status": status, "call_start_timestamp": START_S, **talk, **more}
    return sipuni(2, ref=ref, at_s=at_s, short_dst_num=extension, dst_num=f"078332{extension}", **fields)


def mango(tail: str, message: dict[str, Any], *, sign: str | None = None, key: str = MANGO_KEYS[0]) -> Hook:
    """A signed message of MANGO's."""
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    right = hashlib.sha256((MANGO_KEYS[0] + text + MANGO_KEYS[1]).encode()).hexdigest()
    form = {"vpbx_api_key": key, "sign": right if sign is None else sign, "json": text}
    return Hook(
        method="POST", tail=tail, query="", content_type=FORM, body=urlencode(form).encode(), received_ms=START_MS
    )


def mango_call(state: str, *, seq: int, at_s: int = 0, **more: Any) -> Hook:
    """events/call of an inbound call at extension 201."""
    message = {
        "entry_id": "e1", "call_id": "m1", "timestamp": START_S + at_s, "seq": seq, "call_state": state,
        "location": "abonent", "from": {"number": CLIENT}, "to": {"extension": "201", "number": "sip:201@x"},
    }  # fmt: skip
    return mango("events/call", message | more)
