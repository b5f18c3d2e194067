"""Calls whose number amoCRM does not know: Unsorted, a contact, or patience."""

from typing import Any

import msgspec
import pytest
from fakes.hooks import CLIENT, START_S, answered, ended, rang, sipuni
from fakes.house import ACCOUNT, LINE, OLGA, PAVEL, House
from msgspec import structs

from server.core.crm import Record, Stranger
from server.core.errors import CrmEntityUnknown, CrmRefused, CrmUnavailable
from server.core.jobs import Job, Later, NotDone, Park
from server.core.records import Place
from server.core.strangers import StrangerRule
from server.core.vocabulary import CallKind, Filed, StrangerWay

PHONE = f"+{CLIENT}"
SHOWN = "+7 916 123-45-67"
DIGITS = CLIENT[-10:]


@pytest.fixture(autouse=True)
def nobody_has_the_number(house: House) -> None:
    """Until a test says so."""
    house.crm.fail("log_call", *(CrmEntityUnknown() for _ in range(9)))


async def told(house: House, ref: str = "r1", *, kind: CallKind = CallKind.IN_ANSWERED) -> str:
    """A call of this kind was heard to its end; its id."""
    if kind in (CallKind.IN_ANSWERED, CallKind.IN_MISSED):
        hooks = [rang(ref=ref), answered(ref=ref), ended(ref=ref)]
        if kind is CallKind.IN_MISSED:
            hooks = [rang(ref=ref), ended(ref=ref, talk_from_s=None)]
    else:
        out = {"src_type": 2, "src_num": "078332201", "short_src_num": "201", "dst_type": 1, "dst_num": CLIENT,
               "short_dst_num": None}  # fmt: skip
        talk_s = START_S + 2 if kind is CallKind.OUT_ANSWERED else 0
        end = {"status": "ANSWER" if talk_s else "NOANSWER", "call_start_timestamp": START_S,
               "call_answer_timestamp": talk_s}  # fmt: skip
        hooks = [sipuni(1, ref=ref, **out), sipuni(2, ref=ref, at_s=9, **out, **end)]
    for hook in hooks:
        await house.hear(hook)
    return house.call.id


def job(house: House, call_id: str, *, kind: str = "log", tries: int = 1, unsure: bool = False) -> Job:
    body = msgspec.json.encode(call_id)
    return Job(f"amo:{ACCOUNT}", kind, f"{kind}:{call_id}", body, tries=tries, unsure=unsure, at_ms=house.clock.now_ms)


async def logged(house: House, call_id: str, **how: Any) -> Place:
    await house.logging.log([job(house, call_id, **how)])
    return await placed(house, call_id)


async def placed(house: House, call_id: str) -> Place:
    """Where it stands; what its note says is the notes' matter."""
    place = await house.kept.calls.place(call_id)
    assert place is not None
    return structs.replace(place, told="")


async def rule(house: House, kind: CallKind, way: StrangerWay, **more: Any) -> None:
    await house.accounts.set_prefs(ACCOUNT, strangers=(StrangerRule(kind, way, **more),))


async def become_known(house: House) -> list[Job]:
    """Somebody has the number by now, and the phone book has learned it; the jobs that this made."""
    house.crm.faults.pop("log_call", None)
    before = len(house.shelf.jobs)
    await house.logging.learned(ACCOUNT, [DIGITS])
    return house.shelf.jobs[before:]


# -- Unsorted ------------------------------------------------------------------------------------------------------


async def test_an_unknown_caller_who_was_talked_to_goes_to_unsorted(house: House) -> None:
    """With who took the call, when, how long, on which of our numbers."""
    place = await logged(house, await told(house))

    assert place == Place(Filed.UNSORTED, "leads", 800, uid="uid-1")
    (call,) = house.crm.put
    assert (call.note.phone, call.note.user_id, call.note.duration_s) == (PHONE, OLGA, 7)
    assert (call.lead_name, call.contact_name) == (f"Звонок от {SHOWN}", SHOWN)
    assert (call.source_name, call.source_uid) == ("Сипуни", LINE)


async def test_a_missed_unknown_caller_goes_to_unsorted_as_one(house: House) -> None:
    """Somebody should call back."""
    await logged(house, await told(house, kind=CallKind.IN_MISSED))

    assert house.crm.put[0].lead_name == f"Пропущенный звонок от {SHOWN}"
    assert house.crm.put[0].note.duration_s == 0


