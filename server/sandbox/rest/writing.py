"""From what a client sent to what is stored: one item of a create or update request.

Clients send back what they fetched: read-only members, `_links`, `_embedded: {}` and nulls mean "absent". What cannot
be understood is refused by name, and then nothing of the request is stored.
"""

import copy
from collections.abc import Iterable
from typing import Any, Final

from server.sandbox.rest.answers import Invalid
from server.sandbox.rest.custom_fields import Refuse, write_values
from server.sandbox.rest.linking import can_link, link
from server.sandbox.rest.nouns import LOST, WON, Member, Noun
from server.sandbox.rest.query import whole
from server.sandbox.world import Row, World

_TYPES: Final = {"text": "string", "int": "int", "time": "int", "user": "int", "bool": "bool"}
LATEST: Final = 2**33  # Unix seconds; what is beyond is milliseconds or nonsense


class Refusals:
    """The validation errors of one request, by item."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str, str, str]] = []

    def of(self, request_id: Any) -> Refuse:
        """The function that notes an error of this item."""
        return lambda code, path, detail: self._found.append((str(request_id), code, path, detail))

    def settle(self) -> None:
        """Raise `Invalid` when anything was refused."""
        if self._found:
            raise Invalid(self._found)


def request_id_of(item: Row, position: int) -> Any:
    """The caller's own request id, its type kept, or the item's position as text."""
    given = item.get("request_id")
    return str(position) if given is None else given


def draft(world: World, noun: Noun, item: Row, *, user_id: int, refuse: Refuse) -> Row:
    """A new row from an item, not stored and without an id."""
    now = world.now()
    row: Row = {member.name: member.default for member in noun.members}
    stamp = {"created_by": user_id, "updated_by": user_id, "created_at": now, "updated_at": now}
    row |= {**stamp, "responsible_user_id": user_id, "custom_fields_values": [], "tags": [], "links": {}}
    apply(world, noun, row, item=item, refuse=refuse)
    _check_links(world, noun, item, refuse)
    return row


def changed(world: World, noun: Noun, row: Row, *, item: Row, user_id: int, refuse: Refuse) -> Row:
    """A changed copy of a stored row, not stored yet."""
    row = copy.deepcopy(row)
    row |= {"updated_at": world.now(), "updated_by": user_id}
    apply(world, noun, row, item=item, refuse=refuse)
    return row


def apply(world: World, noun: Noun, row: Row, *, item: Row, refuse: Refuse) -> None:
    """Write the members of `item` into `row`."""
    before = dict(row)
    read_members(world, noun.members, row, item=item, refuse=refuse)
    if item.get("custom_fields_values") is not None:
        write_values(world, row, noun.name, given=item["custom_fields_values"], refuse=refuse)
    owner = world.users.get(row["responsible_user_id"])
    row["group_id"] = owner["group_id"] if owner else 0
    if noun.name == "contacts":
        _name_contact(row, before)
    if noun.name == "leads":
        _read_source(world, row, item)
        _place_lead(world, row, item=item, refuse=refuse)
        if row["price"] != before["price"]:
            row["is_price_modified_by_robot"] = row["updated_by"] == 0
    if noun.name == "customers":
        _read_segments(world, row, item, refuse)


def read_members(world: World, members: Iterable[Member], row: Row, *, item: Row, refuse: Refuse) -> None:
    """Write the plain members of `item` into `row`; what is null or absent stays as it is."""
    for member in members:
        given = item.get(member.name)
        if given is None or not member.writable:
            continue
        value = _read(world, member, given)
        if value is None:
            refuse("InvalidType", member.name, f"This value should be of type {_TYPES[member.kind]}.")
        else:
            row[member.name] = value


def attach(world: World, noun: Noun, row: Row, item: Row) -> None:
    """Tags and links of a stored row, from the item that made or changed it."""
    embedded = item.get("_embedded")
    embedded = embedded if isinstance(embedded, dict) else {}
    _tag(world, noun, row, item=item, embedded=embedded)
    world.entities(noun.name).put(row)
    for other_type, other_id, is_main in _links_asked(embedded):
        link(world, (noun.name, row["id"]), (other_type, other_id), is_main=is_main)


def _read(world: World, member: Member, given: Any) -> Any:
    if member.kind == "text":  # amoCRM's own samples send names that are numbers
        return str(given)[:255] if isinstance(given, str | int | float) and not isinstance(given, bool) else None
    if member.kind == "bool":
        return given if isinstance(given, bool) else None
    number = whole(given)
    if number is None or abs(number) >= 2**53:
        return None
    if member.kind == "user":
        return number if number == 0 or number in world.users else None
    return number if member.kind == "int" or 0 <= number < LATEST else None


def _name_contact(row: Row, before: Row) -> None:
    """A contact's name and its two parts follow each other; changed parts win over a changed name."""
    if (row["first_name"], row["last_name"]) != (before["first_name"], before["last_name"]):
        row["name"] = f"{row['first_name']} {row['last_name']}".strip()
    elif row["name"] != before["name"]:
        row["first_name"], _, row["last_name"] = row["name"].partition(" ")


