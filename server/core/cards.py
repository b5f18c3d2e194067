"""What a call is to one agent: the card that he sees, and whether he sees one at all."""

from collections.abc import Collection, Mapping

from msgspec import Struct

from .calls import Call
from .legs import Leg
from .messages import CallerView, CallView, Person
from .vocabulary import (
    RECENT_S,
    CallerKind,
    Capability,
    CardState,
    Direction,
    LegState,
    Result,
    Side,
)

OPEN_STATES = {LegState.TALKING: CardState.TALKING, LegState.HELD: CardState.HELD, LegState.RINGING: CardState.RINGING}
"""A leg that goes on and the card it makes; of several legs the first in this order counts."""


def is_shown(call: Call, now_ms: int) -> bool:
    """Whether the call belongs on screens: it goes on, or ended no longer than two minutes ago."""
    return call.is_live or now_ms - call.heard_ms < RECENT_S * 1000


def extensions_of(call: Call) -> set[str]:
    """The extensions whose agents see the call: those that rang, talked or dialled it."""
    seen = {leg.extension for leg in call.legs.values() if leg.extension}
    seen |= {caller for leg in call.legs.values() if (caller := leg.from_extension)}
    if not call.legs and call.closed is not None:  # of this call only the last word was heard
        told = call.closed
        seen |= {extension for extension in (*told.rang, told.answered_by, told.dialled_by) if extension}
    return seen | ({call.order.extension} if call.order else set())


def named_in(call: Call) -> set[str]:
    """The extensions whose people the call's card may name: those that see it, who took it, who handed it over."""
    told = {call.verdict.answered_by, *(leg.word("transferred_by") for leg in call.legs.values())}
    return extensions_of(call) | {extension for extension in told if extension}


def card_state(call: Call, extensions: Collection[str]) -> CardState:
    """What the call is now to the agent who has these extensions on its line."""
    mine = [leg for leg in call.legs.values() if _is_of(leg, extensions)]
    if not call.is_live:
        return _ended_state(call, mine, extensions)
    if mine and call.direction is Direction.OUT and call.verdict.answered_ms is None:
        return CardState.RINGING
    states = {leg.state for leg in mine if leg.is_open}
    for state, card in OPEN_STATES.items():
        if state in states:
            return card
    if any(leg.answered_ms is not None for leg in mine):
        return CardState.ELSEWHERE
    return CardState.RINGING if not mine else _without_me(call)


def _is_of(leg: Leg, extensions: Collection[str]) -> bool:
    """Not a leg by which these extensions handed the call on, unless it comes back to them."""
    is_back = leg.side is Side.AGENT and leg.extension in extensions
    if leg.word("transferred_by") in extensions and not is_back:
        return False
    return leg.extension in extensions or leg.from_extension in extensions


def _without_me(call: Call) -> CardState:
    return CardState.ELSEWHERE if call.verdict.answered_ms is not None else CardState.MISSED


def _ended_state(call: Call, mine: list[Leg], extensions: Collection[str]) -> CardState:
    verdict = call.verdict
    if call.direction is Direction.OUT or verdict.answered_by in extensions:
        return CardState.ENDED
    if any(leg.answered_ms is not None or leg.from_extension in extensions for leg in mine):
        return CardState.ENDED
    return CardState.ELSEWHERE if verdict.result is Result.ANSWERED else CardState.MISSED


def internal_caller(call: Call, extensions: Collection[str], colleagues: Mapping[str, Person]) -> CallerView:
    """The colleague at the other end of an internal call; `colleagues` by extension."""
    legs = call.legs.values()
    told = [*(leg.from_extension for leg in legs), *(leg.extension for leg in legs)]
    other = next((extension for extension in told if extension and extension not in extensions), "")
    person = colleagues.get(other)
    return CallerView(kind=CallerKind.INTERNAL, phone=other, name=person.name if person else "")


class Viewpoint(Struct, frozen=True):
    """Who looks: the agent's extensions on the call's line, the colleagues by extension, the line."""

    extensions: frozenset[str]
    colleagues: Mapping[str, Person]
    capabilities: frozenset[Capability] = frozenset()
    line_name: str = ""


class Marks(Struct, frozen=True):
    """What is remembered of this call for this agent beside the call itself."""

    recording_url: str = ""
    is_recording_pending: bool = False
    is_dismissed: bool = False
    is_noticed: bool = False


def card(call: Call, caller: CallerView, viewpoint: Viewpoint, marks: Marks) -> CallView:
    """The card of a call as one agent sees it."""
    extensions, colleagues = viewpoint.extensions, viewpoint.colleagues
    verdict, state = call.verdict, card_state(call, extensions)
    transferred_by = next((by for leg in call.legs.values() if (by := leg.word("transferred_by"))), "")
    mine = sorted(extensions_of(call) & extensions)
    return CallView(
        id=call.id,
        direction=call.direction,
        state=state,
        caller=caller,
        started_at=verdict.started_ms // 1000,
        line_name=viewpoint.line_name,
        our_line=call.our_line or "",
        extension=mine[0] if mine else "",
        answered_at=_seconds(verdict.answered_ms),
        ended_at=_seconds(verdict.ended_ms),
        talk_s=verdict.talk_s,
        result=verdict.result,
        answered_by=colleagues.get(verdict.answered_by or ""),
        transferred_by=colleagues.get(transferred_by),
        recording_url=marks.recording_url,
        recording_pending=marks.is_recording_pending,
        is_dismissed=marks.is_dismissed,
        is_noticed=marks.is_noticed,
        can=_can(call, state, viewpoint.capabilities),
    )


def _can(call: Call, state: CardState, capabilities: Collection[Capability]) -> tuple[str, ...]:
    is_mine = state in (CardState.TALKING, CardState.HELD) or call.direction is Direction.OUT
    return (Capability.HANGUP,) if call.is_live and is_mine and Capability.HANGUP in capabilities else ()


def _seconds(moment_ms: int | None) -> int | None:
    return None if moment_ms is None else moment_ms // 1000
