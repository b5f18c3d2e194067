"""Logging finished calls: one note each, whatever fails in between."""

from typing import Any

import msgspec
import pytest
from fakes.hooks import CLIENT, START_S, answered, ended, mango, mango_call, rang, sipuni
from fakes.house import ACCOUNT, IRINA, LINE, MANGO_LINE, OLGA, PAVEL, PUBLIC_URL, SEATS, House
from msgspec import structs

from server.core.crm import CallNote
from server.core.dial import Dial
from server.core.errors import (
    CrmBlocked,
    CrmRateLimited,
    CrmRefused,
    CrmTokenDead,
    CrmUnavailable,
)
from server.core.jobs import Hold, Job, Later, NotDone, Park
from server.core.records import Place, Seat
from server.core.vocabulary import DialState, DialWay, Direction, Filed
from server.services.strangers import digest


def job(house: House, *, tries: int = 1, unsure: bool = False) -> Job:
    body = msgspec.json.encode(house.call.id)
    return Job(f"amo:{ACCOUNT}", "log", "log:1", body, tries=tries, unsure=unsure, at_ms=house.clock.now_ms)


async def tell(house: House, *hooks: Any, line_id: str = LINE) -> None:
    for hook in hooks:
        await house.hear(hook, line_id=line_id)


async def talk(house: House, **more: Any) -> None:
    """An answered inbound call, from 2 s to 9 s."""
    await tell(house, rang(**more), answered(**more), ended(**more))


async def logged(house: House) -> CallNote:
    await house.logging.log([job(house)])
    return house.crm.notes[-1]


async def outcome(house: House, **how: Any) -> NotDone:
    with pytest.raises(NotDone) as raised:
        await house.logging.log([job(house, **how)])
    return raised.value


async def test_an_answered_call_becomes_a_note(house: House) -> None:
    """Who, when, how long, under our id; and where amoCRM put it is remembered."""
    await talk(house)

    note = await logged(house)

    assert note == CallNote(
        uniq=house.call.id, direction=Direction.IN, phone=f"+{CLIENT}", duration_s=7, source="kommutator",
        started_s=START_S, status=4, user_id=OLGA,
    )  # fmt: skip
    assert await house.kept.calls.place(house.call.id) == Place(Filed.LOGGED, "contacts", 11, 1, told=digest(note))


@pytest.mark.parametrize(
    ("status", "expected"),
    [("NOANSWER", 6), ("BUSY", 7), ("CHANUNAVAIL", 3), ("CANCEL", 6), ("CONGESTION", 6)],
)
async def test_amocrms_status_of_a_call_that_nobody_took(house: House, status: str, expected: int) -> None:
    """No answer, busy, not in."""
    end = sipuni(2, at_s=9, status=status, call_start_timestamp=START_S, call_answer_timestamp=0)
    await tell(house, rang(), end)

    note = await logged(house)

    assert (note.status, note.duration_s) == (expected, 0)


async def test_an_outgoing_call_is_logged_as_one(house: House) -> None:
    """Dialled at the telephone; the note goes to the client's number."""
    out = {
        "src_type": 2, "src_num": "078332201", "short_src_num": "201", "dst_type": 1, "dst_num": CLIENT,
        "short_dst_num": None,
    }  # fmt: skip
    end = {"status": "ANSWER", "call_start_timestamp": START_S, "call_answer_timestamp": START_S + 2}
    await tell(house, sipuni(1, **out), sipuni(3, at_s=2, **out), sipuni(2, at_s=9, **out, **end))

    note = await logged(house)

    assert (note.direction, note.phone, note.user_id, note.duration_s) == (Direction.OUT, f"+{CLIENT}", OLGA, 7)


async def test_who_took_a_group_call_is_credited(house: House) -> None:
    """Two telephones rang, one was picked up."""
    await tell(
        house,
        rang("201"),
        rang("202"),
        answered("202"),
        ended("201", at_s=2, talk_from_s=None),
        ended("202"),
    )

    assert (await logged(house)).user_id == PAVEL


