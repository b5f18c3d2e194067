"""amochka (PyPI): dictionaries over requests. Its `base_url` must be of amoCRM's own domains: hence `hosts`."""

import json
from pathlib import Path

import hosts  # noqa: F401
from amochka import AmoCRMClient, CacheConfig
from line import serve

client = None


def open_(*, account, integration, storage, pair=None):
    global client  # noqa: PLW0603
    kept = Path(storage, "tokens.json")
    if pair is not None:
        kept.write_text(json.dumps({**pair, "created_at": pair["server_time"]}), "utf-8")
    client = AmoCRMClient(
        f"https://{account['host']}",
        token_file=str(kept),
        cache_config=CacheConfig.disabled(),
        disable_logging=True,
        rate_limit=1000,
        retry_delay=0.6,
        client_id=integration["id"],
        client_secret=integration["secret"],
        redirect_uri=integration["redirect_uri"],
    )


def account():
    return client.get_account(with_=["task_types", "users_groups"])["id"]


def create(*, noun, item):
    return {"contacts": client.create_contact, "leads": client.create_lead}[noun](item)["id"]


def change(*, noun, key, item):
    assert noun == "leads"
    client.update_lead(key, item)


def fetch(*, noun, key):
    found = client.get_contact_by_id(key) if noun == "contacts" else client.get_deal_by_id(key)
    return {"id": found["id"], "name": found["name"], "created_by": found["created_by"]}


def find(*, noun, query):
    if noun == "contacts":
        return [one["id"] for one in client.iter_contacts(query=query)]
    return [one["id"] for one in client.iter_leads(extra_params={"query": query})]


def walk(*, noun):
    assert noun == "contacts"
    return [one["id"] for one in client.iter_contacts()]


def add_note(*, noun, key, note):
    return client.add_entity_notes(noun.removesuffix("s"), [note], key)[0]["id"]


def notes(*, noun, key):
    found = client.iter_notes(noun.removesuffix("s"), entity_ids=[key])
    return [{"id": one["id"], "type": one["note_type"]} for one in found]


def join(*, noun, key, to_noun, to_key):
    client.link_entity(noun.removesuffix("s"), key, to_key, to_noun.removesuffix("s"))


def joined(*, noun, key):
    found = client.get_entity_links(noun.removesuffix("s"), key)
    return [[one["to_entity_type"], one["to_entity_id"]] for one in found]


serve({"open": open_, **{verb.__name__: verb for verb in (
    account, create, change, fetch, find, walk, add_note, notes, join, joined
)}})  # fmt: skip
