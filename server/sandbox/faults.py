"""Faults on demand: how a tester makes the sandbox's amoCRM, its PBXs or the way to our backend misbehave.

A fault is a JSON object, as `POST /sandbox/faults` takes it::

    {"target": "amocrm|sipuni|mango|backend", "kind": …, "path"?: prefix, "n"?: the next n matches, "rate"?: 0..1,
     "for_s"?: seconds it lasts, "status"?: for kind status (500), "delay_s"?: for kind latency (2), "direction"?:
     "in|out", "value"?: for habits of a PBX}

======================  ====================================================  ==========================================
kind                    requests that reach the target (`in`)                 webhooks it sends (`out`)
======================  ====================================================  ==========================================
latency                 answered `delay_s` later                              sent `delay_s` later
status                  answered with `status`, nothing is done               –
drop                    connection closed, nothing is done                    not sent
drop_answer             done, but the connection is closed without an answer  –
truncate                done, but only half of the answer arrives             –
duplicate               –                                                     sent twice
shuffle                 –                                                     each 0–5 s late: they overtake each other
outage                  like drop, everything                                 not sent
revoke_token            the access token used is dead from now on             –
======================  ====================================================  ==========================================

A fault works in both directions where it can. `drop` without a path on a PBX means its webhooks only (what a PBX
loses in life). A target `backend` stands for the way from the sandbox to our backend: every sender's webhooks,
whoever sends them. (`outage` of the backend also stops its process: see `server/sandbox/backend.py`.) Paths under
`/sandbox/` never fail.

The habits of PBXs (`server/sandbox/pbx/habits.py`) are kinds as well, with no path, status, delay or direction: they
turn a knob to `value` as long as they are in force, and `n` and `rate` count what the table of habits names.

For a room that *serves*: ``web.Application(middlewares=[faults.middleware("sipuni")])``.

For a room that *sends* webhooks: ``for delay_s in faults.plan("sipuni", url.path): schedule one copy after delay_s``.
An empty list means the webhook is lost. A `revoke_token` match is announced as ``request[REVOKE_TOKEN]``;
only amoCRM's access check reads it.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

from aiohttp import web

from server.sandbox.pbx.habits import HABITS, HabitError, check

Target = Literal["amocrm", "sipuni", "mango", "backend"]
Direction = Literal["in", "out"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TARGETS: Final = ("amocrm", "sipuni", "mango", "backend")
_IN: Final = frozenset({"latency", "status", "drop", "drop_answer", "truncate", "outage", "revoke_token"})
_OUT: Final = frozenset({"latency", "drop", "duplicate", "shuffle", "outage"})
REVOKE_TOKEN: Final = web.RequestKey("revoke_token", bool)
KINDS: Final = tuple(sorted({*_IN, *_OUT, *HABITS}))
_PBX: Final = ("sipuni", "mango")
_SHUFFLE_S: Final = 5.0  # vendors' events were seen overtaking each other by up to this much
_HABIT_KEYS: Final = frozenset({"target", "kind", "n", "rate", "for_s", "value"})
_KEYS: Final = frozenset({"target", "kind", "path", "n", "rate", "for_s", "status", "delay_s", "direction"})


class FaultError(ValueError):
    """The fault cannot be: an unknown member, target or kind, or a value out of range."""


@dataclass(slots=True)
class Fault:
    """One fault in force; `left` counts down when the next n matches were asked for."""

    target: str
    kind: str
    path: str
    left: int | None
    rate: float
    until: float | None
    status: int
    delay_s: float
    directions: frozenset[str]
    value: Any = None

    def view(self) -> dict[str, Any]:
        """The fault as `GET /sandbox/faults` shows it."""
        seconds = None if self.until is None else round(self.until - time.monotonic(), 3)
        return {
            "target": self.target,
            "kind": self.kind,
            "path": self.path,
            "n": self.left,
            "rate": self.rate,
            "for_s": seconds,
            "status": self.status,
            "delay_s": self.delay_s,
            "directions": sorted(self.directions),
            "value": self.value,
        }


class Faults:
    """The list of faults in force."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._random = random.Random(1)

    def add(self, description: dict[str, Any]) -> Fault:
        """Put a fault in force. Raises `FaultError` when the description makes no sense."""
        fault = read_fault(description)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """No faults any more."""
        self._faults.clear()

    def view(self) -> list[dict[str, Any]]:
        """The faults in force, oldest first."""
        self._expire()
        return [fault.view() for fault in self._faults]

    def match(self, target: str, path: str, direction: Direction) -> list[Fault]:
        """The faults that hit this request or webhook; those that count are counted down."""
        self._expire()
        return self._counted([fault for fault in self._faults if self._hits(fault, target, path, direction)])

    def strike(self, target: str, kinds: Collection[str]) -> list[Fault]:
        """The habits of these kinds that this PBX has at this moment; those that count are counted down."""
        self._expire()
        mine = [fault for fault in self._faults if fault.target == target and fault.kind in kinds]
        return self._counted([fault for fault in mine if self._is_lucky(fault)])

    def plan(self, target: Target, path: str) -> list[float]:
        """When to send the copies of one outgoing webhook, in seconds from now; an empty list: it is lost.

        `path` is the path of the webhook's destination. Faults of the target `backend` count for every sender.
        """
        hit = self.match(target, path, "out")
        if target != "backend":
            hit += self.match("backend", path, "out")
        if any(fault.kind in ("drop", "outage") for fault in hit):
            return []
        copies = 2 if any(fault.kind == "duplicate" for fault in hit) else 1
        delay_s = sum(fault.delay_s for fault in hit if fault.kind == "latency")
        shuffled = any(fault.kind == "shuffle" for fault in hit)
        return [delay_s + (self._random.uniform(0, _SHUFFLE_S) if shuffled else 0.0) for _ in range(copies)]

    def middleware(self, target: Target) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
        """The aiohttp middleware that makes `target` fail as asked; put it first in the list."""

        @web.middleware
        async def failing(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/sandbox/"):
                return await handler(request)
            hit = {fault.kind: fault for fault in self.match(target, request.path, "in")}
            return await _fail(request, handler, hit)

        return failing

    def _hits(self, fault: Fault, target: str, path: str, direction: Direction) -> bool:
        if fault.target != target or direction not in fault.directions or not path.startswith(fault.path):
            return False
        return self._is_lucky(fault)

    def _is_lucky(self, fault: Fault) -> bool:
        return fault.rate >= 1 or self._random.random() < fault.rate

    @staticmethod
    def _counted(hit: list[Fault]) -> list[Fault]:
        for fault in hit:
            if fault.left is not None:
                fault.left -= 1
        return hit

    def _expire(self) -> None:
        now = time.monotonic()
        self._faults = [f for f in self._faults if f.left != 0 and (f.until is None or f.until > now)]


async def _fail(request: web.Request, handler: Handler, hit: dict[str, Fault]) -> web.StreamResponse:
    if "latency" in hit:
        await asyncio.sleep(hit["latency"].delay_s)
    if "drop" in hit or "outage" in hit:
        return _hang_up(request)
    if "status" in hit:
        return _refusal(hit["status"])
    if "revoke_token" in hit:
        request[REVOKE_TOKEN] = True
    answer = await handler(request)
    if "drop_answer" in hit:
        return _hang_up(request)
    if "truncate" in hit:
        return await _half(request, answer)
    return answer


def _refusal(fault: Fault) -> web.Response:
    title = HTTPStatus(fault.status).phrase if fault.status in set(HTTPStatus) else "Fault"
    kinds = {"type": f"https://httpstatus.es/{fault.status}"} if fault.target == "amocrm" else {}
    body = {"title": title, **kinds, "status": fault.status, "detail": "asked for by /sandbox/faults"}
    kind = "application/problem+json" if fault.target == "amocrm" else "application/json"
    return web.Response(body=json.dumps(body).encode(), status=fault.status, headers={"Content-Type": kind})


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)  # reaches nobody