async def test_a_missed_call_of_one_telephone_is_its_agents(house: House) -> None:
    """He should call back."""
    await tell(house, rang(), ended(talk_from_s=None))

    assert (await logged(house)).user_id == OLGA


async def test_a_missed_group_call_is_nobodys(house: House) -> None:
    """amoCRM gives it to whoever is responsible for the client."""
    await tell(house, rang("201"), rang("202"), ended("201", talk_from_s=None), ended("202", talk_from_s=None))

    assert (await logged(house)).user_id is None


async def test_a_call_of_which_only_the_last_word_came_is_its_diallers(house: House) -> None:
    """The webhooks before it were lost: the summary names who called out."""
    summary = {
        "entry_id": "e-out", "call_direction": 2, "from": {"extension": "201", "number": ""},
        "to": {"number": CLIENT}, "create_time": START_S, "end_time": START_S + 20, "talk_time": 0,
        "disconnect_reason": 1111,
    }  # fmt: skip
    await tell(house, mango("events/summary", summary), line_id=MANGO_LINE)

    note = await logged(house)

    assert (note.user_id, note.direction, note.duration_s) == (OLGA, Direction.OUT, 0)


async def test_a_call_of_an_unmapped_extension_is_nobodys(house: House) -> None:
    """It is logged all the same."""
    await talk(house, extension="777")

    assert (await logged(house)).user_id is None


async def test_an_ordered_call_is_of_who_ordered_it(house: House) -> None:
    """Two people sit at the telephone; one of them clicked."""
    await house.lines.set_seats(ACCOUNT, [Seat(LINE, "201", OLGA), Seat(LINE, "201", IRINA)])
    order = Dial(
        id="d_1", account_id=ACCOUNT, agent_id=IRINA, line_id=LINE, extension="201", way=DialWay.NUMBER,
        phone=f"+{CLIENT}", key="k", created_ms=house.clock.now_ms, changed_ms=0, state=DialState.ACCEPTED,
    )  # fmt: skip
    await house.kept.dials.put(order)
    await talk(house)

    note = await logged(house)

    assert (note.user_id, note.direction) == (IRINA, Direction.OUT)


async def test_a_recording_goes_with_the_note(house: House) -> None:
    """By our own link, good for as long as we have the recording; the vendor's is nobody's business."""
    link = "https://sipuni.com/api/statistic/record?id=rec-1&hash=secret"
    await tell(house, rang(), answered(), ended(call_record_link=link))

    note = await logged(house)

    assert note.link.startswith(f"{PUBLIC_URL}/r/")
    assert "secret" not in note.link


async def test_a_withheld_number_is_not_logged(house: House) -> None:
    """There is nobody to put it to; it stays in our own journal."""
    await talk(house, src_num="anonymous")

    await house.logging.log([job(house)])

    assert house.crm.asked == []


@pytest.mark.parametrize("log_internal", [False, True])
async def test_an_internal_call_has_no_client_to_be_put_to(house: House, log_internal: bool) -> None:
    """amoCRM finds a card by the outside number, and there is none."""
    await house.accounts.set_prefs(ACCOUNT, log_internal=log_internal)
    await talk(house, src_type=2, src_num="078332202", short_src_num="202")

    await house.logging.log([job(house)])

    assert house.crm.asked == []


@pytest.mark.parametrize(("log_internal", "count"), [(False, 0), (True, 1)])
async def test_a_call_between_colleagues_by_an_outside_number_is_the_accounts_choice(
    house: House, log_internal: bool, count: int
) -> None:
    """MANGO calls it internal by its summary, and yet tells a number."""
    await house.accounts.set_prefs(ACCOUNT, log_internal=log_internal)
    summary = {
        "entry_id": "e1", "call_direction": 0, "from": {"extension": "202", "number": ""}, "create_time": START_S,
        "to": {"extension": "201", "number": ""}, "talk_time": START_S + 2, "end_time": START_S + 9,
    }  # fmt: skip
    await tell(house, mango_call("Appeared", seq=1), mango("events/summary", summary), line_id=MANGO_LINE)

    await house.logging.log([job(house)])

    assert len(house.crm.notes) == count


