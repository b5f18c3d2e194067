"""The people who call: contacts of the sample account and numbers that nobody has, each handed out once, so that tests
that share a sandbox do not meet on one card.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from sandboxes import Json, Sandbox

LONG = 60
"""A name that no card shows on one line."""


@dataclass(frozen=True)
class Client:
    """A contact with a number of its own; `typed` is the number as it stands in amoCRM."""

    id: int
    name: str
    typed: str
    responsible: int
    group: int
    leads: int
    has_company: bool

    @property
    def phone(self) -> str:
        """The number in E.164."""
        return "+7" + _digits(self.typed)[-10:]

    @property
    def path(self) -> str:
        """The contact's card in amoCRM."""
        return f"/contacts/detail/{self.id}"


def is_sales(client: Client) -> bool:
    """Whether everybody but the agent of the other group (205) may see the contact."""
    return client.group == 0


class Clients:
    """Hands out each contact once."""

    def __init__(self, found: list[Client]) -> None:
        numbers = [one.phone for one in found]
        self._left = [one for one in found if numbers.count(one.phone) == 1]
        self.namesakes = [one for one in found if numbers.count(one.phone) > 1]
        """Two people with one number."""
        self._numbers = itertools.count(7_000_001)

    def take(self, wanted: Callable[[Client], bool] = is_sales) -> Client:
        """The next contact like this, by default one of the sales group's.

        Raises `StopIteration` when the sample account has no more of them.
        """
        found = self.any(wanted)
        self._left.remove(found)
        return found

    def any(self, wanted: Callable[[Client], bool]) -> Client:
        """The first contact like this, which may be handed out again."""
        return next(one for one in self._left if wanted(one))

    def stranger(self) -> str:
        """A number that is in nobody's phone book."""
        return f"+7999{next(self._numbers)}"


async def all_clients(sandbox: Sandbox) -> Clients:
    """The contacts of the sample account; those with long names are the last."""
    answer = await sandbox.api("/api/v4/contacts?limit=250&with=leads")
    found = [_client(row) for row in answer["_embedded"]["contacts"]]
    return Clients(sorted(found, key=lambda one: len(one.name) > LONG))


def pretty(phone: str) -> str:
    """A Russian number as the widget writes it."""
    ten = _digits(phone)[-10:]
    return f"+7 {ten[:3]} {ten[3:6]}-{ten[6:8]}-{ten[8:]}"


def _client(row: Json) -> Client:
    phones = next(field["values"] for field in row["custom_fields_values"] if field["field_code"] == "PHONE")
    linked = row["_embedded"]
    return Client(
        id=row["id"],
        name=row["name"],
        typed=phones[-1]["value"],
        responsible=row["responsible_user_id"],
        group=row["group_id"],
        leads=len(linked.get("leads", [])),
        has_company=bool(linked.get("companies")),
    )


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())
