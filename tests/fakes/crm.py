# ruff: noqa: ARG002  # arguments of the contract
"""An amoCRM in memory behind the services' contract."""

import asyncio
from collections.abc import Collection
from typing import Any

from server.core.book import BookRow
from server.core.crm import CallNote, Grant, Logged, Page, Pipeline, Record, Status, Stranger, Unsorted
from server.core.errors import CrmRefused
from server.core.jobs import still_ours
from server.core.phone import last10
from server.core.records import Account, User


class FakeCrm:
    """Fills `core.crm.Crm`. `asked` tells every request; `fail` and `lose` plant faults."""

    page_size = 2

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.faults: dict[str, list[Exception]] = {}
        self.lost: dict[str, list[Exception]] = {}
        self.grants: dict[str, Grant] = {}
        self.staff: list[User] = []
        self.rows: dict[str, list[BookRow]] = {"companies": [], "contacts": [], "leads": []}
        self.has_hooks = True
        self.notes: list[CallNote] = []
        self.created: list[Stranger] = []
        self.put: list[Unsorted] = []
        self.waiting: dict[str, Record] = {}
        self.remarked: dict[int, list[str]] = {}
        self.hidden_looks = 0
        self.search_gate = asyncio.Event()
        self.search_gate.set()

    def count(self, method: str) -> int:
        """How often a method was asked."""
        return sum(asked[0] == method for asked in self.asked)

    def fail(self, method: str, *errors: Exception) -> None:
        """Let the next calls of a method fail, nothing done."""
        self.faults.setdefault(method, []).extend(errors)

    def lose(self, method: str, *errors: Exception) -> None:
        """Let the next calls of a method have their effect, and their answers be lost."""
        self.lost.setdefault(method, []).extend(errors)

    async def exchange(self, origin: str, code: str) -> Grant:
        """See `core.crm.Crm.exchange`."""
        self._ask("exchange", origin, code)
        if code not in self.grants:
            raise CrmRefused("Authorization code is expired")
        return self.grants.pop(code)

    async def check(self, account: Account, *, within_s: float) -> None:
        """See `core.crm.Crm.check`."""
        self._ask("check", account.id)

    async def users(self, account: Account) -> list[User]:
        """See `core.crm.Crm.users`."""
        self._ask("users", account.id)
        return self.staff

    async def page(self, account: Account, noun: str, *, page: int, updated_since_s: int = 0) -> Page:
        """See `core.crm.Crm.page`."""
        self._ask("page", noun, page, updated_since_s)
        rows = [row for row in self.rows[noun] if row.updated_s >= updated_since_s]
        start = (page - 1) * self.page_size
        return Page(tuple(rows[start : start + self.page_size]), has_more=len(rows) > start + self.page_size)

    async def search(self, account: Account, phone: str, *, timeout_s: float) -> dict[str, list[BookRow]]:
        """See `core.crm.Crm.search`. It waits at `search_gate`."""
        self._ask("search", phone)
        await self.search_gate.wait()
        found = {
            noun: [row for row in self.rows[noun] if last10(phone) in row.phones] for noun in ("contacts", "companies")
        }
        people = {(noun, row.id) for noun, rows in found.items() for row in rows}
        return {**found, "leads": [lead for lead in self.rows["leads"] if people & set(lead.bonds)]}

    async def fetch(self, account: Account, noun: str, ids: list[int]) -> list[BookRow]:
        """See `core.crm.Crm.fetch`."""
        self._ask("fetch", noun, tuple(ids))
        return [row for row in self.rows[noun] if row.id in ids]

    async def log_call(self, account: Account, note: CallNote) -> Logged:
        """See `core.crm.Crm.log_call`."""
        still_ours()
        self._ask("log_call", note.uniq)
        self.notes.append(note)
        self._lose("log_call")
        return Logged("contacts", 11, len(self.notes))

    async def find_call(self, account: Account, note: CallNote, *, since_s: int) -> Logged | None:
        """See `core.crm.Crm.find_call`. The first `hidden_looks` looks see nothing yet."""
        self._ask("find_call", note.uniq, since_s)
        if self.hidden_looks:
            self.hidden_looks -= 1
            return None
        return next((Logged("contacts", 11, 1) for one in self.notes if one.uniq == note.uniq), None)

    async def pipelines(self, account: Account) -> list[Pipeline]:
        """See `core.crm.Crm.pipelines`."""
        self._ask("pipelines")
        return [Pipeline(3001, "Продажи", (Status(30001, "Первичный контакт"),))]

    async def note(self, account: Account, noun: str, entity_id: int, note: CallNote) -> Logged:
        """See `core.crm.Crm.note`."""
        still_ours()
        self._ask("note", noun, entity_id)
        self.notes.append(note)
        self._lose("note")
        return Logged(noun, entity_id, len(self.notes))

    async def amend(self, account: Account, at: Logged, note: CallNote) -> None:
        """See `core.crm.Crm.amend`."""
        still_ours()
        self._ask("amend", at.noun, at.note_id)
        self.notes[at.note_id - 1] = note

    async def remarks(self, account: Account, noun: str, entity_id: int) -> list[str]:
        """See `core.crm.Crm.remarks`."""
        self._ask("remarks", noun, entity_id)
        return list(self.remarked.get(entity_id, []))

    async def remark(self, account: Account, noun: str, entity_id: int, text: str) -> None:
        """See `core.crm.Crm.remark`."""
        still_ours()
        self._ask("remark", noun, entity_id)
        self.remarked.setdefault(entity_id, []).append(text)
        self._lose("remark")

    async def create(self, account: Account, stranger: Stranger) -> tuple[str, int]:
        """See `core.crm.Crm.create`. Whoever was created is known from now on."""
        still_ours()
        self._ask("create", stranger.phone)
        self.created.append(stranger)
        self.faults.pop("log_call", None)
        self._lose("create")
        return ("leads", 701) if stranger.lead_name else ("contacts", 501)

    async def put_unsorted(self, account: Account, call: Unsorted) -> Record:
        """See `core.crm.Crm.put_unsorted`. An exact duplicate is refused."""
        still_ours()
        self._ask("put_unsorted", call.note.uniq)
        if call.note.uniq in self.waiting:
            raise CrmRefused("NotUnique")
        told = call.note.duration_s, call.note.user_id or 0, call.note.link
        record = Record(f"uid-{len(self.waiting) + 1}", 800 + len(self.waiting), *told)
        self.waiting[call.note.uniq] = record
        self.put.append(call)
        self._lose("put_unsorted")
        return record

    async def find_unsorted(self, account: Account, uniqs: Collection[str], *, since_s: int) -> Record | None:
        """See `core.crm.Crm.find_unsorted`."""
        self._ask("find_unsorted", tuple(uniqs), since_s)
        return next((self.waiting[uniq] for uniq in uniqs if uniq in self.waiting), None)

    async def unsorted(self, account: Account, uid: str) -> Record | None:
        """See `core.crm.Crm.unsorted`."""
        self._ask("unsorted", uid)
        return next((record for record in self.waiting.values() if record.uid == uid), None)

    async def notify(self, account: Account, phone: str, user_ids: list[int]) -> None:
        """See `core.crm.Crm.notify`."""
        self._ask("notify", phone, tuple(user_ids))

    async def subscribe(self, account: Account, destination: str) -> bool:
        """See `core.crm.Crm.subscribe`."""
        self._ask("subscribe", destination)
        return self.has_hooks

    def _ask(self, method: str, *what: Any) -> None:
        self.asked.append((method, *what))
        if errors := self.faults.get(method):
            raise errors.pop(0)

    def _lose(self, method: str) -> None:
        if errors := self.lost.get(method):
            raise errors.pop(0)
