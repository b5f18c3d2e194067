"""MANGO OFFICE's statistics, made from what was really played: per leg as CSV, per call as JSON."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from server.sandbox.pbx.exchange import employee_of
from server.sandbox.pbx.mango_commands import BAD_PARAMETERS, MISSING_FIELD, CodeError
from server.sandbox.pbx.mango_events import REASONS, entry_id, recording_id
from server.sandbox.pbx.model import Call, Direction, Leg, Place, Reason

Body = dict[str, Any]

COLUMNS: Final = (
    "records",
    "start",
    "finish",
    "answer",
    "from_extension",
    "from_number",
    "to_extension",
    "to_number",
    "disconnect_reason",
    "line_number",
    "location",
)
_ALL_COLUMNS: Final = frozenset({*COLUMNS, "entry_id"})
_MOSCOW: Final = timezone(timedelta(hours=3))
_LONGEST_CSV_S: Final = 31 * 86_400
_LONGEST_CALLS_S: Final = 30 * 86_400
_TOO_LONG: Final = 3111
_LIMITS: Final = frozenset({1, 5, 10, 20, 50, 100, 500, 1000, 2000, 5000})
_CONTEXTS: Final = {Direction.IN: 1, Direction.OUT: 2, Direction.INTERNAL: 3}
_LOCATIONS: Final = {Place.IVR: "ivr", Place.QUEUE: "queue", Place.PHONE: "abonent"}


def legs_csv(calls: Iterable[Call], query: Body) -> str:
    """`stats/request`: one row per leg, semicolons, no header, no quoting. Raises `CodeError`."""
    start, end = _unix(query, "date_from"), _unix(query, "date_to")
    columns = query.get("fields") or list(COLUMNS)
    if isinstance(columns, str):  # "a string" by the text, an array in every sample
        columns = columns.split(",")
    if not 0 <= end - start <= _LONGEST_CSV_S or not set(columns) <= _ALL_COLUMNS:
        raise CodeError(BAD_PARAMETERS)
    rows = [
        _leg_row(leg)
        for call in calls
        for leg in call.legs
        if not call.is_live and start <= call.started_at <= end and _is_party(leg, query)
    ]
    return "".join(";".join(row[column] for column in columns) + "\n" for row in rows)


def calls_page(calls: Iterable[Call], query: Body) -> list[Body]:
    """`stats/calls`: one item per call, newest first. Raises `CodeError`."""
    start, end = _moscow(query, "start_date"), _moscow(query, "end_date")
    limit, offset = _unix(query, "limit"), _unix(query, "offset")
    if limit not in _LIMITS or offset < 0:
        raise CodeError(BAD_PARAMETERS)
    if not 0 <= end - start < _LONGEST_CALLS_S:
        raise CodeError(_TOO_LONG)
    kinds = {int(kind) for kind in query.get("context_type") or _CONTEXTS.values()}
    chosen = [
        call
        for call in calls
        if not call.is_live and start <= call.started_at <= end and _CONTEXTS[call.direction] in kinds
    ]
    page = list(reversed(chosen))[offset : offset + limit]
    return [_call_item(call) for call in page]


def _leg_row(leg: Leg) -> dict[str, str]:
    call = leg.call
    has_record = call.record and call.talk is leg
    return {
        "records": f"[{recording_id(call)}]" if has_record else "[]",
        "start": str(int(leg.started_at)),
        "finish": str(int(leg.ended_at or leg.started_at)),
        "answer": str(int(leg.answered_at or 0)),
        "from_extension": leg.source.extension,
        "from_number": leg.source.number,
        "to_extension": leg.target.extension,
        "to_number": leg.target.number,
        "disconnect_reason": str(REASONS[leg.reason or Reason.SCHEME]),
        "line_number": call.line,
        "location": _LOCATIONS[leg.place],
        "entry_id": entry_id(call),
    }


def _is_party(leg: Leg, query: Body) -> bool:
    def is_at(party: Any, *sides: Any) -> bool:
        return any(
            all(getattr(side, name) == value for name, value in party.items() if name in ("extension", "number"))
            for side in sides
        )

    wanted = query.get("call_party")
    if wanted:
        return is_at(wanted, leg.source, leg.target)
    return all(
        not query.get(name) or is_at(query[name], side) for name, side in (("from", leg.source), ("to", leg.target))
    )


def _call_item(call: Call) -> Body:
    ended_at = call.ended_at or call.started_at
    talk_s = int(ended_at - call.talk_started_at) if call.talk_started_at else 0
    employee = employee_of(call.legs[0])
    return {
        "entry_id": entry_id(call),
        "context_type": _CONTEXTS[call.direction],
        "context_status": 1 if talk_s else 0,
        "caller_id": 0,
        "caller_name": "",
        "caller_number": call.client if call.direction is Direction.IN else employee.extension,
        "called_number": call.line if call.direction is Direction.IN else call.client,
        "context_start_time": int(call.started_at),
        "duration": int(ended_at - call.started_at),
        "talk_duration": talk_s,
        "context_init_type": 0,
        "recall_status": 0,
        "context_calls": [_member(leg) for leg in call.legs if leg.place is Place.PHONE],
    }


def _member(leg: Leg) -> Body:
    ended_at = leg.ended_at or leg.started_at
    return {
        "call_type": "user" if leg.target.extension else "number",
        "call_abonent_id": 0,
        "call_abonent_info": leg.target.extension or leg.target.number,
        "call_abonent_number": leg.target.extension or leg.target.number,
        "call_start_time": int(leg.started_at),
        "call_answer_time": int(leg.answered_at or 0),
        "call_end_time": int(ended_at),
        "call_duration": int(ended_at - leg.started_at),
        "talk_duration": int(ended_at - leg.answered_at) if leg.answered_at else 0,
        "dial_duration": int((leg.answered_at or ended_at) - leg.started_at),
        "hold_duration": 0,
        "call_end_reason": REASONS[leg.reason or Reason.SCHEME],
        "recording_id": [recording_id(leg.call)] if leg.call.record and leg.call.talk is leg else [],
        "external_call_id": "",
        "members": [],
    }


def _unix(query: Body, name: str) -> int:
    value = query.get(name)
    if value is None:
        raise CodeError(MISSING_FIELD)
    if not str(value).isdigit():
        raise CodeError(BAD_PARAMETERS)
    return int(value)


def _moscow(query: Body, name: str) -> float:
    try:
        moment = datetime.strptime(str(query.get(name, "")), "%d.%m.%Y %H:%M:%S")  # noqa: DTZ007  zone follows
    except ValueError as exc:
        raise CodeError(BAD_PARAMETERS) from exc
    return moment.replace(tzinfo=_MOSCOW).timestamp()
