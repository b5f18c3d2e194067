"""Recordings as we keep them, beside what the vendor says of them (`calls.Recording`): what state a recording is in,
when to ask for it, what its file is called.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from .calls import Call, Recording
from .vocabulary import RecordingState

MISSING_MS = 6 * 3_600_000
"""How long after the call a PBX may say "not there" before it is believed. Their storages take seconds or minutes."""

READY = frozenset({RecordingState.AVAILABLE, RecordingState.FETCHED})
"""States in which there is something to hear."""

MP3 = "audio/mpeg"


class Kept(Struct, frozen=True, kw_only=True):
    """What we remember of a recording. `name` is its file's in the audio store: set before the file is written, so that
    a crash leaves no file that nobody knows; empty once the file is gone. `at_ms`: when it came.
    """

    call_id: str
    key: str
    account_id: int
    line_id: str
    state: RecordingState = RecordingState.EXPECTED
    attempts: int = 0
    name: str = ""
    size: int = 0
    content_type: str = ""
    duration_ms: int | None = None
    at_ms: int = 0
    changed_ms: int = 0
    listened: int = 0
    listened_ms: int | None = None
    revoked_ms: int | None = None


def unknown(call: Call, recording: Recording) -> Kept:
    """A recording of which nothing is remembered yet."""
    return Kept(call_id=call.id, key=recording.key, account_id=call.account_id, line_id=call.line_id)


def state_of(recording: Recording, kept: Kept | None) -> RecordingState:
    """The state of a recording: what we did with it outranks what the vendor says."""
    return recording.state if kept is None or kept.state is RecordingState.EXPECTED else kept.state


def audible(call: Call, kept: Mapping[str, Kept]) -> list[Recording]:
    """The call's recordings that can be heard now. `kept`: by the vendor's key."""
    return [one for one in call.recordings.values() if _is_audible(one, kept.get(one.key))]


def promised(call: Call, kept: Mapping[str, Kept]) -> list[Recording]:
    """The call's recordings that can be heard now or later."""
    return [
        one
        for one in call.recordings.values()
        if state_of(one, kept.get(one.key)) in {*READY, RecordingState.EXPECTED} and not _is_revoked(kept.get(one.key))
    ]


def is_withdrawn(kept: Mapping[str, Kept]) -> bool:
    """Whether the call's recordings were withdrawn: also the parts of it that are not known yet."""
    return any(_is_revoked(one) for one in kept.values())


def audio_type(told: str) -> str:
    """A vendor's content type if it is one of audio, else "": what it says is served on our own origin."""
    return told if told.startswith("audio/") else ""


def wait_s(waits: Sequence[float], tries: int) -> float:
    """When to ask again after this many tries: the vendor's ladder, whose last rung repeats."""
    return waits[min(tries, len(waits)) - 1]


def file_name(kept: Kept, chance: str) -> str:
    """The name of its file: under its account and day, not to be guessed from the outside (`chance` is random)."""
    return f"{kept.account_id}/{kept.at_ms // 86_400_000}/{chance}.mp3"


def _is_audible(recording: Recording, kept: Kept | None) -> bool:
    return state_of(recording, kept) in READY and not _is_revoked(kept)


def _is_revoked(kept: Kept | None) -> bool:
    return kept is not None and kept.revoked_ms is not None