async def test_a_call_that_goes_on_is_logged_later(house: House) -> None:
    """It was reopened within the grace."""
    await tell(house, rang())

    later = await outcome(house)

    assert isinstance(later, Later)
    assert later.unsure is None, "what was in doubt stays in doubt"
    assert house.crm.asked == []


async def test_a_call_that_is_not_in_the_database_is_parked(house: House) -> None:
    """A person has to look."""
    body = msgspec.json.encode("c_nowhere")

    with pytest.raises(Park):
        await house.logging.log([Job(f"amo:{ACCOUNT}", "log", "k", body)])


async def test_an_account_that_is_switched_off_holds_its_lane(house: House) -> None:
    """Everything kept goes out when it comes back."""
    await talk(house)
    await house.accounts.disable(ACCOUNT)

    assert isinstance(await outcome(house), Hold)


@pytest.mark.parametrize(
    ("error", "kind", "unsure"),
    [
        (CrmRateLimited(), Hold, False),
        (CrmBlocked(), Hold, False),
        (CrmUnavailable(), Later, True),
        (CrmTokenDead(), Hold, False),
    ],
)
async def test_an_account_that_is_sick_holds_its_lane(
    house: House, error: Exception, kind: type[NotDone], unsure: bool
) -> None:
    """Unsure only where amoCRM may have done it."""
    await talk(house)
    house.crm.fail("log_call", error)

    answer = await outcome(house)

    assert isinstance(answer, kind)
    assert isinstance(answer, Later)
    assert answer.unsure is unsure


async def test_a_refused_call_is_parked(house: House) -> None:
    """Sending it again would be refused again."""
    await talk(house)
    house.crm.fail("log_call", CrmRefused("responsible_user_id: no such user"))

    answer = await outcome(house)

    assert isinstance(answer, Park)
    assert "no such user" in answer.note


async def test_a_dead_token_is_told_to_the_administrators(house: House) -> None:
    """Nothing is lost: the lane waits for a new authorisation."""
    admin = house.screen(is_admin=True)
    await talk(house)
    house.crm.fail("log_call", CrmTokenDead())

    await outcome(house)

    assert admin.of("alert")[-1]["alert"]["slug"] == "crm-token-dead"


async def test_a_note_that_was_written_is_found_and_not_written_again(house: House) -> None:
    """amoCRM wrote it, and its answer was lost."""
    await talk(house)
    house.crm.lose("log_call", CrmUnavailable())
    await outcome(house)

    await house.logging.log([job(house, tries=2, unsure=True)])

    assert len(house.crm.notes) == 1


async def test_a_note_that_shows_late_is_looked_for_twice(house: House) -> None:
    """The first look was too early."""
    await talk(house)
    house.crm.lose("log_call", CrmUnavailable())
    await outcome(house)
    house.crm.hidden_looks = 1

    await house.logging.log([job(house, tries=2, unsure=True)])

    assert house.crm.count("find_call") == 2
    assert len(house.crm.notes) == 1


async def test_a_note_that_is_not_there_is_written(house: House) -> None:
    """The first attempt never reached amoCRM."""
    await talk(house)

    await house.logging.log([job(house, tries=2, unsure=True)])

    assert house.crm.count("find_call") == 2
    assert len(house.crm.notes) == 1


async def test_a_sure_job_is_not_looked_for(house: House) -> None:
    """A look costs several of seven requests a second."""
    await talk(house)

    await logged(house)

    assert house.crm.count("find_call") == 0


async def test_a_look_that_fails_leaves_the_job_unsure(house: House) -> None:
    """Nothing is written on a guess."""
    await talk(house)
    house.crm.fail("find_call", CrmRateLimited())

    answer = await outcome(house, tries=2, unsure=True)

    assert isinstance(answer, Hold)
    assert answer.unsure is True
    assert house.crm.notes == []


async def test_nothing_is_sent_from_a_lane_that_was_lost(house: House) -> None:
    """Another node works on it by now."""
    await talk(house)
    house.is_alive = False

    assert isinstance(await outcome(house), Later)
    assert house.crm.asked == []


