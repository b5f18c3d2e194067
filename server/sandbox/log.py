"""What the sandbox saw: the list behind `GET /sandbox/log`.

One flat list of events in the order in which they happened, whoever saw them: the page (callbacks, notifications,
errors), the API (requests with their status), amoCRM's own sender (webhooks) and the stand-in PBXs (calls). It lives
in memory and forgets its oldest entries, for it is a tool of the person who watches and never a source of data.

    world.log.note("callback", widget="kommutator", name="render", area="leads_card", ms=3)
    await world.log.wait("webhook", status=200)
"""

import asyncio
import time
from collections import deque
from typing import Any, Final, Literal, get_args

Kind = Literal["callback", "notification", "error", "request", "webhook", "socket", "call", "fault", "backend"]
Entry = dict[str, Any]

KINDS: Final[tuple[str, ...]] = get_args(Kind)
MEANING: Final[dict[str, str]] = {
    "callback": "a widget's callback with its order, arguments, time, answer or error; a finding (`rule`, `leak`)",
    "notification": "what a widget gave to `APP.notifications.*`",
    "error": "what a widget threw, uncaught errors and rejections of the page, a widget that cannot be read",
    "request": "a request of the API with its status, and the widget that made it where it can be told; requests of "
    "widgets to other servers",
    "webhook": "a webhook, install hook or disable hook that was sent, with the answer's status",
    "socket": "the page's own socket, and sockets of widgets: opened, failed, closed",
    "call": "what happens in a PBX's call",
    "fault": "a fault put in force",
    "backend": "the backend's process started or ended",
}
_KEPT: Final = 20_000  # an hour of clicking; a load test wraps around and that is fine


class Log:
    """The last events; every entry has `at` (Unix seconds, with fractions) and `kind`."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._watchers: list[tuple[str, Entry, asyncio.Future[Entry]]] = []

    def note(self, kind: Kind, **fields: Any) -> Entry:
        """Append an event and wake whoever waits for it; returns the stored entry."""
        entry: Entry = {"at": round(time.time(), 3), "kind": kind, **fields}
        self._entries.append(entry)
        for watcher in list(self._watchers):
            _wake(watcher, entry)
        return entry

    def entries(self, kind: str | None = None) -> list[Entry]:
        """All events kept, oldest first; only those of one kind when it is given."""
        return [entry for entry in self._entries if kind is None or entry["kind"] == kind]

    def clear(self) -> None:
        """Forget everything seen so far."""
        self._entries.clear()

    async def wait(self, kind: Kind, *, timeout_s: float = 5.0, **fields: Any) -> Entry:
        """The first event of this kind whose members equal `fields`, seen already or to come.

        Raises `TimeoutError` after `timeout_s`.
        """
        for entry in self.entries(kind):
            if _equals(entry, fields):
                return entry
        watcher = (kind, fields, asyncio.get_running_loop().create_future())
        self._watchers.append(watcher)
        try:
            return await asyncio.wait_for(watcher[2], timeout_s)
        finally:
            self._watchers.remove(watcher)


def _wake(watcher: tuple[str, Entry, asyncio.Future[Entry]], entry: Entry) -> None:
    kind, fields, future = watcher
    if entry["kind"] == kind and _equals(entry, fields) and not future.done():
        future.set_result(entry)


def _equals(entry: Entry, fields: Entry) -> bool:
    return all(entry.get(name) == value for name, value in fields.items())
