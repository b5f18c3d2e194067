"""The phone book's decisions: which of several entries with one number is meant, and what this agent may see of it.

The entries are a local copy of amoCRM's contacts and companies with their open leads; how it is filled is no matter of
this room.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from .messages import CallerView, Link, Person
from .rights import Rights, may_view
from .vocabulary import CallerKind

PATHS = {
    "contacts": "/contacts/detail/{}",
    "companies": "/companies/detail/{}",
    "leads": "/leads/detail/{}",
}
"""Where amoCRM shows an entity; the nouns are those of its API."""

KINDS = {"contacts": CallerKind.CONTACT, "companies": CallerKind.COMPANY}

MOST_OTHERS = 5
"""How many other entries with the same number a card offers: more is a list, not a card."""


class Lead(Struct, frozen=True, omit_defaults=True):
    """An open lead of an entry (not won, not lost)."""

    id: int
    name: str
    owner_id: int = 0
    group_id: int = 0
    updated_s: int = 0


class Entry(Struct, frozen=True, omit_defaults=True):
    """A contact or a company with the number. `noun` is contacts or companies; `owner_id` its responsible user."""

    noun: str
    id: int
    name: str
    owner_id: int = 0
    group_id: int = 0
    updated_s: int = 0
    company_id: int = 0
    company_name: str = ""
    leads: tuple[Lead, ...] = ()


def ranked(entries: Iterable[Entry]) -> list[Entry]:
    """The likeliest first: with open leads, people before companies, touched last."""
    return sorted(entries, key=lambda one: (not one.leads, one.noun != "contacts", -one.updated_s, one.id))


def caller(entries: Iterable[Entry], phone: str, *, rights: Rights, people: Mapping[int, Person]) -> CallerView:
    """Who this agent is told is calling. Entries he may not view make a HIDDEN caller: a number and nothing else."""
    known = ranked(entries)
    visible = [one for one in known if may_view(rights, one.noun, owner_id=one.owner_id, group_id=one.group_id)]
    if not visible:
        return CallerView(kind=CallerKind.HIDDEN if known else CallerKind.UNKNOWN, phone=phone)
    best, *others = visible
    leads = [one for one in best.leads if may_view(rights, "leads", owner_id=one.owner_id, group_id=one.group_id)]
    leads.sort(key=lambda one: (-one.updated_s, one.id))
    return CallerView(
        kind=KINDS[best.noun],
        phone=phone,
        name=best.name,
        card=link(best.noun, best.id, best.name),
        company=link("companies", best.company_id, best.company_name) if best.company_id else None,
        lead=link("leads", leads[0].id, leads[0].name) if leads else None,
        leads_open=len(leads),
        responsible=people.get(best.owner_id),
        others=tuple(link(one.noun, one.id, one.name) for one in others[:MOST_OTHERS]),
    )


def link(noun: str, entity_id: int, name: str) -> Link:
    """A link to an entity's card."""
    return Link(name=name, path=PATHS[noun].format(entity_id), id=entity_id)
