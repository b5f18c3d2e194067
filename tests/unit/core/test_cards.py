"""What a call is to each of its agents."""

from collections.abc import Sequence
from typing import Any

import pytest
from test_calls import ANSWERED, BUSY, CALL_BACK, CLIENT, GROUP, MISSED, SIPUNI_CALL_BACK, TRANSFER, leg, ms, told

from server.core import calls, cards
from server.core.calls import Call, Order
from server.core.cards import Marks, Viewpoint
from server.core.events import CallEvent, LegAnswered, LegEnded, LegHeld, LegRang
from server.core.messages import CallerView, Person
from server.core.vocabulary import CallerKind, Capability, CardState, Direction, Result, Side

OLGA = Person(1, "Ольга", "201")
PAVEL = Person(2, "Павел", "202")
STRANGER = CallerView(kind=CallerKind.UNKNOWN, phone=CLIENT)


def of(*extensions: str, **more: object) -> Viewpoint:
    return Viewpoint(frozenset(extensions), {"201": OLGA, "202": PAVEL}, **more)  # type: ignore[arg-type]


def state(events: Sequence[CallEvent], *extensions: str) -> CardState:
    return cards.card_state(told(events), set(extensions))


@pytest.mark.parametrize(
    ("events", "extension", "expected"),
    [
        (ANSWERED[:1], "201", CardState.RINGING),
        (ANSWERED[:2], "201", CardState.TALKING),
        ([*ANSWERED[:2], leg(LegHeld, 9, "201")], "201", CardState.HELD),
        (ANSWERED, "201", CardState.ENDED),
        (MISSED, "201", CardState.MISSED),
        (BUSY, "201", CardState.MISSED),
        (GROUP[:2], "202", CardState.RINGING),
        (GROUP[:4], "201", CardState.ELSEWHERE),
        (GROUP, "201", CardState.ELSEWHERE),
        (GROUP, "202", CardState.ENDED),
        (TRANSFER[:4], "202", CardState.ELSEWHERE),
        (TRANSFER[:4], "203", CardState.RINGING),
        (TRANSFER, "202", CardState.ENDED),
        (CALL_BACK[:2], "201", CardState.RINGING),
        (CALL_BACK[:3], "201", CardState.RINGING),
        (CALL_BACK[:4], "201", CardState.RINGING),
        (CALL_BACK[:5], "201", CardState.TALKING),
        (CALL_BACK, "201", CardState.ENDED),
        (SIPUNI_CALL_BACK[:3], "201", CardState.RINGING),
        (SIPUNI_CALL_BACK, "201", CardState.ENDED),
    ],
)
def test_each_moment_of_a_call_has_its_card(events: list[CallEvent], extension: str, expected: CardState) -> None:
    """The same call is ringing to one, elsewhere to another."""
    assert state(events, extension) is expected


def test_a_group_member_whose_telephone_gave_up_has_missed_it_so_far() -> None:
    """201 rang out while 202 still rings: nobody has it yet."""
    ringing = [GROUP[0], GROUP[1], GROUP[3]]

    assert state(ringing, "201") is CardState.MISSED
    assert state([*ringing, GROUP[2]], "201") is CardState.ELSEWHERE


def test_hang_up_is_offered_to_who_talks_where_the_vendor_can() -> None:
    """Only buttons that work, only to who is on the line."""
    can = frozenset({Capability.HANGUP})
    talking, ringing = told(ANSWERED[:2]), told(ANSWERED[:1])

    assert cards.card(talking, STRANGER, of("201", capabilities=can), Marks()).can == ("hangup",)
    assert cards.card(talking, STRANGER, of("201"), Marks()).can == ()
    assert cards.card(ringing, STRANGER, of("201", capabilities=can), Marks()).can == ()


def test_the_card_names_who_answered_and_who_handed_over() -> None:
    """Names come from the seats of the line."""
    view = cards.card(told(TRANSFER[:5]), STRANGER, of("202"), Marks())

    assert view.transferred_by == PAVEL
    assert view.state is CardState.ELSEWHERE


def test_an_internal_caller_is_the_colleague_at_the_other_end() -> None:
    """The callee sees the caller, the caller sees the callee."""
    internal = leg(LegRang, 0, "202", from_extension="201", client_phone=None, direction=Direction.INTERNAL)
    call = told([internal])

    assert cards.internal_caller(call, {"202"}, {"201": OLGA}).name == "Ольга"
    assert cards.internal_caller(call, {"201"}, {"202": PAVEL}).phone == "202"
    assert cards.extensions_of(call) == {"201", "202"}


def test_who_ordered_a_call_sees_it_before_any_telephone_rings() -> None:
    """The order's extension belongs to the audience."""
    order = Order(id="o", agent_id=7, extension="205", phone=CLIENT)
    call, _ = calls.bind(told([leg(LegRang, 0, "client", side=Side.CLIENT, extension="")]), order)

    assert "205" in cards.extensions_of(call)


def test_an_ended_call_leaves_the_screens_after_two_minutes_of_our_clock() -> None:
    """The vendor's clock may be hours off: ours counts."""
    call: Call = told(ANSWERED)
    heard = calls.structs.replace(call, heard_ms=ms(70))

    assert cards.is_shown(heard, ms(189))
    assert not cards.is_shown(heard, ms(190))
    assert cards.is_shown(told(ANSWERED[:2]), ms(99999))


def test_a_second_answered_extension_of_mine_is_my_talk() -> None:
    """A user with two telephones."""
    events = [GROUP[0], GROUP[1], leg(LegAnswered, 6, "202")]

    assert state(events, "201", "202") is CardState.TALKING


@pytest.mark.parametrize("target", [{"extension": "203"}, {"extension": "202", "side": Side.CLIENT}])
def test_who_handed_a_call_on_has_it_no_more(target: dict[str, Any]) -> None:
    """MANGO's blind transfer: the new leg names the agent as its source at first, inside or outside."""
    events = [
        *TRANSFER[:2],
        leg(LegHeld, 30, "202"),
        leg(LegRang, 30, "new", **{"from_extension": "202", "transferred_by": "202"} | target),
        leg(LegEnded, 31, "202", result=Result.UNKNOWN),
    ]

    assert state(events, "202") is CardState.ELSEWHERE
    assert state([*events, leg(LegAnswered, 35, "new", **target)], "202") is CardState.ELSEWHERE


def test_a_transfer_that_comes_back_rings_anew() -> None:
    """Nobody took it: it is the agent's again."""
    events = [
        *TRANSFER[:2],
        leg(LegEnded, 31, "202", result=Result.UNKNOWN, transferred_by="202"),
        leg(LegRang, 50, "back", extension="202", transferred_by="202"),
    ]

    assert state(events, "202") is CardState.RINGING
