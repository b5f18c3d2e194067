"""`/api/v2/incoming_leads`: Unsorted with the caller in `from` and the user who answered in `to`."""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from server.sandbox.legacy.asked import items_of, moment, numbers, read_list, texts
from server.sandbox.legacy.dialect import modernize
from server.sandbox.legacy.envelope import message_of
from server.sandbox.legacy.shapes import link
from server.sandbox.rest import unsorted
from server.sandbox.rest.answers import Problem, hal, nothing
from server.sandbox.rest.bodies import read_object
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.rest.query import whole
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row, World

_PATH: Final = "/api/v2/incoming_leads"
_KINDS: Final = ("leads", "contacts", "companies")
_REQUIRED: Final = ("to", "from", "date_call", "service_code")
_OLD_NAMES: Final = {"phone": "from", "call_responsible": "to", "called_at": "date_call", "duration": "duration",
                     "link": "link", "service_code": "service_code", "uniq": "uniq"}  # fmt: skip


async def _create(request: web.Request) -> web.StreamResponse:
    items = items_of(await read_object(request), "add")
    if not items:
        raise Problem(400, "add must be a list of calls")
    try:
        records = unsorted.create(request, [_record(request.app[WORLD], item) for item in items])
    except Problem as exc:
        told = {"status": "fail", "error": message_of(exc), "_links": link(request.path, "post")}
        return hal(told, exc.status)
    return _done(request, [record["uid"] for record in records])


def _record(world: World, item: Row) -> Row:
    """A call as /api/v4 takes it into Unsorted. Raises `Problem` 400 naming what is missing."""
    info, entities = (_object(item.get(name)) for name in ("incoming_lead_info", "incoming_entities"))
    for name in _REQUIRED:
        if info.get(name) in (None, ""):
            raise Problem(400, f"incoming_lead_info.{name} is required")
    called_at = moment(world, info["date_call"])
    if called_at is None:
        raise Problem(400, "incoming_lead_info.date_call is no time")
    inside = {kind: [modernize(world, NOUNS[kind], one) for one in items_of(entities, kind)] for kind in _KINDS}
    return {
        **{name: item.get(name) for name in ("source_name", "source_uid", "pipeline_id")},
        "created_at": moment(world, item.get("created_at")),
        "_embedded": inside,
        "metadata": {
            "phone": str(info["from"]),
            "from": str(info["from"]),
            "call_responsible": info["to"],
            "called_at": called_at,
            "duration": whole(info.get("duration")) or 0,
            "link": info.get("link"),
            "service_code": str(info["service_code"]),
            "uniq": info.get("uniq") or f"{info['from']}-{called_at}",
            "is_call_event_needed": info.get("add_note") in (True, 1, "1", "true"),
        },
    }


async def _accept(request: web.Request) -> web.StreamResponse:
    return await _sort(request, "accept", unsorted.accept)


async def _decline(request: web.Request) -> web.StreamResponse:
    return await _sort(request, "decline", unsorted.decline)


async def _sort(request: web.Request, action: str, do: Callable[[web.Request, Row, Row], None]) -> web.StreamResponse:
    """Accept or decline what waits under these uids, all or none. Raises `Problem` 404 for an unknown one."""
    body, world = await read_object(request), request.app[WORLD]
    uids = list(dict.fromkeys(str(one) for one in texts(body.get(action))))
    if not uids:
        raise Problem(400, f"{action} must be a list of uids")
    records = [world.unsorted.get(uid) for uid in uids]
    waiting = [record for record in records if record is not None and record["state"] == "open"]
    if len(waiting) < len(uids):
        raise Problem(404, "Unsorted not found")
    for record in waiting:
        do(request, record, body)
    return _done(request, {record["uid"]: {kind: record["inside"][kind] for kind in _KINDS} for record in waiting})


def _done(request: web.Request, data: Any) -> web.Response:
    return hal({"status": "success", "data": data, "_links": link(request.path, "post")})


async def _list(request: web.Request) -> web.StreamResponse:
    """What waits; `page_size` (500) rows of page `PAGEN_1`."""
    world, asked = request.app[WORLD], read_list(request)
    categories, pipelines = texts(asked.values.get("categories")), numbers(asked.values.get("pipeline_id"))
    rows = [
        row
        for row in world.unsorted.where(state="open")
        if (not categories or row["category"] in categories) and (not pipelines or row["pipeline_id"] in pipelines)
    ]
    size, page = (whole(asked.values.get(name)) for name in ("page_size", "PAGEN_1"))
    rows = rows[(max(page or 1, 1) - 1) * max(size or 500, 1) :][: max(size or 500, 1)]
    if not rows:
        return nothing()
    return hal({"_links": link(request.raw_path), "_embedded": {"items": [_show(row) for row in rows]}})


def _show(record: Row) -> Row:
    names = ("uid", "source_uid", "source_name", "category", "pipeline_id", "created_at")
    metadata = record["metadata"]
    return {
        **{name: record[name] for name in names},
        "incoming_lead_info": {old: metadata.get(new) for new, old in _OLD_NAMES.items()},
        "incoming_entities": {
            kind: [{"id": known, "_links": link(f"/api/v2/{kind}?id={known}")} for known in record["inside"][kind]]
            for kind in _KINDS
        },
    }


async def _summary(request: web.Request) -> web.StreamResponse:
    return hal({**unsorted.summary(request.app[WORLD]), "_links": link(request.raw_path)})


def _object(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


_DUPLICATES: Final = "switch: unsorted_exact_duplicates"
_QUERY: Final = ("page_size", "PAGEN_1", "categories", "pipeline_id")
ROUTES: Final = [
    Route("GET", _PATH, _list, "waiting records, the earlier way", query=_QUERY, or_slash=True),
    Route("GET", f"{_PATH}/summary", _summary, "how many wait", or_slash=True),
    Route(
        "POST", f"{_PATH}/sip", _create, "put calls into Unsorted", fidelity=_DUPLICATES, body="object", or_slash=True
    ),
    Route("POST", f"{_PATH}/accept", _accept, "accept records", body="object", or_slash=True),
    Route("POST", f"{_PATH}/decline", _decline, "decline records", body="object", or_slash=True),
]
