"""Whose number it is: ten digits for calls, eight for call events, seven for a search; which entity gets the call."""

from typing import Any
from urllib.parse import quote

import pytest
from amocrm_client import Api, Site, body, made, new_contact

from server.sandbox.world import World

STORED = "+7 (916) 555-44-33"
SAME_10, SAME_8, SAME_7 = "+1 916 555 44 33", "+49 306 65554433", "+49 306 15554433"


@pytest.fixture
async def contact(api: Api) -> int:
    """A contact with the number, without leads or customers."""
    return int((await made(await api.post("/api/v4/contacts", [new_contact("Ия", STORED)]), "contacts"))[0]["id"])


async def called(api: Api, phone: str = STORED) -> tuple[str, int] | None:
    """The entity a call with this number is logged at."""
    item = {"direction": "inbound", "duration": 1, "source": "acme", "phone": phone}
    answer = await api.post("/api/v4/calls", [item])
    calls = (await answer.json(content_type=None))["_embedded"]["calls"]
    return (calls[0]["entity_type"], calls[0]["entity_id"]) if calls else None


async def rung(api: Api, phone: str) -> int | None:
    """The entity a call event is shown for."""
    items = (await body(await api.post("/api/v2/events", {"add": [{"type": "phone_call", "phone_number": phone}]})))[
        "_embedded"
    ]["items"]
    found: int | None = items[0]["element_id"]
    return found


async def found(api: Api, query: str, noun: str = "contacts") -> list[int]:
    """The ids a search finds, in their order."""
    answer = await api.get(f"/api/v4/{noun}?query={quote(query)}")
    return [] if answer.status == 204 else [row["id"] for row in await made(answer, noun)]


async def new(api: Api, noun: str, **more: Any) -> int:
    return int((await made(await api.post(f"/api/v4/{noun}", [{"name": "x", **more}]), noun))[0]["id"])


@pytest.mark.parametrize(
    ("phone", "by_call", "by_event", "by_query"),
    [
        (SAME_10, True, True, True),
        (SAME_8, False, True, True),
        (SAME_7, False, False, True),
        ("+49 306 1155 44 34", False, False, False),
    ],
)
async def test_ten_eight_and_seven_digits_are_compared(
    api: Api, contact: int, phone: str, by_call: bool, by_event: bool, by_query: bool
) -> None:
    """Each method has its own number of digits."""
    assert (await called(api, phone) == ("contact", contact)) is by_call
    assert (await rung(api, phone) == contact) is by_event
    assert (contact in await found(api, phone)) is by_query


@pytest.mark.parametrize(("switch", "phone"), [("calls_digits", SAME_7), ("event_digits", SAME_7)])
async def test_how_many_digits_is_a_switch(api: Api, world: World, contact: int, switch: str, phone: str) -> None:
    """calls_digits, event_digits."""
    world.switches.set({switch: 7})

    assert (await called(api, phone) == ("contact", contact)) is (switch == "calls_digits")
    assert (await rung(api, phone) == contact) is (switch == "event_digits")


async def test_a_short_number_matches_only_itself(api: Api) -> None:
    """An internal number is nobody's ending."""
    short = await new(api, "contacts", **new_contact("Внутренний", "4433"))
    await new(api, "contacts", **new_contact("Длинный", STORED))

    assert await called(api, "4433") == ("contact", short)
    assert await called(api, "433") is None


async def test_any_of_several_numbers_counts(api: Api) -> None:
    """A multitext field has many values."""
    values = [{"value": "+7 900 000 00 01", "enum_code": "WORK"}, {"value": STORED, "enum_code": "MOB"}]
    row = await new(api, "contacts", custom_fields_values=[{"field_code": "PHONE", "values": values}])

    assert await called(api) == ("contact", row)


async def test_a_search_answers_in_the_order_of_ids(api: Api, contact: int) -> None:
    """Not by relevance; and it looks through all filled fields, not numbers alone."""
    later = await new(api, "contacts", **new_contact("Позже", SAME_7))
    named = await new(api, "contacts", name="Перезвонить на 9165554433")

    assert await found(api, "+79165554433") == [contact, later]
    assert await found(api, "9165554433") == [contact, later, named]


