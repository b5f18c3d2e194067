"""Audio in a folder of this machine.

Theory of operation. A file is written beside its place, flushed, and renamed into it, so that a reader, and a machine
that comes back from a power cut, sees all of it or nothing. The disk is shared with the database, whose webhooks matter
more: a reserve stays free.
"""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from server.core.errors import AudioFull, AudioUnavailable
from server.core.stores import Audio

T = TypeVar("T")

PIECE = 256 * 1024
PART = ".part"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskAudio:
    """Fills `core.stores.AudioStore`. `reserve`: bytes that stay free."""

    def __init__(self, folder: Path, *, reserve: int = 0) -> None:
        self._folder = folder
        self._reserve = reserve

    async def put(self, name: str, file: Path, content_type: str) -> None:  # noqa: ARG002  # a folder keeps no types
        await _in_thread(self._put, name, file)

    async def find(self, name: str) -> Audio | None:
        return await _in_thread(self._find, name)

    async def read(self, name: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        file = await _in_thread(_opened, self._folder / name, start)
        with file:
            while start < stop and (piece := await _in_thread(file.read, min(PIECE, stop - start))):
                start += len(piece)
                yield piece

    async def remove(self, name: str) -> None:
        await _in_thread(self._remove, name)

    def _put(self, name: str, file: Path) -> None:
        place = self._folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        check_room(place.parent, file.stat().st_size + self._reserve)
        part = place.with_name(place.name + PART)  # one name has one writer at a time, so a rest of its own is reused
        try:
            with file.open("rb") as source, part.open("wb") as target:
                shutil.copyfileobj(source, target, PIECE)
                target.flush()
                os.fsync(target.fileno())
            part.replace(place)
            _sync_folder(place.parent)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    def _find(self, name: str) -> Audio | None:
        try:
            return Audio((self._folder / name).stat().st_size)
        except FileNotFoundError:
            return None

    def _remove(self, name: str) -> None:
        place = self._folder / name
        for one in (place, place.with_name(place.name + PART)):
            one.unlink(missing_ok=True)


def _opened(path: Path, at: int) -> BinaryIO:
    file = path.open("rb")
    file.seek(at)
    return file


def check_room(folder: Path, wanted: int) -> None:
    """Raise AudioFull unless so many bytes are free where `folder` is."""
    if shutil.disk_usage(folder).free < wanted:
        raise AudioFull


def as_audio_error(exc: OSError) -> AudioFull | AudioUnavailable:
    """What a failure of the disk is called."""
    return AudioFull() if exc.errno in FULL else AudioUnavailable(reason=exc.strerror or type(exc).__name__)


async def _in_thread(act: Callable[..., T], *args: object) -> T:
    """A disk may be slow, or a network's."""
    try:
        return await asyncio.to_thread(act, *args)
    except OSError as exc:
        raise as_audio_error(exc) from exc


def _sync_folder(folder: Path) -> None:
    """The new name itself must survive a power cut, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