async def test_seats_decide_at_the_moment_of_logging(house: House) -> None:
    """An administrator mapped the extension while the call waited."""
    await talk(house, extension="777")
    await house.lines.set_seats(ACCOUNT, [*SEATS, Seat(LINE, "777", IRINA)])

    assert (await logged(house)).user_id == IRINA


async def test_a_call_that_was_logged_is_not_logged_again(house: House) -> None:
    """The process died between amoCRM's answer and the end of the job."""
    await talk(house)
    await logged(house)

    await house.logging.log([job(house, tries=2, unsure=True)])

    assert len(house.crm.notes) == 1
    assert house.crm.count("find_call") == 0


async def test_who_talked_one_after_another_stands_in_the_note(house: House) -> None:
    """Olga answered and handed the client on to Pavel: it is his call, and her part is told."""
    handed_on = {"transfer_from": "201"}
    await tell(
        house,
        rang("201"),
        answered("201"),
        rang("202", at_s=4, **handed_on),
        answered("202", at_s=5, **handed_on),
        ended("201", at_s=5),
        ended("202", talk_from_s=5, **handed_on),
    )

    note = await logged(house)

    assert (note.user_id, note.result_text) == (PAVEL, "Говорили: Ольга → Павел")


async def test_a_call_without_a_told_end_says_so(house: House) -> None:
    """Its length is a guess."""
    await tell(house, rang(), answered())
    house.clock.pass_s(5 * 3600)
    await house.calls.expire([one for one in house.jobs if one.kind == "expire"])

    assert "не сообщила" in (await logged(house)).result_text


# -- news of a call that was logged ----------------------------------------------------------------------------------


async def correct(house: House) -> None:
    """Carry out what the newest decision asks for."""
    (news,) = [one for one in house.decisions[-1].jobs if one.kind == "correct"]
    await house.logging.correct([news])


async def test_a_late_answer_corrects_the_note(house: House) -> None:
    """A missed call turns out to have been answered: status, length and whose it is."""
    await tell(house, rang(), ended(talk_from_s=None))
    assert (await logged(house)).status == 6

    await tell(house, answered())
    await correct(house)

    (note,) = house.crm.notes
    assert (note.status, note.user_id) == (4, OLGA)


async def test_a_recording_that_is_announced_late_is_linked(house: House) -> None:
    """The note was written without it."""
    await talk(house)
    assert (await logged(house)).link == ""

    await tell(house, ended(call_record_link="https://sipuni.com/api/statistic/record?id=rec-1&hash=s"))
    await correct(house)

    (note,) = house.crm.notes
    assert note.link.startswith(f"{PUBLIC_URL}/r/")


async def test_a_recording_told_with_the_hang_up_asks_for_nothing_more(house: House) -> None:
    """A request to amoCRM per call is one in seven a second."""
    await tell(house, rang(), answered(), ended(call_record_link="https://sipuni.com/api/statistic/record?id=rec-1"))

    assert "correct" not in [one.kind for one in house.decisions[-1].jobs]


async def test_a_note_that_says_it_all_is_left_alone(house: House) -> None:
    """The news came before the call was logged."""
    await tell(house, rang(), ended(talk_from_s=None), answered())
    await logged(house)

    await correct(house)

    assert house.crm.count("amend") == 0


async def test_news_of_a_call_that_is_not_logged_yet_waits(house: House) -> None:
    """Its note may be on its way; it is corrected soon after, however long that took."""
    await tell(house, rang(), ended(talk_from_s=None), answered())
    (news,) = [one for one in house.decisions[-1].jobs if one.kind == "correct"]

    with pytest.raises(Later) as later:
        await house.logging.correct([structs.replace(news, tries=10)])

    assert later.value.after_s <= 30


async def test_a_note_that_somebody_deleted_stays_deleted(house: House) -> None:
    """amoCRM refuses to change what is gone."""
    await tell(house, rang(), ended(talk_from_s=None))
    await logged(house)
    await tell(house, answered())
    house.crm.fail("amend", CrmRefused("NotFound"))

    await correct(house)

    assert len(house.crm.notes) == 1