async def test_a_company_is_found_when_no_contact_has_the_number(api: Api) -> None:
    """The contact goes first, whichever is older."""
    company = await new(api, "companies", **new_contact("ООО", STORED))
    assert await called(api) == ("company", company)

    person = await new(api, "contacts", **new_contact("Ия", STORED))
    assert await called(api) == ("contact", person)
    assert await rung(api, STORED) == person


async def test_a_companys_open_lead_gets_the_call(api: Api) -> None:
    """The rule is the same for both."""
    company = await new(api, "companies", **new_contact("ООО", STORED))
    lead = await new(api, "leads", _embedded={"companies": [{"id": company}]})

    assert await called(api) == ("lead", lead)


@pytest.mark.parametrize("closed", [142, 143])
async def test_closed_leads_do_not_count(api: Api, contact: int, closed: int) -> None:
    """Won or lost: only the open one is looked at, and without one the contact gets the call."""
    await new(api, "leads", status_id=closed, _embedded={"contacts": [{"id": contact}]})
    assert await called(api) == ("contact", contact)

    lead = await new(api, "leads", _embedded={"contacts": [{"id": contact}]})
    assert await called(api) == ("lead", lead)


async def test_deleted_leads_and_customers_do_not_count(api: Api, site: Site, contact: int) -> None:
    """What lies in the bin is not there; restored, it counts again."""
    lead, other = [await new(api, "leads", _embedded={"contacts": [{"id": contact}]}) for _ in range(2)]
    assert await called(api) == ("contact", contact)

    await site.post("/sandbox/bin", json={"entity": "leads", "ids": [other], "action": "delete"})
    assert await called(api) == ("lead", lead)

    await site.post("/sandbox/bin", json={"entity": "leads", "ids": [other], "action": "restore"})
    assert await called(api) == ("contact", contact)


async def test_a_deleted_contact_is_nobody(api: Api, site: Site, contact: int) -> None:
    """Then the company with the number is next, or nobody."""
    await site.post("/sandbox/bin", json={"entity": "contacts", "ids": [contact], "action": "delete"})
    assert await called(api) is None
    assert await found(api, STORED) == []

    company = await new(api, "companies", **new_contact("ООО", STORED))
    assert await called(api) == ("company", company)


@pytest.mark.parametrize(
    ("leads", "customers", "expected"),
    [(1, 0, "lead"), (0, 1, "customer"), (1, 1, "contact"), (2, 0, "contact"), (0, 2, "contact"), (0, 0, "contact")],
)
async def test_one_open_lead_or_one_customer_but_not_both(
    api: Api, contact: int, leads: int, customers: int, expected: str
) -> None:
    """In every other case the contact itself gets the call."""
    for noun, count in (("leads", leads), ("customers", customers)):
        for _ in range(count):
            await new(api, noun, _embedded={"contacts": [{"id": contact}]})

    told = await called(api)

    assert told is not None
    assert told[0] == expected


async def test_kommo_knows_no_customers_in_this_rule(api: Api, world: World, contact: int) -> None:
    """There a lead beside a customer is still the only lead."""
    lead = await new(api, "leads", _embedded={"contacts": [{"id": contact}]})
    await new(api, "customers", _embedded={"contacts": [{"id": contact}]})
    world.switches.set({"brand": "kommo"})

    assert await called(api) == ("lead", lead)


async def test_a_lead_in_unsorted_is_not_open(api: Api, site: Site, contact: int) -> None:
    """Nobody has accepted it yet."""
    metadata = {"form_id": "1", "form_name": "Форма"}
    item = {"source_uid": "s", "source_name": "s", "metadata": metadata}
    waiting = (await made(await api.post("/api/v4/leads/unsorted/forms", [item]), "unsorted"))[0]
    lead = waiting["_embedded"]["leads"][0]["id"]
    wish = [{"to_entity_id": contact, "to_entity_type": "contacts"}]
    await body(await api.post(f"/api/v4/leads/{lead}/link", wish))

    assert await called(api) == ("contact", contact)
    await body(await api.post(f"/api/v4/leads/unsorted/{waiting['uid']}/accept", {}))
    assert await called(api) == ("lead", lead)
