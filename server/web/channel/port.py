"""What a push channel is to the web floor: the core's contract, with what a socket adds to it.

Knows neither aiohttp's connection classes nor the rules of the wire format.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from server.core import ports


class Channel(ports.Channel, Protocol):
    """One open push connection. Every method returns at once and may be called in any state, in the loop's thread."""

    @property
    def peer(self) -> str:
        """The address at the other end of the TCP connection, perhaps a proxy's; empty when not known."""

    @property
    def is_open(self) -> bool:
        """True until either side begins to close."""

    def send(self, frame: bytes) -> bool:
        """Write one frame (see `frames.text`), in order; False when the channel is closing or closed.

        Never waits. A peer that has left more than `Limits.unsent_bytes` unread is dropped with code 1008 instead:
        when it comes back, it gets a snapshot. A frame of any size always passes to a peer that has read the rest.
        """

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye and hang up once the peer has answered, or after `Limits.close_s`. Repeated calls do nothing."""

    def abort(self) -> None:
        """Hang up without a word; the receiver hears 1006 unless a close had begun."""


class Receiver(Protocol):
    """The owner of a channel, as the channel sees it. A method that raises costs its channel (1011), nothing else."""

    def on_text(self, text: str) -> None:
        """A whole text message; never after `close` was called or the peer closed."""

    def on_closed(self, code: int) -> None:
        """The connection is gone; exactly once, and the last call.

        The code is of whoever closed first: ours, the peer's (1005: it gave none), or 1006 when it was simply lost.
        """


ReceiverFactory = Callable[[Channel], Receiver]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may cost us."""

    message_bytes: int = 64 * 1024  # what a tab has to say fits in 1 KB; the rest is room for lists pasted by people
    unsent_bytes: int = 256 * 1024  # several snapshots; 10 000 stuck readers hold at most 2.5 GB
    close_s: float = 5.0  # for the peer's half of the close handshake, and for what is still unsent


class Listener(Protocol):
    """Turns an HTTP request into a channel."""

    async def upgrade(
        self, request: web.Request, *, subprotocol: str, receiver_factory: ReceiverFactory
    ) -> web.StreamResponse:
        """Answer the handshake and open the channel. Who may open one was decided before.

        `receiver_factory` is called once the channel is open and may send at once. The handler must return the
        response as it is; signals `on_response_prepare` do not run for it.

        Raises `HTTPUpgradeRequired` (426) when the request asks for no WebSocket of version 13, `HTTPBadRequest` (400)
        when the handshake is malformed or does not offer `subprotocol`, `HTTPServiceUnavailable` (503) when draining.
        """
