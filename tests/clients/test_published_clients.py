"""Clients that others wrote for the real amoCRM, unchanged, at work against the sandbox.

Each runs in its own process (see `peers.py` for the table of what each reaches). Two take any address as an option;
the others insist on amoCRM's and are sent to the sandbox by `hosts.py` and `hosts.cjs`, over TLS, under the real name.
What a client says is checked on the other side: in the sandbox's world and in its log.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from peers import PEERS, Peer, Refused, reaching
from stage import Mailbox, Opened, asked
from worlds import tokens_of

from server.sandbox import integrations
from server.sandbox.oauth.tokens import issue_code
from server.sandbox.seed import more_contacts
from server.sandbox.world import Row, World

NOUNS = ("contacts", "companies", "leads")
NUMBER = "+7 (915) 000-11-22"
UNKNOWN = "+79150009988"


def peers(*verbs: str) -> Any:
    """One test for each client that reaches these verbs."""
    found = reaching(*verbs)
    return pytest.mark.parametrize("peer", found, ids=[peer.package for peer in found])


def phone(number: str) -> list[Row]:
    """A custom field with a number, as clients write it."""
    return [{"field_code": "PHONE", "values": [{"value": number, "enum_code": "WORK"}]}]


def call(number: str, uniq: str = "u1") -> Row:
    """A finished call."""
    return {"direction": "inbound", "phone": number, "source": "acme", "duration": 42, "uniq": uniq,
            "link": "https://voip.example/1.mp3"}  # fmt: skip


def waiting(number: str) -> Row:
    """A call from nobody known, for Unsorted."""
    metadata = {"phone": number, "called_at": 1_790_000_000, "duration": 54, "service_code": "acme", "uniq": number,
                "link": "https://voip.example/1.mp3", "from": number, "is_call_event_needed": True}  # fmt: skip
    return {"source_name": "Acme", "source_uid": "acme-main", "metadata": metadata}


async def refusal(asking: Any) -> str:
    """The name of the error that the client raises."""
    with pytest.raises(Refused) as caught:
        await asking
    return caught.value.name


@peers("sign_in")
async def test_a_code_signs_in_and_a_refresh_outlives_the_process(peer: Peer, opened: Opened, world: World) -> None:
    """By a code once, by a refresh when the token has died, and by what it kept after a restart."""
    integration, user = integrations.main(world), world.user_named("201")
    assert user is not None
    world.switches.set({"access_token_life_s": 0})
    talk = await opened(peer)
    with suppress(Refused):  # one asks for the account at once, with the token that is dead already
        await talk.do("sign_in", code=issue_code(world, client_id=integration["id"], user_id=user["id"]))
    first = world.grants.where(client_id=integration["id"])[-1]["refresh_token"]
    world.switches.set({"access_token_life_s": 86_400})

    assert await talk.do("account") == world.account["id"]
    assert world.grants.where(client_id=integration["id"])[-1]["refresh_token"] != first
    world.log.clear()
    assert await (await opened(peer)).do("account") == world.account["id"]
    assert asked(world, path="/oauth2/access_token") == []


@peers("account")
async def test_a_dead_access_token_is_refreshed_or_told(peer: Peer, opened: Opened, world: World, pair: Row) -> None:
    """401 leads to one silent refresh and one repeat, or to the client's own error for it."""
    talk = await opened(peer, pair)
    world.faults.add({"target": "amocrm", "kind": "revoke_token", "path": "/api/v4/account", "n": 1})

    if 401 in peer.repeats:
        assert await talk.do("account") == world.account["id"]
        assert asked(world, path="/api/v4/account") == [401, 200]
        assert asked(world, path="/oauth2/access_token") == [200]
    else:
        assert await refusal(talk.do("account")) == peer.error(401)
        assert asked(world, path="/api/v4/account") == [401]


