"""The page's own wire: a WebSocket that carries the channels a page asks for (`listenSocketChannel`)."""

import asyncio
import json
from contextlib import ExitStack
from typing import Any, Final

from aiohttp import WSMsgType, web

from server.sandbox.rest.access import asker
from server.sandbox.world import WORLD, World

_HEARTBEAT_S: Final = 30.0
_MAX_CHANNELS: Final = 200
CONFIRMED: Final = "sandbox:subscribed"
_OWN: Final = "notifications:"  # only the user's own channel, as the name tells


async def serve(request: web.Request) -> web.StreamResponse:
    """Accept `{"subscribe": [channel, …]}`, confirm on `CONFIRMED`, send `{"channel", "data"}` as things happen."""
    socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S)
    await socket.prepare(request)
    log, user_id = request.app[WORLD].log, asker(request).user["id"]
    page = _Page(request.app[WORLD], user_id, socket)
    log.note("socket", event="open", user_id=user_id)
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                page.subscribe(_channels(message.data))
                log.note("socket", event="subscribe", user_id=user_id, channels=list(page.channels))
                await socket.send_json({"channel": CONFIRMED, "data": {"channels": page.channels}})
    finally:
        log.note("socket", event="close", user_id=user_id)
        await page.close()
    return socket


def _channels(text: str) -> list[str]:
    try:
        asked = json.loads(text).get("subscribe")
    except (ValueError, AttributeError):
        return []
    return [name for name in asked if isinstance(name, str)] if isinstance(asked, list) else []


class _Page:
    """The channels one open page listens to."""

    def __init__(self, world: World, user_id: int, socket: web.WebSocketResponse) -> None:
        self._world = world
        self._own = f"{_OWN}{world.account['id']}:{user_id}"
        self._socket = socket
        self.channels: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = ExitStack()

    def subscribe(self, channels: list[str]) -> None:
        """Listen to channels it does not listen to yet; other users' notifications are nobody's business."""
        allowed = [name for name in channels if not name.startswith(_OWN) or name == self._own]
        for name in dict.fromkeys(allowed):
            if name in self.channels or len(self.channels) >= _MAX_CHANNELS:
                continue
            self.channels.append(name)
            # The block is entered here, not in the task: what happens before the task's first turn is not lost.
            queue = self._stack.enter_context(self._world.signals.listen(name))
            self._tasks.append(asyncio.create_task(self._relay(queue)))

    async def _relay(self, queue: asyncio.Queue[tuple[str, dict[str, Any]]]) -> None:
        while not self._socket.closed:
            channel, data = await queue.get()
            try:
                await self._socket.send_json({"channel": channel, "data": data})
            except ConnectionError:
                return

    async def close(self) -> None:
        """Stop listening: at once, for a browser that goes away takes the time to wait with it."""
        self._stack.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
