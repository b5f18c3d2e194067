"""A sandbox amoCRM in a thread of its own, for tests that are not asynchronous: what made-up requests are sent to."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection

from aiohttp import web
from worlds import sample_world, tokens_of

from server.sandbox.app import make_app
from server.sandbox.world import World

ANSWER_S = 15
"""How long an answer may take on a machine that does much else."""

LEFT_OUT = ("/private/widget/proxy.php", "/ajax/page/socket")
"""What speaks to other servers, and what holds its connection open."""


@dataclass(frozen=True)
class Standing:
    """A sandbox that stands: its port, its world, and an administrator's headers for every door."""

    port: int
    world: World
    headers: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, sent: bytes, headers: dict[str, str]) -> tuple[int, str | None, bytes]:
        """Status, kind and body of the answer. Raises `TimeoutError` when there is none in time."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
        try:
            connection.request(method, path, sent, {**self.headers, **headers})
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read()
        finally:
            connection.close()


@contextmanager
def standing() -> Iterator[Standing]:
    """Serve a sample account without limits until the block ends."""
    world, loop = sample_world(), asyncio.new_event_loop()
    runner = web.AppRunner(make_app(world))
    loop.run_until_complete(runner.setup())
    loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0).start())
    port = runner.addresses[0][1]
    world.origin = f"http://127.0.0.1:{port}"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield Standing(port, world, _headers(world))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(runner.cleanup())
        loop.close()


def _headers(world: World) -> dict[str, str]:
    user = world.user_named("201")
    assert user is not None
    session = world.page_sessions.add({"id": "session-of-the-tests", "user_id": user["id"]})
    return {
        "Authorization": f"Bearer {tokens_of(world, '201')['access_token']}",
        "Cookie": f"session_id={session['id']}",
    }
