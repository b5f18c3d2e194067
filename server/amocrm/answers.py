"""What amoCRM's answers mean: plain functions on values, no I/O.

Sources: amocrm.ru/developers/content/crm_platform/{api-reference,contacts-api,leads-api,calls-api,users-api}.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from server.core.book import BookRow
from server.core.crm import CallNote, Logged, Pipeline, Record, Status
from server.core.errors import (
    CrmBlocked,
    CrmEntityUnknown,
    CrmError,
    CrmRateLimited,
    CrmRefused,
    CrmUnavailable,
    CrmUnpaid,
)
from server.core.phone import last10
from server.core.records import Tokens, User
from server.core.rights import Rights

WON, LOST = 142, 143
"""The closing statuses, the same in every pipeline."""

UNSORTED = 1
"""The type of the status that is a pipeline's Unsorted."""

ENTITY_UNKNOWN = 263
"""Legacy code of POST /api/v4/calls: nobody has the number (github.com/amocrm/amocrm-api-php, issue 52)."""

NOUNS = {"contact": "contacts", "company": "companies", "lead": "leads", "customer": "customers"}

OLD_NOUNS = {1: "contacts", 2: "leads", 3: "companies", 12: "customers"}
"""Element types of the second generation of the API."""

SHORTEST_PHONE = 5
"""Fewer digits are an extension, or a remark in the phone field."""

STATUS_ERRORS: Mapping[int, type[CrmError]] = {
    402: CrmUnpaid, 403: CrmBlocked, 408: CrmUnavailable, 429: CrmRateLimited,
}  # fmt: skip


def error_of(status: int, body: bytes) -> CrmError:
    """The error that an answer other than 2xx means."""
    text = body[:500].decode("utf-8", "replace")
    if status >= 500:
        return CrmUnavailable(status=status)
    kind = STATUS_ERRORS.get(status, CrmRefused)
    return kind(f"amoCRM answered {status}: {_reason(body) or text}", status=status)


def content_of(body: bytes) -> Any:
    """The JSON of an answer; None for an empty one. Raises CrmUnavailable for half an answer or a web page."""
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except ValueError as exc:
        raise CrmUnavailable("amoCRM's answer was not understood.") from exc


def tokens(content: Any, now_ms: int) -> Tokens:
    """The tokens of an answer of /oauth2/access_token. Raises CrmUnavailable when it is no such answer."""
    try:
        expires_ms = now_ms + int(content["expires_in"]) * 1000
        return Tokens(str(content["access_token"]), str(content["refresh_token"]), expires_ms)
    except (KeyError, TypeError, ValueError) as exc:
        raise CrmUnavailable("amoCRM's answer holds no tokens.") from exc


def account(content: Any) -> tuple[int, str]:
    """Id and name of an answer of /api/v4/account. Raises CrmUnavailable when it is no such answer."""
    account_id = _dig(content, "id")
    if not isinstance(account_id, int):
        raise CrmUnavailable("amoCRM's answer names no account.")
    return account_id, str(_dig(content, "name") or "")


def embedded(content: Any, noun: str) -> list[dict[str, Any]]:
    """The items of a listing; none for an empty one."""
    rows = _dig(content, "_embedded", noun)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def listed(content: Any, noun: str) -> list[dict[str, Any]]:
    """The items of a listing that is acted upon. Raises CrmUnavailable for an answer that is no listing: taken for an
    empty one, it would make us write again what stands there already.
    """
    if content is not None and not isinstance(_dig(content, "_embedded", noun), list):
        raise CrmUnavailable(f"amoCRM's list of {noun} was not understood.")
    return embedded(content, noun)


def has_more(content: Any) -> bool:
    """Whether a listing has a next page."""
    return bool(_dig(content, "_links", "next", "href"))


def book_rows(items: Iterable[Mapping[str, Any]], noun: str) -> list[BookRow]:
    """Entities as the phone book keeps them; deleted and nameless shapes are skipped."""
    return [_book_row(item, noun) for item in items if isinstance(item.get("id"), int) and not item.get("is_deleted")]


