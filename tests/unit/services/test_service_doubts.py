"""Calls in doubt, decided on too early, or of a caller created a moment ago: each in amoCRM once all the same."""

from typing import Any

import msgspec
from fakes.hooks import CLIENT, START_S, answered, ended, mango, rang, sipuni
from fakes.house import ACCOUNT, LINE, MANGO_LINE, House
from msgspec import structs

from server.core import statistics
from server.core.book import BookRow
from server.core.crm import CallNote, Logged
from server.core.errors import CrmEntityUnknown, CrmRateLimited, CrmRefused, CrmUnavailable
from server.core.jobs import Job, Later
from server.core.statistics import ToldCall
from server.core.strangers import StrangerRule
from server.core.vocabulary import CallKind, Direction, StrangerWay
from server.services.calls import RING_MS

PHONE = f"+{CLIENT}"
OUT = {
    "src_type": 2, "src_num": "078332201", "short_src_num": "201", "dst_type": 1, "dst_num": CLIENT,
    "short_dst_num": None,
}  # fmt: skip


def job(house: House, call_id: str, kind: str = "log") -> Job:
    """The first attempt at it."""
    body = msgspec.json.encode(call_id)
    return Job(f"amo:{ACCOUNT}", kind, f"{kind}:{call_id}", body, tries=1, at_ms=house.clock.now_ms)


async def attempt(house: House, one: Job) -> Job:
    """One attempt, and the job as the lanes hand it out the next time."""
    try:
        await getattr(house.logging, one.kind)([one])
    except Later as answer:
        unsure = one.unsure if answer.unsure is None else answer.unsure
        return structs.replace(one, tries=one.tries + 1, unsure=unsure)
    return one


async def carry_out(house: House, kind: str) -> None:
    """All jobs of a kind that the decisions so far ask for, each key once."""
    for one in {one.key: one for one in house.jobs if one.kind == kind}.values():
        await attempt(house, structs.replace(one, tries=1))


def nobody_is_known(house: House) -> None:
    house.crm.fail("log_call", *(CrmEntityUnknown() for _ in range(9)))


async def calls_of_a_stranger(house: House, *refs: str) -> list[str]:
    ids = []
    for ref in refs:
        for hook in (rang(ref=ref), answered(ref=ref), ended(ref=ref)):
            await house.hear(hook)
        ids.append(house.call.id)
    return ids


async def calls_to_a_stranger(house: House, *refs: str) -> list[str]:
    over = {"status": "ANSWER", "call_start_timestamp": START_S, "call_answer_timestamp": START_S + 2}
    ids = []
    for ref in refs:
        await house.hear(sipuni(1, ref=ref, **OUT))
        await house.hear(sipuni(2, ref=ref, at_s=9, **OUT, **over))
        ids.append(house.call.id)
    return ids


# -- a call that goes on -----------------------------------------------------------------------------------------


async def test_a_doubtful_note_stays_in_doubt_while_its_call_goes_on(house: House) -> None:
    """Its answer was lost; then the next telephone rings, and all is over: it is looked for before it is sent again."""
    for hook in (rang(), ended(talk_from_s=None)):
        await house.hear(hook)
    house.crm.lose("log_call", CrmUnavailable())
    one = await attempt(house, job(house, house.call.id))

    await house.hear(rang("202", at_s=12))
    one = await attempt(house, one)
    await house.hear(ended("202", at_s=30, talk_from_s=13))
    await attempt(house, one)

    assert len(house.crm.notes) == 1


async def test_a_call_that_went_on_after_it_was_logged_is_corrected(house: House) -> None:
    """Logged as missed; then a colleague's telephone rang, and he talked."""
    for hook in (rang(), ended(talk_from_s=None)):
        await house.hear(hook)
    await carry_out(house, "log")
    assert house.crm.notes[0].status == 6

    for hook in (rang("202", at_s=20), answered("202", at_s=22), ended("202", at_s=60, talk_from_s=22)):
        await house.hear(hook)
    await carry_out(house, "correct")

    assert (house.crm.notes[0].status, house.crm.notes[0].duration_s) == (4, 38)


# -- decided too early -------------------------------------------------------------------------------------------


