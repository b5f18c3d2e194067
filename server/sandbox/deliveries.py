"""amoCRM's sender of webhooks: forms with PHP's nesting, two seconds for the answer, and the ladder of retries."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from server.sandbox.rest.changes import CHANNEL
from server.sandbox.webhook_bodies import body_of
from server.sandbox.world import WORLD, Row, World

CLIENT: Final = web.AppKey("client", ClientSession)

_ALWAYS_S: Final = (300, 900)  # after these any failure is tried again
_ONLY_BROKEN_S: Final = (900, 3600)  # after these only 499 and 5xx
_TIMED_OUT: Final = 499
_FAILURES: Final = 100  # more than these …
_WITHIN_S: Final = 2 * 3600  # … within this time switch a webhook off


class Deliveries:
    """Sends what has changed to whoever subscribed; one task per delivery, all cancelled at the end."""

    def __init__(self, world: World, client: ClientSession) -> None:
        self._world = world
        self._client = client
        self._tasks: set[asyncio.Task[None]] = set()

    def dispatch(self, change: Row) -> None:
        """Send one change to every webhook that wants it."""
        event = f"{change['action']}_{_SINGULAR[change['entity_type']]}"
        hooks = [hook for hook in self._world.webhooks if event in hook["settings"] and not hook["disabled"]]
        if not hooks:
            return
        body = urlencode(body_of(self._world, change), errors="replace")
        for hook in hooks:
            self._start(self._deliver(hook["id"], event, body))

    def stop(self) -> None:
        """Give up everything that is still to be sent."""
        for task in self._tasks:
            task.cancel()

    def _start(self, job: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, hook_id: int, event: str, body: str) -> None:
        scale = self._world.switches["webhook_time_scale"]
        for attempt, wait_s in enumerate((0, *_ALWAYS_S, *_ONLY_BROKEN_S)):
            await asyncio.sleep(wait_s * scale)
            hook = self._world.webhooks.get(hook_id)
            if hook is None or hook["disabled"]:
                return
            status = await self._send(hook, event, body, attempt)
            if 100 <= status < 300:
                return
            self._count_failure(hook)
            if attempt >= len(_ALWAYS_S) and not (status == _TIMED_OUT or status >= 500):
                return

    async def _send(self, hook: Row, event: str, body: str, attempt: int) -> int:
        """Send the copies the faults in force leave; the status of the last one, 499 for none in time."""
        url, status = hook["destination"], _TIMED_OUT
        for delay_s in self._world.faults.plan("amocrm", urlsplit(url).path):
            await asyncio.sleep(delay_s)
            status = await self._post(url, body)
        self._world.log.note("webhook", event=event, url=url, status=status, attempt=attempt, body=body)
        return status

    async def _post(self, url: str, body: str) -> int:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "amoCRM-Webhooks/3.0"}
        timeout = ClientTimeout(total=self._world.switches["webhook_timeout_s"])
        try:
            async with self._client.post(url, data=body, headers=headers, timeout=timeout, allow_redirects=False) as r:
                return r.status
        except (ClientError, TimeoutError, OSError, ValueError):
            return _TIMED_OUT

    def _count_failure(self, hook: Row) -> None:
        since = time.time() - _WITHIN_S
        hook["failures"] = [at for at in hook["failures"] if at > since] + [time.time()]
        hook["disabled"] = len(hook["failures"]) > _FAILURES
        self._world.webhooks.put(hook)


_SINGULAR: Final = {
    "contacts": "contact",
    "companies": "company",
    "leads": "lead",
    "customers": "customer",
    "tasks": "task",
    "unsorted": "unsorted",
}


async def running(app: web.Application) -> AsyncIterator[None]:
    """The application's context in which webhooks are sent."""
    world = app[WORLD]
    deliveries = Deliveries(world, app[CLIENT])
    with world.signals.listen(CHANNEL) as changes:

        async def pump() -> None:
            while True:
                _, change = await changes.get()
                deliveries.dispatch(change)

        pumping = asyncio.create_task(pump())
        yield
        pumping.cancel()
        deliveries.stop()
