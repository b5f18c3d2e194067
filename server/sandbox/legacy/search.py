"""`/private/api/contact_search.php`: XML of the contacts and companies a number belongs to.

Old telephony widgets read it on the page, old back-end scripts with a token; some take the text apart line by line.
"""

import re
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from aiohttp import web

from server.sandbox.rest.access import asker, may
from server.sandbox.rest.custom_fields import values_by_code
from server.sandbox.rest.linking import rows_linked
from server.sandbox.rest.search import FINDER
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row, World

_NO_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


async def _search(request: web.Request) -> web.StreamResponse:
    # A widget sends SEARCH twice, for a mail address and a number: PHP knows only the last one.
    text, user = request.query.getall("SEARCH", [""])[-1], asker(request).user
    found = [
        (entity_type, row)
        for entity_type in ("contacts", "companies")
        for row in (request.app[FINDER].search(entity_type, text) if text else [])
        if may(user, "view", entity_type, row)
    ]
    lines = [line for entity_type, row in found for line in _contact(request.app[WORLD], entity_type, row)]
    body = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<contacts>", *lines, "</contacts>", ""])
    return web.Response(text=body, content_type="text/xml")


def _contact(world: World, entity_type: str, row: Row) -> Iterator[str]:
    company = next(iter(rows_linked(world, row, "companies")), {"id": "", "name": ""})
    yield "\t<contact>"
    yield f"\t\t<id>{row['id']}</id>"
    yield f"\t\t<name>{_text(row['name'])}</name>"
    yield "\t\t<company>"
    yield f"\t\t\t<id>{company['id']}</id>"
    yield f"\t\t\t<name>{_text(company['name'])}</name>"
    yield "\t\t</company>"
    yield f"\t\t<is_company>{int(entity_type == 'companies')}</is_company>"
    yield "\t\t<phones>"
    for phone in values_by_code(world, row, entity_type, "PHONE"):
        yield f"\t\t\t<phone><number>{_text(phone)}</number></phone>"
    yield "\t\t</phones>"
    user = world.users.get(row["responsible_user_id"]) or {"id": "", "name": ""}
    yield f"\t\t<user><id>{user['id']}</id><name>{_text(user['name'])}</name></user>"
    yield "\t</contact>"


def _text(value: str) -> str:
    return escape(_NO_XML.sub("", value))


ROUTES: Final = [
    Route("GET", "/private/api/contact_search.php", _search, "old search by number, XML", query=("SEARCH",)),
]