async def test_who_calls_again_is_appended_to_the_open_record(house: House) -> None:
    """One caller, one record; each call is a note in its lead."""
    await logged(house, await told(house, "r1"))

    again = await logged(house, await told(house, "r2"))

    assert again == Place(Filed.UNSORTED, "leads", 800, 1, uid="uid-1")
    assert (len(house.crm.put), len(house.crm.notes)) == (1, 1)


async def test_who_calls_again_after_the_record_was_sorted_gets_another(house: House) -> None:
    """It was declined: the number is unknown still."""
    await logged(house, await told(house, "r1"))
    house.crm.waiting.clear()
    house.crm.waiting["somebody else's"] = Record("uid-7", 1)

    again = await logged(house, await told(house, "r2"))

    assert again.uid == "uid-2"


async def test_a_record_that_takes_no_notes_is_left_alone(house: House) -> None:
    """amoCRM refuses the note: a record of the call's own instead."""
    await logged(house, await told(house, "r1"))
    house.crm.fail("note", CrmRefused("no notes here"))

    assert (await logged(house, await told(house, "r2"))).uid == "uid-2"


async def test_a_record_whose_answer_was_lost_is_found(house: House) -> None:
    """Unsure jobs look in Unsorted, too."""
    call_id = await told(house)
    house.crm.lose("put_unsorted", CrmUnavailable())
    with pytest.raises(Later) as raised:
        await logged(house, call_id)
    assert raised.value.unsure is True

    place = await logged(house, call_id, tries=2, unsure=True)

    assert (place.uid, len(house.crm.put)) == ("uid-1", 1)


async def test_who_calls_again_while_a_record_is_in_doubt_is_appended_to_it(house: House) -> None:
    """amoCRM made it and its answer was lost: the second call finds it by the first one's id, and makes no other."""
    first, second = await told(house, "r1"), await told(house, "r2")
    house.crm.waiting[first] = Record("u-doubt", 701)

    place = await logged(house, second)

    assert (place.filed, place.uid, place.entity_id) == (Filed.UNSORTED, "u-doubt", 701)
    assert list(house.crm.waiting) == [first]


async def test_a_duplicate_that_amocrm_refuses_is_the_record_itself(house: House) -> None:
    """The first attempt was carried out, and nobody knew."""
    call_id = await told(house)
    house.crm.waiting[call_id] = Record("uid-1", 5)

    assert await logged(house, call_id) == Place(Filed.UNSORTED, "leads", 5, uid="uid-1")


async def test_a_refused_record_is_parked(house: House) -> None:
    """Its rule names a pipeline that is gone, say: a person has to look."""
    call_id = await told(house)
    house.crm.fail("put_unsorted", CrmRefused("pipeline_id"))

    with pytest.raises(Park):
        await logged(house, call_id)


# -- contacts and leads --------------------------------------------------------------------------------------------


async def test_an_unknown_number_that_was_talked_to_becomes_a_contact(house: House) -> None:
    """An agent dialled it: the contact is his, and the call is its first note."""
    place = await logged(house, await told(house, kind=CallKind.OUT_ANSWERED))

    assert house.crm.created == [Stranger(phone=PHONE, name=SHOWN, responsible_id=OLGA)]
    assert place == Place(Filed.LOGGED, "contacts", 501, 1)


async def test_a_rule_names_pipeline_owner_and_tags(house: House) -> None:
    """A lead with its contact."""
    await rule(
        house, CallKind.IN_MISSED, StrangerWay.LEAD, line_id=LINE, pipeline_id=3, status_id=4, responsible_id=PAVEL,
        tags=("АТС",),
    )  # fmt: skip

    place = await logged(house, await told(house, kind=CallKind.IN_MISSED))

    assert house.crm.created == [
        Stranger(
            phone=PHONE, name=SHOWN, lead_name=f"Пропущенный звонок от {SHOWN}", pipeline_id=3, status_id=4,
            responsible_id=PAVEL, tags=("АТС",),
        )
    ]  # fmt: skip
    assert (place.noun, place.entity_id) == ("leads", 701)


