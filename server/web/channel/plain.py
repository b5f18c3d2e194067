"""The same channel over aiohttp's own `WebSocketResponse`: what `detached` falls back to, and is judged against.

Two things it cannot do: refuse a client's unmasked frame (aiohttp's parser reads it), and be small.
"""

import asyncio

import structlog
from aiohttp import WSMsgType, web

from . import frames, handshake
from .channels import Channels
from .port import Limits, Receiver, ReceiverFactory

log = structlog.get_logger(__name__)


class PlainListener:
    """Opens channels that stay with aiohttp (see `port.Listener`)."""

    def __init__(self, channels: Channels, *, limits: Limits | None = None) -> None:
        self._channels = channels
        self._limits = limits or Limits()

    async def upgrade(
        self, request: web.Request, *, subprotocol: str, receiver_factory: ReceiverFactory
    ) -> web.StreamResponse:
        """See `port.Listener.upgrade`; returns when the channel is closed."""
        handshake.check(request, subprotocol)
        if self._channels.is_draining:
            raise web.HTTPServiceUnavailable(text="shutting down", headers={"Retry-After": "1"})
        socket = web.WebSocketResponse(
            protocols=(subprotocol,),
            compress=False,
            autoping=False,  # or pongs would not count as signs of life
            timeout=self._limits.close_s,
            max_msg_size=self._limits.message_bytes,
        )
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            return socket
        channel = PlainChannel(socket, transport, self._limits)
        self._channels.add(channel)
        try:
            await channel.serve(receiver_factory)
        finally:
            self._channels.discard(channel)
        return socket


class PlainChannel:
    """One channel (see `port.Channel`)."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport, limits: Limits) -> None:
        self._socket = socket
        self._transport = transport
        self._limits = limits
        self._code = 0
        self._closing: asyncio.Task[bool] | None = None
        self.silent = 0
        self.slot = 0

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
        """See `port.Channel.send`. Written past aiohttp's writer, which would build the frame again for each peer."""
        if self._code or self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size() > self._limits.unsent_bytes:
            self._code = frames.POLICY
            self._transport.abort()
            return False
        self._transport.write(frame)
        return True

    def close(self, code: int, reason: str = "") -> None:
        """See `port.Channel.close`."""
        if self._code:
            return
        self._code = code
        goodbye = self._socket.close(code=code, message=frames.reason_bytes(reason))
        self._closing = asyncio.get_running_loop().create_task(goodbye)

    def abort(self) -> None:
        """See `port.Channel.abort`."""
        self._code = self._code or frames.ABNORMAL
        self._transport.abort()

    async def serve(self, receiver_factory: ReceiverFactory) -> None:
        """Hand over what arrives until the channel is closed by either side."""
        receiver = receiver_factory(self)
        try:
            async for message in self._socket:
                self.silent = 0
                self._take(message.type, message.data, receiver)
            if self._closing is not None:
                await self._closing
        finally:
            self._code = self._code or self._socket.close_code or frames.ABNORMAL
            receiver.on_closed(self._code)

    def _take(self, kind: WSMsgType, data: object, receiver: Receiver) -> None:
        if kind is WSMsgType.TEXT and isinstance(data, str):
            self._deliver(data, receiver)
        elif kind is WSMsgType.PING and isinstance(data, bytes):
            self.send(frames.pong(data))
        elif kind is WSMsgType.BINARY:
            self.close(frames.UNSUPPORTED, "only text is spoken here")

    def _deliver(self, text: str, receiver: Receiver) -> None:
        if self._code:
            return
        try:
            receiver.on_text(text)
        except Exception:
            log.exception("channel.receiver_failed", peer=self.peer)
            self.close(frames.INTERNAL_ERROR)
