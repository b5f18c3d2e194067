"""Finding entities: by a piece of text, by the last digits of a number, and amoCRM's rule which entity a call belongs
to.

Every filled field counts as text; telephone numbers are compared by their last digits however they are written.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from server.sandbox.phones import digits, is_phone_like, tail
from server.sandbox.rest.custom_fields import texts_of, values_by_code
from server.sandbox.rest.linking import rows_linked
from server.sandbox.rest.nouns import LOST, WON
from server.sandbox.world import ENTITIES, Collection, Key, Row, World


@dataclass(frozen=True, slots=True)
class _Entry:
    text: str
    phones: tuple[str, ...]
    digits: str  # of all numbers, a line each: a piece of a number is looked for in one go


class Finder:
    """What is searched, kept beside the entities: 25 000 contacts are looked through in a few milliseconds."""

    def __init__(self, world: World) -> None:
        self._world = world
        # (entity, length) → last digits → whose; made when somebody first asks for that many digits
        self._endings: dict[tuple[str, int], dict[str, set[Key]]] = {}
        self._entries: dict[str, dict[Key, _Entry]] = {name: {} for name in ENTITIES}
        for name in ENTITIES:
            collection = world.entities(name)
            collection.on_change.append(lambda key, name=name: self._index(name, key))  # type: ignore[misc]
            for row in collection:
                self._index(name, row["id"])

    def search(self, entity_type: str, text: str) -> list[Row]:
        """The living rows a `query=` finds, in order of their ids."""
        length = self._world.switches["query_digits"]
        wanted, number = text.strip().casefold(), ""
        if is_phone_like(text):
            number = digits(text)
        entries = self._entries[entity_type].items()
        keys = {key for key, entry in entries if wanted in entry.text}
        if len(number) >= length > 0:
            keys |= self._ending_in(entity_type, number[-length:])
        elif number:
            keys |= {key for key, entry in entries if number in entry.digits}
        return self._living(self._world.entities(entity_type), sorted(keys, key=int))

    def by_phone(self, entity_type: str, phone: str, length: int) -> list[Row]:
        """The living rows one of whose numbers ends in the same `length` digits, the latest changed first."""
        ending = tail(phone, length)
        if ending is None:
            return []
        keys = self._ending_in(entity_type, ending)
        if len(ending) < length:  # a short number is its own only match
            keys = {key for key in keys if ending in self._entries[entity_type][key].phones}
        rows = self._living(self._world.entities(entity_type), keys)
        return sorted(rows, key=lambda row: (-(row["updated_at"] or 0), row["id"]))

    def of_call(self, phone: str, length: int) -> tuple[str, Row] | None:
        """The entity a call with this number belongs to, None when nobody has it.

        The contact (else company) with the number; if it has exactly one open lead and no customers, that lead; if
        exactly one customer and no open leads, that customer.
        """
        for entity_type in ("contacts", "companies"):
            found = self.by_phone(entity_type, phone, length)
            if found:
                return self._narrow(entity_type, found[0])
        return None

    def _narrow(self, entity_type: str, row: Row) -> tuple[str, Row]:
        world = self._world
        leads = [lead for lead in rows_linked(world, row, "leads") if lead["status_id"] not in (WON, LOST)]
        leads = [lead for lead in leads if not lead.get("in_unsorted")]
        has_customers = world.switches["customers"] and world.switches["brand"] == "amocrm"
        customers = rows_linked(world, row, "customers") if has_customers else []
        if len(leads) == 1 and not customers:
            return "leads", leads[0]
        if len(customers) == 1 and not leads:
            return "customers", customers[0]
        return entity_type, row

    def _ending_in(self, entity_type: str, ending: str) -> set[Key]:
        place = entity_type, len(ending)
        if place not in self._endings:
            self._endings[place] = {}
            for key, entry in self._entries[entity_type].items():
                _put(self._endings[place], len(ending), entry, key)
        return self._endings[place].get(ending, set())

    def _living(self, collection: Collection, keys: Iterable[Key]) -> list[Row]:
        rows = (collection.get(key) for key in keys)
        return [row for row in rows if row is not None and is_visible(row)]

    def _index(self, entity_type: str, key: Key) -> None:
        before = self._entries[entity_type].pop(key, None)
        places = [(length, known) for (kind, length), known in self._endings.items() if kind == entity_type]
        for length, known in places:
            _take(known, length, before, key)
        row = self._world.entities(entity_type).get(key)
        if row is None:
            return
        phones = tuple(map(digits, values_by_code(self._world, row, entity_type, "PHONE")))
        text = "\n".join([str(row.get("name") or ""), *texts_of(row)]).casefold()
        entry = self._entries[entity_type][key] = _Entry(text, phones, "\n".join(phones))
        for length, known in places:
            _put(known, length, entry, key)


FINDER: Final = web.AppKey("finder", Finder)


def is_visible(row: Row) -> bool:
    """Neither deleted nor a contact or company still inside an unsorted record."""
    return not row["is_deleted"] and not row.get("is_unsorted")


def _put(endings: dict[str, set[Key]], length: int, entry: _Entry, key: Key) -> None:
    for phone in entry.phones:
        if len(phone) >= length:
            endings.setdefault(phone[-length:], set()).add(key)


def _take(endings: dict[str, set[Key]], length: int, entry: _Entry | None, key: Key) -> None:
    for phone in entry.phones if entry else ():
        endings.get(phone[-length:], set()).discard(key)
