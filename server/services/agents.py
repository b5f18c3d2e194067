"""Presence: which browsers of which agents are connected here, and sending them messages in order."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec
from msgspec import structs

from server.core.messages import (
    AlertMessage,
    AlertView,
    ByeMessage,
    CallMessage,
    CallView,
    CrmMessage,
    DialMessage,
    DialView,
    DirectoryMessage,
    DirectoryView,
    ServerMessage,
    Snapshot,
)
from server.core.vocabulary import Bye

AgentKey = tuple[int, int]
"""Account and user: the same person in two accounts is two agents."""

_encode = msgspec.json.Encoder().encode


class Outlet(Protocol):
    """Where a connection's messages go; sending never waits."""

    def send_text(self, payload: bytes) -> bool: ...

    def hang_up(self, kind: Bye) -> None: ...


class Connection:
    """One browser's stream of messages: a snapshot, then numbered changes."""

    __slots__ = ("_epoch", "_n", "_outlet", "agent", "is_admin")

    def __init__(self, agent: AgentKey, outlet: Outlet, *, is_admin: bool) -> None:
        self.agent = agent
        self.is_admin = is_admin
        self._outlet = outlet
        self._epoch = secrets.token_urlsafe(6)
        self._n = 0

    def send(self, message: ServerMessage) -> bool:
        """Send a message that has no revision (pings, answers)."""
        return self._outlet.send_text(_encode(message))

    def open(self, snapshot: Snapshot) -> bool:
        """Send the snapshot that begins or repairs the stream."""
        return self.send(structs.replace(snapshot, rev=self.revision()))

    def hang_up(self, kind: Bye) -> None:
        """End the connection."""
        self._outlet.hang_up(kind)

    def revision(self) -> str:
        """The next revision of this stream."""
        self._n += 1
        return f"{self._epoch}.{self._n}"


class Agents:
    """The connected agents of this node, and those who wait in a long poll."""

    def __init__(self) -> None:
        self._connections: dict[AgentKey, list[Connection]] = {}
        self._watching: dict[AgentKey, set[asyncio.Event]] = {}

    def join(self, connection: Connection) -> None:
        """From now on the connection gets its agent's messages."""
        self._connections.setdefault(connection.agent, []).append(connection)

    def leave(self, connection: Connection) -> None:
        """The browser is gone."""
        mine = self._connections.get(connection.agent, [])
        if connection in mine:
            mine.remove(connection)
        if not mine:
            self._connections.pop(connection.agent, None)

    @property
    def count(self) -> int:
        """How many browsers are connected."""
        return sum(map(len, self._connections.values()))

    def online(self, account_id: int) -> Iterator[Connection]:
        """The account's connections."""
        for (account, _), connections in list(self._connections.items()):
            if account == account_id:
                yield from list(connections)

    def everybody(self) -> list[Connection]:
        """All connections of this node; its long polls look anew."""
        for watching in self._watching.values():
            for changed in watching:
                changed.set()
        return [connection for connections in self._connections.values() for connection in connections]

    def is_reachable(self, agent: AgentKey) -> bool:
        """Whether a browser of this agent is here, connected or polling."""
        return agent in self._connections or agent in self._watching

    def send_call(self, agent: AgentKey, call: CallView) -> None:
        """A call appeared or changed for this agent."""
        self._change(agent, lambda rev: CallMessage(rev=rev, call=call))

    def send_dial(self, agent: AgentKey, dial: DialView) -> None:
        """The agent's state line changed."""
        self._change(agent, lambda rev: DialMessage(rev=rev, dial=dial))

    def send_directory(self, account_id: int, progress: DirectoryView) -> None:
        """The account's first copy of the phone book went on."""
        for connection in self.online(account_id):
            connection.send(DirectoryMessage(rev=connection.revision(), directory=progress))
        self._wake(account_id)

    def send_crm(self, account_id: int, *, is_closed: bool) -> None:
        """amoCRM stopped to take our authorisation, or takes it again."""
        for connection in self.online(account_id):
            connection.send(CrmMessage(rev=connection.revision(), is_closed=is_closed))
        self._wake(account_id)

    def send_alert(self, account_id: int, alert: AlertView) -> None:
        """Something the account's administrators should know."""
        for connection in self.online(account_id):
            if connection.is_admin:
                connection.send(AlertMessage(rev=connection.revision(), alert=alert))
        self._wake(account_id)

    @contextlib.contextmanager
    def watch(self, agent: AgentKey) -> Iterator[asyncio.Event]:
        """An event that is set as soon as something changes for the agent: the long poll's ear."""
        changed = asyncio.Event()
        watching = self._watching.setdefault(agent, set())
        watching.add(changed)
        try:
            yield changed
        finally:
            watching.discard(changed)
            if not watching and self._watching.get(agent) is watching:
                del self._watching[agent]

    def say_bye(self, account_id: int, bye: ByeMessage) -> None:
        """Say a last word to the account's browsers and hang up."""
        for connection in self.online(account_id):
            connection.send(bye)
            connection.hang_up(bye.kind)
        self._wake(account_id)

    def _wake(self, account_id: int) -> None:
        """Something changed for the whole account: its long polls look anew."""
        for (account, _), watching in self._watching.items():
            for changed in watching if account == account_id else ():
                changed.set()

    def _change(self, agent: AgentKey, message: Callable[[str], ServerMessage]) -> None:
        for connection in self._connections.get(agent, ()):
            connection.send(message(connection.revision()))
        for changed in self._watching.get(agent, ()):
            changed.set()
