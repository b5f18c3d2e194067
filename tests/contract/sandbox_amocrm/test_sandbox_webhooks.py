"""Webhooks: subscriptions, what is delivered, and what happens when nobody answers."""

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web
from amocrm_client import Api, Receiver, Site, body, made, new_contact

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


ALL_EVENTS = (
    *("add_lead", "update_lead", "delete_lead", "restore_lead", "status_lead", "responsible_lead", "note_lead"),
    *("add_contact", "update_contact", "delete_contact", "restore_contact", "responsible_contact", "note_contact"),
    *("add_company", "update_company", "delete_company", "restore_company", "responsible_company", "note_company"),
    *("add_customer", "update_customer", "delete_customer", "responsible_customer", "note_customer"),
    *("add_task", "update_task", "delete_task", "responsible_task"),
)
ROOTS = {"lead": "leads", "contact": "contacts", "company": "contacts", "customer": "customers", "task": "task"}
NOUNS = {"lead": "leads", "contact": "contacts", "company": "companies", "customer": "customers", "task": "tasks"}


async def provoke(api: Api, site: Site, world: World, event: str) -> int:
    """Do what the event tells of; the id of the entity it happened to."""
    action, noun = event.split("_")
    plural, path = NOUNS[noun], f"/api/v4/{NOUNS[noun]}"
    fresh = {"text": "т", "complete_till": 1_800_000_000} if noun == "task" else {"name": "н"}
    row_id = int((await made(await api.post(path, [fresh]), plural))[0]["id"])
    other = next(user["id"] for user in world.users if not user["rights"]["is_admin"])
    wishes = {"update": {"text": "y", "name": "y"}, "responsible": {"responsible_user_id": other},
              "status": {"status_id": 143}}  # fmt: skip
    if action in wishes:
        await body(await api.patch(f"{path}/{row_id}", wishes[action]))
    if action == "note":
        await body(await api.post(f"{path}/{row_id}/notes", [{"note_type": "common", "params": {"text": "з"}}]))
    moves = {"delete": ("delete",), "restore": ("delete", "restore")}
    for move in moves.get(action, ()):
        await body(await site.post("/sandbox/bin", json={"entity": plural, "ids": [row_id], "action": move}))
    return row_id


@pytest.mark.parametrize("event", ALL_EVENTS)
async def test_every_event_is_delivered(api: Api, site: Site, receiver: Receiver, world: World, event: str) -> None:
    """Under its entity and action, once, with the account beside it."""
    await body(await api.post("/api/v4/webhooks", {"destination": receiver.url, "settings": [event]}), 201)

    row_id = await provoke(api, site, world, event)

    form = (await receiver.next())["form"]
    action, noun = event.split("_")
    start = f"{ROOTS[noun]}[{action}][0]"
    about = f"{start}[note][element_id]" if action == "note" else f"{start}[id]"
    assert form[about] == str(row_id)
    assert form["account[id]"] == str(world.account["id"])
    assert receiver.got.empty()
    if noun in ("contact", "company") and action != "note":
        assert form[f"{start}[type]"] == noun
    if action == "responsible":
        assert form[f"{start}[old_responsible_user_id]"] != form[f"{start}[responsible_user_id]"]


async def test_what_cannot_happen_here_can_be_subscribed_to(api: Api) -> None:
    """Talks, messages, templates: the names are amoCRM's."""
    names = ["add_talk", "update_talk", "add_chat_template_review", "add_message", "update_unsorted"]

    told = await body(await api.post("/api/v4/webhooks", {"destination": "http://a.test/", "settings": names}), 201)

    assert sorted(told["settings"]) == sorted(names)


async def test_sorting_is_told_as_a_deletion(api: Api, receiver: Receiver) -> None:
    """unsorted[add] with its data, unsorted[delete] with action and accept_result or decline_result."""
    events = ["add_unsorted", "delete_unsorted"]
    await body(await api.post("/api/v4/webhooks", {"destination": receiver.url, "settings": events}), 201)
    metadata = {"phone": "+79150001122", "called_at": 1_790_000_000, "duration": 5, "service_code": "a", "uniq": "u"}
    for number, move in ((1, "accept"), (2, "decline")):
        item = {"source_name": "Acme", "source_uid": "a", "metadata": {**metadata, "phone": f"+7915000112{number}"}}
        path = "/api/v4/leads/unsorted"
        row = (await made(await api.post(f"{path}/sip", [item]), "unsorted"))[0]
        method = "POST" if move == "accept" else "DELETE"
        await body(await api.call(method, f"{path}/{row['uid']}/{move}", json={}))

        added, sorted_ = (await receiver.next())["form"], (await receiver.next())["form"]
        lead = str(row["_embedded"]["leads"][0]["id"])

        assert added["unsorted[add][0][uid]"] == row["uid"]
        assert added["unsorted[add][0][data][leads][0][id]"] == lead
        assert sorted_["unsorted[delete][0][action]"] == move
        assert sorted_[f"unsorted[delete][0][{move}_result][leads][0]"] == lead


async def test_a_tasks_webhook_has_the_old_names(api: Api, receiver: Receiver, world: World) -> None:
    """Times as text, the entity by number, action_close when it was completed, its result."""
    lead = next(iter(world.leads))["id"]
    await body(await api.post("/api/v4/webhooks", {"destination": receiver.url, "settings": ["update_task"]}), 201)
    item = {"text": "т", "complete_till": 1_500_584_340, "entity_id": lead, "entity_type": "leads"}
    task = (await made(await api.post("/api/v4/tasks", [item]), "tasks"))[0]["id"]

    await api.patch(f"/api/v4/tasks/{task}", {"is_completed": True, "result": {"text": "готово"}})

    form = (await receiver.next())["form"]
    start = "task[update][0]"
    names = ("element_id", "element_type", "status", "action_close", "complete_till", "result][text")
    assert [form[f"{start}[{name}]"] for name in names] == [str(lead), "2", "1", "1", "2017-07-20 23:59:00", "готово"]


async def test_times_stand_alone_in_a_webhook(api: Api, receiver: Receiver, world: World) -> None:
    """custom_fields[…][values][0]; other types have a value, chosen ones an enum."""
    await body(await api.post("/api/v4/webhooks", {"destination": receiver.url, "settings": ["add_lead"]}), 201)
    path = "/api/v4/leads/custom_fields"
    field = (await body(await api.post(path, [{"name": "Срок", "type": "date"}]), 201))["_embedded"]["custom_fields"][0]
    select = next(f for f in world.custom_fields.where(entity_type="leads") if f["type"] == "select")
    values = [
        {"field_id": field["id"], "values": [{"value": 1_600_000_000}]},
        {"field_id": select["id"], "values": [{"value": "Сайт"}]},
    ]

    await api.post("/api/v4/leads", [{"name": "x", "custom_fields_values": values}])

    form = (await receiver.next())["form"]
    assert form["leads[add][0][custom_fields][0][values][0]"] == "1600000000"
    assert form["leads[add][0][custom_fields][1][values][0][value]"] == "Сайт"
    assert form["leads[add][0][custom_fields][1][values][0][enum]"]