async def test_a_call_whose_number_comes_with_the_statistics_is_logged_then(house: House) -> None:
    """The server was down during a call; of its webhooks only the recording's came."""
    recorded = {
        "entry_id": "e1", "recording_id": "rec-1", "timestamp": START_S + 90, "call_id": "m1", "extension": "201",
        "seq": 1,
    }  # fmt: skip
    await house.hear(mango("events/record/added", recorded), line_id=MANGO_LINE)
    house.clock.pass_s(RING_MS / 1000)
    await house.calls.expire([next(one for one in house.jobs if one.kind == "expire")])
    await carry_out(house, "log")
    assert house.crm.notes == []
    told = ToldCall(
        direction=Direction.IN, started_ms=START_S * 1000, ended_ms=(START_S + 80) * 1000, call_ref="e1",
        client_phone=PHONE, answered_ms=(START_S + 5) * 1000, answered_by="201", rang=("201",), recordings=("rec-1",),
    )  # fmt: skip

    await learn(house, MANGO_LINE, "e1", told)

    assert [note.uniq for note in house.crm.notes] == [house.call.id]


async def test_a_stranger_who_was_reached_after_all_gets_his_contact(house: House) -> None:
    """The webhooks of the answer and of the end were lost: until the statistics come, nobody was reached."""
    nobody_is_known(house)
    await house.hear(sipuni(1, **OUT))
    house.clock.pass_s(RING_MS / 1000)
    await house.calls.expire([next(one for one in house.jobs if one.kind == "expire")])
    await carry_out(house, "log")
    assert house.crm.created == []
    told = ToldCall(
        direction=Direction.OUT, started_ms=START_S * 1000, ended_ms=(START_S + 300) * 1000, client_phone=PHONE,
        answered_ms=(START_S + 5) * 1000, answered_by="201", dialled_by="201",
    )  # fmt: skip

    await learn(house, LINE, house.call.call_ref, told)

    assert len(house.crm.created) == len(house.crm.notes) == 1


async def test_a_call_whose_note_is_in_doubt_is_looked_for_when_its_number_becomes_known(house: House) -> None:
    """An unanswered call to a stranger waits; a correction tries again, and its answer is lost. The number becomes
    known, which makes a job of its own, that knows of no doubt.
    """
    nobody_is_known(house)
    await house.hear(sipuni(1, **OUT))
    over = {"status": "NOANSWER", "call_start_timestamp": START_S, "call_answer_timestamp": 0}
    await house.hear(sipuni(2, at_s=9, **OUT, **over))
    await attempt(house, job(house, house.call.id))
    house.crm.faults.pop("log_call")
    house.crm.lose("log_call", CrmUnavailable())
    told = ToldCall(
        direction=Direction.OUT, started_ms=START_S * 1000, ended_ms=(START_S + 60) * 1000, client_phone=PHONE,
        answered_ms=(START_S + 5) * 1000, answered_by="201", dialled_by="201",
    )  # fmt: skip
    await learn(house, LINE, house.call.call_ref, told)

    await attempt(house, job(house, house.call.id, "attach"))

    assert len(house.crm.notes) == 1


async def test_news_that_change_nothing_ask_amocrm_nothing(house: House) -> None:
    """A summary after an unanswered call to a stranger; it waits as before."""
    nobody_is_known(house)
    await house.hear(sipuni(1, **OUT))
    over = {"status": "NOANSWER", "call_start_timestamp": START_S, "call_answer_timestamp": 0}
    await house.hear(sipuni(2, at_s=9, **OUT, **over))
    await attempt(house, job(house, house.call.id))
    asked = len(house.crm.asked)

    await attempt(house, job(house, house.call.id, "correct"))

    assert len(house.crm.asked) == asked


async def test_a_contact_made_for_one_call_gets_the_others_of_its_number(house: House) -> None:
    """They wait in Unsorted, whose record goes with the new contact; amoCRM's webhook of it may come late."""
    nobody_is_known(house)
    (missed,) = await calls_of_a_stranger(house, "r1")
    await attempt(house, job(house, missed))
    (reached,) = await calls_to_a_stranger(house, "r2")

    await attempt(house, job(house, reached))

    assert [one.key for one in house.shelf.of("attach")] == [f"attach:{missed}"]


async def learn(house: House, line_id: str, ref: str, told: ToldCall) -> None:
    """What a comparison with the PBX does, and the corrections that follow."""
    line = house.lines.get(line_id)
    assert line is not None
    await house.calls.learn(line, ref, statistics.events(told, ref), told.ended_ms)
    await carry_out(house, "correct")