async def test_a_contact_that_was_created_is_not_created_again(house: House) -> None:
    """The answer was lost: the next attempt finds the number known."""
    call_id = await told(house, kind=CallKind.OUT_ANSWERED)
    house.crm.lose("create", CrmUnavailable())
    with pytest.raises(Later):
        await logged(house, call_id)

    place = await logged(house, call_id, tries=2, unsure=True)

    assert (len(house.crm.created), place.noun, len(house.crm.notes)) == (1, "contacts", 1)


async def test_a_contact_that_is_deleted_in_this_moment_leaves_the_call_to_its_number(house: House) -> None:
    """The note was refused; whoever has the number gets it."""
    house.crm.fail("note", CrmRefused("Entity not found"))

    place = await logged(house, await told(house, kind=CallKind.OUT_ANSWERED))

    assert place == Place(Filed.LOGGED, "contacts", 11, 1)


async def test_a_lost_lane_creates_nothing(house: House) -> None:
    """Another node may be creating it."""
    call_id = await told(house, kind=CallKind.OUT_ANSWERED)
    house.is_alive = False

    with pytest.raises(NotDone):
        await logged(house, call_id)

    assert house.crm.created == []


# -- patience ------------------------------------------------------------------------------------------------------


async def test_a_number_that_becomes_known_gets_its_call(house: House) -> None:
    """By default an unanswered call to an unknown number makes nothing in amoCRM."""
    call_id = await told(house, kind=CallKind.OUT_MISSED)
    assert await logged(house, call_id) == Place(Filed.STRAY)

    jobs = await become_known(house)
    await house.logging.attach(jobs)

    assert [one.key for one in jobs] == [f"attach:{call_id}"]
    assert await placed(house, call_id) == Place(Filed.LOGGED, "contacts", 11, 1)
    assert house.crm.count("find_call") == 0  # nobody has written it yet: no need to look, nor to wait


async def test_after_eighteen_hours_nobody_waits(house: House) -> None:
    """amoCRM's own queue did not, either."""
    await logged(house, await told(house, kind=CallKind.OUT_MISSED))
    house.clock.pass_s(18 * 3600 + 60)

    assert await become_known(house) == []


async def test_other_numbers_wake_nobody(house: House) -> None:
    """A phone book learns thousands a minute while it is copied."""
    await logged(house, await told(house, kind=CallKind.OUT_MISSED))

    await house.logging.learned(ACCOUNT, ["9990000000"])

    assert house.shelf.jobs == []


async def test_amocrms_search_may_lag_behind(house: House) -> None:
    """The phone book heard of the contact before amoCRM's own look-up knows it."""
    call_id = await told(house, kind=CallKind.OUT_MISSED)
    await logged(house, call_id)
    await become_known(house)
    house.crm.fail("log_call", CrmEntityUnknown())

    with pytest.raises(Later) as raised:
        await house.logging.attach([job(house, call_id, kind="attach")])

    assert (raised.value.after_s, raised.value.unsure) == (30, False)


async def test_a_call_in_unsorted_waits_until_somebody_sorts_it(house: House) -> None:
    """The number is known through the record itself, say."""
    call_id = await told(house)
    await logged(house, call_id)
    jobs = await become_known(house)

    with pytest.raises(Later):
        await house.logging.attach(jobs)

    assert house.crm.notes == []


async def test_a_record_that_vanished_leaves_its_call_to_the_contact(house: House) -> None:
    """amoCRM drops it when somebody creates a contact with the number: also days later."""
    call_id = await told(house)
    await logged(house, call_id)
    house.crm.waiting.clear()
    house.clock.pass_s(5 * 86_400)

    await house.logging.attach(await become_known(house))

    assert await placed(house, call_id) == Place(Filed.LOGGED, "contacts", 11, 1)


async def test_an_accepted_record_has_its_call_already(house: House) -> None:
    """amoCRM moved it into the new lead: it is found by its id and not written again."""
    call_id = await told(house)
    await logged(house, call_id)
    note = house.crm.put[0].note
    house.crm.waiting.clear()
    house.crm.notes.append(note)

    await house.logging.attach(await become_known(house))

    assert house.crm.notes == [note]
    assert (await placed(house, call_id)).filed is Filed.LOGGED
