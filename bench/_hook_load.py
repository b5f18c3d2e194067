"""The load for `hooks.py`: keep-alive connections that send webhooks, and the agents' sockets that hear of them."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

PATIENCE_S = 60.0
ENDED = b'"state":"ended"'
PONG = b'{"type":"pong"}'
MASKED_PONG = bytes((0x81, 0x80 | len(PONG), 0, 0, 0, 0)) + PONG  # a mask of zeros changes nothing


class LoadFailed(Exception):
    """The server did not answer as it must."""


class Sender(asyncio.Protocol):
    """One connection of a PBX: the next webhook goes out when the last one was answered 200."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._buffer = b""
        self.answered = 0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""

        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        """An answer, or a part of one."""
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator or len(body) < int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            return
        self._buffer = b""
        if not head.startswith(b"HTTP/1.1 200"):
            self._fail(LoadFailed(f"{head[:200]!r} {body[:200]!r}"))
            return
        self.answered += 1
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server must not hang up."""
        self._fail(exc or LoadFailed("the server hung up"))

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is not None:
            self._transport.write(request)
            return
        if not self.finished.done():
            self.finished.set_result(None)
        self._transport.close()

    def _fail(self, exc: Exception) -> None:
        if not self.finished.done():
            self.finished.set_exception(exc)


async def send_all(port: int, requests: Iterator[bytes], *, connections: int) -> int:
    """Send all, each connection one at a time; how many were answered 200. Raises LoadFailed for another answer."""
    loop = asyncio.get_running_loop()
    senders = [
        (await loop.create_connection(lambda: Sender(requests), "127.0.0.1", port))[1] for _ in range(connections)
    ]
    await asyncio.gather(*(sender.finished for sender in senders))
    return sum(sender.answered for sender in senders)


class Screen(asyncio.Protocol):
    """An agent's socket: counts the messages about calls, answers the heartbeat."""

    def __init__(self, hello: bytes, hear: Callable[[bytes], None]) -> None:
        self._hello = hello
        self._hear = hear
        self._buffer = b""
        self._is_open = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""

        self._transport = cast("asyncio.Transport", transport)
        transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        """The answer to the handshake, then frames."""
        self._buffer += data
        if not self._is_open:
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.opened.set_exception(LoadFailed(repr(head[:200])))
                return
            self._is_open, self._buffer = True, rest
            self.opened.set_result(None)
        while (payload := self._frame()) is not None:
            if payload.startswith((b'{"type":"call"', b'{"type": "call"')):
                self._hear(payload)
            elif payload.startswith(b'{"type":"ping"'):
                self._transport.write(MASKED_PONG)

    def _frame(self) -> bytes | None:
        """The payload of the next whole frame; a server's are not masked."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1], 2
        if size == 126:
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + size:
            return None
        self._buffer = buffer[start + size :]
        return buffer[start : start + size]


def hello(path: str, *, protocols: str = "") -> bytes:
    """A browser's handshake."""
    offered = f"Sec-WebSocket-Protocol: {protocols}\r\n" if protocols else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{offered}\r\n"
    ).encode()


async def ask(port: int, request: bytes) -> dict[str, object]:
    """One request on a connection of its own; the JSON of its answer. Raises LoadFailed unless it is 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise LoadFailed(repr(answer[:300]))
    told: dict[str, object] = json.loads(body)
    return told


def session_request(token: str) -> bytes:
    """Trade a one-time token for a ticket."""
    head = "POST /api/session HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: 0\r\n"
    return f"{head}X-Auth-Token: {token}\r\n\r\n".encode()


@dataclass
class Audience:
    """All agents' screens: counts what they hear, and tells when it is enough.

    Whole calls are counted by the card that says that the call is over: changes that come close together are one.
    """

    heard: int = 0
    wanted: int = 0
    only_ended: bool = False
    last_at: dict[str, float] = field(default_factory=dict)
    screens: list[Screen] = field(default_factory=list)
    _enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def join(self, port: int, extension: str, greeting: bytes) -> None:
        """One more screen."""

        def hear(payload: bytes) -> None:
            self.heard += not self.only_ended or ENDED in payload
            self.last_at[extension] = time.perf_counter()
            if self.heard >= self.wanted:
                self._enough.set()

        loop = asyncio.get_running_loop()
        _, screen = await loop.create_connection(lambda: Screen(greeting, hear), "127.0.0.1", port)
        await screen.opened
        self.screens.append(screen)

    def expect(self, more: int, *, only_ended: bool = False) -> None:
        """From now on so many more are enough: of any kind, or of calls that are over."""
        self.only_ended = only_ended
        self.wanted = self.heard + more
        self._enough.clear()

    async def enough(self) -> None:
        """Wait until they were heard. Raises LoadFailed when some do not come."""
        try:
            await asyncio.wait_for(self._enough.wait(), PATIENCE_S)
        except TimeoutError:
            raise LoadFailed(f"{self.wanted - self.heard} of the messages did not come") from None
