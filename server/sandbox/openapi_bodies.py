"""What the bodies of requests consist of, for the description: entities from their own table, the others from here.

A route that is not in the table takes the members that dictionaries have: fields, tags, pipelines and their like.
"""

from typing import Any, Final

from server.sandbox.rest.nouns import NOUNS, Member, Noun

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_INT: Final[Schema] = {"type": "integer"}
_FLAG: Final[Schema] = {"type": "boolean"}
_TIME: Final[Schema] = {"type": "integer", "minimum": 0, "description": "Unix time"}
_ANY: Final[Schema] = {}


def _some(**members: Schema) -> Schema:
    return {"type": "object", "properties": members}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item, "maxItems": 250}


def _choice(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def _needs(schema: Schema, *names: str) -> Schema:
    return {**schema, "required": list(names)}


_ID: Final = _some(id=_INT)
_FIELD: Final = _some(field_id=_INT, field_code=_TEXT, values=_list(_some(value=_ANY, enum_id=_INT, enum_code=_TEXT)))
_TAG: Final = _some(id=_INT, name=_TEXT)
_KINDS: Final[dict[str, Schema]] = {
    "text": _TEXT,
    "int": _INT,
    "time": _TIME,
    "user": _INT,
    "bool": _FLAG,
}


def _member(member: Member) -> Schema:
    return {**_KINDS[member.kind], "nullable": True}


def _entity(noun: Noun) -> Schema:
    own = {member.name: _member(member) for member in noun.members if member.writable}
    inside = {name: _list(_some(id=_INT, is_main=_FLAG)) for name in (*noun.embeds, *noun.always)}
    return _some(
        id=_INT,
        request_id=_TEXT,
        custom_fields_values={**_list(_FIELD), "nullable": True},
        tags_to_add=_list(_TAG),
        tags_to_delete=_list(_TAG),
        _embedded=_some(tags=_list(_TAG), **inside),
        **own,
    )


_CALL_NOTE: Final = _some(
    text=_TEXT, uniq=_TEXT, duration=_INT, source=_TEXT, link=_TEXT, phone=_TEXT, call_status=_INT, service=_TEXT
)
_NOTE: Final = _some(
    id=_INT,
    entity_id=_INT,
    note_type=_choice("common", "call_in", "call_out", "service_message", "sms_in", "sms_out", "geolocation"),
    params=_CALL_NOTE,
    responsible_user_id=_INT,
    created_by=_INT,
    created_at=_TIME,
    request_id=_TEXT,
)
_TASK: Final = _some(
    id=_INT,
    text=_TEXT,
    complete_till=_TIME,
    entity_id=_INT,
    entity_type=_choice(*NOUNS),
    task_type_id=_INT,
    duration=_INT,
    is_completed=_FLAG,
    result=_some(text=_TEXT),
    responsible_user_id=_INT,
    request_id=_TEXT,
)
_CALL: Final = _some(
    direction=_choice("inbound", "outbound"),
    phone=_TEXT,
    duration=_INT,
    source=_TEXT,
    uniq=_TEXT,
    link=_TEXT,
    call_result=_TEXT,
    call_status={"type": "integer", "minimum": 1, "maximum": 8},
    call_responsible=_ANY,
    responsible_user_id=_INT,
    created_by=_INT,
    created_at=_TIME,
    request_id=_TEXT,
)
_UNSORTED: Final = _some(
    source_name=_TEXT,
    source_uid=_TEXT,
    pipeline_id=_INT,
    created_at=_TIME,
    request_id=_TEXT,
    metadata=_some(**{"from": _ANY}, phone=_TEXT, called_at=_TIME, duration=_INT, service_code=_TEXT, uniq=_TEXT,
                   link=_TEXT, is_call_event_needed=_FLAG),
    _embedded=_some(**{name: _list(_entity(NOUNS[name])) for name in ("leads", "contacts", "companies")}),
)  # fmt: skip
_LINK: Final = _needs(
    _some(to_entity_id=_INT, to_entity_type=_choice(*NOUNS), metadata={**_some(is_main=_FLAG), "nullable": True}),
    "to_entity_id",
    "to_entity_type",
)
_HOOK: Final = _needs(_some(destination=_TEXT, settings=_list(_choice("add_lead", "add_contact", "note_lead")),
                            sort=_INT), "destination")  # fmt: skip
_CLIENT: Final = dict.fromkeys(("client_id", "client_secret", "redirect_uri", "code", "refresh_token"), _TEXT)

_RINGING: Final = _needs(_some(type=_choice("phone_call"), phone_number=_TEXT, users=_list(_INT)), "type",
                         "phone_number", "users")  # fmt: skip

_ANY_OTHER: Final = _some(
    id=_INT,
    name=_TEXT,
    type=_TEXT,
    code=_TEXT,
    sort=_INT,
    color=_TEXT,
    is_main=_FLAG,
    enums=_list(_some(id=_INT, value=_TEXT, sort=_INT)),
    custom_fields_values=_list(_FIELD),
)

# By the end of a route's plain path; the first that fits.
_BY_PATH: Final[tuple[tuple[str, Schema], ...]] = (
    ("/notes", _needs(_NOTE, "note_type", "params")),
    ("/notes/{note_id}", _NOTE),
    ("/api/v4/tasks", _needs(_TASK, "text", "complete_till")),
    ("/api/v4/tasks/{id}", _TASK),
    ("/api/v4/calls", _needs(_CALL, "direction", "duration", "source", "phone")),
    ("/leads/unsorted/sip", _needs(_UNSORTED, "source_name", "source_uid", "metadata")),
    ("/unsorted/{uid}/accept", _some(user_id=_INT, status_id=_INT)),
    ("/unsorted/{uid}/decline", _some(user_id=_INT)),
    ("/leads/complex", _entity(NOUNS["leads"])),
    ("/link", _LINK),
    ("/unlink", _LINK),
    ("/api/v4/webhooks", _HOOK),
    ("/oauth2/access_token", _some(grant_type=_choice("authorization_code", "refresh_token"), **_CLIENT)),
    ("/oauth", _some(client_id=_TEXT, state=_TEXT, mode=_TEXT, decision=_choice("allow", "deny"), user=_TEXT)),
    ("/events", _needs(_some(add=_list(_RINGING)), "add")),
    ("/ajax/one-time-token", _some(code=_TEXT)),
    *((f"/api/v4/{name}", _entity(noun)) for name, noun in NOUNS.items()),
    *((f"/api/v4/{name}/{{id}}", _entity(noun)) for name, noun in NOUNS.items()),
)


def item_of(plain_path: str) -> Schema:
    """The object that a request to this path carries, or the list of which it carries."""
    path = plain_path.rstrip("/")
    return next((schema for end, schema in _BY_PATH if path.endswith(end)), _ANY_OTHER)
