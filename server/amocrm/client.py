"""amoCRM's API as the services ask it: one method per question, each a few requests over the wire."""

import asyncio
from collections.abc import Collection
from functools import partial
from typing import Any

from server.core.book import BookRow
from server.core.crm import CallNote, Logged, Page, Pipeline, Record, Stranger, Unsorted
from server.core.errors import CrmBlocked, CrmRefused, CrmUnavailable
from server.core.phone import last10
from server.core.records import Account, User

from . import answers, bodies
from .sightings import Sightings
from .wire import Wire

NOTIFY_S = 2.0
PAGE = 250

ABSENT = (404, 405)
"""What amoCRM answers where an account's edition lacks a method."""

NO_CUSTOMERS = (402, 403, 426, *ABSENT)
"""What amoCRM answers about customers where an account has none: that must not look like an account that is blocked."""

MOST_PAGES = 1000
"""A quarter of a million notes: a list that goes on is no answer."""

EMBED = {"contacts": "leads", "companies": "leads", "leads": "contacts"}
WATCHED = [
    f"{what}_{noun}" for noun in ("contact", "company", "lead") for what in ("add", "update", "delete", "restore")
]
WATCHED += ["responsible_contact", "responsible_company", "responsible_lead", "status_lead"]


class Client(Wire):
    """Fills `core.crm.Crm`."""

    def __init__(self, **integration: Any) -> None:
        super().__init__(**integration)
        self._sightings: dict[int, Sightings] = {}

    # -- the phone book --------------------------------------------------------------------------------------------

    async def users(self, account: Account) -> list[User]:
        """See `core.crm.Crm.users`."""
        found: list[User] = []
        for number in range(1, 100):
            content = await self.get(account, "/api/v4/users", [("page", str(number)), ("limit", str(PAGE))])
            found += [answers.user(item) for item in answers.listed(content, "users")]
            if not answers.has_more(content):
                break
        return found

    async def pipelines(self, account: Account) -> list[Pipeline]:
        """See `core.crm.Crm.pipelines`."""
        return answers.pipelines(await self.get(account, "/api/v4/leads/pipelines", [], for_people=True))

    async def page(self, account: Account, noun: str, *, page: int, updated_since_s: int = 0) -> Page:
        """See `core.crm.Crm.page`. By id at first: pages must not shift under people's edits."""
        query = [("with", EMBED[noun]), ("page", str(page)), ("limit", str(PAGE))]
        if updated_since_s:
            query += [("filter[updated_at][from]", str(updated_since_s)), ("order[updated_at]", "asc")]
        else:
            query.append(("order[id]", "asc"))
        content = await self.get(account, f"/api/v4/{noun}", query)
        rows = answers.book_rows(answers.listed(content, noun), noun)
        return Page(tuple(rows), has_more=answers.has_more(content))

    async def search(self, account: Account, phone: str, *, timeout_s: float) -> dict[str, list[BookRow]]:
        """See `core.crm.Crm.search`. `query` finds substrings in all fields: the digits are compared here."""
        digits = last10(phone)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._search(account, digits)
        except TimeoutError as exc:
            raise CrmUnavailable("amoCRM's search took too long.") from exc

    async def _search(self, account: Account, digits: str) -> dict[str, list[BookRow]]:
        query = [("query", digits), ("with", "leads"), ("limit", "50")]
        found: dict[str, list[BookRow]] = {}
        leads: list[int] = []
        for noun in ("contacts", "companies"):
            items = answers.embedded(await self.get(account, f"/api/v4/{noun}", query, for_people=True), noun)
            known = [item for item in items if digits in answers.phones(item.get("custom_fields_values"))]
            found[noun] = answers.book_rows(known, noun)
            leads += answers.lead_ids(known)
        if leads:
            found["leads"] = await self._fetch(account, "leads", leads, for_people=True)
        return found

    async def fetch(self, account: Account, noun: str, ids: list[int]) -> list[BookRow]:
        """See `core.crm.Crm.fetch`."""
        return await self._fetch(account, noun, ids)

    async def _fetch(
        self, account: Account, noun: str, ids: list[int], *, for_people: bool = False
    ) -> list[BookRow]:  # fmt: skip
        wanted = sorted(set(ids))[:PAGE]
        query = [("filter[id][]", str(one)) for one in wanted] + [("with", EMBED[noun]), ("limit", str(PAGE))]
        content = await self.get(account, f"/api/v4/{noun}", query, for_people=for_people)
        return answers.book_rows(answers.embedded(content, noun), noun)

    async def subscribe(self, account: Account, destination: str) -> bool:
        """See `core.crm.Crm.subscribe`."""
        body = {"destination": destination, "settings": WATCHED, "sort": 10}
        try:
            status, _ = await self.ask(account, "POST", "/api/v4/webhooks", json=body, accepts=(400, 402, 404, 422))
        except CrmBlocked:
            return False
        return status < 300

    # -- calls -----------------------------------------------------------------------------------------------------

    async def log_call(self, account: Account, note: CallNote) -> Logged:
        """See `core.crm.Crm.log_call`. An account without the method has the one of the API before it."""
        status, body = await self.ask(
            account, "POST", "/api/v4/calls", json=[bodies.call(note)], accepts=(400, *ABSENT)
        )  # fmt: skip
        if status in ABSENT:
            _, body = await self.ask(account, "POST", "/api/v2/calls", json=bodies.old_call(note))
            return answers.old_logged(answers.content_of(body))
        return answers.logged(status, answers.content_of(body))

    async def find_call(self, account: Account, note: CallNote, *, since_s: int) -> Logged | None:
        """See `core.crm.Crm.find_call`. All call notes of the account since then: a number may have changed hands."""
        seen = self._sightings.get(account.id)
        if seen is None:
            seen = self._sightings[account.id] = Sightings(
                partial(self._call_notes, account), partial(self._is_there, account), self._clock
            )
        return await seen.find(note, since_s)

    async def _is_there(self, account: Account, place: Logged) -> bool:
        query = [("filter[id][]", str(place.note_id))]
        content = await self.get(account, f"/api/v4/{place.noun}/notes", query)
        return any(one["id"] == place.note_id for one in answers.listed(content, "notes"))

    async def _call_notes(self, account: Account, noun: str, since_s: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        accepts = NO_CUSTOMERS if noun == "customers" else ()
        for number in range(1, MOST_PAGES):
            query = [("filter[updated_at][from]", str(since_s)), ("limit", str(PAGE)), ("page", str(number))]
            query += [("filter[note_type][]", "call_in"), ("filter[note_type][]", "call_out")]
            status, body = await self.ask(account, "GET", f"/api/v4/{noun}/notes", query=query, accepts=accepts)
            content = answers.content_of(body) if status not in accepts else None
            found += answers.listed(content, "notes")
            if not answers.has_more(content):
                return found
        raise CrmUnavailable(f"amoCRM's list of {noun} has no end.")  # what was not read is not known to be absent

    async def note(self, account: Account, noun: str, entity_id: int, note: CallNote) -> Logged:
        """See `core.crm.Crm.note`."""
        path = f"/api/v4/{noun}/{entity_id}/notes"
        _, body = await self.ask(account, "POST", path, json=[bodies.note(note)])
        made = answers.embedded(answers.content_of(body), "notes")
        return Logged(noun, entity_id, answers.id_of(made, "note"))

    async def amend(self, account: Account, at: Logged, note: CallNote) -> None:
        """See `core.crm.Crm.amend`."""
        body = bodies.amended(note, entity_id=at.entity_id, note_id=at.note_id)
        path = f"/api/v4/{at.noun}/notes/{at.note_id}"
        status, _ = await self.ask(account, "PATCH", path, json=body, accepts=(403,))
        if status == 403:  # to whoever may not edit the entity; or the account is blocked, which says any request
            await self.check(account, within_s=0)
            raise CrmRefused("amoCRM does not let this note be changed.")

    async def remarks(self, account: Account, noun: str, entity_id: int) -> list[str]:
        """See `core.crm.Crm.remarks`."""
        query = [("filter[note_type][]", "common"), ("order[id]", "asc"), ("limit", str(PAGE))]
        content = await self.get(account, f"/api/v4/{noun}/{entity_id}/notes", query)
        return [answers.text_of(note) for note in answers.listed(content, "notes")]

    async def remark(self, account: Account, noun: str, entity_id: int, text: str) -> None:
        """See `core.crm.Crm.remark`."""
        await self.ask(account, "POST", f"/api/v4/{noun}/{entity_id}/notes", json=[bodies.remark(text)])

    async def create(self, account: Account, stranger: Stranger) -> tuple[str, int]:
        """See `core.crm.Crm.create`."""
        if stranger.lead_name:
            _, body = await self.ask(account, "POST", "/api/v4/leads/complex", json=[bodies.lead(stranger)])
            return "leads", answers.id_of(answers.content_of(body), "lead")
        _, body = await self.ask(account, "POST", "/api/v4/contacts", json=[bodies.contact(stranger)])
        return "contacts", answers.id_of(answers.embedded(answers.content_of(body), "contacts"), "contact")

    async def put_unsorted(self, account: Account, call: Unsorted) -> Record:
        """See `core.crm.Crm.put_unsorted`. An account without the method has the one of the API before it."""
        path = "/api/v4/leads/unsorted/sip"
        status, body = await self.ask(account, "POST", path, json=[bodies.unsorted(call)], accepts=ABSENT)
        if status in ABSENT:
            _, body = await self.ask(account, "POST", "/api/v2/incoming_leads/sip", json=bodies.old_unsorted(call))
            return answers.old_record(answers.content_of(body))
        made = answers.records(answers.content_of(body))
        if not made:
            raise CrmUnavailable("amoCRM's answer to a call for Unsorted was not understood.")
        return made[0][0]

    async def find_unsorted(self, account: Account, uniqs: Collection[str], *, since_s: int) -> Record | None:
        """See `core.crm.Crm.find_unsorted`. The latest first, down to the moment of the call."""
        for number in range(1, MOST_PAGES):
            query = [("filter[category][]", "sip"), ("order[created_at]", "desc")]
            query += [("limit", str(PAGE)), ("page", str(number))]
            content = await self.get(account, "/api/v4/leads/unsorted", query)
            found = answers.records(content)
            for record, its_uniq, _ in found:
                if its_uniq in uniqs:
                    return record
            if not answers.has_more(content) or found[-1][2] < since_s:
                return None
        raise CrmUnavailable("amoCRM's list of Unsorted has no end.")

    async def unsorted(self, account: Account, uid: str) -> Record | None:
        """See `core.crm.Crm.unsorted`. amoCRM forgets a record that was sorted: 404, or nothing."""
        status, body = await self.ask(account, "GET", f"/api/v4/leads/unsorted/{uid}", accepts=ABSENT)
        return answers.record(answers.content_of(body)) if status == 200 else None

    async def notify(self, account: Account, phone: str, user_ids: list[int]) -> None:
        """See `core.crm.Crm.notify`."""
        event = {"type": "phone_call", "phone_number": phone, "users": user_ids}
        await self.ask(account, "POST", "/api/v2/events/", json={"add": [event]}, timeout_s=NOTIFY_S, for_people=True)
