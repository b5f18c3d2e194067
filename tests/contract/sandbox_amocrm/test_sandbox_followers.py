"""Who follows a card, and links that tell when a client has followed them."""

from collections.abc import Callable

import pytest
from amocrm_client import Api, Site, body, made

from server.sandbox.world import Row, World


@pytest.mark.parametrize("noun", ["leads", "customers", "contacts", "companies"])
async def test_the_responsible_user_follows_a_card(api: Api, world: World, noun: str) -> None:
    """`/subscriptions` of any entity: a page of users and groups."""
    row = next(iter(world.entities(noun)))

    shown = await body(await api.get(f"/api/v4/{noun}/{row['id']}/subscriptions?limit=50"))

    assert shown["_embedded"]["subscriptions"] == [{"subscriber_id": row["responsible_user_id"], "type": "user"}]
    assert (shown["_total_items"], shown["_page"], shown["_page_count"]) == (1, 1, 1)
    assert (await api.get(f"/api/v4/{noun}/{row['id']}/subscriptions?page=2")).status == 204
    assert (await api.get(f"/api/v4/{noun}/999/subscriptions")).status == 404


async def test_subscriptions_need_the_right_to_see_the_entity(enter: Callable[[str], Api], world: World) -> None:
    """403, as for its links."""
    user = next(user for user in world.users if user["rights"]["leads"]["view"] == "M")
    lead = next(row for row in world.leads if row["responsible_user_id"] != user["id"])

    assert (await enter(user["extension"]).get(f"/api/v4/leads/{lead['id']}/subscriptions")).status == 403


async def test_a_short_link_leads_to_its_address_and_tells_who_followed(api: Api, site: Site, world: World) -> None:
    """One link per contact; following it is an event of the contact."""
    contact = next(iter(world.contacts))["id"]
    items = [{"url": f"https://shop.example/{number}?a=1", "metadata": _of(contact)} for number in (1, 2)]

    links = await made(await api.post("/api/v4/short_links", items), "short_links")
    followed = await site.get(links[1]["url"].removeprefix(world.origin), allow_redirects=False)
    events = await made(await api.get("/api/v4/events?filter[type]=link_followed"), "events")

    assert [link["metadata"] for link in links] == [_of(contact)] * 2
    assert links[0]["url"] != links[1]["url"]
    assert links[0]["account_id"] == world.account["id"]
    assert (followed.status, followed.headers["Location"]) == (302, "https://shop.example/2?a=1")
    assert [(event["entity_type"], event["entity_id"]) for event in events] == [("contact", contact)]
    assert (await site.get("/s/unknown")).status == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "javascript:alert(1)"},
        {"url": "https://"},
        {"url": "https://shop.example:99999999/"},
        {"url": "https://[::1"},
        {"url": "https://shop.example/\r\nSet-Cookie: a=b"},
        {"url": 5},
        {"url": None},
        {"metadata": None},
        {"metadata": {"entity_type": "leads", "entity_id": 701001}},
        {"metadata": {"entity_type": "contacts", "entity_id": 1}},
    ],
)
async def test_a_short_link_is_an_address_for_a_contact(api: Api, world: World, wrong: Row) -> None:
    """Anything else is refused by member."""
    item = {"url": "https://shop.example/", "metadata": _of(next(iter(world.contacts))["id"])}

    answer = await body(await api.post("/api/v4/short_links", [{**item, **wrong}]), 400)

    assert answer["validation-errors"][0]["errors"]


def _of(contact: int) -> Row:
    return {"entity_type": "contacts", "entity_id": contact}
