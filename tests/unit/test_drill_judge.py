"""The drill's judge can say no: a planted fault of each kind is found."""

from typing import Any

import pytest

from tests.drill.judge import Held, Played, judge
from tests.drill.script import SHARES, Planned, plan

PHONE = "+79161234567"


def planned(**changed: Any) -> Planned:
    values: dict[str, Any] = {
        "number": 0, "vendor": "sipuni", "scenario": "answered", "phone": PHONE, "extension": "201", "talk_s": 3.0,
        "is_recorded": False, "is_stranger": False,
    }  # fmt: skip
    return Planned(**values | changed)


def ours(**changed: Any) -> dict[str, Any]:
    values = {
        "id": "c_1", "provider": "sipuni", "provider_call_id": "r", "direction": "in", "client_phone": PHONE,
        "state": "ended", "result": "answered", "talk_s": 3, "started_at": 1000,
    }  # fmt: skip
    return values | changed


def note(kind: str = "call_in", user: int = 11, **changed: Any) -> dict[str, Any]:
    at = {"noun": "contacts", "entity_id": 501}
    at = {name: changed.pop(name, value) for name, value in at.items()}
    params = {"uniq": "c_1", "duration": 3, "call_status": 4, "phone": PHONE} | changed
    return {"note_type": kind, "responsible_user_id": user, "params": params, **at}


def record(phone: str = PHONE, uniq: str = "c_1", **changed: Any) -> dict[str, Any]:
    told = {"uniq": uniq, "duration": 3, "from": phone, "call_responsible": 11} | changed
    return {"metadata": told, "_embedded": {"leads": [{"id": 701}]}}


def remark(text: str) -> dict[str, Any]:
    return {"entity_id": 701, "params": {"text": text}}


SAID = remark("АТС уточнила первый звонок этой заявки: разговор 0:03; сотрудник: Ольга")


def verdict(
    call: Any = None, notes: Any = None, records: Any = (), contacts: Any = None, leads: int = 0, remarks: Any = (),
    **plan_: Any,
) -> list[str]:  # fmt: skip
    calls = [ours()] if call is None else call
    users = {"201": 11, "202": 12, "203": 13, "204": 14}
    names = {"Ольга": 11, "Пётр": 12}
    phones = {("contacts", 501): {PHONE, "+79160000000"}, ("contacts", 502): {"+79160000000"}}
    phones |= {("leads", 601): {PHONE}}
    held = Held([note()] if notes is None else notes, records, contacts or {}, leads, users, names, remarks, phones)
    one = planned(**plan_)
    talk_s = one.talk_s if one.is_answered else 0.0
    return judge([Played(one, "r", 1000.0, talk_s)], calls, held).lines()


def test_what_is_as_it_was_played_is_clean() -> None:
    """The last line is the one that is promised."""
    assert verdict() == ["lost 0, doubled 0"]
    assert verdict(notes=[], records=[record()], is_stranger=True) == ["lost 0, doubled 0"]
    assert verdict(notes=[note(noun="leads", entity_id=601)]) == ["lost 0, doubled 0"]
    assert verdict(notes=[note(link="https://example.com/r")], is_recorded=True) == ["lost 0, doubled 0"]
    missed = {"call": [ours(direction="out", result="missed", talk_s=0)], "notes": [], "scenario": "outgoing_missed"}
    assert verdict(**missed, is_stranger=True) == ["lost 0, doubled 0"]
    assert verdict(call=[ours(provider_call_id="stat-5f")]) == ["lost 0, doubled 0"]


EARLY = record(duration=0, call_responsible=0)
"""A record that was made when little was known."""


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([], ["lasts 0 s", "belongs to 0"]),
        (["разговор 0:03; сотрудник: Ольга"], []),
        (["не отвечен; сотрудник: Пётр", "разговор 0:03; сотрудник: Ольга"], []),
        (["разговор 0:03; сотрудник: Ольга; запись: https://example.com/r"], ["has a recording"]),
        (["разговор 0:03; сотрудник: Ольга", "не отвечен; сотрудник: Ольга"], ["lasts 0 s", "the status 6"]),
        (["разговор 1:03; сотрудник: Ольга"], ["lasts 63 s"]),
        (["разговор 0:03; сотрудник: Пётр"], ["belongs to 12"]),
        (["разговор 0:03"], ["belongs to 0"]),
    ],
)
def test_what_stands_below_a_record_counts(texts: list[str], says: list[str]) -> None:
    """The last that was told: amoCRM amends no record in Unsorted."""
    remarks = [remark(f"АТС уточнила первый звонок этой заявки: {text}") for text in texts]

    *found, last = verdict(notes=[], records=[EARLY], remarks=remarks, is_stranger=True)

    assert len(found) == len(says)
    assert all(word in line for word, line in zip(says, found, strict=True))
    assert last == f"lost {len(says)}, doubled 0"


