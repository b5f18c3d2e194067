"""An order finds its call, and the state line follows it."""

import pytest
from msgspec import structs
from test_calls import CALL_BACK, SIPUNI_CALL_BACK, leg, ms, told

from server.core import calls, dial
from server.core.dial import Dial
from server.core.events import LegAnswered, LegRang
from server.core.messages import Problem
from server.core.vocabulary import DialState, DialWay, Direction, Side

PHONE = "+79161234567"


def order(**more: object) -> Dial:
    fields: dict[str, object] = {
        "id": "d1", "account_id": 1, "agent_id": 7, "line_id": "l", "extension": "201", "way": DialWay.NUMBER,
        "phone": PHONE, "key": "k", "created_ms": ms(-1), "changed_ms": ms(-1), **more,
    }  # fmt: skip
    return Dial(**fields)  # type: ignore[arg-type]


def test_an_order_fits_the_first_call_of_its_extension_and_number() -> None:
    """No vendor reference: extension, number and time decide."""
    assert dial.fits(order(), told(SIPUNI_CALL_BACK[:1]))


@pytest.mark.parametrize(
    "other",
    [
        order(extension="202"),
        order(phone="+79160000000"),
        order(created_ms=ms(-100)),
    ],
)
def test_an_order_does_not_fit_anothers_call(other: Dial) -> None:
    """Another extension, another number, or too long ago."""
    assert not dial.fits(other, told(SIPUNI_CALL_BACK[:1]))


def test_a_caller_without_a_number_is_nobodys_order() -> None:
    """The order still waits while a withheld number rings the same telephone: it came over the trunk."""
    trunk = leg(LegRang, 0, "trunk", side=Side.TRUNK, client_phone=None)
    rung = leg(LegRang, 0, "201", client_phone=None)

    assert dial.fits(order(), told([rung]))
    assert not dial.fits(order(), told([trunk, rung]))


def test_the_vendors_reference_decides_alone() -> None:
    """MANGO echoes our id, whatever the rest says."""
    call = told([leg(LegRang, 0, "L1", extension="299", order_ref="d1", client_phone=None)])

    assert dial.fits(order(), call)


def test_an_external_order_fits_by_either_number() -> None:
    """Number to number: no extension rings, and either party may be called first."""
    away = order(way=DialWay.EXTERNAL, from_phone="+74990001122")
    first = leg(LegRang, 0, "client", side=Side.CLIENT, client_phone="+74990001122", direction=Direction.OUT)

    assert dial.fits(away, told([first]))


def test_the_state_line_follows_the_call() -> None:
    """Your phone rings, the client's phone rings, talking, ended."""
    states = []
    one, bound = order(), calls.Order("d1", 7, "201", PHONE)
    for told_so_far in (1, 2, 4, 5, 7):
        call, _ = calls.bind(told(CALL_BACK[:told_so_far]), bound)
        one = dial.follow(one, call, ms(told_so_far))
        states.append(one.state)

    assert states == [
        DialState.AGENT_RINGING, DialState.CLIENT_RINGING, DialState.CLIENT_RINGING, DialState.TALKING, DialState.ENDED,
    ]  # fmt: skip
    assert one.call_id == "k1"


def test_an_answer_that_comes_after_the_call_began_does_not_set_it_back() -> None:
    """The PBX's "accepted" may be overtaken by the events of the call."""
    ringing = structs.replace(order(), state=DialState.AGENT_RINGING, call_id="k1")

    accepted = dial.accept(ringing, "ref", ms(1))

    assert (accepted.state, accepted.order_ref) == (DialState.AGENT_RINGING, "ref")


def test_an_order_that_nothing_comes_of_falls_silent() -> None:
    """Said plainly; a found call or a failure is left alone."""
    silent = dial.fall_silent(order(state=DialState.ACCEPTED), ms(60))

    assert silent.state is DialState.SILENT
    assert silent.problem is not None
    assert dial.fall_silent(order(call_id="c"), ms(60)).state is DialState.ASKING
    assert dial.fall_silent(dial.fail(order(), Problem("x"), ms(0)), ms(60)).state is DialState.FAILED


def test_a_silent_order_may_yet_find_its_call_a_refused_one_may_not() -> None:
    """A PBX may queue an order for a minute."""
    assert dial.is_waiting(dial.fall_silent(order(), ms(60)), ms(70))
    assert not dial.is_waiting(dial.fail(order(), Problem("x"), ms(1)), ms(2))
    assert not dial.is_waiting(order(), ms(200))


def test_the_state_line_of_an_external_call_knows_the_agents_own_telephone() -> None:
    """The agent's mobile is "your phone", though the PBX dials it like any other number."""
    away = order(way=DialWay.EXTERNAL, from_phone="+79000000201")
    own = {"side": Side.CLIENT, "extension": "201", "direction": Direction.OUT, "client_phone": "+79000000201"}
    out = {**own, "client_phone": PHONE}
    story = [leg(LegRang, 0, "own", **own), leg(LegAnswered, 4, "own", **own), leg(LegRang, 4, "client", **out)]
    bound = calls.Order("d1", 7, "201", PHONE, "+79000000201")

    states = [dial.follow(away, calls.bind(told(story[:told_so_far]), bound)[0], ms(9)).state for told_so_far in (1, 2)]
    states.append(dial.follow(away, calls.bind(told(story), bound)[0], ms(9)).state)

    assert states == [DialState.AGENT_RINGING, DialState.CLIENT_RINGING, DialState.CLIENT_RINGING]
