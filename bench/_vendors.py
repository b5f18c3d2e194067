"""Webhooks as the PBXs send them: whole HTTP requests, signed where the vendor signs. Answered inbound calls."""

import hashlib
import itertools
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

API_KEY, API_SALT = "bench-key", "bench-salt"
SIPUNI_USER = "078332"
SIPUNI_PATH, MANGO_PATH = "sipuni-secret-path-of-32-letters", "mango-secret-path-of-thirty-two-c"

_HEAD = "HTTP/1.1\r\nHost: bench\r\nUser-Agent: PBX/1.0\r\nAccept: */*\r\n"
_OURS = "79990000000"


def sipuni(fields: dict[str, Any], path: str = f"/hooks/sipuni/{SIPUNI_PATH}") -> bytes:
    """An event of Sipuni's: a GET, unsigned."""
    return f"GET {path}?{urlencode(fields)} {_HEAD}\r\n".encode()


def mango(tail: str, message: dict[str, Any]) -> bytes:
    """A message of MANGO's: a form, signed by a SHA-256 over key, text and salt."""
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    sign = hashlib.sha256(f"{API_KEY}{text}{API_SALT}".encode()).hexdigest()
    body = f"vpbx_api_key={API_KEY}&sign={sign}&json={quote_plus(text)}".encode()
    head = f"POST /hooks/mango/{MANGO_PATH}/{tail} {_HEAD}Content-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass
class Exchange:
    """Makes calls that were never made before; every call is of the vendor whose turn it is."""

    phones: list[str]
    """The callers, E.164 without the plus."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _epoch: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    def rounds(self, extensions: list[str], calls: int) -> Iterator[bytes]:
        """Answered calls, one per extension at a time: all ring, then all are answered, then all are over."""
        for first in range(0, calls, len(extensions)):
            stories = [self.story(extension) for extension in extensions[: calls - first]]
            for moment in zip(*stories, strict=True):
                yield from moment

    def story(self, extension: str) -> tuple[bytes, bytes, bytes]:
        """A call that rings, is answered, and ends."""
        number = next(self._numbers)
        make = self._mango_story if number % 2 else self._sipuni_story
        return make(number, extension, self.phones[number % len(self.phones)])

    def unread(self, count: int) -> Iterator[bytes]:
        """Webhooks that are verified and kept, and in which there is nothing to be read."""
        for number in itertools.islice(self._numbers, count):
            at_s = int(time.time())
            if number % 2:
                yield mango("events/dtmf", {"seq": number, "dtmf": "1", "timestamp": at_s, **self._mango_leg(number)})
            else:
                yield sipuni({"event": 9, "timestamp": at_s, **self._sipuni_leg(number, "201", self.phones[0])})

    def _sipuni_leg(self, number: int, extension: str, phone: str) -> dict[str, Any]:
        return {
            "call_id": f"{self._epoch}.{number}", "src_type": 1, "src_num": phone, "short_src_num": phone,
            "dst_type": 2, "dst_num": SIPUNI_USER + extension, "short_dst_num": extension, "pbxdstnum": _OURS,
            "treeName": "Основная схема", "treeNumber": "000-123456", "channel": "SIP/trunk-0000a1b2",
        }  # fmt: skip

    def _sipuni_story(self, number: int, extension: str, phone: str) -> tuple[bytes, bytes, bytes]:
        leg, at_s = self._sipuni_leg(number, extension, phone), int(time.time())
        end = {"status": "ANSWER", "call_start_timestamp": at_s, "call_answer_timestamp": at_s + 5}
        return (
            sipuni({"event": 1, "timestamp": at_s, **leg}),
            sipuni({"event": 3, "timestamp": at_s + 5, **leg}),
            sipuni({"event": 2, "timestamp": at_s + 65, **end, **leg}),
        )

    def _mango_leg(self, number: int) -> dict[str, Any]:
        return {"entry_id": f"{self._epoch}:{number}", "call_id": f"MToxMDA0:{self._epoch}:{number}"}

    def _mango_story(self, number: int, extension: str, phone: str) -> tuple[bytes, ...]:
        at_s = int(time.time())
        parties = {
            "from": {"number": phone},
            "to": {"extension": extension, "number": f"sip:{extension}@bench.mangosip.ru", "line_number": _OURS},
        }
        states: Iterable[tuple[str, int]] = (("Appeared", 0), ("Connected", 5), ("Disconnected", 65))
        return tuple(
            mango(
                "events/call",
                {
                    **self._mango_leg(number), "timestamp": at_s + after_s, "seq": seq, "call_state": state,
                    "location": "abonent", **parties, **({"disconnect_reason": 1110} if after_s == 65 else {}),
                },
            )
            for seq, (state, after_s) in enumerate(states, start=1)
        )  # fmt: skip
