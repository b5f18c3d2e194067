"""Lists: filters in all their bracket forms, order, and paging in the three ways clients do it."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from server.sandbox.rest.answers import Problem, asked_origin, hal, nothing
from server.sandbox.rest.bodies import nested
from server.sandbox.world import WORLD, Row

_MOST: Final = 250
_USUAL: Final = 50


@dataclass(frozen=True, slots=True)
class ListQuery:
    """One list request, read."""

    page: int
    limit: int
    search: str
    with_: frozenset[str]
    filters: dict[str, Any]
    order: tuple[str, bool] | None  # member, descending

    def wants(self, name: str) -> bool:
        """Whether `with=` names this part."""
        return name in self.with_


def read_query(request: web.Request, *, most: int = _MOST) -> ListQuery:
    """Read the query string. Raises `Problem` 400 for a page or limit that is no positive number."""
    values = nested(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True))
    filters = values.get("filter")
    search = values.get("query")
    return ListQuery(
        page=_positive(values, "page", 1),
        limit=min(_positive(values, "limit", _USUAL), most),
        search=search if isinstance(search, str) else "",
        with_=frozenset(_names(values.get("with"))),
        filters=filters if isinstance(filters, dict) else {},
        order=_order(values.get("order")),
    )


def whole(value: Any) -> int | None:
    """An integer in any of the forms clients send it (12, 12.0, "12", true); None when it is none."""
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value == int(value) else None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and len(value) <= 18:
        text = value.strip()
        return int(text) if text.lstrip("-").isdecimal() and text.isascii() and text.count("-") <= 1 else None
    return None


def keep(rows: Iterable[Row], filters: dict[str, Any], allowed: Sequence[str]) -> list[Row]:
    """The rows that pass every filter whose name is `allowed`; other filters are ignored, as amoCRM does."""
    tests = [_test(name, filters[name]) for name in allowed if name in filters]
    return [row for row in rows if all(test(row) for test in tests)]


def ordered(rows: list[Row], order: tuple[str, bool] | None, allowed: Sequence[str]) -> list[Row]:
    """The rows in the order asked for, else by id."""
    member, descending = order if order and order[0] in allowed else ("id", False)
    return sorted(rows, key=lambda row: (row.get(member) or 0, row["id"]), reverse=descending)


def page_answer(
    request: web.Request,
    query: ListQuery,
    *,
    rows: Sequence[Row],
    name: str,
    view: Callable[[Row], Row],
    totals: bool = False,
) -> web.Response:
    """One page of `rows` in amoCRM's envelope, or 204 when there is nothing on it."""
    shown = rows[(query.page - 1) * query.limit : query.page * query.limit]
    if not shown:
        return nothing()
    more = len(rows) > query.page * query.limit
    if request.app[WORLD].switches["next_link_on_last_page"]:
        more = len(shown) == query.limit
    body: Row = {"_total_items": len(rows)} if totals else {}
    body |= {"_page": query.page}
    if totals:
        body["_page_count"] = math.ceil(len(rows) / query.limit)
    body["_links"] = _links(request, query.page, more=more)
    body["_embedded"] = {name: [view(row) for row in shown]}
    return hal(body)


def _links(request: web.Request, page: int, *, more: bool) -> Row:
    links: Row = {"self": {"href": _href(request, page)}}
    if more:
        links["next"] = {"href": _href(request, page + 1)}
    if page > 1:
        links["first"] = {"href": _href(request, 1)}
        links["prev"] = {"href": _href(request, page - 1)}
    return links


def _href(request: web.Request, page: int) -> str:
    pairs = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
    pairs = [(key, value) for key, value in pairs if key != "page"] + [("page", str(page))]
    return f"{asked_origin(request)}{request.rel_url.raw_path}?{urlencode(pairs)}"


def _positive(values: Row, name: str, default: int) -> int:
    if values.get(name) in (None, ""):
        return default
    number = whole(values[name])
    if number is None or number < 1:
        raise Problem(400, f"{name} must be a positive integer")
    return number


def _names(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else [value]
    return [name.strip() for part in parts if isinstance(part, str) for name in part.split(",")]


def _order(value: Any) -> tuple[str, bool] | None:
    if not isinstance(value, dict) or not value:
        return None
    member, direction = next(iter(value.items()))
    return member, str(direction).lower() == "desc"


def _test(name: str, wanted: Any) -> Callable[[Row], bool]:
    if isinstance(wanted, dict) and wanted.keys() & {"from", "to"}:
        low, high = whole(wanted.get("from")), whole(wanted.get("to"))
        return lambda row: within(row.get(name), low, high)
    if name.endswith("_at") and (since := whole(wanted)) is not None:  # a lone time: what happened since
        return lambda row: within(row.get(name), since, None)
    values = wanted if isinstance(wanted, list) else list(wanted.values()) if isinstance(wanted, dict) else [wanted]
    texts = {_text(value) for value in values}
    return lambda row: _text(row.get(name)) in texts


def within(value: Any, low: int | None, high: int | None) -> bool:
    """Whether a stored number lies between two bounds, either of which may be missing."""
    number = whole(value)
    return number is not None and (low is None or number >= low) and (high is None or number <= high)


def _text(value: Any) -> str:
    """A stored value as a query string writes it; booleans are 0 and 1 there."""
    if isinstance(value, bool):
        return str(int(value))
    return str(value).casefold()
