"""Playing recordings: what is behind a link, from our store, or straight from the PBX while we do not have it."""

import contextlib
import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass

import structlog

from server.core import recordings
from server.core.calls import Call, Recording
from server.core.errors import (
    LinkUnknown,
    RecordingAbsent,
    RecordingEarly,
    RecordingExpired,
    RecordingRevoked,
    StoreUnavailable,
    VendorNoRecording,
)
from server.core.ports import Sender, VendorStream
from server.core.recordings import MISSING_MS, MP3, Kept
from server.core.stores import AudioStore
from server.core.stores import Calls as CallStore
from server.core.stores import Recordings as RecordingStore
from server.core.vocabulary import RecordingState

from .clock import Clock, now_ms
from .lines import Lines
from .links import Links
from .source import UNSATISFIED, sound

log = structlog.get_logger()

CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Found:
    """What a link names, and may be heard."""

    call: Call
    recording: Recording
    kept: Kept
    state: RecordingState

    @property
    def etag(self) -> str:
        """Changes when the bytes may: the PBX's file and ours may differ."""
        told = f"{self.call.id}\0{self.recording.key}\0{self.state}\0{self.kept.size}\0{self.kept.at_ms}"
        return hashlib.blake2b(told.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a file that is wanted, as the Range header tells it: the last `start` bytes when that is negative."""

    start: int = 0
    stop: int | None = None

    def within(self, size: int) -> tuple[int, int]:
        """From where to where, in a file of this size; an empty part when there is none."""
        start, stop, _ = slice(self.start, self.stop).indices(size)
        return start, max(start, stop)


WHOLE = Span()


@dataclass(frozen=True, slots=True)
class Sound:
    """Audio that is being given: `size` of the whole (None: not known, then it is whole), the part, its bytes."""

    content_type: str
    size: int | None
    start: int
    stop: int | None
    pieces: AsyncIterator[bytes]


class Playing:
    """Opens links."""

    def __init__(  # noqa: PLR0913  # it joins five rooms
        self, calls: CallStore, store: RecordingStore, links: Links, lines: Lines, sender: Sender,
        audio: AudioStore | None, *, clock: Clock = now_ms,
    ) -> None:  # fmt: skip
        self._calls = calls
        self._store = store
        self._links = links
        self._lines = lines
        self._sender = sender
        self._audio = audio
        self._clock = clock
        self._listeners: list[Callable[[Call], None]] = []

    def tell(self, listener: Callable[[Call], None]) -> None:
        """Let `listener` hear whose recording is played. It must not wait."""
        self._listeners.append(listener)

    async def find(self, token: str) -> Found:
        """What a link names. Raises LinkUnknown, LinkExpired, RecordingRevoked, …Expired, …Early, …Absent."""
        said = self._links.read(token, now_s=self._clock() // 1000)
        call = await self._calls.find(said.call_id)
        if call is None or said.recording_key not in call.recordings or said.account_id not in (0, call.account_id):
            raise LinkUnknown
        recording = call.recordings[said.recording_key]
        all_known = await self._store.find(call.id)
        known = all_known.get(recording.key)
        kept = known or recordings.unknown(call, recording)
        if recordings.is_withdrawn(all_known):
            raise RecordingRevoked
        found = Found(call, recording, kept, recordings.state_of(recording, known))
        self._check(found)
        return found

    def _check(self, found: Found) -> None:
        if found.state is RecordingState.EXPIRED:
            raise RecordingExpired
        line = self._lines.get(found.call.line_id)
        if found.state is RecordingState.ABSENT or (line is None and found.state is not RecordingState.FETCHED):
            raise RecordingAbsent
        if found.call.is_live:
            raise RecordingEarly
        if found.state is RecordingState.EXPECTED and line is not None:
            delay_ms = self._lines.codec(line).recording_delay_s * 1000
            if self._clock() < found.call.heard_ms + delay_ms:
                raise RecordingEarly

    @contextlib.asynccontextmanager
    async def open(self, found: Found, span: Span = WHOLE) -> AsyncIterator[Sound]:
        """The audio, while the context lasts. Raises RecordingEarly, RecordingAbsent, VendorError, AudioUnavailable."""
        audio, name = self._audio, found.kept.name
        if found.state is RecordingState.FETCHED and audio is not None and (file := await audio.find(name)):
            start, stop = span.within(file.size)
            pieces = audio.read(name, start, stop) if start < stop else _nothing()
            async with contextlib.aclosing(pieces):
                yield Sound(found.kept.content_type, file.size, start, stop, pieces)
            return
        if found.state is RecordingState.FETCHED:
            log.warning("recording_lost", call=found.call.id)  # its file; the PBX may have it still
        async with self._from_vendor(found, span) as proxied:
            yield proxied

    async def heard(self, found: Found) -> None:
        """Count a listening. That it cannot be counted is no reason not to hear it."""
        try:
            await self._store.listened(found.kept, self._clock())
        except StoreUnavailable:
            log.warning("listening_not_counted", call=found.call.id)
        for listener in self._listeners:
            listener(found.call)

    # -- inside ----------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _from_vendor(self, found: Found, span: Span) -> AsyncIterator[Sound]:
        line = self._lines.get(found.call.line_id)
        if line is None:
            raise RecordingAbsent
        try:
            async with sound(self._lines, self._sender, line, found.recording.key, span=_header(span)) as answer:
                yield _cut(answer, found.kept, span)
        except VendorNoRecording as exc:
            is_over = self._clock() - found.call.heard_ms > MISSING_MS
            raise (RecordingAbsent if is_over else RecordingEarly) from exc


def _header(span: Span) -> str:
    """The Range header that asks a vendor for it; empty for the whole."""
    if span == WHOLE or span.start < 0:
        return f"bytes={span.start}" if span.start else ""
    return f"bytes={span.start}-{'' if span.stop is None else span.stop - 1}"


def _cut(answer: VendorStream, kept: Kept, span: Span) -> Sound:
    """The wanted part of what the vendor sends: it understood the range, or it sends the whole."""
    told = recordings.audio_type(answer.head.headers.get("Content-Type", ""))
    content_type = told or recordings.audio_type(kept.content_type) or MP3
    place = CONTENT_RANGE.fullmatch(answer.head.headers.get("Content-Range", ""))
    if answer.head.status == 206 and place is not None:
        first, last, size = map(int, place.groups())
        return Sound(content_type, size, first, last + 1, _pieces(answer, 0, last + 1 - first))
    if answer.head.status == UNSATISFIED:
        return Sound(content_type, kept.size, 0, 0, _nothing())
    if answer.size is None:
        return Sound(content_type, None, 0, None, _pieces(answer, 0, None))
    start, stop = span.within(answer.size)
    return Sound(content_type, answer.size, start, stop, _pieces(answer, start, stop - start))


async def _pieces(answer: VendorStream, skip: int, most: int | None) -> AsyncIterator[bytes]:
    """What the vendor sends, without the first `skip` bytes, and no more than `most`."""
    async for piece in _all(answer):
        part = piece[skip:] if most is None else piece[skip : skip + most]
        skip = max(0, skip - len(piece))
        if part:
            yield part
        if most is not None:
            most -= len(part)
            if most <= 0:
                return


async def _all(answer: VendorStream) -> AsyncIterator[bytes]:
    yield answer.head.body
    async for piece in answer.rest:
        yield piece


async def _nothing() -> AsyncGenerator[bytes, None]:
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece
