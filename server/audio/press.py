"""The press: a recording comes in piece by piece into a file that is ours alone, and leaves as MP3.

Most vendors send MP3, which is kept as it came. Anything else is converted once, by FFmpeg's libraries in a process of
their own (`convert.py`). Only formats that start with a known mark are opened, each by its own reader: FFmpeg guesses
generously, and some of what it guesses (playlists) would make it fetch other files.
"""

import asyncio
import contextlib
import secrets
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from server.core.errors import AudioFull, AudioTooLarge, NotAudio
from server.core.recordings import MP3
from server.core.stores import Take

from . import convert, mp3
from .disk import as_audio_error, check_room

MARKS = (
    (0, b"RIFF", "wav"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"#!AMR", "amr"),
    (0, b"FORM", "aiff"),
    (0, b".snd", "au"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
)
"""Where a format's mark stands, the mark, and FFmpeg's reader of it."""

HEAD = 4096
CONVERT_S = 900.0

LEFT_OVER_S = 6 * 3600
"""What is older than that is nobody's: the longest recording comes within an hour."""


def format_of(head: bytes) -> str:
    """FFmpeg's name of a file's format by its first bytes; empty for what is no audio that we know."""
    if head[:3] == b"ID3" or mp3.is_frame(head):
        return "mp3"
    return next((name for at, mark, name in MARKS if head[at : at + len(mark)] == mark), "")


class FilePress:
    """Fills `core.stores.Press`. `most`: bytes of the largest recording; `reserve`: bytes of the disk to stay free."""

    def __init__(self, folder: Path, *, most: int, reserve: int = 0) -> None:
        self._folder = folder
        self._most = most
        self._reserve = reserve

    @contextlib.asynccontextmanager
    async def incoming(self) -> AsyncIterator["FileIncoming"]:
        """A recording on its way in; whatever of it is left here vanishes with the context."""
        try:
            one = await asyncio.to_thread(FileIncoming, self._folder, most=self._most, reserve=self._reserve)
        except OSError as exc:
            raise as_audio_error(exc) from exc
        try:
            yield one
        finally:
            await asyncio.to_thread(one.vanish)

    async def sweep(self) -> None:
        """Remove what a process that died has left."""
        try:
            await asyncio.to_thread(_sweep, self._folder, time.time() - LEFT_OVER_S)
        except OSError as exc:
            raise as_audio_error(exc) from exc


class FileIncoming:
    """One recording in a file of its own."""

    def __init__(self, folder: Path, *, most: int, reserve: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        check_room(folder, reserve)
        self._raw = folder / secrets.token_hex(16)
        self._pressed = self._raw.with_suffix(".mp3")
        self._file = self._raw.open("wb")
        self._most = most
        self._size = 0

    async def write(self, piece: bytes) -> None:
        """Take some more of it."""
        self._size += len(piece)
        if self._size > self._most:
            raise AudioTooLarge(limit_mb=self._most >> 20)
        try:
            await asyncio.to_thread(self._file.write, piece)
        except OSError as exc:
            raise as_audio_error(exc) from exc

    async def finish(self) -> Take:
        """It is whole: as MP3."""
        try:
            head = await asyncio.to_thread(self._close)
            found = format_of(head)
            if not found:
                raise NotAudio
            if found == "mp3":
                return Take(self._raw, self._size, MP3, mp3.duration_ms(head, self._size))
            await _convert(self._raw, found, self._pressed)
            return await asyncio.to_thread(_taken, self._pressed)
        except OSError as exc:
            raise as_audio_error(exc) from exc

    def _close(self) -> bytes:
        """Everything is written; its first bytes."""
        self._file.close()
        return _head(self._raw)

    def vanish(self) -> None:
        """Nothing of it is left here."""
        with contextlib.suppress(OSError):  # what was still to be written does not matter any more
            self._file.close()
        for path in (self._raw, self._pressed):
            path.unlink(missing_ok=True)


async def _convert(source: Path, reader: str, target: Path) -> None:
    """Make an MP3 of an audio file. Raises NotAudio, AudioFull."""
    command = (sys.executable, convert.__file__, reader, str(source), str(target))
    child = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL)
    try:
        code = await asyncio.wait_for(child.wait(), CONVERT_S)
    except TimeoutError as exc:
        raise NotAudio("The recording could not be converted in time.") from exc
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if code == convert.FULL:
        raise AudioFull
    if code:
        raise NotAudio(exit=code)


def _taken(file: Path) -> Take:
    size = file.stat().st_size
    return Take(file, size, MP3, mp3.duration_ms(_head(file), size))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _sweep(folder: Path, before_s: float) -> None:
    for path in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):  # it was finished, and taken away, in this moment
            if path.is_file() and path.stat().st_mtime < before_s:
                path.unlink()
