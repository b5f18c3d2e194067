"""The same channel over aiohttp's own `WebSocketResponse`: what `detached` falls back to, and is judged against.

It is larger, and aiohttp makes it more lenient: a client's unmasked frame is read, and a peer that shuts its side of
the socket while much is unsent is noticed by the heartbeat only.
"""

import asyncio

import structlog
from aiohttp import WebSocketError, WSMsgType, web

from . import frames, handshake
from .channels import Channels
from .port import Limits, Receiver, ReceiverFactory

log = structlog.get_logger(__name__)

_LAST = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR})


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
            autoclose=False,  # or a peer's close code would not be echoed
            autoping=False,  # or pongs would not count as signs of life
            timeout=self._limits.close_s,
            max_msg_size=self._limits.message_bytes + 1,  # aiohttp refuses the limit itself
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
        self._timer: asyncio.TimerHandle | None = None
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
        """See `port.Channel.close`. Not by aiohttp: while a reader waits, it hangs up before the peer has answered."""
        if self._code:
            return
        self._code = code
        self._transport.write(frames.close(code, reason))
        self._timer = asyncio.get_running_loop().call_later(self._limits.close_s, self._transport.abort)

    def abort(self) -> None:
        """See `port.Channel.abort`."""
        self._code = self._code or frames.ABNORMAL
        self._transport.abort()

    async def serve(self, receiver_factory: ReceiverFactory) -> None:
        """Hand over what arrives until the connection is gone."""
        receiver = receiver_factory(self)
        try:
            while await self._listen(receiver):
                self.silent = 0
        finally:
            self._hang_up()
            self._code = self._code or frames.ABNORMAL
            receiver.on_closed(self._code)

    async def _listen(self, receiver: Receiver) -> bool:
        """Take one message; False when it was the last."""
        message = await self._socket.receive()
        if message.type is WSMsgType.CLOSE and not self._code:
            self._code = message.data or frames.NO_STATUS
            await self._socket.close(code=message.data or frames.NORMAL, drain=False)
        elif message.type is WSMsgType.ERROR:  # the peer broke a rule or was lost; aiohttp has closed already
            broken = message.data.code if isinstance(message.data, WebSocketError) else frames.ABNORMAL
            self._code = self._code or int(broken)
        elif message.type not in _LAST:
            self._take(message.type, message.data, receiver)
            return True
        return False

    def _hang_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size():  # or a peer that reads nothing would keep it for ever
            asyncio.get_running_loop().call_later(self._limits.close_s, self._transport.abort)
        self._transport.close()

    def _take(self, kind: WSMsgType, data: object, receiver: Receiver) -> None:
        if kind is WSMsgType.TEXT and isinstance(data, str):
            self._deliver(data, receiver)
        elif kind is WSMsgType.PING and isinstance(data, bytes | bytearray):
            self.send(frames.pong(bytes(data)))
        elif kind is WSMsgType.BINARY:
            self.close(frames.UNSUPPORTED, "only text is spoken here")

    def _deliver(self, text: str, receiver: Receiver) -> None:
        if self._code:
            return
        try:
            receiver.on_text(text)
        except Exception:
            log.exception("channel_receiver_failed", peer=self.peer)
            self.close(frames.INTERNAL_ERROR)
