"""What an old client asks: the query of a list, the entities of a write.

Nothing here is refused: PHP read a parameter without sense as none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web

from server.sandbox.rest.answers import Problem
from server.sandbox.rest.bodies import nested
from server.sandbox.rest.query import whole
from server.sandbox.world import WORLD, Row, World

_T = TypeVar("_T")

_MOST: Final = 500  # rows of a list, and entities in one request
_DATES: Final = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class Asked:
    """The query of one list."""

    values: Row
    ids: tuple[int, ...] | None
    since: int | None

    @property
    def search(self) -> str:
        """The text of `query=`."""
        found = self.values.get("query")
        return found if isinstance(found, str) else ""

    @property
    def filters(self) -> Row:
        """`filter[…]`."""
        found = self.values.get("filter")
        return found if isinstance(found, dict) else {}

    def page(self, rows: Sequence[_T]) -> Sequence[_T]:
        """`limit_rows` rows from `limit_offset` on, at most 500."""
        limit = whole(self.values.get("limit_rows"))
        offset = max(whole(self.values.get("limit_offset")) or 0, 0)
        return rows[offset : offset + (min(limit, _MOST) if limit and limit > 0 else _MOST)]


def read_list(request: web.Request) -> Asked:
    """The query of a list, with the header If-Modified-Since."""
    values = nested(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True))
    ids = tuple(numbers(values["id"])) if "id" in values else None
    return Asked(values, ids, _since(request))


def items_of(body: Row, action: str) -> list[Row]:
    """The entities under `add` or `update`. Raises `Problem` 400 for what is no list of objects."""
    given = body.get(action)
    items = list(given.values()) if isinstance(given, dict) and not _is_item(given) else given
    items = [items] if isinstance(items, dict) else items or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Problem(400, f"{action} must be a list of objects")
    if len(items) > _MOST:
        raise Problem(400, f"A request carries at most {_MOST} entities")
    return items


def numbers(value: Any) -> list[int]:
    """Ids in every form: one, a list, several with commas, PHP's brackets."""
    return [number for part in texts(value) if (number := whole(part)) is not None]


def texts(value: Any) -> list[Any]:
    """The parts of a list that may be written with commas."""
    if isinstance(value, dict):
        value = list(value.values())
    parts: Iterable[Any] = value if isinstance(value, list) else [value]
    return [
        piece
        for part in parts
        for piece in ([one.strip() for one in part.split(",")] if isinstance(part, str) else [part])
        if piece not in (None, "")
    ]


def moment(world: World, value: Any) -> int | None:
    """Unix seconds of a time in seconds or written out in the account's zone."""
    number = whole(value)
    if number is not None or not isinstance(value, str):
        return number
    for form in _DATES:
        try:
            return int(datetime.strptime(value.strip(), form).replace(tzinfo=zone_of(world)).timestamp())
        except (ValueError, OverflowError):
            continue
    return None


def zone_of(world: World) -> tzinfo:
    """The account's time zone, as far as its offset tells."""
    sign, hours, minutes = (offset := world.account["datetime_settings"]["timezone_offset"])[0], offset[1:3], offset[4:]
    east = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-east if sign == "-" else east)


def _is_item(given: Row) -> bool:
    """Whether this is one entity and no numbered list of them."""
    return not all(isinstance(value, dict) for value in given.values())


def _since(request: web.Request) -> int | None:
    header = request.headers.get("If-Modified-Since", "")
    if header.isdecimal() and header.isascii():
        return whole(header)
    try:
        found = parsedate_to_datetime(header)
        found = found.replace(tzinfo=zone_of(request.app[WORLD])) if found.tzinfo is None else found
        return int(found.astimezone(UTC).timestamp())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
