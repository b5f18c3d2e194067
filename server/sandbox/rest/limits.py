"""amoCRM's request limits: so many a second per integration and per account, then 429, and 403 for who does not
listen."""

import time
from collections import defaultdict, deque
from typing import Final

from aiohttp import web

from server.sandbox.rest.answers import Problem
from server.sandbox.switches import Switches

_ACCOUNT: Final = "account"
_WATCHED_S: Final = 60.0  # violations older than this are forgiven


class Limits:
    """Sliding windows of one second; `clock` answers monotonic seconds."""

    def __init__(self, switches: Switches) -> None:
        self.clock = time.monotonic
        self._switches = switches
        self._seen: dict[str, deque[float]] = defaultdict(deque)
        self._violations: dict[str, deque[float]] = defaultdict(deque)
        self._blocked_until: dict[str, float] = {}

    def spend(self, client: str) -> None:
        """Count one request of this client. Raises `Problem` 429, or 403 while the client is blocked."""
        now = self.clock()
        if now < self._blocked_until.get(client, 0.0):
            raise Problem(403, "API access is blocked: too many requests")
        allowances = (
            (client, self._switches["limit_integration_per_s"]),
            (_ACCOUNT, self._switches["limit_account_per_s"]),
        )
        for who, allowed in allowances:
            window = _recent(self._seen[who], now - 1.0)
            if allowed and len(window) >= allowed:
                self._violate(client, now)
        for who, _ in allowances:
            self._seen[who].append(now)

    def forgive(self) -> None:
        """Forget all windows, violations and blocks."""
        self._seen.clear()
        self._violations.clear()
        self._blocked_until.clear()

    def _violate(self, client: str, now: float) -> None:
        violations = _recent(self._violations[client], now - _WATCHED_S)
        violations.append(now)
        most = self._switches["limit_violations_to_block"]
        if most and len(violations) > most:
            self._blocked_until[client] = now + self._switches["limit_block_s"]
        refusal = Problem(429, "Too many requests")
        if self._switches["limit_retry_after"]:
            refusal.headers["Retry-After"] = "1"
        raise refusal


LIMITS: Final = web.AppKey("limits", Limits)


def _recent(times: deque[float], since: float) -> deque[float]:
    while times and times[0] <= since:
        times.popleft()
    return times
