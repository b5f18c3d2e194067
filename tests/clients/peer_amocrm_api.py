"""amocrm-api (PyPI): models over requests. Its address is `https://<subdomain>.amocrm.ru`, always: hence `hosts`."""

import hosts  # noqa: F401
from amocrm.v2 import Company, Contact, Lead, Task, tokens
from amocrm.v2.account import AccountInteraction
from amocrm.v2.entity.call import Call
from line import serve

MODELS = {"contacts": Contact, "companies": Company, "leads": Lead}


def open_(*, account, integration, storage, pair=None):
    kept = tokens.FileTokensStorage(storage)
    tokens.default_token_manager(
        client_id=integration["id"],
        client_secret=integration["secret"],
        subdomain=account["subdomain"],
        redirect_url=integration["redirect_uri"],
        storage=kept,
    )
    if pair is not None:
        kept.save_tokens(pair["access_token"], pair["refresh_token"])


def sign_in(*, code):
    tokens.default_token_manager.init(code)


def account():
    return AccountInteraction().get(include=["amojo_id", "task_types"])["id"]


def create(*, noun, item):
    return MODELS[noun].objects.create(item).id


def change(*, noun, key, item):
    MODELS[noun].objects.update(key, item)


def fetch(*, noun, key):
    found = MODELS[noun].objects.get(object_id=key)
    return {"id": found.id, "name": found.name, "created_by": found.created_by.id}


def find(*, noun, query):
    return [one.id for one in MODELS[noun].objects.filter(query=query)]


def walk(*, noun):
    return [one.id for one in MODELS[noun].objects.all()]


def add_note(*, noun, key, note):
    return MODELS[noun].objects.get(object_id=key).notes.objects.create(note).id


def notes(*, noun, key):
    return [
        {"id": one.id, "type": one.note_type} for one in MODELS[noun].objects.get(object_id=key).notes.objects.all()
    ]


def add_task(*, task):
    return Task.objects.create(task).id


def finish_task(*, key, text):
    assert Task.objects.get(object_id=key).is_completed is False
    Task.objects.update(key, {"is_completed": True, "result": {"text": text}})


def log_call(*, call):
    logged = Call().create(**call)
    return {"id": logged["id"], "entity_type": logged["entity_type"], "entity_id": logged["entity_id"]}


serve({"open": open_, **{verb.__name__: verb for verb in (
    sign_in, account, create, change, fetch, find, walk, add_note, notes, add_task, finish_task, log_call
)}})  # fmt: skip
