"""Which implementation serves here: the setting, self-tested on a loopback socket before anybody relies on it.

The wire format is `frames`' business, what is said the services'.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import aiohttp
import structlog
from aiohttp import web

from . import frames
from .channels import Channels
from .detached import DetachedListener
from .plain import PlainListener
from .port import Channel, Limits, Listener

log = structlog.get_logger(__name__)

Kind = Literal["detached", "aiohttp"]

_TEST_S = 5.0
_PROTOCOL = "self-test"
_CODE = 4000  # any private code: it must come back as it was sent


async def choose(kind: Kind, channels: Channels, *, limits: Limits | None = None) -> Listener:
    """The listener asked for; aiohttp's own, with a warning, when the detached one does not work here."""
    if kind == "detached" and await self_test():
        return DetachedListener(channels, limits=limits)
    if kind == "detached":
        log.warning(
            "channel_self_test_failed",
            using="aiohttp",
            effect="about ten times the memory per agent",
            cure="install the aiohttp version named in constraints.txt, or set channel = aiohttp",
        )
    return PlainListener(channels, limits=limits)


async def self_test(*, timeout_s: float = _TEST_S) -> bool:
    """Whether a detached channel opens, echoes, closes and is forgotten by aiohttp, over a real socket."""
    channels = Channels(ping=frames.text("ping"))
    app = web.Application()
    app.router.add_get("/", _echo_route(channels))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    try:
        async with asyncio.timeout(timeout_s):
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            is_echoed = await _is_echoed(runner.addresses[0][1])
            is_forgotten = runner.server is not None and not runner.server.connections
            return is_echoed and is_forgotten and await channels.drain(deadline_s=timeout_s) == 0
    except (OSError, TimeoutError, aiohttp.ClientError, TypeError) as exc:
        log.info("channel_self_test_error", error=repr(exc))
        return False
    finally:
        await runner.cleanup()


def _echo_route(channels: Channels) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    listener = DetachedListener(channels)

    async def echo(request: web.Request) -> web.StreamResponse:
        return await listener.upgrade(request, subprotocol=_PROTOCOL, receiver_factory=_Echo)

    return echo


class _Echo:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def on_text(self, text: str) -> None:
        self._channel.send(frames.text(text))
        self._channel.close(_CODE)

    def on_closed(self, code: int) -> None:
        """Nothing to let go."""


async def _is_echoed(port: int) -> bool:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}/", protocols=(_PROTOCOL,), max_msg_size=0) as socket,
    ):
        await socket.send_str(_PROTOCOL)
        echoed = await socket.receive_str()
        await socket.receive()
        return echoed == _PROTOCOL and socket.close_code == _CODE
