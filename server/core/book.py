"""One entity of amoCRM as the phone book keeps it: what both the reader of amoCRM's answers and the store know."""

from msgspec import Struct


class BookRow(Struct, frozen=True, kw_only=True):
    """A contact, company or lead. `phones` are last-ten-digit keys; `bonds` the people of a lead as (noun, id)."""

    id: int
    name: str
    owner_id: int = 0
    group_id: int = 0
    company_id: int = 0
    updated_s: int = 0
    is_open: bool = True
    phones: tuple[str, ...] = ()
    bonds: tuple[tuple[str, int], ...] = ()
