"""The types of custom fields: which entities have them, and how a value of each is read.

A reader answers a value as it is stored, `""` for "make it empty", and None for what it cannot understand.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from server.sandbox.rest.query import whole
from server.sandbox.world import Row

_LARGEST: Final = 2**53  # no calendar has it, and JSON still does
_EVERYWHERE: Final = frozenset({"contacts", "leads", "companies", "customers", "catalogs", "segments"})
_CARDS: Final = frozenset({"contacts", "leads", "companies"})
# The lines of a smart_address; amoCRM's numbers for them are the same in every account.
_ADDRESS: Final = ("address_line_1", "address_line_2", "city", "state", "zip", "country")
_COMPANY: Final = (
    *("name", "entity_type", "address", "real_address", "bank_account_number", "director", "vat_id", "kpp"),
    *("tax_registration_reason_code", "bank_code", "unp", "bin", "egrpou", "mfo", "oked", "external_uid"),
)
_ITEM: Final = ("sku", "description", "unit_price", "quantity", "unit_type", "discount", "vat_rate_id", "external_uid")


@dataclass(frozen=True, slots=True)
class FieldType:
    """One type: the kinds of entities that may have such fields, and how plain values are read."""

    number: int  # in events and webhooks
    where: frozenset[str]
    read: Callable[[Any], Any]
    has_enums: bool = False
    is_many: bool = False


def as_text(value: Any) -> str | None:
    """Text; numbers are taken for it."""
    if value is None or value == "":
        return ""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _as_number(value: Any) -> str | None:
    """A decimal number, kept as the text that amoCRM answers with."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    number = whole(value)
    if number is not None:
        return str(number)
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return repr(read) if math.isfinite(read) else None


def _as_flag(value: Any) -> bool | str | None:
    if value is None or value == "":
        return ""
    flags = {"true": True, "false": False, "1": True, "0": False}
    return flags.get(str(value).lower()) if isinstance(value, bool | int | str) else None


def _as_time(value: Any) -> int | str | None:
    """Unix seconds, or a time as RFC 3339 writes it."""
    if value is None or value == "":
        return ""
    number = whole(value)
    if number is None and isinstance(value, str):
        try:
            read = datetime.fromisoformat(value)
            number = int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            return None
    return number if number is not None and abs(number) <= _LARGEST else None


def _as_object(*names: str, needed: str) -> Callable[[Any], Row | str | None]:
    """An object with some of these members; the needed one must be there."""

    def read(value: Any) -> Row | str | None:
        if value is None or value == "":
            return ""
        if not isinstance(value, dict) or value.get(needed) in (None, ""):
            return None
        return {name: value[name] for name in names if name in value}

    return read


_as_company = _as_object(*_COMPANY, needed="name")
_as_item = _as_object(*_ITEM, needed="description")
_as_payer = _as_object(*_COMPANY, "type", "entity_id", needed="name")
_as_supplier = _as_object("entity_id", needed="entity_id")
_as_linked = _as_object("name", "entity_id", "entity_type", "catalog_id", needed="entity_id")
_as_file = _as_object("file_uuid", "version_uuid", "file_name", "file_size", needed="file_uuid")

TYPES: Final = {
    "text": FieldType(1, _EVERYWHERE, as_text),
    "numeric": FieldType(2, _EVERYWHERE, _as_number),
    "checkbox": FieldType(3, _EVERYWHERE, _as_flag),
    "select": FieldType(4, _EVERYWHERE, as_text, has_enums=True),
    "multiselect": FieldType(5, _EVERYWHERE, as_text, has_enums=True, is_many=True),
    "date": FieldType(6, _EVERYWHERE, _as_time),
    "url": FieldType(7, _EVERYWHERE, as_text),
    "multitext": FieldType(8, frozenset({"contacts", "companies"}), as_text, has_enums=True, is_many=True),
    "textarea": FieldType(9, _EVERYWHERE, as_text),
    "radiobutton": FieldType(10, _EVERYWHERE, as_text, has_enums=True),
    "streetaddress": FieldType(11, _EVERYWHERE, as_text),
    "smart_address": FieldType(13, _CARDS, as_text, is_many=True),
    "birthday": FieldType(14, _CARDS, _as_time),
    "legal_entity": FieldType(15, _CARDS, _as_company, is_many=True),
    "items": FieldType(16, frozenset({"catalogs"}), _as_item, is_many=True),
    "category": FieldType(18, frozenset({"catalogs"}), as_text, has_enums=True),
    "date_time": FieldType(19, _EVERYWHERE, _as_time),
    "price": FieldType(20, frozenset({"catalogs"}), _as_number),
    "tracking_data": FieldType(21, frozenset({"leads"}), as_text),
    "linked_entity": FieldType(22, frozenset({"catalogs"}), _as_linked),
    "monetary": FieldType(23, _EVERYWHERE - {"catalogs", "segments"}, _as_number),
    "file": FieldType(24, _EVERYWHERE - {"segments"}, _as_file),
    "payer": FieldType(25, frozenset({"catalogs"}), _as_payer),
    "supplier": FieldType(26, frozenset({"catalogs"}), _as_supplier),
}
TIMES: Final = frozenset({"date", "date_time", "birthday"})


def enums_of(field: Row) -> list[Row]:
    """What may be chosen in a field: its own values, or the lines of an address."""
    if field["type"] == "smart_address":
        return [{"id": place, "code": code, "value": code} for place, code in enumerate(_ADDRESS, 1)]
    return list(field.get("enums") or [])


def kind_of(place: str) -> str:
    """The kind of entity whose fields live at this place: `catalogs` for `catalogs/4501`."""
    return {"customers/segments": "segments"}.get(place, place.partition("/")[0])
