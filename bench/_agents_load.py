"""Thousands of other agents for `ring.py`, in a process of their own: each with a session, a ticket, an open socket.

Reads a line of JSON (see `Crowd`), prints `ready` when all are connected, then answers heartbeats until its input is
closed.
"""

import itertools
import json
import select
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import local

from _backend import token
from _hook_load import MASKED_PONG, hello
from _report import raise_descriptor_limit
from _socket_load import Load, LoadFailed

from server.core.vocabulary import SUBPROTOCOL, TICKET_PREFIX

FIRST_USER = 700_000
ASKING = 16  # sessions asked for at a time; each is a transaction at the backend
AT_ONCE = 400  # tickets live half a minute: they are used up before more are asked for


@dataclass(frozen=True)
class Crowd:
    """Who they are and where they go."""

    port: int
    count: int
    account_id: int
    client: tuple[str, str]
    audience: str


class Tickets:
    """Opens sessions, each for another user."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._threads = local()

    def __call__(self, number: int) -> bytes:
        """The handshake of one agent."""
        crowd = self._crowd
        one_time = token(FIRST_USER + number, account_id=crowd.account_id, client=crowd.client, audience=crowd.audience)
        connection: HTTPConnection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self._threads.connection = HTTPConnection("127.0.0.1", crowd.port, timeout=30)
        connection.request("POST", "/api/session", headers={"X-Auth-Token": one_time})
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != 200:
            raise LoadFailed(told[:300])
        return hello("/api/socket", protocols=f"{SUBPROTOCOL}, {TICKET_PREFIX}{json.loads(told)['ticket']}")


def connect(crowd: Crowd) -> Load:
    """Open all sockets."""
    greetings: dict[int, bytes] = {}
    load = Load(crowd.port, 1, greet=greetings.pop)
    ticket = Tickets(crowd)
    with ThreadPoolExecutor(ASKING) as pool:
        for first in range(0, crowd.count, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, crowd.count))
            greetings.update(zip(numbers, pool.map(ticket, numbers), strict=True))
            load.connect(len(numbers))
    return load


def keep_alive(load: Load) -> None:
    """Answer every heartbeat until the input is closed."""
    load.poll.register(sys.stdin.fileno(), select.EPOLLIN | select.EPOLLHUP)
    for _ in itertools.count():
        for descriptor, _ in load.poll.poll():
            if descriptor == sys.stdin.fileno():
                return
            data = load.sockets[descriptor].recv(65536)
            if not data:
                raise LoadFailed("the backend hung up")
            if b'{"type":"ping"' in data:
                load.sockets[descriptor].sendall(MASKED_PONG)


if __name__ == "__main__":
    raise_descriptor_limit()
    told = json.loads(sys.stdin.buffer.raw.readline())
    opened = connect(Crowd(**{**told, "client": tuple(told["client"])}))
    print("ready", flush=True)
    keep_alive(opened)
    opened.close()
