"""The four entities as data: what they consist of, what may be written, filtered, ordered and embedded.

One generic collection serves them all (`entities.py`); a difference between them is a row here.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

FieldKind = Literal["text", "int", "time", "user", "bool"]


@dataclass(frozen=True, slots=True)
class Member:
    """One plain member of an entity."""

    name: str
    kind: FieldKind
    default: Any = None
    writable: bool = True
    required: bool = False  # in a create request


@dataclass(frozen=True, slots=True)
class Noun:
    """One kind of entity."""

    name: str  # as in the path
    singular: str  # as in webhooks' settings and in call answers
    type_id: int  # amoCRM's element type
    members: tuple[Member, ...]
    embeds: tuple[str, ...]  # linked entities shown with with=
    always: tuple[str, ...]  # linked entities always shown
    extra_filters: tuple[str, ...] = ()

    @property
    def filters(self) -> tuple[str, ...]:
        """Members a list can be filtered by."""
        return (*_COMMON_FILTERS, *self.extra_filters)


_COMMON_FILTERS: Final = (
    "id",
    "name",
    "responsible_user_id",
    "created_by",
    "updated_by",
    "created_at",
    "updated_at",
    "closest_task_at",
    "group_id",
)
ORDERS: Final = ("id", "created_at", "updated_at")

_COMMON: Final = (
    Member("responsible_user_id", "user"),
    Member("group_id", "int", writable=False),
    Member("created_by", "user"),
    Member("updated_by", "user"),
    Member("created_at", "time"),
    Member("updated_at", "time"),
    Member("closest_task_at", "time", writable=False),
    Member("is_deleted", "bool", default=False, writable=False),
)
_NAME: Final = Member("name", "text", default="")

CONTACTS: Final = Noun(
    "contacts",
    "contact",
    1,
    (_NAME, Member("first_name", "text", ""), Member("last_name", "text", ""), *_COMMON),
    embeds=("leads", "customers"),
    always=("companies",),
)
COMPANIES: Final = Noun(
    "companies", "company", 3, (_NAME, *_COMMON), embeds=("contacts", "leads", "customers"), always=()
)
LEADS: Final = Noun(
    "leads",
    "lead",
    2,
    (
        _NAME,
        Member("price", "int", 0),
        Member("status_id", "int"),
        Member("pipeline_id", "int"),
        Member("loss_reason_id", "int"),
        Member("source_id", "int"),
        Member("closed_at", "time"),
        Member("score", "int"),
        Member("labor_cost", "int"),
        *_COMMON,
    ),
    embeds=("contacts",),
    always=("companies",),
    extra_filters=("price", "status_id", "pipeline_id", "closed_at", "loss_reason_id"),
)
CUSTOMERS: Final = Noun(
    "customers",
    "customer",
    12,
    (
        _NAME,
        Member("next_price", "int", 0),
        Member("next_date", "time"),
        Member("status_id", "int", 0),
        Member("periodicity", "int", 0),
        Member("ltv", "int", 0, writable=False),
        Member("purchases_count", "int", 0, writable=False),
        Member("average_check", "int", 0, writable=False),
        *_COMMON,
    ),
    embeds=("contacts", "companies"),
    always=(),
    extra_filters=("next_price", "next_date", "status_id"),
)
NOUNS: Final = {noun.name: noun for noun in (CONTACTS, COMPANIES, LEADS, CUSTOMERS)}
BY_TYPE_ID: Final = {noun.type_id: noun for noun in NOUNS.values()}
WON, LOST = 142, 143  # in every pipeline