async def _half(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    body = answer.body if isinstance(answer, web.Response) else None
    if not isinstance(body, bytes | bytearray):
        return _hang_up(request)
    half = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.headers.get("Content-Type", "")})
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(bytes(body[: len(body) // 2]))
    return _hang_up(request)


def read_fault(description: dict[str, Any]) -> Fault:
    """Check a fault's description and fill in its defaults. Raises `FaultError`."""
    target, kind = description.get("target"), description.get("kind")
    is_habit = kind in HABITS
    unknown = description.keys() - (_HABIT_KEYS if is_habit else _KEYS)
    if unknown:
        raise FaultError(f"a fault {f'of kind {kind} ' if is_habit else ''}has no member {sorted(unknown)[0]!r}")
    if target not in TARGETS:
        raise FaultError(f"target is one of {', '.join(TARGETS)}")
    if kind not in KINDS:
        raise FaultError(f"kind is one of {', '.join(KINDS)}")
    if is_habit:
        _check_habit(description)
    n, for_s = _number(description, "n"), _number(description, "for_s")
    return Fault(
        target=str(target),
        kind=str(kind),
        path=str(description.get("path") or ""),
        left=None if n is None else int(n),
        rate=1.0 if (rate := _number(description, "rate", most=1.0)) is None else rate,
        until=None if for_s is None else time.monotonic() + for_s,
        status=int(_number(description, "status", most=599) or 500),
        delay_s=2.0 if (delay_s := _number(description, "delay_s")) is None else delay_s,
        directions=frozenset() if is_habit else _directions(description),
        value=description.get("value"),
    )


def _check_habit(description: dict[str, Any]) -> None:
    is_counted = any(description.get(name) is not None for name in ("n", "rate"))
    try:
        check(description["kind"], description["target"], description.get("value"), is_counted=is_counted)
    except HabitError as error:
        raise FaultError(str(error)) from error


def _number(description: dict[str, Any], name: str, *, most: float = 1e9) -> float | None:
    value = description.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise FaultError(f"{name} is a number from 0 to {most:g}")
    return float(value)


def _directions(description: dict[str, Any]) -> frozenset[str]:
    kind = description["kind"]
    possible = frozenset(d for d, kinds in (("in", _IN), ("out", _OUT)) if kind in kinds)
    asked = description.get("direction")
    if asked is not None:
        if asked not in possible:
            raise FaultError(f"{kind} works in the direction {' and '.join(sorted(possible))} only")
        return frozenset({asked})
    if kind == "drop" and description["target"] in _PBX and not description.get("path"):
        return frozenset({"out"})
    return possible
