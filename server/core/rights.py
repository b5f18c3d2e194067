"""Who may see what of amoCRM: its view rights, applied to our local phone book.

Source: the `rights` of GET /api/v4/users; letters A (all), G (own group), M (own), D (denied).
"""

from msgspec import Struct

OPEN = "A"
GROUP = "G"
MINE = "M"


class Rights(Struct, frozen=True, omit_defaults=True):
    """One user's view rights. `view` maps contacts, companies, leads to a letter; a missing one is denied."""

    user_id: int
    group_id: int = 0
    is_admin: bool = False
    view: dict[str, str] = {}


def may_view(rights: Rights, noun: str, *, owner_id: int, group_id: int) -> bool:
    """Whether the user may see an entity of `noun` (contacts, companies, leads) of this responsible user and group."""
    letter = OPEN if rights.is_admin else rights.view.get(noun, "")
    if letter == OPEN or (letter in (GROUP, MINE) and owner_id == rights.user_id):
        return True
    return letter == GROUP and group_id == rights.group_id
