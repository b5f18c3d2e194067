"""What amoCRM is sent: plain functions from our values to its JSON, no I/O.

Sources: amocrm.ru/developers/content/crm_platform/{calls-api,unsorted-api,contacts-api,leads-api,events-and-notes}.
"""

from typing import Any

from server.core.crm import CallNote, Stranger, Unsorted
from server.core.vocabulary import Direction

SERVICE = "kommutator"
"""Whose calls these are, in amoCRM's `service_code`."""


def call(note: CallNote) -> dict[str, Any]:
    """A call for POST /api/v4/calls. `created_by` equals `responsible_user_id`, or call statistics miss it."""
    who = {"responsible_user_id": note.user_id, "created_by": note.user_id, "call_responsible": note.user_id}
    optional = {"call_result": note.result_text, "link": note.link}
    return {
        "direction": "outbound" if note.direction is Direction.OUT else "inbound",
        "uniq": note.uniq,
        "duration": note.duration_s,
        "source": note.source,
        "phone": note.phone,
        "call_status": note.status,
        "created_at": note.started_s,
        "request_id": note.uniq,
        **(who if note.user_id else {}),
        **{name: value for name, value in optional.items() if value},
    }


def note(one: CallNote) -> dict[str, Any]:
    """A call as a note of a known entity, for POST /api/v4/{entity}/{id}/notes."""
    params = {
        "uniq": one.uniq, "duration": one.duration_s, "source": one.source, "link": one.link, "phone": one.phone,
        "call_responsible": one.user_id, "call_status": one.status, "call_result": one.result_text,
    }  # fmt: skip
    who = {"created_by": one.user_id, "responsible_user_id": one.user_id}
    return {
        "note_type": "call_out" if one.direction is Direction.OUT else "call_in",
        "params": {name: value for name, value in params.items() if value not in ("", None)},
        "created_at": one.started_s,
        "request_id": one.uniq,
        **(who if one.user_id else {}),
    }


def amended(one: CallNote, *, entity_id: int, note_id: int) -> dict[str, Any]:
    """What a call's note says by now, for PATCH /api/v4/{entity}/notes/{id}.

    Documented are the entity, the kind and what the note says; whose it is, amoCRM's own library sends as well.
    """
    whole = note(one)
    names = ("note_type", "created_by", "responsible_user_id")
    params = {**whole["params"], "call_result": one.result_text}  # what is not sent stays as it was
    kept = {name: whole[name] for name in names if name in whole}
    return {"id": note_id, "entity_id": entity_id, "params": params, **kept}


def remark(text: str) -> dict[str, Any]:
    """A plain note, for POST /api/v4/{entity}/{id}/notes."""
    return {"note_type": "common", "params": {"text": text}}


def contact(stranger: Stranger) -> dict[str, Any]:
    """A contact with its number, for POST /api/v4/contacts."""
    return {"name": stranger.name, "custom_fields_values": [_phone(stranger.phone)], **_owned(stranger)}


def lead(stranger: Stranger) -> dict[str, Any]:
    """A lead with its contact, for POST /api/v4/leads/complex."""
    place = {"pipeline_id": stranger.pipeline_id, "status_id": stranger.status_id}
    owned = _owned(stranger)
    embedded = {**owned.pop("_embedded", {}), "contacts": [contact(stranger)]}
    return {
        "name": stranger.lead_name,
        **{name: value for name, value in place.items() if value},
        **owned,
        "_embedded": embedded,
    }


def unsorted(call: Unsorted) -> dict[str, Any]:
    """A call for POST /api/v4/leads/unsorted/sip.

    `phone` and `from` both hold the caller: versions of amoCRM read them oppositely (amocrm-api-php, issue 441).
    """
    one = call.note
    tags = {"_embedded": {"tags": [{"name": tag} for tag in call.tags]}} if call.tags else {}
    return {
        "request_id": one.uniq,
        "source_name": call.source_name,
        "source_uid": call.source_uid,
        "created_at": one.started_s,
        **({"pipeline_id": call.pipeline_id} if call.pipeline_id else {}),
        "_embedded": {
            "leads": [{"name": call.lead_name, **tags}],
            "contacts": [{"name": call.contact_name, "custom_fields_values": [_phone(one.phone)]}],
        },
        "metadata": {
            "phone": one.phone,
            "from": one.phone,
            "call_responsible": one.user_id or 0,
            "called_at": one.started_s,
            "duration": one.duration_s,
            "link": one.link,
            "service_code": SERVICE,
            "uniq": one.uniq,
            "is_call_event_needed": True,
        },
    }


def old_call(note: CallNote) -> dict[str, Any]:
    """A call for POST /api/v2/calls."""
    one = call(note)
    renamed = {"phone_number": one.pop("phone")}
    return {"add": [{**one, **renamed}]}


def old_unsorted(call: Unsorted) -> dict[str, Any]:
    """A call for POST /api/v2/incoming_leads/sip: `from` is the caller, `to` who took the call."""
    one = call.note
    info = {
        "from": one.phone, "to": one.user_id or 0, "date_call": one.started_s, "duration": one.duration_s,
        "link": one.link, "service_code": SERVICE, "uniq": one.uniq, "add_note": True,
    }  # fmt: skip
    item = {
        "source_name": call.source_name,
        "source_uid": call.source_uid,
        "created_at": one.started_s,
        "incoming_entities": {
            "leads": [{"name": call.lead_name}],
            "contacts": [{"name": call.contact_name, "custom_fields": [_old_phone(one.phone)]}],
        },
        "incoming_lead_info": info,
        **({"pipeline_id": call.pipeline_id} if call.pipeline_id else {}),
    }
    return {"add": [item]}


def _old_phone(phone: str) -> dict[str, Any]:
    return {"code": "PHONE", "values": [{"value": phone, "enum": "WORK"}]}


def _phone(phone: str) -> dict[str, Any]:
    return {"field_code": "PHONE", "values": [{"value": phone, "enum_code": "WORK"}]}


def _owned(stranger: Stranger) -> dict[str, Any]:
    owned: dict[str, Any] = {"responsible_user_id": stranger.responsible_id} if stranger.responsible_id else {}
    if stranger.tags:
        owned["_embedded"] = {"tags": [{"name": tag} for tag in stranger.tags]}
    return owned
