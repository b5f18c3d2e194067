"""The load for `sockets.py`: thousands of WebSocket clients on one `epoll`, cheap enough to stay out of the figures."""

import base64
import errno
import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from _socket_server import PROTOCOL, ticket

PORTS_PER_ADDRESS = 5_000  # of the 28 000 that Linux gives one address: the fuller it is, the longer the search
PORT_AT_CONNECT = 24  # linux/in.h, IP_BIND_ADDRESS_NO_PORT: the port is chosen when the peer is known
IN_FLIGHT = 256
PATIENCE_S = 60.0


class LoadFailed(Exception):
    """The server did not answer as it must."""


def hello(agent: str) -> bytes:
    """The handshake a browser would send, its offer of compression included."""
    key = base64.b64encode(agent.encode().rjust(16, b"\0")).decode()
    return (
        f"GET /ws HTTP/1.1\r\nHost: bench\r\nOrigin: https://example.amocrm.ru\r\nUser-Agent: Mozilla/5.0 (bench)\r\n"
        f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        f"Sec-WebSocket-Protocol: {PROTOCOL}, {ticket(agent)}\r\n\r\n"
    ).encode()


@dataclass
class Load:
    """The clients of one server. `message_bytes`: what must have come before a message counts as received; `greet`: the
    handshake of a client, by its number.
    """

    port: int
    message_bytes: int
    sockets: dict[int, socket.socket] = field(default_factory=dict)
    poll: select.epoll = field(default_factory=select.epoll)
    greet: Callable[[int], bytes] = field(default=lambda number: hello(f"agent{number}"))

    def connect(self, count: int) -> None:
        """Open `count` more channels, a few hundred at a time; returns when the last is answered."""
        first, last = len(self.sockets), len(self.sockets) + count
        waiting: set[int] = set()
        number = first
        while number < last or waiting:
            while number < last and len(waiting) < IN_FLIGHT:
                waiting.add(self._open(number))
                number += 1
            for descriptor, _ in self._ready():
                answer = self.sockets[descriptor].recv(4096)
                if descriptor in waiting and not answer.startswith(b"HTTP/1.1 101"):  # later, it may be a ping
                    raise LoadFailed(answer[:200])
                waiting.discard(descriptor)

    def _open(self, number: int) -> int:
        client = socket.socket()
        client.setsockopt(socket.IPPROTO_IP, PORT_AT_CONNECT, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leaves no TIME_WAIT behind
        client.bind((f"127.0.0.{2 + number // PORTS_PER_ADDRESS}", 0))
        client.connect(("127.0.0.1", self.port))
        client.sendall(self.greet(number))
        client.setblocking(False)
        self.sockets[client.fileno()] = client
        self.poll.register(client.fileno(), select.EPOLLIN)
        return client.fileno()

    def _ready(self) -> list[tuple[int, int]]:
        events = self.poll.poll(PATIENCE_S)
        if not events:
            raise LoadFailed(f"silent for {PATIENCE_S} s")
        return events

    def receive(self, count: int) -> None:
        """Read until `count` clients have each got one message more."""
        got: dict[int, int] = {}
        done = 0
        while done < count:
            for descriptor, _ in self._ready():
                before = got.get(descriptor, 0)
                got[descriptor] = before + len(self.sockets[descriptor].recv(65536))
                done += before < self.message_bytes <= got[descriptor]

    def settle(self, quiet_s: float) -> None:
        """Read whatever comes until nothing has come for a while."""
        while events := self.poll.poll(quiet_s):
            for descriptor, _ in events:
                self.sockets[descriptor].recv(65536)

    def close(self) -> None:
        """Leave."""
        for client in self.sockets.values():
            client.close()
        self.poll.close()


def request(port: int, method: str, path: str) -> str:
    """One small HTTP request; the body of its answer."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as client:
                client.sendall(f"{method} {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
                return b"".join(iter(lambda: client.recv(4096), b"")).partition(b"\r\n\r\n")[2].decode()
        except OSError as exc:
            if exc.errno != errno.EAGAIN or time.monotonic() > deadline:
                raise
