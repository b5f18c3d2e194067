"""Live wires inside the sandbox: who emits need not know who listens.

The REST side emits, the page's socket listens. Channel names are those of amoCRM's own page socket
(`listenSocketChannel`): `notifications:<account>:<user>`, `<entity>:card:<id>`, `<entity>:events`,
`<entity>:pipeline:<id>`, `inbox:talks:<account>`, `system:state:<account>`, `dashboard:events`; and of the sandbox
itself: `sandbox:log`, `sandbox:widgets`.

    with world.signals.listen("notifications:31000001:11000011") as queue:
        payload = await queue.get()
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Payload = dict[str, Any]


class Signals:
    """Fan-out of small messages by channel name; a message nobody listens to is gone."""

    def __init__(self) -> None:
        self._queues: dict[str, list[asyncio.Queue[tuple[str, Payload]]]] = defaultdict(list)

    def emit(self, channel: str, payload: Payload) -> int:
        """Hand `(channel, payload)` to every listener of this channel; returns how many there were."""
        queues = self._queues.get(channel, [])
        for queue in queues:
            queue.put_nowait((channel, payload))
        return len(queues)

    @contextmanager
    def listen(self, *channels: str) -> Iterator[asyncio.Queue[tuple[str, Payload]]]:
        """A queue that receives the messages of these channels for as long as the block runs."""
        queue: asyncio.Queue[tuple[str, Payload]] = asyncio.Queue()
        for channel in channels:
            self._queues[channel].append(queue)
        try:
            yield queue
        finally:
            for channel in channels:
                self._queues[channel].remove(queue)