def _read_source(world: World, row: Row, item: Row) -> None:
    """`_embedded.source.external_id`: the lead's source, whose pipeline it goes into unless another is named."""
    embedded = item.get("_embedded")
    source = embedded.get("source") if isinstance(embedded, dict) else None
    external_id = source.get("external_id") if isinstance(source, dict) else None
    found = world.sources.where(external_id=external_id) if isinstance(external_id, str) else []
    if found:
        row["source_id"] = found[0]["id"]
        if item.get("pipeline_id") is None and item.get("status_id") is None and row["pipeline_id"] is None:
            row["pipeline_id"] = found[0]["pipeline_id"]


def _read_segments(world: World, row: Row, item: Row, refuse: Refuse) -> None:
    """`_embedded.segments` replaces the segments a customer is in."""
    embedded = item.get("_embedded")
    given = embedded.get("segments") if isinstance(embedded, dict) else None
    if not isinstance(given, list):
        return
    ids = [whole(one.get("id")) if isinstance(one, dict) else None for one in given]
    if any(known not in world.segments for known in ids):
        refuse("NotSupportedChoice", "_embedded.segments", "The value you selected is not a valid choice.")
    else:
        row["segments"] = list(dict.fromkeys(ids))


def _place_lead(world: World, row: Row, *, item: Row, refuse: Refuse) -> None:
    """Pipeline and status fit each other; a closed lead has a closing time."""
    pipelines = sorted(world.pipelines, key=lambda pipeline: (not pipeline["is_main"], pipeline["sort"]))
    if item.get("status_id") is not None and item.get("pipeline_id") is None:
        own = [p for p in pipelines if p["id"] == row["pipeline_id"]]
        fitting = (p for p in own + pipelines if any(s["id"] == row["status_id"] for s in p["statuses"]))
        row["pipeline_id"] = next((p["id"] for p in fitting), row["pipeline_id"])
    pipeline = world.pipelines.get(row["pipeline_id"]) if row["pipeline_id"] else next(iter(pipelines), None)
    if pipeline is None:
        refuse("NotSupportedChoice", "pipeline_id", "The value you selected is not a valid choice.")
        return
    row["pipeline_id"] = pipeline["id"]
    statuses = {status["id"]: status for status in pipeline["statuses"]}
    if row["status_id"] not in statuses:
        if item.get("status_id") is not None:
            refuse("NotSupportedChoice", "status_id", "The value you selected is not a valid choice.")
        row["status_id"] = next(status["id"] for status in pipeline["statuses"] if status["type"] == 0)
    if item.get("loss_reason_id") is not None and row["loss_reason_id"] not in world.loss_reasons:
        refuse("NotSupportedChoice", "loss_reason_id", "The value you selected is not a valid choice.")
    if row["status_id"] in (WON, LOST):
        row["closed_at"] = row["closed_at"] or world.now()
    else:
        row["closed_at"] = None


def _check_links(world: World, noun: Noun, item: Row, refuse: Refuse) -> None:
    embedded = item.get("_embedded")
    if embedded is not None and not isinstance(embedded, dict | list):
        refuse("InvalidType", "_embedded", "This value should be of type array.")
    if not isinstance(embedded, dict):
        return
    for other_type, other_id, _ in _links_asked(embedded):
        if not can_link(noun.name, other_type) or other_id not in world.entities(other_type):
            refuse("NotSupportedChoice", f"_embedded.{other_type}", "The value you selected is not a valid choice.")


def _links_asked(embedded: Row) -> list[tuple[str, int, bool]]:
    asked = []
    for other_type in ("contacts", "companies", "leads", "customers"):
        items = embedded.get(other_type)
        for other in items if isinstance(items, list) else []:
            other_id = whole(other.get("id")) if isinstance(other, dict) else None
            if other_id is not None:
                asked.append((other_type, other_id, bool(other.get("is_main"))))
    return asked


def _tag(world: World, noun: Noun, row: Row, *, item: Row, embedded: Row) -> None:
    """`_embedded.tags` replaces the tags, null takes all away; `tags_to_add` and `tags_to_delete` change them."""
    if "tags" in embedded and isinstance(embedded["tags"], list | None):
        row["tags"] = _tag_ids(world, noun, embedded["tags"])
    added = _tag_ids(world, noun, item.get("tags_to_add"))
    gone = _tag_ids(world, noun, item.get("tags_to_delete"))
    row["tags"] = [known for known in dict.fromkeys([*row["tags"], *added]) if known not in gone]


def _tag_ids(world: World, noun: Noun, given: Any) -> list[int]:
    ids = []
    for tag in given if isinstance(given, list) else []:
        if not isinstance(tag, dict):
            continue
        known = world.tags.get(whole(tag.get("id")))
        name = tag.get("name")
        if known is None and isinstance(name, str) and name:
            same = world.tags.where(entity_type=noun.name, name=name)
            known = same[0] if same else world.tags.add({"entity_type": noun.name, "name": name, "color": None})
        if known is not None:
            ids.append(known["id"])
    return ids
