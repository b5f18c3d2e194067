"""amoCRM's webhooks: PHP-style form fields → changes of the phone book.

Source: amocrm.ru/developers/content/crm_platform/webhooks-format. Companies come under `contacts` with `type=company`;
a lead's hook does not name its people.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

from server.core.book import BookRow
from server.core.crm import Change
from server.core.errors import HookMalformed

from .answers import phones

_KEYS = re.compile(r"\[([^\[\]]*)\]")
_DEEPEST = 12
_MOST_FIELDS = 20_000
GONE = "delete"
NOUNS = ("contacts", "leads")


def read_changes(body: bytes) -> list[Change]:
    """What a webhook says, in its order. Raises HookMalformed for what is no form; unknown events say nothing."""
    tree = nested(body)
    return [
        change
        for noun in NOUNS
        for action, items in _pairs(tree.get(noun))
        for _, item in _pairs(items)
        if (change := _change(noun, action, item)) is not None
    ]


def nested(body: bytes) -> dict[str, Any]:
    """`a[b][0][c]=x` as nested objects. Raises HookMalformed."""
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as exc:
        raise HookMalformed from exc
    tree: dict[str, Any] = {}
    for name, value in fields:
        head, _, rest = name.partition("[")
        path = [head, *_KEYS.findall("[" + rest)] if rest else [head]
        if len(path) <= _DEEPEST:
            _plant(tree, path, value)
    return tree


def _plant(tree: dict[str, Any], path: list[str], value: str) -> None:
    for key in path[:-1]:
        branch = tree.setdefault(key, {})
        if not isinstance(branch, dict):
            return
        tree = branch
    tree[path[-1]] = value


def _change(noun: str, action: str, item: Any) -> Change | None:
    if not isinstance(item, dict) or not str(item.get("id", "")).isdigit():
        return None
    entity_id = int(item["id"])
    noun = "companies" if item.get("type") == "company" else noun
    if action == GONE:
        return Change(noun, entity_id, None)
    row = BookRow(
        id=entity_id,
        name=str(item.get("name", "")),
        owner_id=_number(item.get("responsible_user_id")),
        group_id=_number(item.get("group_id")),
        company_id=_number(item.get("linked_company_id")),
        updated_s=_number(item.get("updated_at") or item.get("last_modified")),
        phones=phones(_fields(item.get("custom_fields"))),
    )
    return Change(noun, entity_id, row)


def _fields(fields: Any) -> list[dict[str, Any]]:
    """Custom fields as the API gives them: lists instead of objects with numbers for keys."""
    return [
        {**field, "values": [value for _, value in _pairs(field.get("values"))]}
        for _, field in _pairs(fields)
        if isinstance(field, dict)
    ]


def _pairs(branch: Any) -> list[tuple[str, Any]]:
    return list(branch.items()) if isinstance(branch, dict) else []


def _number(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else 0
