"""`POST /sandbox/pbx/<vendor>/calls`: reads what somebody wants to see and lets the stand-in live through it.

    {"from": "+79161234567", "to": "74951234567", "extension": "201", "scenario": "group",
     "ring_s": 2, "talk_s": 5, "record": true}

`from` and `to` decide the direction: an outside number calls a line (or directly an extension), an extension calls an
outside number or a colleague. Scenarios: the keys of `scripts.ACTS`. Further members: `extensions` (which phones ring),
`transfer_to`, `line`, `ivr_s`, `hang_up` (client | employee), `wait` (answer only when the call is over and told).
"""

from dataclasses import dataclass
from typing import Any, Final

from server.sandbox.pbx.exchange import Side
from server.sandbox.pbx.model import Direction, Party
from server.sandbox.pbx.scripts import ACTS, Plot
from server.sandbox.pbx.stand_in import StandIn

_MEMBERS: Final = frozenset(
    {
        "from",
        "to",
        "extension",
        "extensions",
        "scenario",
        "ring_s",
        "talk_s",
        "ivr_s",
        "record",
        "line",
        "transfer_to",
        "hang_up",
        "wait",
    }
)
_CLIENT: Final = "79161234567"
_LONGEST_EXTENSION: Final = 6
_LONGEST_S: Final = 86_400
_FROM_INSIDE: Final = ("callback", "outgoing", "internal")


class PlayError(ValueError):
    """The call cannot be played as described; `slug` is for programs, `cure` for people."""

    def __init__(self, slug: str, message: str, cure: str) -> None:
        super().__init__(message)
        self.slug = slug
        self.message = message
        self.cure = cure

    def view(self) -> dict[str, str]:
        """The error as JSON."""
        return {"slug": self.slug, "message": self.message, "cure": self.cure}


async def play(pbx: StandIn, body: dict[str, Any]) -> dict[str, Any]:
    """Start a scripted call; the answer names it in the vendor's words. Raises `PlayError`."""
    plot = read_plot(pbx, body)
    order = pbx.new_order() if plot.scenario.startswith("callback") else ""
    story = pbx.play(plot, order=order)
    if body.get("wait"):
        await pbx.idle()
    return {
        "call_id": pbx.call_id(story.call),
        "vendor": pbx.vendor,
        "scenario": plot.scenario,
        "direction": plot.direction.value,
        "client": plot.client,
        "line": plot.line,
        "extensions": list(plot.extensions),
        "order": order or None,
    }


def read_plot(pbx: StandIn, body: dict[str, Any]) -> Plot:
    """Check a description and fill in what it leaves open. Raises `PlayError`."""
    unknown = body.keys() - _MEMBERS
    if unknown:
        cure = f"use some of: {', '.join(sorted(_MEMBERS))}"
        raise PlayError("unknown_member", f"a call has no member {min(unknown)!r}", cure)
    scenario = pbx.at("internal", "transfer_external").scenario or body.get("scenario") or "answered"
    if scenario not in ACTS:
        cure = f"use one of: {', '.join(ACTS)}"
        raise PlayError("unknown_scenario", f"there is no scenario {scenario!r}", cure)
    parties = _parties(pbx, body, scenario)
    return Plot(
        scenario=scenario,
        direction=parties.direction,
        client="" if parties.direction is Direction.IN and pbx.at("anonymous").anonymous else parties.client,
        line=parties.line,
        extensions=parties.extensions,
        group=parties.group,
        callee=parties.callee,
        target=_target(body, scenario),
        ring_s=_seconds(body, "ring_s", pbx.knobs.ring_s),
        talk_s=_seconds(body, "talk_s", pbx.knobs.talk_s),
        ivr_s=_seconds(body, "ivr_s", pbx.knobs.ivr_s),
        record=_flag(body, "record", default=True),
        hang_up=_side(body),
    )


@dataclass(frozen=True)
class _Parties:
    direction: Direction
    client: str
    line: str
    extensions: tuple[str, ...]
    group: str = ""
    callee: str = ""


def _parties(pbx: StandIn, body: dict[str, Any], scenario: str) -> _Parties:
    caller, callee = _party(body, "from"), _party(body, "to")
    line = _party(body, "line").number or pbx.lines[0]
    phones, group = _phones(pbx, body, callee.extension)
    if scenario == "internal" or (caller.extension and callee.extension):
        first = caller.extension or phones[0]
        second = callee.extension or (phones[-1] if phones[-1] != first else "202")
        return _Parties(Direction.INTERNAL, "", line, (first,), callee=second)
    if caller.extension or scenario.startswith(_FROM_INSIDE):
        first = caller.extension or phones[0]
        outside = callee.number if caller.extension else caller.number
        return _Parties(Direction.OUT, outside or callee.number or _CLIENT, line, (first,))
    if scenario in ("group", "double_answer"):
        group = group or "300"
        phones = phones if len(phones) > 1 else pbx.groups[group]
    client = caller.number if body.get("from") is not None else _CLIENT
    return _Parties(Direction.IN, client, callee.number or line, phones, group=group)


def _phones(pbx: StandIn, body: dict[str, Any], callee: str) -> tuple[tuple[str, ...], str]:
    """Which phones ring, and the group they belong to when a group is called."""
    asked = body.get("extensions")
    if asked is not None:
        if not isinstance(asked, list) or not asked or not all(_is_extension(str(one)) for one in asked):
            raise PlayError("bad_extensions", "extensions is a list of short numbers", 'for example ["201", "202"]')
        return tuple(str(one) for one in asked), ""
    wanted = str(body.get("extension") or callee or "201")
    if wanted in pbx.groups:
        return pbx.groups[wanted], wanted
    if not _is_extension(wanted):
        raise PlayError("bad_extension", f"{wanted!r} is not a short number", "use up to six digits, like 201")
    return (wanted,), ""


def _party(body: dict[str, Any], name: str) -> Party:
    """A short number is an extension; `anonymous` and the empty text mean a withheld number."""
    value = body.get(name)
    if value is None or value in ("", "anonymous"):
        return Party()
    digits = "".join(sign for sign in str(value) if sign not in "+ ()-\u00a0")
    if not digits.isdigit() or len(digits) > 15:
        raise PlayError("bad_number", f"{name}: {value!r} is not a number", "use +7…, digits, or a short number")
    if _is_extension(digits):
        return Party(extension=digits)
    return Party(number="7" + digits[1:] if len(digits) == 11 and digits.startswith("8") else digits)


def _is_extension(digits: str) -> bool:
    return digits.isdigit() and len(digits) <= _LONGEST_EXTENSION


def _target(body: dict[str, Any], scenario: str) -> Party:
    asked = _party(body, "transfer_to")
    if asked != Party():
        return asked
    return Party(number="79031112233") if scenario == "transfer_external" else Party(extension="203")


def _seconds(body: dict[str, Any], name: str, default: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST_S:
        raise PlayError("bad_time", f"{name} is not a time", "use seconds from 0 to 86400; fractions are fine")
    return float(value)


def _flag(body: dict[str, Any], name: str, *, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise PlayError("bad_flag", f"{name} is not a yes or no", "use true or false")
    return value


def _side(body: dict[str, Any]) -> Side:
    value = body.get("hang_up") or "client"
    if value not in ("client", "employee"):
        raise PlayError("bad_side", f"{value!r} cannot hang up", "use client or employee")
    return Side(value)
