"""What entities refer to: pipelines and their statuses, custom fields, tags. Read only for now."""

from functools import partial
from typing import Final

from aiohttp import web

from server.sandbox.rest.answers import hal, link, nothing
from server.sandbox.rest.custom_fields import fields_of
from server.sandbox.rest.query import keep, page_answer, read_query
from server.sandbox.routes import ID, Route
from server.sandbox.world import ENTITIES, WORLD, Row

_PIPELINES: Final = "/api/v4/leads/pipelines"


async def _pipelines(request: web.Request) -> web.StreamResponse:
    rows = sorted(request.app[WORLD].pipelines, key=lambda pipeline: pipeline["sort"])
    return hal(
        {
            "_total_items": len(rows),
            "_links": link(request, _PIPELINES),
            "_embedded": {"pipelines": [_show_pipeline(request, row) for row in rows]},
        }
    )


async def _pipeline(request: web.Request) -> web.StreamResponse:
    row = request.app[WORLD].pipelines.get(int(request.match_info["id"]))
    return nothing() if row is None else hal(_show_pipeline(request, row))


async def _statuses(request: web.Request) -> web.StreamResponse:
    row = request.app[WORLD].pipelines.get(int(request.match_info["id"]))
    if row is None:
        return nothing()
    statuses = _show_pipeline(request, row)["_embedded"]["statuses"]
    links = link(request, f"{_PIPELINES}/{row['id']}/statuses")
    return hal({"_total_items": len(statuses), "_links": links, "_embedded": {"statuses": statuses}})


def _show_pipeline(request: web.Request, row: Row) -> Row:
    account_id, path = request.app[WORLD].account["id"], f"{_PIPELINES}/{row['id']}"
    statuses = [
        {
            **status,
            "pipeline_id": row["id"],
            "account_id": account_id,
            "_links": link(request, f"{path}/statuses/{status['id']}"),
        }
        for status in row["statuses"]
    ]
    shown = {name: row[name] for name in ("id", "name", "sort", "is_main", "is_unsorted_on", "is_archive")}
    return {**shown, "account_id": account_id, "_links": link(request, path), "_embedded": {"statuses": statuses}}


async def _fields(entity_type: str, request: web.Request) -> web.StreamResponse:
    query, rows = read_query(request), fields_of(request.app[WORLD], entity_type)
    view = partial(_show_field, request)
    return page_answer(request, query, rows=rows, name="custom_fields", view=view, totals=True)


async def _field(entity_type: str, request: web.Request) -> web.StreamResponse:
    row = request.app[WORLD].custom_fields.get(int(request.match_info["id"]))
    return nothing() if row is None or row["entity_type"] != entity_type else hal(_show_field(request, row))


def _show_field(request: web.Request, row: Row) -> Row:
    enums = row.get("enums")
    return {
        "id": row["id"],
        "name": row["name"],
        "type": row["type"],
        "account_id": request.app[WORLD].account["id"],
        "code": row["code"],
        "sort": row["sort"],
        "is_api_only": False,
        "enums": [{"id": e["id"], "value": e["value"], "sort": i} for i, e in enumerate(enums)] if enums else None,
        "group_id": None,
        "required_statuses": [],
        "is_deletable": row["code"] is None,
        "is_predefined": row["code"] is not None,
        "entity_type": row["entity_type"],
        "_links": link(request, f"/api/v4/{row['entity_type']}/custom_fields/{row['id']}"),
    }


async def _tags(entity_type: str, request: web.Request) -> web.StreamResponse:
    query = read_query(request)
    rows = keep(request.app[WORLD].tags.where(entity_type=entity_type), query.filters, ("id", "name"))
    rows = [row for row in rows if query.search.casefold() in row["name"].casefold()]
    return page_answer(request, query, rows=rows, name="tags", view=_show_tag)


def _show_tag(row: Row) -> Row:
    return {"id": row["id"], "name": row["name"], "color": None}


def _of(entity_type: str) -> list[Route]:
    path, paging = f"/api/v4/{entity_type}", ("page", "limit")
    return [
        Route(
            "GET",
            f"{path}/custom_fields",
            partial(_fields, entity_type),
            f"custom fields of {entity_type}",
            query=paging,
        ),
        Route("GET", f"{path}/custom_fields/{ID}", partial(_field, entity_type), f"one custom field of {entity_type}"),
        Route(
            "GET",
            f"{path}/tags",
            partial(_tags, entity_type),
            f"tags of {entity_type}",
            query=(*paging, "query", "filter"),
        ),
    ]


ROUTES: Final = [
    Route("GET", _PIPELINES, _pipelines, "pipelines with their statuses"),
    Route("GET", f"{_PIPELINES}/{ID}", _pipeline, "one pipeline"),
    Route("GET", f"{_PIPELINES}/{ID}/statuses", _statuses, "statuses of a pipeline"),
    *[route for entity_type in ENTITIES for route in _of(entity_type)],
]