@peers("account")
async def test_an_integration_that_was_switched_off_gets_in_no_more(
    peer: Peer, opened: Opened, world: World, pair: Row
) -> None:
    """When the refresh is refused as well, the client says so, and stops."""
    talk = await opened(peer, pair)
    for grant in world.grants:
        world.grants.put(grant | {"alive": False})

    assert await refusal(talk.do("account")) == peer.error(401)
    assert len(asked(world, path="/api/v4/account")) == 1


@peers("create", "change", "fetch", "find")
async def test_entities_are_made_changed_fetched_and_found(peer: Peer, opened: Opened, world: World, pair: Row) -> None:
    """Contacts, companies and leads; a contact and a company by the number however it is written."""
    talk = await opened(peer, pair)
    for noun in peer.finds:
        more = {} if noun == "leads" else {"custom_fields_values": phone(NUMBER)}
        made = await talk.do("create", noun=noun, item={"name": "Новая запись", **more})
        if noun in peer.writes:
            await talk.do("change", noun=noun, key=made, item={"name": "Другое имя"})
            assert world.entities(noun)[made]["name"] == "Другое имя"

        stored = {name: world.entities(noun)[made][name] for name in ("id", "name", "created_by")}
        assert await talk.do("fetch", noun=noun, key=made) == stored
        written = ("+79150001122", "79150001122", "89150001122", "9150001122") if more else (stored["name"],)
        for query in written:
            assert made in await talk.do("find", noun=noun, query=query), (noun, query)
        assert await talk.do("find", noun=noun, query="нет такого имени") == []
    assert await refusal(talk.do("fetch", noun="contacts", key=999_999_999)) == peer.error(204)


