"""What only people and amoCRM itself do to the data of an account: the bin, chats and letters in Unsorted."""

from typing import Any, Final

from aiohttp import web

from server.sandbox.rest import removal
from server.sandbox.rest.answers import Problem, plain
from server.sandbox.rest.bodies import read_object
from server.sandbox.rest.query import whole
from server.sandbox.rest.unsorted_intake import CATEGORIES, read, store
from server.sandbox.rest.writing import Refusals
from server.sandbox.routes import Route
from server.sandbox.seed import MOST_CONTACTS, more_contacts
from server.sandbox.widgets.installed import first_admin
from server.sandbox.world import ENTITIES, WORLD, Row, World

_OWN: Final = "the sandbox's own"
_MOVES: Final = {"delete": removal.delete, "restore": removal.restore}


async def _grow(request: web.Request) -> web.StreamResponse:
    world, count = request.app[WORLD], whole((await read_object(request)).get("count"))
    if count is None or not 0 < count <= MOST_CONTACTS:
        raise Problem(400, f"count is a number from 1 to {MOST_CONTACTS}")
    more_contacts(world, count)
    return plain({"contacts": len(world.contacts)})


async def _bin(request: web.Request) -> web.StreamResponse:
    """Delete or restore: `{"entity": "leads", "ids": [1, 2], "action": "delete | restore"}`."""
    world, body = request.app[WORLD], await read_object(request)
    entity_type, action, ids = body.get("entity"), body.get("action"), body.get("ids")
    if entity_type not in (*ENTITIES, "tasks") or str(action) not in _MOVES or not isinstance(ids, list):
        raise Problem(400, f"entity is one of {', '.join(ENTITIES)}, tasks; action is delete or restore; ids is a list")
    moved = [_move(world, str(entity_type), whole(one), str(action)) for one in ids]
    return plain({"moved": sum(moved)})


def _move(world: World, entity_type: str, row_id: int | None, action: str) -> bool:
    row = world.tasks.get(row_id) if entity_type == "tasks" else world.entities(entity_type).get(row_id)
    if row is None or row.get("is_deleted", False) != (action == "restore"):
        return False
    _MOVES[action](world, entity_type, row, user_id=first_admin(world)["id"])
    return True


async def _unsorted(request: web.Request) -> web.StreamResponse:
    """A record of any category, a chat or a letter as well; the body is that of `/leads/unsorted/sip`."""
    world, body = request.app[WORLD], await read_object(request)
    category = str(body.get("category", "chats"))
    if category not in CATEGORIES:
        raise Problem(400, f"category is one of {', '.join(CATEGORIES)}")
    user_id, refusals = first_admin(world)["id"], Refusals()
    item: Row = {"source_uid": "sandbox", "source_name": "sandbox", "metadata": _metadata(world, category), **body}
    arrival = read(world, category, item, user_id=user_id, refuse=refusals.of("0"))
    refusals.settle()
    record = store(world, arrival, user_id=user_id)
    return plain({name: record[name] for name in ("uid", "category", "pipeline_id", "inside")})


def _metadata(world: World, category: str) -> Row:
    """What amoCRM itself tells of a chat or a letter; a fresh one each time."""
    number = world.next_id("messages")
    if category == "mail":
        sender = {"email": f"client{number}@mail.example", "name": "Клиент"}
        letter = {"subject": "Вопрос", "thread_id": number, "message_id": number, "content_summary": "Добрый день"}
        return {"from": sender, "received_at": world.now(), **letter}
    origin = {"chat_id": f"chat-{number}", "ref": None, "visitor_uid": None}
    chat = {"service": "telegram", "client": {"name": f"Гость {number}", "avatar": None}, "origin": origin}
    return {
        "from": f"Гость {number}",
        "to": "page",
        "received_at": world.now(),
        **chat,
        "last_message_text": "Здравствуйте",
    }


def _own(path: str, handler: Any, summary: str) -> Route:
    return Route("POST", path, handler, summary, door="open", fidelity=_OWN, body="object")


ROUTES: Final = [
    _own("/sandbox/contacts", _grow, "many more sample contacts"),
    _own("/sandbox/bin", _bin, "delete or restore entities, as people do on the page"),
    _own("/sandbox/unsorted", _unsorted, "put a chat or a letter into Unsorted, as amoCRM does"),
]
