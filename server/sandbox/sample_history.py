"""What happened in the sample account before anybody looked at it: talks by telephone, notes and tasks of deals.

Deterministic like the rest of the sample; everything lies before the account's first visitor.
"""

import random
from typing import Any, Final

from server.sandbox import sample_texts
from server.sandbox.rest.custom_fields import values_by_code
from server.sandbox.rest.linking import rows_linked
from server.sandbox.rest.tasks import note_closest
from server.sandbox.world import Row, World

_DAY_S: Final = 86_400
_OFFICE_S: Final = (6 * 3600, 15 * 3600)  # 9 to 18 o'clock in Moscow
_ANSWERED: Final = 4  # amoCRM's call_status: talked
_MISSED: Final = 6  # nobody picked up
_EVERY: Final = 4
_UNTOUCHED: Final = 12  # contacts at the beginning: whoever tries the API out meets a blank page first


def fill(world: World, chance: random.Random) -> None:
    """What was written and planned at every fourth contact and at the deals of those with several or a closed one, and
    the calls.
    """
    past, contacts = _Past(world, chance), list(world.contacts)
    for contact in contacts[::_EVERY]:
        past.write("contacts", contact, "common", {"text": past.pick(sample_texts.NOTES)})
        past.plan("contacts", contact)
    for contact in contacts[_UNTOUCHED:]:
        for _ in range(chance.randint(0, 4)):
            past.call(contact)
        leads = rows_linked(world, contact, "leads")
        for lead in leads if len(leads) > 1 or any(one["closed_at"] for one in leads) else ():
            past.write("leads", lead, "common", {"text": past.pick(sample_texts.NOTES)})
            past.plan("leads", lead)


class _Past:
    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance

    def pick(self, choices: Any) -> Any:
        return self._chance.choice(choices)

    def call(self, contact: Row) -> None:
        is_in, is_answered = self._chance.random() < 0.6, self._chance.random() < 0.75
        seconds = self._chance.randint(25, 640) if is_answered else 0
        link = f"{self._world.origin}/sandbox/recordings/{seconds}.mp3" if is_answered else None
        params = {
            "uniq": f"past-{self._chance.getrandbits(48):012x}",
            "duration": seconds,
            "source": self.pick(sample_texts.CALL_SOURCES),
            "link": link,
            "phone": values_by_code(self._world, contact, "contacts", "PHONE")[0],
            "call_responsible": contact["responsible_user_id"],
            "call_result": self.pick(sample_texts.CALL_RESULTS) if is_answered else "",
            "call_status": _ANSWERED if is_answered else _MISSED,
        }
        self.write("contacts", contact, "call_in" if is_in else "call_out", params)

    def write(self, entity_type: str, row: Row, note_type: str, params: Row) -> None:
        at = self._after(row)
        note = {"note_type": note_type, "params": params, "visible_from": 0, "created_at": at, "updated_at": at}
        self._world.notes.add({**self._owned(entity_type, row), **note})

    def plan(self, entity_type: str, row: Row) -> None:
        at = self._after(row)
        task = {"text": self.pick(sample_texts.TASKS), "task_type_id": self._chance.randint(1, 2), "duration": 0}
        times = {"created_at": at, "updated_at": at, "complete_till": at + self._chance.randint(1, 9) * _DAY_S}
        whole = {**self._owned(entity_type, row), **task, **times, "is_completed": False, "result": []}
        note_closest(self._world, self._world.tasks.add(whole))

    def _owned(self, entity_type: str, row: Row) -> Row:
        whose = {name: row[name] for name in ("responsible_user_id", "group_id")}
        authors = {"created_by": row["responsible_user_id"], "updated_by": row["responsible_user_id"]}
        return {"entity_type": entity_type, "entity_id": row["id"], **whose, **authors}

    def _after(self, row: Row) -> int:
        """A moment of a working day, after the row was made."""
        day = int(row["created_at"]) // _DAY_S + self._chance.randint(1, 12)
        return day * _DAY_S + self._chance.randint(*_OFFICE_S)
