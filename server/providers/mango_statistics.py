"""MANGO OFFICE's statistics: `stats/calls`, ordered, then fetched page by page; one item per call, by its entry id."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from ..core.phone import is_internal, to_e164
from ..core.statistics import ToldCall
from ..core.vocabulary import Direction, Result
from . import wire

MOSCOW = timezone(timedelta(hours=3))
PAGE = 5000
MOST_PAGES = 200
"""A million calls: a report that goes on is no answer."""

POLL_S = 5.0
"""The least pause between two questions whether a report is ready."""

ORDER_S = 2.0
"""The least pause between two orders: half a one a second is allowed."""

READY, NOT_YET = "complete", frozenset({"request", "work"})

DIRECTIONS = {"1": Direction.IN, "2": Direction.OUT, "3": Direction.INTERNAL}

Item = dict[str, Any]


def order(since_ms: int, until_ms: int, offset: int) -> dict[str, str]:
    """What is asked for: times are Moscow's."""
    return {
        "start_date": _moscow(since_ms), "end_date": _moscow(until_ms), "limit": str(PAGE), "offset": str(offset),
    }  # fmt: skip


def items(content: object) -> list[Item]:
    """The items of a report that is ready."""
    parts = content.get("data") if isinstance(content, dict) else None
    lists = [part.get("list") for part in parts or () if isinstance(part, dict)]
    return [item for rows in lists if isinstance(rows, list) for item in rows if isinstance(item, dict)]


def read(item: Item, reasons: Any) -> ToldCall | None:
    """An item in our words; None when it names no call. `reasons`: of an end, by its code and the call's direction."""
    call_ref, started_ms = wire.word(item.get("entry_id")), wire.moment_ms(item.get("context_start_time"))
    direction = DIRECTIONS.get(wire.word(item.get("context_type")))
    if not call_ref or started_ms is None or direction is None:
        return None
    told = item.get("context_calls")
    legs = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    ended_ms = started_ms + (wire.number(item.get("duration")) or 0) * 1000
    talk_s = wire.number(item.get("talk_duration")) or 0
    talkers = [leg for leg in legs if (wire.number(leg.get("call_answer_time")) or 0) > 0 and _extension(leg)]
    taker = max(talkers, key=lambda leg: wire.number(leg.get("talk_duration")) or 0, default=None)
    caller, called = wire.word(item.get("caller_number")), wire.word(item.get("called_number"))
    is_out = direction is Direction.OUT
    ours = (caller if is_internal(caller) else "") if is_out else _extension(taker) if taker else ""
    code = wire.word(legs[-1].get("call_end_reason")) if legs else ""
    return ToldCall(
        call_ref=call_ref,
        direction=direction,
        started_ms=started_ms,
        ended_ms=ended_ms,
        client_phone=None if direction is Direction.INTERNAL else to_e164(called if is_out else caller),
        our_line=None if is_out else to_e164(called),
        answered_ms=ended_ms - talk_s * 1000 if talk_s > 0 else None,
        answered_by=ours or None,
        rang=() if is_out else tuple(dict.fromkeys(one for leg in legs if (one := _extension(leg)))),
        dialled_by=(ours or None) if is_out else None,
        recordings=tuple(dict.fromkeys(key for leg in legs for key in _recordings(leg))),
        result=reasons(code, direction) if code else Result.UNKNOWN,
    )


def _extension(leg: Item) -> str:
    number = wire.word(leg.get("call_abonent_number"))
    return number if is_internal(number) else ""


def _recordings(leg: Item) -> list[str]:
    told = leg.get("recording_id")
    return [key for one in (told if isinstance(told, list) else [told]) if (key := wire.word(one))]


def _moscow(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(MOSCOW).strftime("%d.%m.%Y %H:%M:%S")
