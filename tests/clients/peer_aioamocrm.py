"""aioamocrm (PyPI): pydantic models over asynchronous httpx, strict in types. `base_url` is an option of its own."""

import asyncio
import time
from pathlib import Path

from aioamocrm import AmoCRMClient, JsonFileTokenStorage, OAuth2, RetryPolicy, TokenSet, parse_webhook
from line import serve

loop = asyncio.new_event_loop()
client = None


def open_(*, account, integration, storage, pair=None):
    global client  # noqa: PLW0603
    kept = JsonFileTokenStorage(Path(storage, "tokens.json"))
    if pair is not None:
        loop.run_until_complete(kept.save(TokenSet.from_response(pair, now=time.time())))
    client = AmoCRMClient(
        base_url=account["origin"],
        auth=OAuth2(integration["id"], integration["secret"], integration["redirect_uri"], storage=kept),
        rate_limit=None,
        retry=RetryPolicy(backoff_base=0.6),
    )


async def sign_in(*, code):
    await client.exchange_code(code)


async def account():
    return (await client.account.get(with_=["amojo_id", "users_groups", "task_types", "version"])).id


async def create(*, noun, item):
    return (await getattr(client, noun).create([item]))[0].id


async def change(*, noun, key, item):
    await getattr(client, noun).update([{"id": key, **item}])


async def fetch(*, noun, key):
    found = await getattr(client, noun).get(key)
    return {"id": found.id, "name": found.name, "created_by": found.created_by}


async def find(*, noun, query):
    return [one.id async for one in getattr(client, noun).iterate(query=query)]


async def walk(*, noun):
    return [one.id async for one in getattr(client, noun).iterate(limit=250, order={"id": "asc"})]


async def add_note(*, noun, key, note):
    return (await getattr(client, noun).notes.create([{"entity_id": key, **note}]))[0].id


async def notes(*, noun, key):
    found = getattr(client, noun).notes.iterate(entity_id=key)
    return [{"id": one.id, "type": one.note_type} async for one in found]


async def join(*, noun, key, to_noun, to_key):
    await getattr(client, noun).link(key, to_noun, to_key)


async def joined(*, noun, key):
    return [[one.to_entity_type, one.to_entity_id] for one in await getattr(client, noun).links(key)]


async def part(*, noun, key, to_noun, to_key):
    await getattr(client, noun).unlink(key, to_noun, to_key)


async def deal(*, lead):
    [made] = await client.leads.create_complex([lead])
    return {"lead": made.id, "contact": made.contact_id, "company": made.company_id}


async def add_task(*, task):
    return (await client.tasks.create([task]))[0].id


async def finish_task(*, key, text):
    await client.tasks.complete(key, result=text)


def read_hook(*, body):
    return [[event.entity, event.action, event.id] for event in parse_webhook(body).events]


def _now(verb):
    return lambda **words: loop.run_until_complete(verb(**words))


serve({"open": open_, "read_hook": read_hook, **{verb.__name__: _now(verb) for verb in (
    sign_in, account, create, change, fetch, find, walk, add_note, notes, join, joined, part, deal,
    add_task, finish_task
)}})  # fmt: skip