# -- a caller in Unsorted ----------------------------------------------------------------------------------------


TALKED = ToldCall(
    direction=Direction.IN, started_ms=START_S * 1000, ended_ms=(START_S + 65) * 1000, client_phone=PHONE,
    answered_ms=(START_S + 1) * 1000, answered_by="201", rang=("201",),
)  # fmt: skip


async def missed_stranger(house: House) -> None:
    """A call of which only the beginning was heard: in Unsorted as one that nobody took."""
    nobody_is_known(house)
    await house.hear(rang())
    house.clock.pass_s(RING_MS / 1000)
    await house.calls.expire([next(one for one in house.jobs if one.kind == "expire")])
    await carry_out(house, "log")
    assert [(call.note.duration_s, call.note.status) for call in house.crm.put] == [(0, 6)]


async def test_what_a_record_does_not_say_stands_below_it(house: House) -> None:
    """amoCRM amends no record in Unsorted. A plain note tells what the PBX told later, once."""
    await missed_stranger(house)

    await learn(house, LINE, house.call.call_ref, TALKED)
    await carry_out(house, "correct")

    (text,) = house.crm.remarked[800]
    assert text == "АТС уточнила первый звонок этой заявки: разговор 1:04; сотрудник: Ольга"
    assert house.crm.notes == []


async def test_a_remark_whose_answer_was_lost_is_not_written_again(house: House) -> None:
    """What it says is compared, so that news after it are told."""
    await missed_stranger(house)
    house.crm.lose("remark", CrmUnavailable())
    await learn(house, LINE, house.call.call_ref, TALKED)

    await carry_out(house, "correct")

    assert len(house.crm.remarked[800]) == 1


async def test_a_record_that_says_it_all_gets_no_remark(house: House) -> None:
    """Its answer was lost, so that what it says is not known here; a summary comes afterwards."""
    nobody_is_known(house)
    (call_id,) = await calls_of_a_stranger(house, "r1")
    house.crm.lose("put_unsorted", CrmUnavailable())
    await attempt(house, await attempt(house, job(house, call_id)))

    await attempt(house, job(house, call_id, "correct"))

    assert (house.crm.remarked, house.crm.count("remarks")) == ({}, 1)


async def test_a_record_that_was_sorted_leaves_news_to_its_note(house: House) -> None:
    """Somebody accepted it: its call is a note by now, which says what the record said, and is amended."""
    await missed_stranger(house)
    house.crm.notes.append(house.crm.put[0].note)
    house.crm.waiting.clear()
    await learn(house, LINE, house.call.call_ref, TALKED)
    assert house.crm.remarked == {}

    await attempt(house, job(house, house.call.id, "attach"))

    assert [(note.duration_s, note.user_id) for note in house.crm.notes] == [(64, 11)]


async def test_a_call_that_a_correction_put_into_unsorted_is_followed(house: House) -> None:
    """The answer to its record was lost, its number becomes known, and then the record goes."""
    await house.accounts.set_prefs(ACCOUNT, strangers=(StrangerRule(CallKind.IN_MISSED, StrangerWay.NOTHING),))
    nobody_is_known(house)
    await house.hear(rang())
    house.clock.pass_s(RING_MS / 1000)
    await house.calls.expire([next(one for one in house.jobs if one.kind == "expire")])
    await carry_out(house, "log")
    house.crm.lose("put_unsorted", CrmUnavailable())
    await learn(house, LINE, house.call.call_ref, TALKED)
    assert len(house.crm.waiting) == 1

    one = await attempt(house, job(house, house.call.id, "attach"))
    assert one.tries == 2
    house.crm.waiting.clear()
    house.crm.faults.pop("log_call")
    await attempt(house, one)

    assert [note.duration_s for note in house.crm.notes] == [64]


async def test_a_record_without_a_lead_is_not_asked_for(house: House) -> None:
    """An account with the older methods only does not tell the lead."""
    await missed_stranger(house)
    place = await house.kept.calls.place(house.call.id)
    assert place is not None
    await house.kept.calls.file(house.call.id, structs.replace(place, entity_id=0), 9)
    house.crm.fail("unsorted", CrmRefused("405"))

    await learn(house, LINE, house.call.call_ref, TALKED)

    assert house.crm.count("unsorted") == 0


