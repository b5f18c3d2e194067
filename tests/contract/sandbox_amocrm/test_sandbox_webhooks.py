"""Webhooks: subscriptions, what is delivered, and what happens when nobody answers."""

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web
from amocrm_client import Api, Receiver, body, made, new_contact

from server.sandbox.world import World


@pytest.fixture
async def subscribed(api: Api, receiver: Receiver, world: World) -> Receiver:
    """Somebody who wants to hear of everything; delays are a thousandth."""
    world.switches.set({"webhook_time_scale": 0.0001})
    events = [
        "add_contact",
        "update_contact",
        "add_company",
        "status_lead",
        "responsible_lead",
        "add_task",
        "note_lead",
    ]
    await body(await api.post("/api/v4/webhooks", {"destination": receiver.url, "settings": events, "sort": 10}), 201)
    return receiver


async def test_a_subscription_is_shown_changed_and_removed(api: Api) -> None:
    """201 with the object; the same destination again changes it; DELETE carries a body and answers 204."""
    wanted = {"destination": "https://voip.example/hook", "settings": ["add_contact"]}
    first = await body(await api.post("/api/v4/webhooks", wanted), 201)
    await body(await api.post("/api/v4/webhooks", {**wanted, "settings": ["add_lead"]}), 201)

    listed = await body(await api.get("/api/v4/webhooks?filter[destination]=https%3A%2F%2Fvoip.example%2Fhook"))
    removed = await api.delete("/api/v4/webhooks", {"destination": wanted["destination"]})

    expected = "id destination account_id settings created_by created_at updated_at sort disabled"
    assert set(first) == set(expected.split())
    assert listed["_total_items"] == 1
    assert listed["_embedded"]["webhooks"][0]["settings"] == ["add_lead"]
    assert removed.status == 204
    assert (await api.get("/api/v4/webhooks")).status == 204


@pytest.mark.parametrize(
    "wrong",
    [
        {"destination": "ftp://x.example"},
        {"destination": "https://пример.рф/"},
        {"settings": ["nonsense"]},
        {"settings": []},
        {"destination": None},
        {"destination": "http://[1"},
    ],
)
async def test_a_subscription_without_sense_is_422(api: Api, wrong: dict[str, object]) -> None:
    """Unknown events, other schemes, Cyrillic hosts."""
    wanted = {"destination": "https://voip.example/hook", "settings": ["add_contact"], **wrong}

    assert (await api.post("/api/v4/webhooks", wanted)).status == 422


async def test_webhooks_are_for_administrators_and_paid_tariffs(enter: Callable[[str], Api], world: World) -> None:
    """403 for an agent, 402 where the tariff has none."""
    as_agent = (await enter("203").get("/api/v4/webhooks")).status
    world.switches.set({"webhooks_enabled": False})

    assert (as_agent, (await enter("201").get("/api/v4/webhooks")).status) == (403, 402)


async def test_a_new_contact_is_told_as_a_form_with_brackets(api: Api, subscribed: Receiver, world: World) -> None:
    """All values are strings, fields by their codes, the account beside them."""
    row = (await made(await api.post("/api/v4/contacts", [new_contact("Ия", "+7 999 000-11-22")]), "contacts"))[0]

    hook = await subscribed.next()

    form = hook["form"]
    assert hook["type"] == "application/x-www-form-urlencoded"
    assert form["contacts[add][0][id]"] == str(row["id"])
    assert form["contacts[add][0][type]"] == "contact"
    assert form["contacts[add][0][custom_fields][0][code]"] == "PHONE"
    assert form["contacts[add][0][custom_fields][0][values][0][value]"] == "+7 999 000-11-22"
    assert form["account[id]"] == str(world.account["id"])
    assert form["account[subdomain]"] == "demo"
    assert form["account[_links][self]"] == world.origin


async def test_companies_arrive_under_contacts(api: Api, subscribed: Receiver) -> None:
    """With type=company."""
    await api.post("/api/v4/companies", [{"name": "ООО"}])

    assert (await subscribed.next())["form"]["contacts[add][0][type]"] == "company"


