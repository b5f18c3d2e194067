# ruff: noqa: ARG002, ASYNC240  # arguments of the contract; files of a test are small
"""Where recordings go, in memory: the store, and a press that takes whatever comes for MP3."""

import contextlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

from server.audio.press import FileIncoming, FilePress
from server.core.stores import Audio


class MemoryAudio:
    """Fills `core.stores.AudioStore`. `fault` is raised by whatever is asked next, once; `puts` counts the attempts."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.fault: Exception | None = None
        self.puts = 0

    async def put(self, name: str, file: Path, content_type: str) -> None:
        self.puts += 1
        self._fail()
        self.files[name] = file.read_bytes()

    async def find(self, name: str) -> Audio | None:
        self._fail()
        return Audio(len(self.files[name])) if name in self.files else None

    async def read(self, name: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        self._fail()
        yield self.files[name][start:stop]

    async def remove(self, name: str) -> None:
        self._fail()
        self.files.pop(name, None)

    def _fail(self) -> None:
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault


class TemporaryPress:
    """Fills `core.stores.Press` in a folder that lives as long as the recording is on its way."""

    def __init__(self, most: int = 1 << 20) -> None:
        self.most = most
        self.swept = 0

    @contextlib.asynccontextmanager
    async def incoming(self) -> AsyncIterator[FileIncoming]:
        """See `core.stores.Press`."""
        with tempfile.TemporaryDirectory() as folder:
            async with FilePress(Path(folder), most=self.most).incoming() as one:
                yield one

    async def sweep(self) -> None:
        """See `core.stores.Press`."""
        self.swept += 1