@peers("walk")
async def test_more_than_six_hundred_entities_come_page_by_page(
    peer: Peer, opened: Opened, world: World, pair: Row
) -> None:
    """Every one once, whichever way the client turns the pages."""
    more_contacts(world, 620)
    talk = await opened(peer, pair)

    ids = await talk.do("walk", noun="contacts")

    assert sorted(ids) == sorted(row["id"] for row in world.contacts)
    assert len(asked(world, path="/api/v4/contacts")) <= -(-len(ids) // 250) + 1


@peers("add_note", "notes")
async def test_notes_are_written_and_read(peer: Peer, opened: Opened, world: World, pair: Row) -> None:
    """A note on a card, and a call's note."""
    talk = await opened(peer, pair)
    contact = next(iter(world.contacts))["id"]
    text = {"note_type": "common", "params": {"text": "Перезвонить"}}
    spoken = {"note_type": "call_in", "params": {"uniq": "u", "duration": 3, "source": "s", "link": "", "phone": "1"}}

    made = [await talk.do("add_note", noun="contacts", key=contact, note=note) for note in (text, spoken)]

    assert [world.notes[note]["note_type"] for note in made] == ["common", "call_in"]
    told = await talk.do("notes", noun="contacts", key=contact)
    assert [note for note in told if note["id"] in made] == [
        {"id": made[0], "type": "common"}, {"id": made[1], "type": "call_in"},
    ]  # fmt: skip


@peers("join", "joined")
async def test_cards_are_joined_and_parted(peer: Peer, opened: Opened, world: World, pair: Row) -> None:
    """A contact joins a deal, and leaves it with a 204."""
    talk = await opened(peer, pair)
    lead, contact = [await talk.do("create", noun=noun, item={"name": "x"}) for noun in ("leads", "contacts")]
    ends = {"noun": "leads", "key": lead, "to_noun": "contacts", "to_key": contact}

    await talk.do("join", **ends)

    assert await talk.do("joined", noun="leads", key=lead) == [["contacts", contact]]
    if "part" in peer.verbs:
        await talk.do("part", **ends)
        assert await talk.do("joined", noun="leads", key=lead) == []


@peers("deal")
async def test_a_deal_with_its_contact_and_company_is_one_request(
    peer: Peer, opened: Opened, world: World, pair: Row
) -> None:
    """The bare array of `leads/complex` is read; all three exist and belong together."""
    talk = await opened(peer, pair)
    inside = {"contacts": [{"name": "Кто-то", "custom_fields_values": phone(NUMBER)}], "companies": [{"name": "ООО"}]}

    made = await talk.do("deal", lead={"name": "Заказ", "price": 100, "_embedded": inside})

    assert world.companies[made["company"]]["name"] == "ООО"
    ends = await talk.do("joined", noun="leads", key=made["lead"])
    assert sorted(ends) == [["companies", made["company"]], ["contacts", made["contact"]]]


@peers("add_task", "finish_task")
async def test_a_task_from_its_beginning_to_its_result(peer: Peer, opened: Opened, world: World, pair: Row) -> None:
    """Set for a contact, and finished with a word on how it went."""
    talk = await opened(peer, pair)
    contact = next(iter(world.contacts))["id"]
    task = {"text": "Перезвонить", "complete_till": 1_893_456_000, "entity_id": contact, "entity_type": "contacts"}

    made = await talk.do("add_task", task=task)
    await talk.do("finish_task", key=made, text="Готово")

    assert world.tasks[made]["is_completed"] is True
    assert world.tasks[made]["result"]["text"] == "Готово"


@peers("log_call")
async def test_calls_find_their_card_by_the_number(peer: Peer, opened: Opened, world: World, pair: Row) -> None:
    """A known number gets a note; an unknown one is refused in the client's own words."""
    talk = await opened(peer, pair)
    contact = await talk.do("create", noun="contacts", item={"name": "Кто-то", "custom_fields_values": phone(NUMBER)})

    logged = await talk.do("log_call", call=call("89150001122"))

    assert (logged["entity_type"], logged["entity_id"]) == ("contact", contact)
    assert world.notes[logged["id"]]["params"]["phone"] == "89150001122"
    assert await refusal(talk.do("log_call", call=call(UNKNOWN))) == peer.error(263)


@peers("put_unsorted", "unsorted", "accept")
async def test_unsorted_calls_are_put_accepted_and_declined(
    peer: Peer, opened: Opened, world: World, pair: Row
) -> None:
    """An accepted one becomes a lead of the user; a declined one goes."""
    talk, user = await opened(peer, pair), world.user_named("203")
    assert user is not None
    kept, dropped = [await talk.do("put_unsorted", call=waiting(number)) for number in (UNKNOWN, "+79150007766")]

    assert sorted(await talk.do("unsorted")) == sorted((kept, dropped))
    lead = await talk.do("accept", uid=kept, user_id=user["id"])
    assert world.leads[lead]["responsible_user_id"] == user["id"]
    if "decline" not in peer.verbs:
        assert await talk.do("unsorted") == [dropped]
        return
    assert await talk.do("decline", uid=dropped, user_id=user["id"]) == dropped
    assert await talk.do("unsorted") == []


@peers("subscribe", "hooks", "create")
async def test_webhooks_are_subscribed_delivered_and_given_up(
    peer: Peer, opened: Opened, world: World, pair: Row, mailbox: Mailbox
) -> None:
    """What the client makes is told to the address that it named, until it gives it up."""
    talk = await opened(peer, pair)
    await talk.do("subscribe", destination=mailbox.url, settings=["add_contact"])
    assert await talk.do("hooks") == [mailbox.url]

    made = await talk.do("create", noun="contacts", item={"name": "Кто-то"})

    assert f"contacts%5Badd%5D%5B0%5D%5Bid%5D={made}" in await mailbox.next()
    if "unsubscribe" in peer.verbs:
        await talk.do("unsubscribe", destination=mailbox.url)
        assert await talk.do("hooks") == []


@peers("read_hook")
@pytest.mark.parametrize("noun", NOUNS)
async def test_a_published_parser_reads_our_webhooks(
    peer: Peer, opened: Opened, world: World, pair: Row, mailbox: Mailbox, noun: str
) -> None:
    """The body is the form that parsers of amoCRM's webhooks expect; companies come under contacts."""
    talk = await opened(peer, pair)
    singular = {"contacts": "contact", "companies": "company", "leads": "lead"}[noun]
    world.webhooks.add({
        "destination": mailbox.url, "settings": [f"add_{singular}"], "created_by": 0, "created_at": 0, "updated_at": 0,
        "sort": 1, "disabled": False, "account_id": world.account["id"], "failures": [],
    })  # fmt: skip

    made = await talk.do("create", noun=noun, item={"name": "Кто-то"})

    entity = "leads" if noun == "leads" else "contacts"
    assert await talk.do("read_hook", body=await mailbox.next()) == [[entity, "add", made]]


@peers("key_in", "create", "find", "add_note", "add_task")
async def test_a_client_of_the_earlier_api_lives_by_a_users_key(peer: Peer, opened: Opened, world: World) -> None:
    """A session for login and key; everything it makes is the user's, and in the present API as well."""
    talk, user = await opened(peer), world.user_named("203")
    assert user is not None
    assert await refusal(talk.do("key_in", login=user["login"], key="wrong")) == peer.error(401)
    assert await talk.do("key_in", login=user["login"], key=user["api_key"]) == user["id"]
    number = next(row["id"] for row in world.custom_fields if row.get("code") == "PHONE")
    fields = [{"id": number, "values": [{"value": NUMBER, "enum": "WORK"}]}]

    contact = await talk.do("create", noun="contacts", item={"name": "Кто-то", "custom_fields": fields})
    note = await talk.do("add_note", noun="contacts", key=contact, note={"params": {"text": "Перезвонить"}})
    task = {"text": "Позвонить", "complete_till": 1_893_456_000, "entity_id": contact, "entity_type": "contacts"}
    made = await talk.do("add_task", task=task)

    assert await talk.do("find", query="79150001122") == [contact]
    assert world.contacts[contact]["created_by"] == user["id"]
    assert (world.notes[note]["params"]["text"], world.tasks[made]["entity_id"]) == ("Перезвонить", contact)


def _foreign(world: World, noun: str) -> int:
    user = world.user_named("205")
    assert user is not None
    found = (row for row in world.entities(noun) if row["responsible_user_id"] != user["id"])
    return int(next(found)["id"])


@peers("change", "create")
async def test_what_is_refused_is_said_in_the_clients_own_errors(peer: Peer, opened: Opened, world: World) -> None:
    """400 for a member that cannot be, 403 for a card of somebody else's."""
    talk = await opened(peer, tokens_of(world, "205"))

    wrong = talk.do("create", noun="leads", item={"name": "x", "status_id": 1})
    assert await refusal(wrong) == peer.error(400)
    noun = peer.writes[0]
    foreign = talk.do("change", noun=noun, key=_foreign(world, noun), item={"name": "x"})
    assert await refusal(foreign) == peer.error(403)


def _limited(world: World) -> None:
    world.switches.set({"limit_integration_per_s": 1, "limit_violations_to_block": 0})


def _broken(world: World) -> None:
    world.faults.add({"target": "amocrm", "kind": "status", "status": 500, "path": "/api/v4/account", "n": 1})


@peers("account")
@pytest.mark.parametrize(("status", "spoil"), [(429, _limited), (500, _broken)])
async def test_limits_and_faults_are_repeated_or_told(
    peer: Peer, opened: Opened, world: World, pair: Row, status: int, spoil: Callable[[World], None]
) -> None:
    """A client that repeats comes through; another one says what it was."""
    talk = await opened(peer, pair)
    spoil(world)

    async def twice() -> None:
        for _ in range(2):
            assert await talk.do("account") == world.account["id"]

    if status in peer.repeats:
        await twice()
        assert asked(world, path="/api/v4/account")[-1] == 200
    else:
        assert await refusal(twice()) == peer.error(status)
    assert status in asked(world, path="/api/v4/account")


def test_four_published_clients_and_both_registries() -> None:
    """Two or more from PyPI and two or more from npm."""
    kinds = [peer.script.rpartition(".")[2] for peer in PEERS]

    assert kinds.count("py") >= 2
    assert kinds.count("mjs") >= 2
