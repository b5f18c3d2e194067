"""The default channel: aiohttp shakes hands, then the socket leaves it for a protocol of ours.

Measured against aiohttp's own `WebSocketResponse` (`bench/sockets.py`): a tenth of the memory, cheaper handshakes and
cheaper fan-out, on the same port, behind the same router and middlewares.

aiohttp has no documented way to let go of a connection. Three names without an underscore are enough, and
`tests/contract/test_channel.py` fails when one changes its meaning (hence the pin in pyproject.toml; 3.14, 2025):

- `RequestHandler.set_parser`: hands over what the client sent behind its handshake, and resumes a paused transport;
- `RequestHandler.transport`: without it, aiohttp cannot close the socket it forgets;
- `RequestHandler.connection_lost`: aiohttp cancels its timers and drops the connection from its books.

Since aiohttp no longer sees these sockets, its graceful shutdown does not either: `Channels.drain` is ours to call.
"""

import asyncio

import structlog
from aiohttp import web

from . import frames, handshake
from .channels import Channels
from .port import Limits, Receiver, ReceiverFactory

log = structlog.get_logger(__name__)


class DetachedListener:
    """Opens detached channels (see `port.Listener`)."""

    def __init__(self, channels: Channels, *, limits: Limits | None = None) -> None:
        self.channels = channels
        self.limits = limits or Limits()

    async def upgrade(
        self, request: web.Request, *, subprotocol: str, receiver_factory: ReceiverFactory
    ) -> web.StreamResponse:
        """See `port.Listener.upgrade`."""
        key = handshake.check(request, subprotocol)
        if self.channels.is_draining:
            raise web.HTTPServiceUnavailable(text="shutting down", headers={"Retry-After": "1"})
        transport = request.transport
        if transport is None or transport.is_closing():
            return web.Response()  # the peer left while it was being checked; aiohttp drops answers to nobody
        transport.write(handshake.answer(key, subprotocol))
        connection = Connection(transport, self)
        early = _take_over(request, transport, connection)
        connection.open(receiver_factory)
        if early:
            # Now, not by call_soon: uvloop may read the socket before it runs what is scheduled.
            connection.data_received(early)
        return _Answered()


class Connection(asyncio.Protocol):
    """One detached channel: the frames' rules applied to a transport (see `port.Channel`)."""

    __slots__ = ("_code", "_decoder", "_home", "_is_deaf", "_receiver", "_timer", "_transport", "silent", "slot")

    def __init__(self, transport: asyncio.Transport, home: DetachedListener) -> None:
        self._transport = transport
        self._home = home
        self._receiver: Receiver | None = None
        self._decoder: frames.Decoder | None = None  # only while a frame or message is unfinished
        self._timer: asyncio.TimerHandle | None = None  # only while closing
        self._code = 0  # why it closes; nought while open
        self._is_deaf = False  # nothing that still arrives matters
        self.silent = 0
        self.slot = 0

    def open(self, receiver_factory: ReceiverFactory) -> None:
        """The transport is ours: let the owner in."""
        self._home.channels.add(self)
        try:
            self._receiver = receiver_factory(self)
        except BaseException:
            self.abort()
            raise

    @property
    def peer(self) -> str:
        """See `port.Channel.peer`."""
        address = self._transport.get_extra_info("peername")
        return str(address[0]) if isinstance(address, tuple) else ""

    @property
    def is_open(self) -> bool:
        """See `port.Channel.is_open`."""
        return not self._code

    def send(self, frame: bytes) -> bool:
        """See `port.Channel.send`."""
        if self._code:
            return False
        if self._transport.get_write_buffer_size() > self._home.limits.unsent_bytes:
            self._code = frames.POLICY
            self._transport.abort()  # a close frame would only queue behind what is not being read
            return False
        self._transport.write(frame)
        return True

    def close(self, code: int, reason: str = "") -> None:
        """See `port.Channel.close`."""
        if not self._code:
            self._say_goodbye(code, reason)

    def abort(self) -> None:
        """See `port.Channel.abort`."""
        self._code = self._code or frames.ABNORMAL
        self._transport.abort()

    # -- called by the transport

    def data_received(self, data: bytes) -> None:
        """A chunk of the peer's stream."""
        self.silent = 0
        if self._is_deaf:
            return
        decoder = self._decoder or frames.Decoder(self._home.limits.message_bytes)
        for event in decoder.feed(data):
            self._take(event)
        self._decoder = None if decoder.is_idle or self._is_deaf else decoder

    def eof_received(self) -> None:
        """The peer hangs up. Without a goodbye before, nobody is left to read what is unsent: do not wait for it."""
        if not self._code:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the code tells as much as a peer may know
        """The end, however it came."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._decoder = None
        self._code = self._code or frames.ABNORMAL
        self._home.channels.discard(self)
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.on_closed(self._code)

    # -- what the frames mean

    def _take(self, event: frames.Event) -> None:
        if isinstance(event, str):
            self._deliver(event)
        elif isinstance(event, frames.Ping):
            self.send(frames.pong(event.payload))
        elif isinstance(event, frames.Close):
            self._peer_closes(event)
        else:
            self._fail(event.code, event.reason)

    def _deliver(self, text: str) -> None:
        if self._code or self._receiver is None:
            return
        try:
            self._receiver.on_text(text)
        except Exception:
            # Answered here: the first chunk is read inside the handshake's request, which has its answer already.
            log.exception("channel_receiver_failed", peer=self.peer)
            self.close(frames.INTERNAL_ERROR)

    def _peer_closes(self, event: frames.Close) -> None:
        self._is_deaf = True
        if not self._code:
            self._say_goodbye(event.code)
        self._transport.close()

    def _fail(self, code: int, reason: str) -> None:
        self._is_deaf = True
        if not self._code:
            self._say_goodbye(code, reason)
        # Closing a socket that has unread input resets it, and the reset may overtake the close frame: shut our
        # half only, and let the peer or the deadline do the rest. TLS knows no halves.
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def _say_goodbye(self, code: int, reason: str = "") -> None:
        self._code = code
        self._transport.write(frames.close(code, reason))
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._home.limits.close_s, self._transport.abort)


class _Answered(web.StreamResponse):
    """Stands for an answer already written; what aiohttp does with it reaches the access log and nothing else."""

    def __init__(self) -> None:
        super().__init__(status=101)

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing is left to write."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


class _Early:
    """Takes the place of aiohttp's WebSocket parser to catch what came in behind the handshake."""

    def __init__(self) -> None:
        self.data = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """Told by `connection_lost`; means nothing here."""


def _take_over(request: web.Request, transport: asyncio.Transport, connection: Connection) -> bytes:
    """Move the transport from aiohttp to the connection; what the client has sent already."""
    handler = request.protocol
    early = _Early()
    handler.set_parser(early)  # type: ignore[arg-type]  # of a parser, only the two feeds are called
    transport.set_protocol(connection)
    handler.transport = None
    handler.connection_lost(None)
    return early.data