def lead_ids(items: Iterable[Mapping[str, Any]]) -> list[int]:
    """The leads that contacts and companies name (`with=leads`)."""
    return [lead["id"] for item in items for lead in embedded(item, "leads") if isinstance(lead.get("id"), int)]


def phones(fields: Any) -> tuple[str, ...]:
    """The last ten digits of every phone in `custom_fields_values`; its shapes of the API and of webhooks differ."""
    found = []
    for field in fields if isinstance(fields, list) else ():
        if isinstance(field, dict) and "PHONE" in (field.get("field_code"), field.get("code")):
            values = [value for value in field.get("values") or () if isinstance(value, dict)]
            found += [last10(str(value.get("value", ""))) for value in values]
    return tuple(dict.fromkeys(phone for phone in found if len(phone) >= SHORTEST_PHONE))


def user(item: Mapping[str, Any]) -> User:
    """A user with his view rights."""
    said = item.get("rights") or {}
    view = {noun: str(_dig(said, noun, "view") or "") for noun in ("contacts", "companies", "leads")}
    user_id, group_id = int(item["id"]), int(said.get("group_id") or 0)
    is_admin, is_active = bool(said.get("is_admin")), bool(said.get("is_active", True))
    rights = Rights(user_id=user_id, group_id=group_id, is_admin=is_admin, view=view)
    return User(user_id, str(item.get("name") or ""), group_id, is_admin, is_active, rights)


def logged(status: int, content: Any) -> Logged:
    """Where amoCRM put the call. Raises CrmEntityUnknown, CrmRefused; CrmUnavailable when the answer is a riddle."""
    items = embedded(content, "calls")
    if status < 300 and items and isinstance(items[0].get("entity_id"), int):
        first = items[0]
        noun = NOUNS.get(str(first.get("entity_type")), str(first.get("entity_type")))
        return Logged(noun, first["entity_id"], int(first.get("id") or 0))
    faults = _dig(content, "errors")
    for fault in faults if isinstance(faults, list) else ():
        if isinstance(fault, dict) and fault.get("status") == ENTITY_UNKNOWN:
            raise CrmEntityUnknown
    if status >= 400:
        raise CrmRefused(f"amoCRM refused the call: {_reason(json.dumps(content).encode())}", status=status)
    raise CrmUnavailable("amoCRM's answer to a call was not understood.")


def old_logged(content: Any) -> Logged:
    """Where /api/v2/calls put the call. Raises CrmEntityUnknown, CrmRefused; CrmUnavailable for a riddle."""
    for item in embedded(content, "items"):
        noun = OLD_NOUNS.get(item.get("element_type") or 0)
        if noun and isinstance(item.get("element_id"), int):
            return Logged(noun, item["element_id"], int(item.get("id") or 0))
    for fault in embedded(content, "errors"):
        if fault.get("code") == ENTITY_UNKNOWN:
            raise CrmEntityUnknown
        raise CrmRefused(f"amoCRM refused the call: {fault.get('msg')}")
    raise CrmUnavailable("amoCRM's answer to a call was not understood.")


def old_record(content: Any) -> Record:
    """What /api/v2/incoming_leads/sip made. Raises CrmRefused, CrmUnavailable."""
    made = _dig(content, "data")
    if _dig(content, "status") == "success" and isinstance(made, list) and made:
        return Record(str(made[0]))
    if _dig(content, "status") == "fail":
        raise CrmRefused(f"amoCRM refused the call for Unsorted: {_dig(content, 'error')}")
    raise CrmUnavailable("amoCRM's answer to a call for Unsorted was not understood.")


