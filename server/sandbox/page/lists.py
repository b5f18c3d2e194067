"""What lists, the board of deals and the desk show."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from aiohttp import web

from server.sandbox.page.cards import phones_and_emails
from server.sandbox.rest.access import asker, may
from server.sandbox.rest.answers import plain
from server.sandbox.rest.bodies import read_any
from server.sandbox.rest.linking import rows_linked
from server.sandbox.rest.nouns import LOST, NOUNS, WON
from server.sandbox.rest.query import whole
from server.sandbox.rest.search import FINDER, is_visible
from server.sandbox.world import ENTITIES, WORLD, Row, World

_PER_PAGE: Final = 50
_PER_STATUS: Final = 50
_CALLS: Final = ("call_in", "call_out")
_SUGGESTED: Final = 10
_DAY_S: Final = 86_400
_UNDER_CONTACTS: Final = {"contacts": ("contacts",), "companies": ("companies",), "all": ("contacts", "companies")}

View = Callable[[World, Row], Row]


async def page(request: web.Request) -> web.StreamResponse:
    """One page of a list, the newest entity first; `term` searches as `query=` of the API does."""
    world, entity_type = request.app[WORLD], request.match_info["entity"]
    if entity_type == "todo":
        return plain(_pages(request, _tasks(world, asker(request).user), _task))
    rows = _rows(request, entity_type, asker(request).user, request.query.get("term", "").strip())
    return plain(_pages(request, rows, lambda world, row: _item(world, entity_type, row)))


def _rows(request: web.Request, entity_type: str, user: Row, term: str) -> list[Row]:
    found = request.app[FINDER].search(entity_type, term) if term else request.app[WORLD].entities(entity_type)
    rows = [row for row in found if is_visible(row) and may(user, "view", entity_type, row)]
    rows.reverse()
    return rows


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


async def front(request: web.Request) -> web.StreamResponse:
    """`/ajax/<entity>/list/`: the rows and the count that widgets ask the page's own list for.

    `only_count=Y` leaves the rows out. Under `contacts` the address may go on with `contacts`, `companies` or `all`.
    """
    world, user, form = request.app[WORLD], asker(request).user, await _asked(request)
    entity_type = request.match_info["entity"]
    names = _UNDER_CONTACTS.get(request.match_info.get("kind") or "", (entity_type,))
    rows = {name: _rows(request, name, user, str(form.get("term") or "").strip()) for name in names}
    found = [(name, row) for name, some in rows.items() for row in some]
    counts = {name: len(rows.get(name, [])) for name in ("contacts", "companies")}
    summary = {
        "count": len(found),
        "persons_count": counts["contacts"],
        "companies_count": counts["companies"],
    }
    answer: Row = {"summary": summary}
    if form.get("only_count") != "Y":
        number = max(whole(form.get("page")) or whole(form.get("PAGEN_1")) or 1, 1)
        shown = found[(number - 1) * _PER_PAGE : number * _PER_PAGE]
        answer["items"] = [_item(world, name, row) for name, row in shown]
    return plain({"count": len(found), "response": answer})


async def _asked(request: web.Request) -> Row:
    body = await read_any(request) if request.can_read_body else None
    return {**request.query, **(body if isinstance(body, dict) else {})}


async def suggest(request: web.Request) -> web.StreamResponse:
    """`/private/ajax/search.php?contacts=all&q=` or `?type=deals&q=`: rows behind the suggest of a sample."""
    user, term = asker(request).user, request.query.get("q", "").strip()
    names = ("leads",) if request.query.get("type") == "deals" else _UNDER_CONTACTS["all"]
    found = [(name, row) for name in names for row in _rows(request, name, user, term)[:_SUGGESTED]] if term else []
    result = [{"id": row["id"], "name": row["name"], "element_type": NOUNS[name].type_id} for name, row in found]
    return plain({"status": "ok", "result": result[:_SUGGESTED]})
