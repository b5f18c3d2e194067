"""Click-to-call: the order that waits for its call, how the two find each other, and the state line between them.

Few vendors give an id that returns in their events. So an order is matched by that reference where there is one,
else by extension, number and a window of time; the first call that fits takes it.
"""

from msgspec import Struct, structs

from .calls import Call
from .errors import VendorUnavailable
from .messages import DialView, Problem
from .phone import last10
from .vocabulary import CallState, DialState, DialWay, LegState, Side

WINDOW_MS = 90_000
"""How far apart an order and its call may be (pbx.md A.2): a PBX may queue an order for a minute."""

SILENT_MS = 60_000
"""After this long without any event, the agent is told that the PBX took the order and nothing came of it."""

OVER = frozenset({DialState.ENDED, DialState.FAILED, DialState.SILENT})
"""States from which a state line does not go on, except that a SILENT order may yet find its call."""


class Dial(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One click-to-call. `key` is the browser's, one per click; `order_ref` the vendor's, when it gave one."""

    id: str
    account_id: int
    agent_id: int
    line_id: str
    extension: str
    way: DialWay
    phone: str
    key: str
    created_ms: int
    changed_ms: int
    state: DialState = DialState.ASKING
    from_phone: str = ""
    scheme: str = ""
    order_ref: str = ""
    call_id: str = ""
    problem: Problem | None = None

    @property
    def is_over(self) -> bool:
        """Whether the state line has come to its end."""
        return self.state in OVER

    @property
    def is_refused(self) -> bool:
        """Whether the PBX surely makes no call. One that did not answer may have taken the order all the same."""
        return self.state is DialState.FAILED and (self.problem is None or self.problem.slug != VendorUnavailable.slug)


def is_waiting(dial: Dial, now_ms: int) -> bool:
    """Whether the order may still find a call."""
    return not dial.call_id and not dial.is_refused and now_ms - dial.created_ms < 2 * WINDOW_MS


def fits(dial: Dial, call: Call) -> bool:
    """Whether the call is what the order asked for."""
    told = call.word("order_ref")
    if told in (dial.id, dial.order_ref) and told:
        return True
    # By our clock: the vendor's may be hours off.
    if abs(call.received_ms - dial.created_ms) > WINDOW_MS:
        return False
    wanted = {last10(dial.phone), last10(dial.from_phone)} - {""}
    phones = {last10(phone) for leg in call.legs.values() if (phone := leg.word("client_phone"))}
    if dial.way is not DialWay.NUMBER:
        return bool(phones & wanted)
    rings = any(leg.extension == dial.extension for leg in call.legs.values())
    return rings and (last10(dial.phone) in phones or (not phones and not _is_from_outside(call)))


def _is_from_outside(call: Call) -> bool:
    """Whether it came in over a trunk, a menu or a queue: a caller without a number is nobody's order."""
    return any(leg.side not in (Side.AGENT, Side.CLIENT) for leg in call.legs.values())


def follow(dial: Dial, call: Call, now_ms: int) -> Dial:
    """The order after something happened to its call."""
    state = _state(call)
    if state is dial.state and dial.call_id == call.id:
        return dial
    return structs.replace(dial, state=state, call_id=call.id, changed_ms=now_ms, problem=None)


def fail(dial: Dial, problem: Problem, now_ms: int) -> Dial:
    """The PBX refused, or could not be asked."""
    return structs.replace(dial, state=DialState.FAILED, problem=problem, changed_ms=now_ms)


def accept(dial: Dial, order_ref: str, now_ms: int) -> Dial:
    """The PBX took the order. Its call's events may have come before this answer: they stand."""
    if dial.state is not DialState.ASKING:
        return structs.replace(dial, order_ref=dial.order_ref or order_ref)
    return structs.replace(dial, state=DialState.ACCEPTED, order_ref=order_ref, changed_ms=now_ms)


def fall_silent(dial: Dial, now_ms: int) -> Dial:
    """Nothing was heard of the order: say so. An order whose call was found is left alone."""
    if dial.call_id or dial.is_over:
        return dial
    problem = Problem(slug="vendor-silent", temporary=True)
    return structs.replace(dial, state=DialState.SILENT, problem=problem, changed_ms=now_ms)


def view(dial: Dial, *, can: tuple[str, ...] = ()) -> DialView:
    """The state line as the agent sees it."""
    return DialView(
        id=dial.id,
        way=dial.way,
        state=dial.state,
        phone=dial.phone,
        started_at=dial.created_ms // 1000,
        changed_at=dial.changed_ms // 1000,
        call_id=dial.call_id,
        extension=dial.extension,
        from_phone=dial.from_phone,
        problem=dial.problem,
        can=can,
    )


def _state(call: Call) -> DialState:
    if call.verdict.state is not CallState.LIVE:
        return DialState.ENDED
    if call.verdict.answered_ms is not None:
        return DialState.TALKING
    clients = [leg for leg in call.legs.values() if leg.side is Side.CLIENT]
    agents = [leg for leg in call.legs.values() if leg.side is Side.AGENT]
    if any(leg.state is LegState.RINGING for leg in clients) or any(leg.answered_ms for leg in agents):
        return DialState.CLIENT_RINGING
    return DialState.AGENT_RINGING