def pipelines(content: Any) -> list[Pipeline]:
    """The pipelines in use, the main one first, without the stage that is Unsorted (type 1)."""
    found = [one for one in embedded(content, "pipelines") if not one.get("is_archive")]
    found.sort(key=lambda one: not one.get("is_main"))
    return [
        Pipeline(
            int(one["id"]),
            str(one.get("name") or ""),
            tuple(
                Status(int(status["id"]), str(status.get("name") or ""))
                for status in embedded(one, "statuses")
                if status.get("type") != UNSORTED
            ),
        )
        for one in found
    ]


def id_of(made: Any, what: str) -> int:
    """The id of the first entity that was made. Raises CrmUnavailable when the answer is a riddle: it may exist."""
    first = made[0] if isinstance(made, list) and made else None
    found = _dig(first, "id")
    if not isinstance(found, int):
        raise CrmUnavailable(f"amoCRM's answer to a new {what} was not understood.")
    return found


def records(content: Any) -> list[tuple[Record, str, int]]:
    """Records of Unsorted, each with its call's `uniq` and the moment it was made."""
    return [
        (record(one), str(_dig(one, "metadata", "uniq") or ""), int(one.get("created_at") or 0))
        for one in listed(content, "unsorted")
        if one.get("uid")
    ]


def record(one: Any) -> Record:
    """One record of Unsorted. Whose call it is may be told by name: that names nobody here. Raises CrmUnavailable."""
    if not _dig(one, "uid"):
        raise CrmUnavailable("amoCRM's answer about a record in Unsorted was not understood.")
    return Record(
        str(one["uid"]),
        next(iter(lead_ids([one])), 0),
        duration_s=_number(_dig(one, "metadata", "duration")),
        user_id=_number(_dig(one, "metadata", "call_responsible")),
        link=str(_dig(one, "metadata", "link") or ""),
    )


def text_of(note: Mapping[str, Any]) -> str:
    """What a plain note says."""
    return str(_dig(note, "params", "text") or "")


def uniq_of(note: Mapping[str, Any]) -> str | None:
    """Whose call a note is, by the id that its maker gave it."""
    uniq = _dig(note, "params", "uniq")
    return None if uniq is None else str(uniq)


def has_nameless(notes: Iterable[Mapping[str, Any]], note: CallNote) -> bool:
    """Whether a call's note without anybody's id may be this one's: the same number, length and second."""
    return any(
        _dig(one, "params", "uniq") is None
        and last10(str(_dig(one, "params", "phone") or "")) == last10(note.phone)
        and _dig(one, "params", "duration") == note.duration_s
        and one.get("created_at") == note.started_s
        for one in notes
    )


def _book_row(item: Mapping[str, Any], noun: str) -> BookRow:
    companies = embedded(item, "companies")
    people = [(whose, one["id"]) for whose in ("contacts", "companies") for one in embedded(item, whose)]
    return BookRow(
        id=item["id"],
        name=str(item.get("name") or ""),
        owner_id=int(item.get("responsible_user_id") or 0),
        group_id=int(item.get("group_id") or 0),
        company_id=companies[0]["id"] if noun == "contacts" and companies else 0,
        updated_s=int(item.get("updated_at") or 0),
        is_open=item.get("status_id") not in (WON, LOST),
        phones=phones(item.get("custom_fields_values")),
        bonds=tuple(people) if noun == "leads" else (),
    )


def _reason(body: bytes) -> str:
    """What amoCRM says is wrong: `detail`, and the first field at fault."""
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    told = str(_dig(content, "detail") or _dig(content, "hint") or _dig(content, "title") or "")
    fields = _dig(content, "validation-errors")
    first = _dig(fields[0], "errors") if isinstance(fields, list) and fields else None
    if isinstance(first, list) and first:
        told += f" ({_dig(first[0], 'path')}: {_dig(first[0], 'detail')})"
    return told


def _number(told: Any) -> int:
    """A number, sent as one or as text; 0 for anything else."""
    return int(told) if str(told).isdecimal() else 0


def _dig(content: Any, *path: str) -> Any:
    """What stands at a path of objects, None when there is nothing."""
    for name in path:
        content = content.get(name) if isinstance(content, Mapping) else None
    return content
