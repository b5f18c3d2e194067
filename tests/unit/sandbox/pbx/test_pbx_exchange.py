"""The simulated exchange, without any vendor."""

import pytest

from server.sandbox.pbx.clock import StoryClock
from server.sandbox.pbx.exchange import Exchange, Side
from server.sandbox.pbx.model import (
    Call,
    Direction,
    Happening,
    LegState,
    LegTransferred,
    Party,
    Place,
    Reason,
    Stage,
    call_of,
)

CLIENT = Party(number="79161234567")


class Recorder:
    """Writes down what happened, as readable words."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def __call__(self, happening: Happening) -> None:
        name = type(happening).__name__
        leg = happening.new if isinstance(happening, LegTransferred) else getattr(happening, "leg", None)
        if leg is None:
            self.words.append(name)
        elif leg.place is Place.PHONE:
            self.words.append(f"{name} {leg.target.extension or leg.target.number}")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def exchange(recorder: Recorder) -> Exchange:
    return Exchange(clock=StoryClock(), listener=recorder)


def group_call(exchange: Exchange) -> Call:
    call = exchange.arrive(CLIENT.number, "74951234567")
    phones = (Party(extension="201"), Party(extension="202"))
    exchange.ring(call, Stage(CLIENT, phones, group="300", queue=True))
    return call


def talking(exchange: Exchange) -> Call:
    call = exchange.arrive(CLIENT.number, "74951234567")
    exchange.ring(call, Stage(CLIENT, (Party(extension="201"),)))
    exchange.answer(call.ringing[0])
    return call


async def test_first_answer_stops_the_other_phones(exchange: Exchange, recorder: Recorder) -> None:
    """Of two ringing phones the one that is picked up talks, the other stops at once."""
    call = group_call(exchange)

    exchange.answer(call.ringing[1])

    assert recorder.words[-3:] == ["LegAnswered 202", "LegEnded 201", "TalkStarted 202"]
    assert call.legs[2].reason is Reason.ELSEWHERE


async def test_two_phones_can_answer_within_a_second(exchange: Exchange) -> None:
    """The loser of a double answer talked for a moment and is then thrown out."""
    call = group_call(exchange)
    first, second = call.ringing

    exchange.answer(first, exclusive=False)
    exchange.answer(second)

    assert first.answered_at is not None
    assert (first.state, first.reason, call.talk) == (LegState.ENDED, Reason.ELSEWHERE, second)


async def test_call_goes_on_while_another_phone_rings(exchange: Exchange) -> None:
    """One employee who rejects does not end a group call."""
    call = group_call(exchange)

    exchange.decline(call.ringing[0], Reason.REJECTED)

    assert call.is_live
    assert [leg.target.extension for leg in call.ringing] == ["202"]


async def test_last_rejection_ends_the_call(exchange: Exchange, recorder: Recorder) -> None:
    """When nobody is left to ring, the call is over, its queue too."""
    call = group_call(exchange)

    for leg in call.ringing:
        exchange.decline(leg, Reason.REJECTED)

    assert recorder.words[-1] == "CallEnded"
    assert not call.live_legs


async def test_callback_rings_the_client_only_after_the_employee_answered(exchange: Exchange) -> None:
    """A click-to-call's second stage starts with the first answer, and talk only with the second."""
    employee = Party(extension="201")
    plan = [Stage(CLIENT, (employee,)), Stage(employee, (CLIENT,))]
    call = exchange.place(Call(Direction.OUT, CLIENT.number, "74951234567", order="o1", plan=plan))
    assert [leg.target for leg in call.ringing] == [employee]

    exchange.answer(call.ringing[0])

    assert [leg.target for leg in call.ringing] == [CLIENT]
    assert call.talk is None
    exchange.answer(call.ringing[0])
    assert call.talk is not None


async def test_unanswered_blind_transfer_comes_back(exchange: Exchange) -> None:
    """The initiator's phone rings again when the new one does not answer."""
    call = talking(exchange)
    assert call.talk
    exchange.transfer(call.talk, Party(extension="203"))

    exchange.decline(call.ringing[0], Reason.NO_ANSWER)

    assert [leg.target.extension for leg in call.ringing] == ["201"]
    exchange.decline(call.ringing[0], Reason.NO_ANSWER)
    assert not call.is_live


async def test_refused_consultation_gives_the_client_back(exchange: Exchange, recorder: Recorder) -> None:
    """A colleague who rejects leaves the initiator with his client."""
    call = talking(exchange)
    assert call.talk
    exchange.consult(call.talk, Party(extension="203"))

    exchange.decline(call.ringing[0], Reason.REJECTED)

    assert recorder.words[-1] == "LegResumed 201"
    assert call.talk.state is LegState.TALKING


async def test_initiators_hang_up_completes_a_consultation(exchange: Exchange, recorder: Recorder) -> None:
    """After "ask first" the employee leaves and the client talks with the colleague."""
    call = talking(exchange)
    assert call.talk
    exchange.consult(call.talk, Party(extension="203"))
    exchange.answer(call.ringing[0])

    exchange.hang_up(call, Side.EMPLOYEE)

    assert recorder.words[-3:] == ["LegEnded 201", "LegMoved 203", "TalkStarted 203"]
    assert call.is_live


@pytest.mark.parametrize(
    ("by", "reason"), [(Side.CLIENT, Reason.CALLER), (Side.EMPLOYEE, Reason.CALLEE), (Side.API, Reason.API)]
)
async def test_reason_says_who_hung_up(exchange: Exchange, by: Side, reason: Reason) -> None:
    """In an incoming call the client is the caller."""
    call = talking(exchange)

    exchange.hang_up(call, by)

    assert call.reason is reason


async def test_late_buttons_do_nothing(exchange: Exchange, recorder: Recorder) -> None:
    """Answering, transferring or hanging up a call that is over changes nothing."""
    call = talking(exchange)
    leg = call.talk
    assert leg
    exchange.hang_up(call, Side.CLIENT)
    before = list(recorder.words)

    exchange.answer(leg)
    exchange.decline(leg, Reason.BUSY)
    exchange.transfer(leg, Party(extension="203"))
    exchange.consult(leg, Party(extension="203"))
    exchange.hang_up(call, Side.EMPLOYEE)

    assert recorder.words == before


async def test_phones_of_a_steered_call_give_up(recorder: Recorder) -> None:
    """A call that nobody picks up by hand is missed after the ring limit, not for ever live."""
    clock = StoryClock()
    exchange = Exchange(clock=clock, listener=recorder, ring_limit_s=30)
    call = exchange.arrive(CLIENT.number, "74951234567", by_hand=True)
    exchange.ring(call, Stage(CLIENT, (Party(extension="201"),)))

    await exchange.rung_out()

    assert (call.is_live, call.reason) == (False, Reason.NO_ANSWER)
    assert call.ended_at == call.started_at + 30


def test_every_happening_belongs_to_a_call() -> None:
    """A transfer names two legs of one call."""
    call = Call(Direction.IN, "1", "2")
    leg = type("Leg", (), {"call": call})()

    assert call_of(LegTransferred(leg, leg)) is call
