"""Garbage at every door: whatever is sent, amoCRM answers in time with something below 500, and keeps living."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from amocrm_client import Api, Site, body
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from standing import LEFT_OUT, Standing, standing
from yarl import URL

from server.sandbox.app import make_app
from server.sandbox.openapi import describe
from server.sandbox.world import World

EXAMPLES = 15
API = ("/api/v4/", "/oauth2/", "/ajax/")
"""Where every refusal is a problem; the earlier generations refuse in envelopes of their own."""

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", "0", "١٢", "\ud800", "a" * 5000, "7" * 40, "<b>'\"&", "\x00", 2**70, 501_016, "phone_call"]),
)
MEMBERS = """
    id name custom_fields_values field_id field_code values value enum_id _embedded contacts tags params text
    note_type entity_id entity_type direction duration phone source metadata destination settings add update
    users type phone_number complete_till request_id to_entity_id to_entity_type status_id pipeline_id
    created_at uniq responsible_user_id client_id grant_type code result is_completed called_at service_code
    request leads links link custom_fields enum element_id element_type task_type updated_at leads_id unlink
    company_name incoming_lead_info incoming_entities accept USER_LOGIN multiactions ids result_element ID NAME
    TAGS cfv action
"""
NAMES = st.sampled_from(MEMBERS.split())
GOOD: tuple[dict[str, Any], ...] = (
    {"id": 501_016},
    {"id": 701_001},
    {"note_type": "common"},
    {"direction": "inbound", "duration": 1, "source": "s", "phone": "1"},
    {"field_code": "PHONE", "values": [{}]},
    {"to_entity_type": "contacts"},
    {"type": "phone_call"},
    {"element_type": 1, "element_id": 501_016, "note_type": 4},
    {"id": "501016", "custom_fields": [{"id": 7_001, "values": [{}]}]},
    {"from": "contacts", "from_id": 501_016, "to": "leads"},
    {"id": [501_016, 501_017], "result_element": {"ID": 501_016, "NAME": {}, "TAGS": [{}], "cfv": {"1": [{}], "x": 1}}},
    {
        "request": {
            "multiactions": {"add": {"0": {"entity_type": 1, "ids": [{}], "data": {"data": {"ACTION": "DELETE"}}}}}
        }
    },
    {"code": "kommutator", "action": "edit", "settings": "[", "widget_active": {}},
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(st.dictionaries(NAMES, inner, max_size=5), st.sampled_from(GOOD)).map(lambda both: both[0] | both[1]),
    ),
    max_leaves=12,
)
NOUNS = ("contacts", "leads", "customers", "notes", "tasks", "links")


def old(value: Any) -> list[Any]:
    """A value in the places where the earlier generations of the API look for it."""
    inside = {"add": [value], "update": [value], "link": [value]}
    return [inside, {"request": dict.fromkeys(NOUNS, inside)}]


WRAPPED = st.one_of(VALUES, st.lists(VALUES, max_size=3), VALUES.map(old).flatmap(st.sampled_from))
BROKEN = (b"", b"{", b"nul", b"[" * 100_000, b"NaN", b"[1e999]", b'{"id":' + b"9" * 5000 + b"}", b"\xff\xfe",
          b"a[b=1&a[]]=2", b"add[x][y]=1", b"add=1&add[0]=2", b"client_id[]=1", b"&&&", b"a" + b"[b]" * 500 + b"=1",
          )  # fmt: skip
BODIES = st.one_of(
    WRAPPED.map(lambda value: json.dumps(value).encode()), st.binary(max_size=50), st.sampled_from(BROKEN)
)
KINDS = st.sampled_from(
    ["application/json", "application/json", "application/x-www-form-urlencoded", "multipart/form-data",
     "multipart/form-data; boundary=x", "text/plain; charset=latin-nonsense", "/", "", "application/json; charset=\xff"]
)  # fmt: skip
KEYS = st.sampled_from(
    ["page", "limit", "with", "with[]", "query", "query[]", "order", "order[id]", "order[id][x]", "filter",
     "filter[id]", "filter[id][]", "filter[id][from]", "filter[updated_at][from]", "filter[statuses]",
     "filter[statuses][0]", "filter[statuses][0][status_id]", "filter[custom_fields_values][1][]", "filter[[[",
     "page[]", "SEARCH", "[]", "]", "limit_rows", "limit_offset", "id[]", "id[x][y]", "type[]", "with[a]",
     "filter[date_create][from]", "filter[pipe][1]", "element_id", "links[0][from]", "links[0][from_id]",
     "USER_LOGIN", "USER_HASH[]"]
)  # fmt: skip
QUERIES = st.lists(st.tuples(KEYS, st.one_of(st.integers().map(str), st.text(max_size=10), st.just("%ff"))), max_size=4)
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30).map(
    str.strip
)
HEADERS = st.dictionaries(
    st.sampled_from(["X-Context-User-ID", "Accept", "Accept-Language", "Cookie", "If-Modified-Since", "Origin", "Range",
                     "X-Refresh-Token", "X-Requested-With", "Content-Encoding", "Authorization"]),
    WORDS, max_size=1,
)  # fmt: skip
SPOILT = st.sampled_from(["", "", "", "/", "/%00", "/%ff", "/..;/", "/" + "9" * 400, "%2e%2e", "//", "/x?", ";x=y"])


def operations() -> list[tuple[str, str]]:
    """Every method of every described path, with ids of entities that exist."""
    known = {
        "id": "501016",
        "note_id": "90001",
        "status_id": "30002",
        "catalog_id": "4501",
        "customer_id": "301001",
        "kind": "companies",
        "uid": "0" * 58,
        "code": "kommutator",
        "entity": "contacts",
        "name": "x",
    }
    paths = describe(make_app(World()))["paths"]
    return [
        (method.upper(), path.format_map({**known, "rest": "x"}))
        for path, methods in paths.items()
        for method in methods
        if path not in LEFT_OUT
    ]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Standing]:
    with standing() as one:
        yield one


@pytest.mark.parametrize(("method", "path"), operations())
def test_no_body_query_header_or_path_breaks_it(sandbox: Standing, method: str, path: str) -> None:
    """Real names with foreign values, bytes that are no JSON, forms that do not fit: an answer in time, below 500,
    and a problem where the API refuses.
    """

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(raw=BODIES, kind=KINDS, query=QUERIES, headers=HEADERS, spoilt=SPOILT)
    def survives(raw: bytes, kind: str, query: list[tuple[str, str]], headers: dict[str, str], spoilt: str) -> None:
        words = "&".join(f"{quote(key, safe='[]')}={quote(value, safe='%', errors='ignore')}" for key, value in query)
        sent = raw if method != "GET" else b""
        status, answered, _ = sandbox.ask(method, f"{path}{spoilt}?{words}", sent, {"Content-Type": kind, **headers})

        assert status < 500, sandbox.world.log.entries("error")[-1:]
        if status >= 400 and path.startswith(API) and not spoilt:
            assert answered == "application/problem+json"

    survives()


async def test_it_still_lives_afterwards(site: Site, api: Api) -> None:
    """A path full of nonsense is 404, and the account answers."""
    for path in ("/api/v4/%ff", "/api/v4/contacts/" + "9" * 400, "/api/v4/contacts/1/notes/x", "/api//v4/..;/"):
        answer = await site.get(URL(path, encoded=True), headers=api.headers)

        assert answer.status in (204, 400, 404)
    assert (await body(await api.get("/api/v4/account")))["id"]
