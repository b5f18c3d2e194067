"""Delivers a stand-in's webhooks: in order within a call, in parallel between calls, and as badly as asked.

It knows addresses, answers and time-outs, but no vendor's words: what a good answer is, the vendor says.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from server.sandbox.faults import Faults
from server.sandbox.log import Log
from server.sandbox.pbx.clock import Clock
from server.sandbox.pbx.habits import LASTING, overlaid
from server.sandbox.pbx.knobs import Knobs

_KEPT: Final = 300  # webhooks the phone page can show
_SHOWN_CHARS: Final = 400


@dataclass(frozen=True)
class Webhook:
    """One request to the customer: the exact bytes, and what a person should read about it."""

    call: str
    title: str
    method: Literal["GET", "POST"]
    url: str
    fields: dict[str, Any]
    body: bytes = b""
    is_hangup: bool = False
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/x-www-form-urlencoded"})


class Courier:
    """Sends webhooks of one vendor; `idle()` tells when nothing is on its way any more."""

    def __init__(
        self, vendor: Literal["sipuni", "mango"], *, clock: Clock, log: Log, faults: Faults, seed: int
    ) -> None:
        self.turned = Knobs()
        self.sent: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._suspended = False
        self.accepts: Callable[[int, str], bool] = lambda status, _: status == 200
        self.revision = 0
        self._vendor = vendor
        self._clock = clock
        self._log = log
        self._faults = faults
        self._random = random.Random(seed)
        self._tails: dict[str, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._firsts: dict[str, Webhook] = {}
        self._bad_in_a_row = 0
        self._session: ClientSession | None = None

    @property
    def knobs(self) -> Knobs:
        """The knobs as they were turned, under the faults that last."""
        return self.at()

    def at(self, *kinds: str) -> Knobs:
        """The knobs at a moment that these kinds of fault may hit; those that count are counted down."""
        hit = self._faults.strike(self._vendor, (*LASTING, *kinds))
        return overlaid(self.turned, [(fault.kind, fault.value) for fault in hit])

    def is_struck(self, kind: str) -> bool:
        """Whether a fault of this kind hits now."""
        return bool(self._faults.strike(self._vendor, (kind,)))

    @property
    def suspended(self) -> bool:
        """Whether nothing is delivered any more."""
        return self._suspended and self.knobs.suspend_after > 0

    def send(self, hook: Webhook) -> None:
        """Queue a webhook behind those of the same call."""
        if not self.knobs.suspend_after:  # whoever took that back wants to be heard again
            self.resume()
        if self.suspended or (hook.is_hangup and self._random.random() < self.at("drop_hangup").drop_hangup_rate):
            self._record(hook, {"status": None, "ok": False, "answer": "suspended" if self.suspended else "dropped"})
            return
        copies = self._faults.plan(self._vendor, urlsplit(hook.url).path)
        for delay_s in copies:
            self._queue(hook, delay_s)
        if not copies:
            self._record(hook, {"status": None, "ok": False, "answer": "lost by a fault"})
            self._count(is_good=False)
            return
        if self._random.random() < self.knobs.duplicate_rate:
            self._queue(hook, 0)
        if self.at("replay").replay:
            self._queue(self._firsts.setdefault(hook.call, hook), 0)

    def resume(self) -> None:
        """Deliver again after a suspension."""
        self._suspended, self._bad_in_a_row = False, 0

    async def idle(self) -> None:
        """Return when everything queued so far, and what it led to, is delivered or given up."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def settled(self, call: str) -> None:
        """Return when what is queued for this call now is delivered."""
        tail = self._tails.get(call)
        if tail:
            await asyncio.wait([tail])

    async def close(self) -> None:
        """Give up what is on its way."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._session:
            await self._session.close()

    def _queue(self, hook: Webhook, delay_s: float) -> None:
        overtaking = self.knobs.parallel or self.knobs.shuffle_s > 0 or delay_s > 0
        delay_s += self.knobs.delay_s + self._random.uniform(0, self.knobs.shuffle_s)
        before = None if overtaking else self._tails.get(hook.call)
        task = asyncio.ensure_future(self._deliver(hook, delay_s, before))
        self._running.add(task)
        if not overtaking:
            self._tails[hook.call] = task
        task.add_done_callback(lambda done: self._forget(hook.call, done))

    def _forget(self, call: str, done: asyncio.Task[None]) -> None:
        self._running.discard(done)
        if self._tails.get(call) is done:
            del self._tails[call]

    async def _deliver(self, hook: Webhook, delay_s: float, before: asyncio.Task[None] | None) -> None:
        if delay_s:
            await self._clock.sleep(delay_s)
        if before:
            await asyncio.wait([before])
        started_at = time.monotonic()
        outcome = await self._post(hook)
        outcome["ms"] = round((time.monotonic() - started_at) * 1000)
        self._count(is_good=bool(outcome["ok"]))
        self._record(hook, outcome)

    async def _post(self, hook: Webhook) -> dict[str, Any]:
        session = self._session = self._session or ClientSession()
        timeout = ClientTimeout(total=self.knobs.give_up_s)
        body = hook.body if hook.method == "POST" else None
        headers = hook.headers if hook.method == "POST" else {}
        try:
            async with session.request(
                hook.method,
                URL(hook.url, encoded=True),
                data=body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                text = await answer.text(errors="replace")
                ok = self.accepts(answer.status, text)
                return {"status": answer.status, "ok": ok, "answer": text[:_SHOWN_CHARS]}
        except TimeoutError:
            return {"status": None, "ok": False, "answer": f"no answer within {self.knobs.give_up_s:g} s"}
        except (ClientError, ValueError) as error:
            return {"status": None, "ok": False, "answer": f"{type(error).__name__}: {error}"}

    def _count(self, *, is_good: bool) -> None:
        self._bad_in_a_row = 0 if is_good else self._bad_in_a_row + 1
        if self.knobs.suspend_after and self._bad_in_a_row >= self.knobs.suspend_after:
            self._suspended = True

    def _record(self, hook: Webhook, outcome: dict[str, Any]) -> None:
        entry = self._log.note(
            "webhook",
            vendor=self._vendor,
            call_id=hook.call,
            title=hook.title,
            method=hook.method,
            path=urlsplit(hook.url).path,
            fields=hook.fields,
            **outcome,
        )
        self.revision += 1
        self.sent.append(entry)
