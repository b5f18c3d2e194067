"""The socket's door: the ticket in, a snapshot out, then what browser and services say to each other."""

import asyncio
from collections.abc import Coroutine

import msgspec
import structlog
from aiohttp import hdrs, web

from server.core.errors import HostForeign, KommutatorError, TicketInvalid
from server.core.messages import (
    BearerMessage,
    BrowserMessage,
    Dismiss,
    Notice,
    NoticedMessage,
    Renew,
)
from server.core.session import Pass
from server.core.vocabulary import SUBPROTOCOL, TICKET_PREFIX, Bye, Close
from server.services.agents import Connection

from .channel import frames
from .channel.port import Channel
from .desk import DESK, Desk

log = structlog.get_logger()

routes = web.RouteTableDef()

_decode = msgspec.json.Decoder(BrowserMessage).decode


@routes.get("/api/socket")
async def open_socket(request: web.Request) -> web.StreamResponse:
    """Open an agent's socket. The ticket travels as a subprotocol, so that it stands in no URL and no log."""
    desk = request.app[DESK]
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and not desk.trust.is_origin(origin):
        raise HostForeign(host=origin[:100])
    offered = [part.strip() for part in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")]
    ticket = next((part for part in offered if part.startswith(TICKET_PREFIX)), None)
    if ticket is None:
        raise TicketInvalid("The socket was asked for without a ticket.")
    who = await desk.sessions.ticket(ticket.removeprefix(TICKET_PREFIX))
    desk.accounts.get(who.account_id)
    return await desk.listener.upgrade(
        request, subprotocol=SUBPROTOCOL, receiver_factory=lambda channel: Conversation(channel, desk, who)
    )


class Conversation:
    """One browser at the other end of a channel."""

    __slots__ = ("_channel", "_connection", "_desk", "_tasks", "_who")

    def __init__(self, channel: Channel, desk: Desk, who: Pass) -> None:
        self._channel = channel
        self._desk = desk
        self._who = who
        self._connection = Connection((who.account_id, who.user_id), self, is_admin=who.is_admin)
        self._tasks: set[asyncio.Task[None]] | None = None
        self._do(self._begin())

    def send_text(self, payload: bytes) -> bool:
        """See `services.agents.Outlet`."""
        return self._channel.send(frames.text(payload))

    def hang_up(self, kind: Bye) -> None:
        """See `services.agents.Outlet`."""
        self._channel.close(Close.TERMINAL if kind is Bye.TERMINAL else Close.RESTART)

    def on_text(self, text: str) -> None:
        """A message of the browser. One that is not understood is a newer widget's: it is passed over."""
        try:
            message = _decode(text)
        except (msgspec.DecodeError, RecursionError):
            log.info("browser_message_unknown", account=self._who.account_id)
            return
        if isinstance(message, Renew | Notice | Dismiss):
            self._do(self._act(message))

    def on_closed(self, code: int) -> None:  # noqa: ARG002  # whatever the reason, the browser is gone
        """The connection is over."""
        self._desk.agents.leave(self._connection)

    async def _begin(self) -> None:
        snapshot = await self._desk.snapshot(self._who)
        if self._channel.is_open:
            self._desk.agents.join(self._connection)
            self._connection.open(snapshot)

    def _renew(self) -> None:
        fresh = self._desk.sessions.renew(self._who)
        self._connection.send(BearerMessage(bearer=fresh.bearer, expires_at=fresh.expires_at))

    async def _act(self, message: Renew | Notice | Dismiss) -> None:
        cards, account_id, user_id = self._desk.cards, self._who.account_id, self._who.user_id
        if isinstance(message, Renew):
            self._renew()
        elif isinstance(message, Notice):
            is_yours = await cards.notice(account_id, user_id, message.call_id)
            self._connection.send(NoticedMessage(call_id=message.call_id, is_yours=is_yours))
        else:
            await cards.dismiss(account_id, user_id, message.call_id)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        """Work that must wait; the set of running tasks exists only while there are some (idle sockets stay small)."""
        task = asyncio.create_task(self._safely(work))
        self._tasks = self._tasks or set()
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def _safely(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except KommutatorError as exc:
            log.info("browser_request_refused", account=self._who.account_id, slug=exc.slug)
        except Exception:
            log.exception("conversation_failed", account=self._who.account_id)
            self._channel.close(Close.RESTART)

    def _done(self, task: asyncio.Task[None]) -> None:
        if self._tasks is not None:
            self._tasks.discard(task)
            self._tasks = self._tasks or None
