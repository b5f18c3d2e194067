"""An entity as the earlier APIs write it, in the words of /api/v4. Both old dialects are read everywhere."""

from typing import Any, Final

from server.sandbox.legacy.asked import moment, numbers, texts
from server.sandbox.legacy.fields import read_fields
from server.sandbox.rest.linking import can_link
from server.sandbox.rest.nouns import NOUNS, Noun
from server.sandbox.rest.query import whole
from server.sandbox.world import Row, World

_RENAMED: Final = {
    "sale": "price",
    "date_create": "created_at",
    "last_modified": "updated_at",
    "created_user_id": "created_by",
    "modified_user_id": "updated_by",
    "main_user_id": "responsible_user_id",
    "date_close": "closed_at",
}
_TIMES: Final = ("created_at", "updated_at", "closed_at", "next_date")
# Who is linked, by the names of all dialects.
_LINKS: Final = {
    "contacts": ("contacts_id", "main_contact_id", "contact_id", "linked_contacts_id"),
    "companies": ("company_id", "companies_id", "linked_company_id"),
    "leads": ("leads_id", "lead_id", "linked_leads_id"),
    "customers": ("customers_id", "customer_id"),
}


def modernize(world: World, noun: Noun, item: Row) -> Row:
    """One item of `add` or `update` as /api/v4 takes it, links and tags under `_embedded`."""
    given = {_RENAMED.get(name, name): value for name, value in item.items() if value not in (None, "")}
    modern: Row = {member.name: given[member.name] for member in noun.members if member.name in given}
    modern |= {name: moment(world, modern[name]) or modern[name] for name in _TIMES if name in modern}
    modern |= {name: str(modern[name]) for name in _text_members(noun) if isinstance(modern.get(name), int | float)}
    if "custom_fields" in item:
        modern["custom_fields_values"] = read_fields(world, item["custom_fields"] or [])
    embedded: Row = {}
    if "tags" in item:
        embedded["tags"] = [_tag(one) for one in texts(item["tags"])]
    for other_type, ids in links_of(noun, item).items():
        main = whole(item.get("main_contact_id")) if other_type == "contacts" else None
        embedded[other_type] = [{"id": one, "is_main": one == main} for one in ids]
    return {**modern, "_embedded": embedded}


def links_of(noun: Noun, item: Row) -> dict[str, list[int]]:
    """Ids of what an item is to be linked with (or, under `unlink`, parted from), by kind."""
    return {
        other_type: list(dict.fromkeys(ids))
        for other_type, names in _LINKS.items()
        if can_link(noun.name, other_type)
        and (ids := [number for name in names for number in numbers(item.get(name)) if number > 0])
    }


def type_of_element(given: Any) -> str | None:
    """The kind of entity behind `element_type` (1, 2, 3, 12) or `type=` (contact, lead, company, customer)."""
    number = whole(given)
    for noun in NOUNS.values():
        if number == noun.type_id or given in (noun.singular, noun.name):
            return noun.name
    return None


def _text_members(noun: Noun) -> list[str]:
    return [member.name for member in noun.members if member.kind == "text"]


def _tag(given: Any) -> Row:
    """A tag by its name or as a list shows it; a number alone is a name as well."""
    return given if isinstance(given, dict) else {"name": str(given)}
