"""Fetching recordings from the PBX into our store: durable jobs, a lane for each line.

Everything is repeatable. The name of the file is remembered before the file is written, so a crash in between leaves
nothing that nobody knows: the next attempt writes under the same name. Every attempt begins with the vendor's own
command, because some of them give a link that works once.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import structlog
from msgspec import Struct, structs

from server.core import recordings
from server.core.calls import Call
from server.core.errors import (
    AudioFull,
    AudioTooLarge,
    AudioUnavailable,
    NotAudio,
    VendorCredentials,
    VendorError,
    VendorNoRecording,
    VendorRateLimited,
)
from server.core.jobs import Hold, Job, Later, Park
from server.core.ports import Codec, Sender, VendorStream
from server.core.recordings import MISSING_MS, Kept
from server.core.records import Line
from server.core.stores import AudioStore, Incoming, Press, Take
from server.core.stores import Calls as CallStore
from server.core.stores import Recordings as RecordingStore
from server.core.vocabulary import RecordingState

from .accounts import Accounts
from .clock import Clock, now_ms
from .lines import Lines
from .recordings import Recordings
from .source import sound

log = structlog.get_logger()

GOES_ON_S = 5.0
"""When to look again at a call that goes on: its first part may have a recording already."""

FULL_S = 300.0
AWAY_S = 60.0
"""When to try again to store something: the disk was full, the store was away."""

LOCKED_OUT_S = 600.0
"""When to ask a PBX again that refuses the line's credentials: MANGO locks out who insists."""

CHANCE_BYTES = 24


class Wanted(Struct, frozen=True):
    """The body of a job."""

    call: str
    key: str


@dataclass(frozen=True, slots=True)
class Cellar:
    """Where recordings go: the press and the store; without a store (setting `proxy`) they stay with the PBX."""

    press: Press
    store: AudioStore | None


@dataclass(frozen=True, slots=True)
class _Task:
    """One attempt."""

    job: Job
    call: Call
    line: Line
    codec: Codec
    kept: Kept


