"""Notices that a file of an installed widget was written, and tells the open pages, which reload themselves.

It looks at the files' times twice a second: that works on every file system and costs less than a millisecond for a
widget. A page is told when the files have been quiet for one look, so a build that writes many files is one change.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from server.sandbox.widgets import installed
from server.sandbox.widgets.archive import ArchiveError, Fingerprint
from server.sandbox.world import WORLD, World

CHANNEL: Final = "sandbox:changed"
LOOK_S: Final = 0.5


class Changes:
    """What the installed widgets looked like at the last look, and which of them have changed since a page was told."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: dict[tuple[str, str], Fingerprint] = {}
        self._unsettled: set[str] = set()

    def look(self) -> list[str]:
        """The codes of the widgets that have changed and are quiet again."""
        quiet = []
        for row in self._world.widgets:
            key, now = (row["id"], row["path"]), installed.archive_of(row).fingerprint()
            before = self._seen.get(key, now)
            self._seen[key] = now
            if before != now:
                self._unsettled.add(row["id"])
            elif row["id"] in self._unsettled:
                self._unsettled.discard(row["id"])
                quiet.append(row["id"])
        return quiet

    def tell(self, code: str) -> None:
        """Take over the widget's new version and let open pages reload; a broken one is told, and nothing reloads."""
        row = self._world.widgets[code]
        try:
            version = str(installed.archive_of(row).check()["widget"].get("version", "1"))
        except ArchiveError as exc:
            self._world.log.note("error", widget=code, name="manifest", message=str(exc))
            self._world.signals.emit(CHANNEL, {"code": code, "problem": str(exc)})
            return
        self._world.widgets.put({**row, "version": version})
        self._world.signals.emit(CHANNEL, {"code": code, "version": version})


async def watching(app: web.Application) -> AsyncIterator[None]:
    """For an application's `cleanup_ctx`: looks for changes for as long as it runs."""
    changes = Changes(app[WORLD])

    async def watch() -> None:
        while True:
            for code in changes.look():
                changes.tell(code)
            await asyncio.sleep(LOOK_S)

    task = asyncio.create_task(watch())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
