"""Looking for notes: read once for all who ask, from where the last reading ended."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from server.amocrm.sightings import NOTED, OVERLAP_S, Sightings
from server.core.crm import CallNote, Logged
from server.core.errors import CrmRefused, CrmUnavailable
from server.core.vocabulary import Direction

START_S = 1_000_000


class Amo:
    """An account's notes, by entity type; what was asked, and faults."""

    def __init__(self) -> None:
        self.notes: dict[str, list[dict[str, Any]]] = {noun: [] for noun in NOTED}
        self.asked: list[tuple[str, int]] = []
        self.fault: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    def put(self, uniq: str | None, at_s: int, noun: str = "contacts", **params: Any) -> None:
        params = {"uniq": uniq, **params} if uniq else params
        self.notes[noun].append(
            {"id": 70 + len(self.asked), "entity_id": 5, "updated_at": at_s, "created_at": at_s, "params": params}
        )

    async def read(self, noun: str, since_s: int) -> Sequence[dict[str, Any]]:
        self.asked.append((noun, since_s))
        await self.gate.wait()
        if self.fault is not None and noun == NOTED[-1]:
            fault, self.fault = self.fault, None
            raise fault
        return [note for note in self.notes[noun] if note["updated_at"] >= since_s]

    async def is_there(self, place: Logged) -> bool:
        return any(note["id"] == place.note_id for note in self.notes[place.noun])


@pytest.fixture
def amo() -> Amo:
    return Amo()


@pytest.fixture
def sightings(amo: Amo) -> Sightings:
    return Sightings(amo.read, amo.is_there, lambda: (START_S + 3600) * 1000)


def note(uniq: str) -> CallNote:
    return CallNote(
        uniq=uniq, direction=Direction.IN, phone="+79161234567", duration_s=7, source="kommutator", started_s=START_S,
        status=4, user_id=11, result_text="", link="",
    )  # fmt: skip


async def test_a_note_is_found_where_it_stands(amo: Amo, sightings: Sightings) -> None:
    """And one that does not is not."""
    amo.put("c_1", START_S + 5, "leads")

    assert await sightings.find(note("c_1"), START_S) == Logged("leads", 5, 70)
    assert await sightings.find(note("c_2"), START_S) is None


async def test_the_next_look_reads_only_what_is_new(amo: Amo, sightings: Sightings) -> None:
    """From a minute before the newest note; whoever needs what is older makes it read from there."""
    amo.put("c_1", START_S + 500)
    await sightings.find(note("c_1"), START_S)
    amo.put("c_2", START_S + 505)
    amo.asked.clear()

    assert await sightings.find(note("c_2"), START_S + 100)
    assert ("contacts", START_S + 500 - OVERLAP_S) in amo.asked

    amo.asked.clear()
    await sightings.find(note("c_3"), START_S - 900)
    assert {since for _, since in amo.asked} == {START_S - 900}


async def test_all_who_wait_share_one_reading(amo: Amo, sightings: Sightings) -> None:
    """A reading that began before somebody asked does not answer him; the one after it answers all."""
    amo.gate.clear()
    first = asyncio.create_task(sightings.find(note("c_0"), START_S))
    await asyncio.sleep(0)
    others = [asyncio.create_task(sightings.find(note(f"c_{number}"), START_S)) for number in range(50)]
    await asyncio.sleep(0)
    amo.put("c_7", START_S + 1)
    amo.gate.set()

    found = await asyncio.gather(*others)
    await first

    assert [number for number, one in enumerate(found) if one] == [7]
    assert len(amo.asked) == 2 * len(NOTED)


async def test_a_reading_that_breaks_off_answers_nobody(amo: Amo, sightings: Sightings) -> None:
    """Its error is told, and the next one reads anew."""
    amo.fault = CrmUnavailable()
    with pytest.raises(CrmUnavailable):
        await sightings.find(note("c_1"), START_S)

    amo.put("c_1", START_S + 5, NOTED[-1])
    assert await sightings.find(note("c_1"), START_S)


async def test_a_nameless_note_that_may_be_it_is_for_a_person(amo: Amo, sightings: Sightings) -> None:
    """The same number, second and length, without anybody's id."""
    amo.put(None, START_S, phone="79161234567", duration=7)

    with pytest.raises(CrmRefused):
        await sightings.find(note("c_1"), START_S)


async def test_a_note_that_went_with_its_lead_is_not_found(amo: Amo, sightings: Sightings) -> None:
    """amoCRM drops a record in Unsorted, and what was noted there, when its caller becomes a contact."""
    amo.put("c_1", START_S + 5, "leads")
    amo.put("c_2", START_S + 500, "leads")
    assert await sightings.find(note("c_1"), START_S)
    assert await sightings.find(note("c_1"), START_S), "old, but there"

    amo.notes["leads"].clear()

    assert await sightings.find(note("c_1"), START_S) is None


async def test_a_note_from_the_future_hides_nothing(sightings: Sightings, amo: Amo) -> None:
    """Another telephony's note is dated three hours ahead: what is written before then is found all the same."""
    amo.put("theirs", START_S + 4 * 3600)
    assert await sightings.find(note("c_1"), START_S - 100) is None

    amo.put("c_2", START_S + 3600)

    assert await sightings.find(note("c_2"), START_S - 100) is not None