class Fetching:
    """The handler of `fetch` jobs."""

    def __init__(  # noqa: PLR0913  # it joins six rooms
        self, calls: CallStore, store: RecordingStore, recordings: Recordings, lines: Lines, sender: Sender,
        accounts: Accounts, *, cellar: Cellar, alive: Callable[[Sequence[Job]], bool], clock: Clock = now_ms,
    ) -> None:  # fmt: skip
        self._calls = calls
        self._store = store
        self._recordings = recordings
        self._lines = lines
        self._sender = sender
        self._accounts = accounts
        self._cellar = cellar
        self._alive = alive
        self._clock = clock
        self._busy: set[Wanted] = set()
        self._well: set[int] = set()  # accounts that have no alert, as far as we know

    async def fetch(self, jobs: Sequence[Job]) -> None:
        """Fetch one recording. Raises what the engine understands: Later, Hold, Park."""
        (job,) = jobs
        wanted = msgspec.json.decode(job.body, type=Wanted)
        if wanted in self._busy:  # it was announced, and then it came: that makes two jobs
            raise Later(1, "it is being fetched", unsure=False)
        self._busy.add(wanted)
        try:
            with structlog.contextvars.bound_contextvars(call=wanted.call):
                await self._fetch(job, wanted)
        finally:
            self._busy.discard(wanted)

    async def _fetch(self, job: Job, wanted: Wanted) -> None:
        call = await self._calls.find(wanted.call)
        if call is None or wanted.key not in call.recordings:
            raise Park("the call's recording is not in the database")
        if call.is_live:
            raise Later(GOES_ON_S, "the call goes on", unsure=False)
        recording = call.recordings[wanted.key]
        known = await self._store.find(call.id)
        kept = known.get(wanted.key) or recordings.unknown(call, recording)
        if recordings.is_withdrawn(known) and kept.revoked_ms is None:  # a part that came later
            await self._recordings.revoke(call.account_id, call.id)
            return
        if self._is_settled(kept):
            return
        line = self._lines.get(call.line_id)
        if recording.state is RecordingState.ABSENT or line is None:
            await self._recordings.keep(call, structs.replace(kept, state=RecordingState.ABSENT))
            return
        codec = self._lines.codec(line)
        wait_ms = call.heard_ms + codec.recording_delay_s * 1000 - self._clock()
        if recording.state is RecordingState.EXPECTED and wait_ms > 0:
            raise Later(wait_ms / 1000, "waiting for word that it is stored", unsure=False)
        kept = structs.replace(kept, attempts=kept.attempts + 1)
        await self._attempt(_Task(job, call, line, codec, kept))

    def _is_settled(self, kept: Kept) -> bool:
        if kept.revoked_ms is not None or kept.state in (RecordingState.FETCHED, RecordingState.EXPIRED):
            return True
        return self._cellar.store is None and kept.state is RecordingState.AVAILABLE

    async def _attempt(self, task: _Task) -> None:
        try:
            await self._ask(task)
        except VendorNoRecording as exc:
            await self._miss(task, exc)
        except VendorRateLimited as exc:
            raise Hold(self._wait_s(task), exc.message, unsure=False, slow_s=60) from exc
        except VendorCredentials as exc:
            raise Hold(LOCKED_OUT_S, exc.message, unsure=False) from exc
        except (VendorError, NotAudio) as exc:
            # Of this recording alone, as far as we know: the others of its line need not wait for it.
            await self._recordings.keep(task.call, task.kept)
            raise Later(self._wait_s(task), exc.message, unsure=False) from exc
        except AudioTooLarge as exc:
            await self._recordings.keep(task.call, self._come(task.kept, RecordingState.AVAILABLE))
            raise Park(exc.message) from exc
        except AudioFull as exc:
            await self._alert(task, exc)
            raise Hold(FULL_S, exc.message, unsure=False) from exc
        except AudioUnavailable as exc:
            await self._alert(task, exc)
            raise Hold(AWAY_S, exc.message, unsure=False) from exc

    async def _ask(self, task: _Task) -> None:
        async with sound(self._lines, self._sender, task.line, task.kept.key) as answer:
            store = self._cellar.store
            if store is None:  # it stays with the PBX: now we know that it is there
                told = recordings.audio_type(answer.head.headers.get("Content-Type", ""))
                there = structs.replace(task.kept, size=answer.size or 0, content_type=told)
                await self._recordings.keep(task.call, self._come(there, RecordingState.AVAILABLE))
                return
            async with self._cellar.press.incoming() as incoming:
                await _pour(answer, incoming)
                await self._store_away(task, store, await incoming.finish())

    async def _store_away(self, task: _Task, store: AudioStore, take: Take) -> None:
        kept = structs.replace(
            self._come(task.kept, task.kept.state), size=take.size, content_type=take.content_type,
            duration_ms=take.duration_ms,
        )  # fmt: skip
        if not kept.name:
            kept = structs.replace(kept, name=recordings.file_name(kept, secrets.token_urlsafe(CHANCE_BYTES)))
            kept = await self._recordings.keep(task.call, kept)
        if not self._alive([task.job]):
            raise Later(1, "another node has taken over", unsure=False)
        await store.put(kept.name, take.file, take.content_type)
        await self._recordings.keep(task.call, structs.replace(kept, state=RecordingState.FETCHED))
        log.info("recording_fetched", bytes=take.size, attempts=kept.attempts)
        await self._calm(task.call.account_id)

    def _come(self, kept: Kept, state: RecordingState) -> Kept:
        return structs.replace(kept, state=state, at_ms=kept.at_ms or self._clock())

    async def _miss(self, task: _Task, error: VendorError) -> None:
        """The PBX does not have it: not yet, or, when it says so for hours, never."""
        if self._clock() - task.call.heard_ms > MISSING_MS:
            await self._recordings.keep(task.call, structs.replace(task.kept, state=RecordingState.ABSENT))
            log.warning("recording_absent", attempts=task.kept.attempts)
            return
        await self._recordings.keep(task.call, structs.replace(task.kept, state=RecordingState.EXPECTED))
        raise Later(self._wait_s(task), error.message, unsure=False) from error

    def _wait_s(self, task: _Task) -> float:
        return recordings.wait_s(task.codec.recording_waits_s, task.kept.attempts)

    async def _alert(self, task: _Task, error: AudioFull | AudioUnavailable) -> None:
        self._well.discard(task.call.account_id)
        if isinstance(error, AudioFull):
            await self._accounts.alert(task.call.account_id, AudioFull.slug)
        else:
            reason = str(error.details.get("reason", ""))
            await self._accounts.alert(task.call.account_id, AudioUnavailable.slug, reason=reason)

    def doubt(self, account_id: int) -> None:
        """Another node raised an alert: what is stored here next may answer it."""
        self._well.discard(account_id)

    async def _calm(self, account_id: int) -> None:
        """Something was stored: whatever alert stands is answered."""
        if account_id not in self._well:
            for slug in (AudioFull.slug, AudioUnavailable.slug):
                await self._accounts.settle(account_id, slug)
            self._well.add(account_id)


async def _pour(answer: VendorStream, incoming: Incoming) -> None:
    await incoming.write(answer.head.body)
    async for piece in answer.rest:
        await incoming.write(piece)