def test_a_remark_that_says_nothing_new_is_doubled() -> None:
    """It was written twice, though nobody learned anything."""
    *_, last = verdict(notes=[], records=[EARLY], remarks=[SAID, SAID], is_stranger=True)

    assert last == "lost 0, doubled 1"


@pytest.mark.parametrize(
    ("fault", "count", "says"),
    [
        ({"call": []}, "lost 1, doubled 1", "we do not know it"),
        ({"notes": []}, "lost 1, doubled 0", "is not in amoCRM"),
        ({"notes": [note(), note()]}, "lost 0, doubled 1", "stands 2 times"),
        ({"notes": [note()], "records": [record()]}, "lost 0, doubled 1", "stands 2 times"),
        ({"call": [ours(), ours(id="c_2")]}, "lost 0, doubled 1", "2 calls of ours"),
        ({"call": [ours(), ours(provider_call_id="x", id="c_2")]}, "lost 0, doubled 1", "nobody played it"),
        ({"notes": [note(), note(uniq="c_9")]}, "lost 0, doubled 1", "no call of ours"),
        ({"records": [record(uniq="c_1"), record(uniq="c_2")]}, "lost 0, doubled 3", "2 records in Unsorted"),
        ({"contacts": {"+79990000001": 2}}, "lost 0, doubled 1", "2 new contacts"),
        ({"leads": 1}, "lost 0, doubled 1", "a lead that no rule asks for"),
        ({"call": [ours(talk_s=9)]}, "lost 1, doubled 0", "talk of 9 s"),
        ({"call": [ours(talk_s=0)]}, "lost 1, doubled 0", "talk of 0 s"),
        ({"call": [ours(result="missed")]}, "lost 1, doubled 0", "answered is False"),
        ({"call": [ours(direction="out")]}, "lost 1, doubled 0", "direction is out"),
        ({"call": [ours(state="live")]}, "lost 1, doubled 0", "state is live"),
        ({"notes": [note(duration=60)]}, "lost 1, doubled 0", "lasts 60 s in amoCRM"),
        ({"notes": [note(duration=0)]}, "lost 1, doubled 0", "lasts 0 s in amoCRM"),
        ({"notes": [note(call_status=6)]}, "lost 1, doubled 0", "the status 6"),
        ({"notes": [note(call_status=None)]}, "lost 1, doubled 0", "the status 0"),
        ({"notes": [note("call_out")]}, "lost 1, doubled 0", "goes out in amoCRM"),
        ({"notes": [note(user=12)]}, "lost 1, doubled 0", "belongs to 12"),
        ({"notes": [note(phone="+79160000000")]}, "lost 1, doubled 0", "is with +79160000000"),
        ({"notes": [note(entity_id=502)]}, "lost 1, doubled 0", "at ['+79160000000']"),
        ({"notes": [note(noun="leads", entity_id=602)]}, "lost 1, doubled 0", "at []"),
        ({"is_recorded": True}, "lost 1, doubled 0", "has no recording"),
        ({"notes": [note(link="https://example.com/r")]}, "lost 1, doubled 0", "has a recording"),
        ({"call": [ours(talk_s=1)], "notes": [note(duration=0)], "talk_s": 1.3}, "lost 1, doubled 0", "lasts 0 s"),
        ({"remarks": [SAID]}, "lost 1, doubled 0", "in no open record"),
        (
            {
                "call": [ours(direction="out", result="missed", talk_s=0)],
                "notes": [],
                "scenario": "outgoing_missed",
                "is_stranger": True,
                "contacts": {PHONE: 1},
            },
            "lost 1, doubled 0",
            "is not in amoCRM",
        ),
    ],
)
def test_every_kind_of_fault_is_found(fault: dict[str, Any], count: str, says: str) -> None:
    """And counted as what it is."""
    *findings, last = verdict(**fault)

    assert last == count
    assert any(says in finding for finding in findings)


def test_a_call_that_waits_for_its_number_is_not_lost() -> None:
    """By the default rules a stranger who did not pick up is nobody's contact yet."""
    call = ours(direction="out", result="no_answer", talk_s=0)
    assert verdict(call=[call], notes=[], scenario="outgoing_missed", is_stranger=True) == ["lost 0, doubled 0"]
    assert verdict(call=[call], notes=[], scenario="outgoing_missed")[-1] == "lost 1, doubled 0"


def test_the_script_is_the_same_for_a_seed_and_has_all_kinds() -> None:
    """Strangers, repeated ones among them, every scenario, both vendors."""
    phones = [f"+7916{number:07}" for number in range(300)]
    calls = list(plan(2000, phones, seed=3))

    assert calls == list(plan(2000, phones, seed=3)) != list(plan(2000, phones, seed=4))
    assert {call.scenario for call in calls} == SHARES.keys()
    assert {call.vendor for call in calls} == {"sipuni", "mango"}
    strangers = [call.phone for call in calls if call.is_stranger]
    assert 150 < len(set(strangers)) < len(strangers) < 700
