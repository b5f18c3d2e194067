"""Sipuni's statistics: `statistic/export`, a CSV per day whose rows name no call.

Source: help.sipuni.com/articles/134-182-112. Columns come in any order, with or without their units; times are the
account's own, which we take to be Moscow's.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from http import HTTPStatus

from ..core.errors import VendorError
from ..core.phone import digits, is_internal, to_e164
from ..core.ports import VendorAnswer
from ..core.statistics import ToldCall
from ..core.vocabulary import Direction, Result

MOSCOW = timezone(timedelta(hours=3))

DIRECTIONS = {"Входящий": Direction.IN, "Исходящий": Direction.OUT, "Внутренний": Direction.INTERNAL}

Row = Mapping[str, str]


def filters(day: str) -> dict[str, str]:
    """The newest set of parameters, for all calls of a day (DD.MM.YYYY)."""
    return {
        "anonymous": "1", "crmLinks": "0", "dtmfUserAnswer": "0", "firstTime": "0", "from": day, "fromNumber": "",
        "hangupinitor": "0", "ignoreSpecChar": "1", "names": "0", "numbersInvolved": "1", "numbersRinged": "1",
        "outgoingLine": "1", "rating": "0", "showTreeId": "0", "state": "0", "timeFrom": "00:00", "timeTo": "23:59",
        "to": day, "toAnswer": "", "toNumber": "", "tree": "", "type": "0",
    }  # fmt: skip


def days(since_ms: int, until_ms: int) -> Iterator[str]:
    """The days of the account's calendar that a period touches."""
    day = datetime.fromtimestamp(since_ms / 1000, UTC).astimezone(MOSCOW).date()
    last = datetime.fromtimestamp(until_ms / 1000, UTC).astimezone(MOSCOW).date()
    while day <= last:
        yield f"{day:%d.%m.%Y}"
        day += timedelta(days=1)


def is_report(answer: VendorAnswer) -> bool:
    """Whether an answer is a table: an error is JSON, or a page."""
    is_other = answer.body.lstrip()[:1] in (b"{", b"<")
    return answer.status == HTTPStatus.OK and not is_other and b";" in answer.body.partition(b"\n")[0]


def read(body: bytes) -> list[ToldCall]:
    """The calls of a table; rows that cannot be read are left out. Raises VendorError for one without its columns."""
    text = io.StringIO(body.decode("utf-8-sig", "replace"), newline="")
    try:
        header, *cells_of = csv.reader(text, delimiter=";")
    except (csv.Error, ValueError) as exc:
        raise VendorError(vendor_text=f"no table: {exc}") from exc
    names = [name.partition(",")[0].strip() for name in header]
    if not {"Тип", "Время", "Откуда", "Куда"} <= set(names):
        raise VendorError(vendor_text=";".join(names)[:200])
    rows = (dict(zip(names, (cell.strip() for cell in cells), strict=False)) for cells in cells_of)
    return [told for row in rows if (told := _told(row)) is not None]


def _told(row: Row) -> ToldCall | None:
    direction, started_ms = DIRECTIONS.get(row.get("Тип", "")), _moment_ms(row.get("Время", ""))
    if direction is None or started_ms is None:
        return None
    source, target = row.get("Откуда", ""), row.get("Куда", "")
    ended_ms = started_ms + _seconds(row.get("Длительность звонка", "")) * 1000
    talk_s = _seconds(row.get("Длительность разговора", ""))
    is_in = direction is Direction.IN
    taker = _extension(row.get("Кто разговаривал", "")) or _extension(row.get("Кто ответил", ""))
    caller = "" if is_in else _extension(source)
    is_answered = talk_s > 0 and (bool(taker) or not is_in)
    rang = tuple(dict.fromkeys(one for cell in row.get("Кому звонили", "").split(",") if (one := _extension(cell))))
    has_record = row.get("Запись существует", "") == "1" and row.get("ID записи", "")
    return ToldCall(
        direction=direction,
        started_ms=started_ms,
        ended_ms=ended_ms,
        client_phone=None if direction is Direction.INTERNAL else to_e164(source if is_in else target),
        our_line=to_e164(target) if is_in else None,
        answered_ms=ended_ms - talk_s * 1000 if is_answered else None,
        answered_by=(caller if direction is Direction.OUT else taker) or None,
        rang=rang if is_in else (),
        dialled_by=caller or None,
        recordings=(row["ID записи"],) if has_record else (),
        result=Result.MISSED if is_in else Result.NO_ANSWER,
    )


def _moment_ms(text: str) -> int | None:
    try:
        moment = datetime.strptime(text, "%d.%m.%Y %H:%M:%S").replace(tzinfo=MOSCOW)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000


def _seconds(text: str) -> int:
    """A length in seconds, or as hours, minutes and seconds."""
    total = 0
    for part in text.split(":"):
        if not (part.isascii() and part.isdigit()):
            return 0
        total = total * 60 + int(part)
    return total


def _extension(text: str) -> str:
    """The extension of a cell, which may hold a name beside it; empty for an outside number."""
    number = digits(text.strip().partition(" ")[0])
    return number if number and is_internal(number) else ""