async def test_a_lead_that_takes_no_remark_is_left_alone(house: House) -> None:
    """It is no reason to try for eighteen hours."""
    await missed_stranger(house)
    house.crm.fail("remark", CrmRefused("no"))

    await learn(house, LINE, house.call.call_ref, TALKED)
    await carry_out(house, "correct")

    assert house.crm.count("remark") == 1


async def test_a_call_appended_in_doubt_follows_its_caller(house: House) -> None:
    """The answer to its note was lost: it stands in the record's lead, which amoCRM drops when the caller becomes a
    contact. Both calls are put to the contact then."""
    nobody_is_known(house)
    ids = await calls_of_a_stranger(house, "r1", "r2")
    await attempt(house, job(house, ids[0]))
    house.crm.lose("note", CrmUnavailable())

    async def find(_: Any, note: CallNote, *, since_s: int) -> Logged | None:
        return next((Logged("leads", 800, 1) for one in house.crm.notes if one.uniq == note.uniq), None)

    house.crm.find_call = find  # type: ignore[method-assign]
    await attempt(house, await attempt(house, job(house, ids[1])))

    house.crm.waiting.clear()
    house.crm.notes.clear()
    house.crm.faults.pop("log_call", None)
    await house.logging.learned(ACCOUNT, [CLIENT[-10:]])
    for attach in house.shelf.of("attach"):
        await house.logging.attach([attach])

    assert {note.uniq for note in house.crm.notes} == set(ids)


async def test_a_lane_lost_while_we_asked_sends_nothing(house: House) -> None:
    """Questions are asked before a repeated caller's note is written: another node may have written it by then."""
    nobody_is_known(house)
    ids = await calls_of_a_stranger(house, "r1", "r2")
    await attempt(house, job(house, ids[0]))
    asked = house.crm.unsorted

    async def frozen(*what: Any) -> Any:
        house.is_alive = False
        return await asked(*what)

    house.crm.unsorted = frozen  # type: ignore[method-assign]
    await attempt(house, job(house, ids[1]))

    assert house.crm.notes == []


# -- a caller created a moment ago -------------------------------------------------------------------------------


async def test_a_contact_whose_note_is_put_off_is_made_once(house: House) -> None:
    """amoCRM says "too fast" to the note; two seconds later its search does not know the new contact yet."""
    lagging(house)
    (call_id,) = await calls_to_a_stranger(house, "r1")
    house.crm.fail("note", CrmRateLimited())

    await attempt(house, await attempt(house, job(house, call_id)))

    assert (len(house.crm.created), len(house.crm.notes)) == (1, 1)


async def test_two_calls_to_a_new_number_make_one_contact(house: House) -> None:
    """After an outage the second is logged within milliseconds of the first."""
    lagging(house)
    for call_id in await calls_to_a_stranger(house, "r1", "r2"):
        await attempt(house, job(house, call_id))

    assert (len(house.crm.created), len(house.crm.notes)) == (1, 2)


async def test_a_contact_that_was_deleted_meanwhile_is_made_anew(house: House) -> None:
    """Somebody took the first call's contact for rubbish; the second call is not lost with it."""
    lagging(house)
    first, second = await calls_to_a_stranger(house, "r1", "r2")
    await attempt(house, job(house, first))
    house.crm.fail("note", CrmRefused("NotFound"))

    await attempt(house, job(house, second))

    assert (len(house.crm.created), len(house.crm.notes)) == (2, 2)


async def test_a_contact_that_takes_no_note_is_not_made_anew(house: House) -> None:
    """It is there, and amoCRM refuses for another reason: the number decides, and no second contact is made."""
    (first,) = await calls_to_a_stranger(house, "r1")
    lagging(house)
    await attempt(house, job(house, first))
    del house.crm.log_call  # type: ignore[attr-defined]
    house.crm.fail("log_call", CrmEntityUnknown())
    house.crm.fail("note", CrmRefused("NotSupportedChoice"))
    house.crm.rows["contacts"] = [BookRow(id=501, name="Анна", owner_id=0, group_id=0)]
    (second,) = await calls_to_a_stranger(house, "r2")

    await attempt(house, job(house, second))

    assert (len(house.crm.created), len(house.crm.notes)) == (1, 2)


def lagging(house: House) -> None:
    """amoCRM's search does not find whom it has just been given."""

    async def log_call(*_: Any) -> Logged:
        raise CrmEntityUnknown

    house.crm.log_call = log_call  # type: ignore[method-assign]
