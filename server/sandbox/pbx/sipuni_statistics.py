"""Sipuni's CSV reports, made from what was really played (help.sipuni.com/articles/134-182-112)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from server.sandbox.pbx.knobs import Knobs
from server.sandbox.pbx.model import Call, Direction, Reason
from server.sandbox.pbx.sipuni_events import record_id

_ACCOUNT_TIME: Final = timezone(timedelta(hours=3))  # reports are in the account's local time; ours is in Moscow
_TYPES: Final = {Direction.IN: "Входящий", Direction.OUT: "Исходящий", Direction.INTERNAL: "Внутренний"}
_TYPE_CODES: Final = {"1": Direction.IN, "2": Direction.OUT, "3": Direction.INTERNAL}
_WHO: Final = {
    Reason.BUSY: "занято",
    Reason.NO_ANSWER: "нет ответа",
    Reason.UNAVAILABLE: "не в сети",
    Reason.REJECTED: "оператор",
}


class PeriodError(ValueError):
    """A date that is not DD.MM.YYYY, or a time that is not HH:MM."""


def report(calls: Iterable[Call], filters: Mapping[str, str], knobs: Knobs) -> str:
    """`statistic/export`: the ended calls that pass the filters. Raises `PeriodError`."""
    start = _moment(filters.get("from"), filters.get("timeFrom"), "00:00")
    end = _moment(filters.get("to"), filters.get("timeTo"), "23:59")
    chosen = [
        call for call in calls if not call.is_live and _is_within(call, start, end) and _is_asked_for(call, filters)
    ]
    return whole(chosen, knobs, who_hung_up=filters.get("hangupinitor") == "1")


def whole(calls: Iterable[Call], knobs: Knobs, *, who_hung_up: bool = False) -> str:
    """The CSV of these calls: UTF-8 with a byte order mark, semicolons, Russian headers."""
    rows = [_row(call, knobs, who_hung_up=who_hung_up) for call in calls]
    header = ";".join(rows[0] if rows else _row(_NOBODY, knobs, who_hung_up=who_hung_up))
    return "\ufeff" + "\n".join([header, *(";".join(row.values()) for row in rows)]) + "\n"


def _row(call: Call, knobs: Knobs, *, who_hung_up: bool) -> dict[str, str]:
    ended_at = call.ended_at or call.started_at
    talked_at = call.talk_started_at
    employees = list(dict.fromkeys(leg.target.extension for leg in call.legs if leg.target.extension))
    row = {
        "Тип": _TYPES[call.direction],
        "Статус": "Отвечен" if talked_at else "Не отвечен",
        "Время": datetime.fromtimestamp(call.started_at, _ACCOUNT_TIME).strftime("%d.%m.%Y %H:%M:%S"),
        "Схема": "Основная" if call.direction is Direction.IN else "",
        "Откуда": call.client if call.direction is Direction.IN else _caller(call),
        "Куда": _callee(call),
        "Кто ответил": _answered_by(call),
        "Кто разговаривал": _answered_by(call),
        "Кому звонили": ",".join(employees),
        "Длительность звонка, сек": str(int(ended_at - call.started_at)),
        "Длительность разговора, сек": str(int(ended_at - talked_at) if talked_at else 0),
        "Время ответа, сек": str(int((talked_at or ended_at) - call.started_at)),
        "ID записи": record_id(call, knobs) if talked_at and call.record else "",
        "Запись существует": "1" if talked_at and call.record else "0",
    }
    if who_hung_up:
        row["Кто завершил"] = _who_hung_up(call)
    return row


def _caller(call: Call) -> str:
    return next((leg.source.extension or leg.target.extension for leg in call.legs), "")


def _callee(call: Call) -> str:
    if call.direction is Direction.IN:
        return call.line
    return call.client or next((leg.target.extension for leg in call.legs), "")


def _answered_by(call: Call) -> str:
    return call.answered_by.extension or call.answered_by.number if call.answered_by else ""


def _who_hung_up(call: Call) -> str:
    if call.reason in _WHO:
        return _WHO[call.reason]
    is_calling_side = call.reason in (Reason.CALLER, Reason.CANCELLED)
    return "клиент" if is_calling_side is (call.direction is Direction.IN) else "оператор"


def _is_within(call: Call, start: float | None, end: float | None) -> bool:
    return (start is None or call.started_at >= start) and (end is None or call.started_at < end + 60)


def _is_asked_for(call: Call, filters: Mapping[str, str]) -> bool:
    kind, state = filters.get("type", ""), filters.get("state", "")
    is_answered = call.talk_started_at is not None
    wanted = {
        "fromNumber": call.client if call.direction is Direction.IN else _caller(call),
        "toNumber": _callee(call),
        "toAnswer": _answered_by(call),
    }
    return (
        (kind not in _TYPE_CODES or call.direction is _TYPE_CODES[kind])
        and (state not in ("1", "2") or is_answered is (state == "2"))
        and all(not filters.get(name) or filters[name] == value for name, value in wanted.items())
    )


def _moment(date: str | None, time: str | None, default_time: str) -> float | None:
    if not date:
        return None
    try:
        moment = datetime.strptime(f"{date} {time or default_time}", "%d.%m.%Y %H:%M")  # noqa: DTZ007  zone follows
    except ValueError as exc:
        raise PeriodError(date) from exc
    return moment.replace(tzinfo=_ACCOUNT_TIME).astimezone(UTC).timestamp()


_NOBODY: Final = Call(Direction.IN, "", "")