async def test_a_status_change_tells_the_old_status(api: Api, subscribed: Receiver, world: World) -> None:
    """leads[status][0][old_status_id]."""
    lead = next(row for row in world.leads if row["status_id"] not in (142, 143))
    old = lead["status_id"]

    await api.patch(f"/api/v4/leads/{lead['id']}", {"status_id": 143})

    form = (await subscribed.next())["form"]
    assert (form["leads[status][0][old_status_id]"], form["leads[status][0][status_id]"]) == (str(old), "143")


async def test_tasks_and_notes_have_their_own_form(api: Api, subscribed: Receiver, world: World) -> None:
    """task[add], leads[note]."""
    lead = next(iter(world.leads))["id"]
    await api.post("/api/v4/tasks", [{"text": "т", "complete_till": 1_800_000_000}])
    task = (await subscribed.next())["form"]
    await api.post(f"/api/v4/leads/{lead}/notes", [{"note_type": "common", "params": {"text": "з"}}])
    note = (await subscribed.next())["form"]

    assert task["task[add][0][text]"] == "т"
    assert (note["leads[note][0][note][element_id]"], note["leads[note][0][note][text]"]) == (str(lead), "з")


async def test_an_unwanted_event_is_not_sent(api: Api, subscribed: Receiver) -> None:
    """Only what the subscription names."""
    await api.post("/api/v4/leads", [{}])
    await api.post("/api/v4/contacts", [{"name": "после"}])

    assert (await subscribed.next())["form"]["contacts[add][0][name]"] == "после"


async def test_a_refused_webhook_is_sent_again_three_times(api: Api, subscribed: Receiver, world: World) -> None:
    """At once, after 5 and 15 minutes; a 4xx is given up then."""

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=404)

    subscribed.answer = refuse
    await api.post("/api/v4/contacts", [{"name": "x"}])
    for attempt in range(3):
        await world.log.wait("webhook", attempt=attempt, status=404)

    await asyncio.sleep(0)
    assert subscribed.got.qsize() == 3


async def test_a_broken_receiver_is_tried_twice_more(api: Api, subscribed: Receiver, world: World) -> None:
    """After 15 minutes and an hour, for 5xx and silence only."""

    async def break_down(_: web.Request) -> web.Response:
        return web.Response(status=503)

    subscribed.answer = break_down
    await api.post("/api/v4/contacts", [{"name": "x"}])

    await world.log.wait("webhook", attempt=4, status=503)
    assert subscribed.got.qsize() == 5


async def test_who_does_not_answer_in_time_has_not_answered(api: Api, subscribed: Receiver, world: World) -> None:
    """Two seconds by default; here a fraction."""
    world.switches.set({"webhook_timeout_s": 0.05})
    released = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    subscribed.answer = wait
    await api.post("/api/v4/contacts", [{"name": "x"}])

    assert (await world.log.wait("webhook", attempt=0))["status"] == 499
    released.set()


async def test_too_many_failures_switch_a_webhook_off(api: Api, subscribed: Receiver, world: World) -> None:
    """More than a hundred within two hours."""

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=400)

    subscribed.answer = refuse
    await api.post("/api/v4/contacts", [{"name": str(number)} for number in range(40)])
    for _ in range(101):
        await subscribed.next()

    hook = (await body(await api.get("/api/v4/webhooks")))["_embedded"]["webhooks"][0]
    assert hook["disabled"] is True


async def test_a_webhook_can_be_lost_or_doubled_by_a_fault(api: Api, subscribed: Receiver, world: World) -> None:
    """drop and duplicate with the next-n counter."""
    world.faults.add({"target": "amocrm", "kind": "duplicate", "n": 1})
    await api.post("/api/v4/contacts", [{"name": "twice"}])

    names = [(await subscribed.next())["form"]["contacts[add][0][name]"] for _ in range(2)]

    assert names == ["twice", "twice"]
