"""What lists, the board of deals and the desk show."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from aiohttp import web

from server.sandbox.page.cards import phones_and_emails
from server.sandbox.rest.access import asker, may
from server.sandbox.rest.answers import Problem, plain
from server.sandbox.rest.bodies import read_object
from server.sandbox.rest.linking import rows_linked
from server.sandbox.rest.nouns import LOST, NOUNS, WON
from server.sandbox.rest.query import whole
from server.sandbox.rest.removal import delete
from server.sandbox.rest.search import FINDER, is_visible
from server.sandbox.world import ENTITIES, WORLD, Row, World

_PER_PAGE: Final = 50
_PER_STATUS: Final = 50
_CALLS: Final = ("call_in", "call_out")
_DAY_S: Final = 86_400

View = Callable[[World, Row], Row]


async def page(request: web.Request) -> web.StreamResponse:
    """One page of a list, the newest entity first; `term` searches as `query=` of the API does."""
    world, entity_type = request.app[WORLD], request.match_info["entity"]
    if entity_type == "todo":
        return plain(_pages(request, _tasks(world, asker(request).user), _task))
    term = request.query.get("term", "").strip()
    found = request.app[FINDER].search(entity_type, term) if term else world.entities(entity_type)
    user = asker(request).user
    rows = [row for row in found if is_visible(row) and may(user, "view", entity_type, row)]
    rows.reverse()
    return plain(_pages(request, rows, lambda world, row: _item(world, entity_type, row)))


def _pages(request: web.Request, rows: list[Row], view: View) -> Row:
    pages = max(1, -(-len(rows) // _PER_PAGE))
    number = min(max(whole(request.query.get("page")) or 1, 1), pages)
    shown = rows[(number - 1) * _PER_PAGE : number * _PER_PAGE]
    items = [view(request.app[WORLD], row) for row in shown]
    return {"items": items, "total": len(rows), "page": number, "pages": pages}


def _item(world: World, entity_type: str, row: Row) -> Row:
    """A row with the members every list model has in amoCRM, and the columns of this one."""
    contacts, companies = (rows_linked(world, row, other) for other in ("contacts", "companies"))
    company = companies[0] if companies and entity_type != "companies" else None
    item: Row = {
        "id": row["id"],
        "type": NOUNS[entity_type].singular,
        "entity": NOUNS[entity_type].singular,
        "element_type": NOUNS[entity_type].type_id,
        "name": _place(entity_type, row),
        "company_name": {"name": company["name"], "url": f"/companies/detail/{company['id']}"} if company else {},
        "contact": _place("contacts", contacts[0]) if contacts else None,
        "responsible": _user_name(world, row),
        "created_at": row["created_at"],
        "price": row.get("price", row.get("next_price")),
        **phones_and_emails(world, entity_type, row),
    }
    return item | ({"status": _status(world, row)} if entity_type == "leads" else {})


def _place(entity_type: str, row: Row) -> Row:
    return {"text": row.get("name") or f"#{row['id']}", "url": f"/{entity_type}/detail/{row['id']}"}


def _user_name(world: World, row: Row) -> str:
    return str((world.users.get(row.get("responsible_user_id")) or {"name": ""})["name"])


def _status(world: World, row: Row) -> Row | None:
    pipeline = world.pipelines.get(row.get("pipeline_id"))
    statuses = pipeline["statuses"] if pipeline else []
    found = next((status for status in statuses if status["id"] == row.get("status_id")), None)
    return {"name": found["name"], "color": found["color"]} if found else None


def _tasks(world: World, user: Row) -> list[Row]:
    own = [task for task in world.tasks if not task.get("is_completed")]
    visible = [task for task in own if user["rights"]["is_admin"] or task["responsible_user_id"] == user["id"]]
    return sorted(visible, key=lambda task: task["complete_till"] or 0)


def _task(world: World, row: Row) -> Row:
    entity_type = row.get("entity_type")
    entity = world.entities(entity_type).get(row.get("entity_id")) if entity_type in ENTITIES else None
    return {
        "id": row["id"],
        "type": "task",
        "element_type": 4,
        "company_name": {},
        "phones": [],
        "emails": [],
        "name": {"text": row["text"], "url": f"/{entity_type}/detail/{entity['id']}" if entity else "/todo/list/"},
        "entity": _place(str(entity_type), entity) if entity else None,
        "complete_till": row["complete_till"],
        "responsible": _user_name(world, row),
    }


async def board(request: web.Request) -> web.StreamResponse:
    """The main pipeline with its deals, column by column."""
    world, user = request.app[WORLD], asker(request).user
    pipeline = next((one for one in world.pipelines if one["is_main"]), next(iter(world.pipelines)))
    leads = [row for row in world.leads if row["pipeline_id"] == pipeline["id"] and is_visible(row)]
    leads = [row for row in leads if may(user, "view", "leads", row)]
    columns = [_column(world, status, leads) for status in pipeline["statuses"] if status.get("type") != 1]
    return plain({"id": pipeline["id"], "name": pipeline["name"], "statuses": columns})


def _column(world: World, status: Row, leads: list[Row]) -> Row:
    here = [lead for lead in reversed(leads) if lead["status_id"] == status["id"]]
    shown = [
        {"id": lead["id"], "name": lead["name"], "price": lead["price"], "from": _from(world, lead)}
        for lead in here[:_PER_STATUS]
    ]
    total = sum(lead["price"] or 0 for lead in here)
    return {
        **{name: status[name] for name in ("id", "name", "color")},
        "count": len(here),
        "sum": total,
        "leads": shown,
    }


def _from(world: World, lead: Row) -> str:
    names = [row["name"] for other in ("contacts", "companies") for row in rows_linked(world, lead, other)]
    return ", ".join(names[:2])


async def desk(request: web.Request) -> web.StreamResponse:
    """The numbers of the desk."""
    world = request.app[WORLD]
    since = world.now() - _DAY_S
    counts = Counter({name: sum(is_visible(row) for row in world.entities(name)) for name in ENTITIES})
    open_leads = [row for row in world.leads if is_visible(row) and row["status_id"] not in (WON, LOST)]
    calls = sum(note["note_type"] in _CALLS and note["created_at"] >= since for note in world.notes)
    total = sum(row["price"] or 0 for row in open_leads)
    return plain({"account": world.account["name"], "calls": calls, "sum": total, **counts, "leads": len(open_leads)})


async def act(request: web.Request) -> web.StreamResponse:
    """`POST /ajax/v1/multiactions` of the list's tool bar: delete what is ticked, as far as the user may."""
    world, user, body = request.app[WORLD], asker(request).user, await read_object(request)
    entity_type, ids = body.get("entity"), body.get("ids")
    if entity_type not in ENTITIES or body.get("action") != "delete" or not isinstance(ids, list):
        raise Problem(400, "entity, action (delete) and ids are required")
    gone = []
    for row in filter(None, (world.entities(entity_type).get(whole(one)) for one in ids)):
        if not row["is_deleted"] and may(user, "delete", entity_type, row):
            delete(world, entity_type, row, user_id=user["id"])
            gone.append(row["id"])
    return plain({"status": "success", "ids": gone})
