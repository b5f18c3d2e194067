"""What we know of recordings is remembered alike on SQLite and PostgreSQL, whoever writes first."""

import asyncio
from typing import Any

from msgspec import structs
from store_house import ACCOUNT, LINE, database_url, db, kept  # noqa: F401

from server.core.recordings import Kept
from server.core.vocabulary import RecordingState
from server.store.recordings import AT_ONCE, of_calls
from server.wiring import Stores

FETCHED = RecordingState.FETCHED


def one(key: str = "rec-1", **changed: Any) -> Kept:
    """A recording that was fetched."""
    values = {
        "call_id": "c_1", "key": key, "account_id": ACCOUNT, "line_id": LINE, "state": FETCHED, "attempts": 2,
        "name": f"{ACCOUNT}/1/{key}.mp3", "size": 1000, "content_type": "audio/mpeg", "duration_ms": 5000,
        "at_ms": 100, "changed_ms": 100,
    }  # fmt: skip
    return Kept(**values | changed)


async def test_a_recording_comes_back_whole(kept: Stores) -> None:  # noqa: F811
    """What was put is what is found, by its call; of another call nothing."""
    await kept.recordings.put(one())
    await kept.recordings.put(one("rec-2", duration_ms=None, state=RecordingState.ABSENT))

    assert await kept.recordings.find("c_1") == {
        "rec-1": one(), "rec-2": one("rec-2", duration_ms=None, state=RecordingState.ABSENT),
    }  # fmt: skip
    assert await kept.recordings.find("c_2") == {}


async def test_progress_replaces_progress(kept: Stores) -> None:  # noqa: F811
    """State, attempts, file: the last word stands."""
    await kept.recordings.put(one(state=RecordingState.EXPECTED, attempts=1, name=""))
    await kept.recordings.put(one())

    assert await kept.recordings.find("c_1") == {"rec-1": one()}


async def test_listeners_are_counted_and_progress_forgets_none(kept: Stores) -> None:  # noqa: F811
    """Also before anything else is known, and by many at once."""
    await asyncio.gather(*(kept.recordings.listened(one(), at) for at in (7, 7, 7)))
    await kept.recordings.put(one(size=2000))

    assert await kept.recordings.find("c_1") == {"rec-1": one(size=2000, listened=3, listened_ms=7)}


async def test_what_was_withdrawn_stays_so(kept: Stores) -> None:  # noqa: F811
    """Since the first time, whatever is fetched or asked later; what was known stays known."""
    await kept.recordings.put(one())
    await kept.recordings.revoke([one(state=RecordingState.EXPECTED, name=""), one("rec-2")], 50)
    await kept.recordings.revoke([one()], 60)
    await kept.recordings.put(one(size=2000))

    found = await kept.recordings.find("c_1")
    assert (found["rec-1"].revoked_ms, found["rec-1"].state, found["rec-1"].size) == (50, FETCHED, 2000)
    assert found["rec-2"].revoked_ms == 50


async def test_withdrawing_nothing_is_no_error(kept: Stores) -> None:  # noqa: F811
    """A call without recordings."""
    await kept.recordings.revoke([], 50)

    assert await kept.recordings.find("c_1") == {}


async def test_what_changed_lately_is_found(kept: Stores) -> None:  # noqa: F811
    """For a start: the cards of the last minutes."""
    await kept.recordings.put(one("old", changed_ms=10))
    await kept.recordings.put(one("new", changed_ms=30))

    assert [found.key for found in await kept.recordings.changed_since(20)] == ["new"]


async def test_only_what_is_there_and_old_expires(kept: Stores) -> None:  # noqa: F811
    """What never came has nothing to let go; what is young stays. Its file is named until it is gone."""
    await kept.recordings.put(one("old"))
    await kept.recordings.put(one("with the PBX", state=RecordingState.AVAILABLE, name=""))
    await kept.recordings.put(one("young", at_ms=300))
    await kept.recordings.put(one("awaited", state=RecordingState.EXPECTED, name=""))

    assert await kept.recordings.expire(200, 999) == 2
    assert await kept.recordings.expire(200, 999) == 0
    (left,) = await kept.recordings.expired()
    await kept.recordings.put(structs.replace(left, name=""))

    assert (left.key, left.state, left.name) == ("old", RecordingState.EXPIRED, f"{ACCOUNT}/1/old.mp3")
    assert await kept.recordings.expired() == []
    states = {key: found.state.value for key, found in (await kept.recordings.find("c_1")).items()}
    assert states == {"old": "expired", "with the PBX": "expired", "young": "fetched", "awaited": "expected"}


async def test_thousands_expire_in_portions(kept: Stores) -> None:  # noqa: F811
    """The writer is free in between."""
    for number in range(AT_ONCE + 3):
        await kept.recordings.put(one(f"r{number}"))

    assert [await kept.recordings.expire(200, 999) for _ in range(3)] == [AT_ONCE, 3, 0]
    assert len(await kept.recordings.expired()) == AT_ONCE


async def test_readers_find_those_of_many_calls(kept: Stores) -> None:  # noqa: F811
    """One statement for a whole list."""
    await kept.recordings.put(one())
    await kept.recordings.put(one(call_id="c_2"))
    await kept.recordings.put(one(call_id="c_3"))

    assert set(await of_calls(kept.db, ["c_1", "c_3", "c_none"])) == {"c_1", "c_3"}
    assert await of_calls(kept.db, []) == {}
