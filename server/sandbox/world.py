"""The state of the sandbox's amoCRM account: everything it remembers, and where that is kept.

Every noun of amoCRM is a `Collection` of plain JSON objects (`Row`), held in memory and written through to one SQLite
file, so a killed sandbox loses nothing that it has answered. This room knows no HTTP, no rights and no rules of
amoCRM: those live in the rooms that serve it.

How other rooms use it::

    world = request.app[WORLD]                     # inside any handler of the amoCRM application
    contact = world.contacts.get(501)              # a Row or None; change it in place, then put it back:
    contact["name"] = "Ольга"; world.contacts.put(contact)
    world.notes.add({"entity_type": "leads", …})   # gives the row its id and returns it
    world.log.note("callback", name="render")      # the list behind /sandbox/log
    delays = world.faults.plan("sipuni", "/hook")  # see server/sandbox/faults.py
    world.signals.emit("notifications:1:2", {…})   # see server/sandbox/signals.py
    world.switches["one_time_token"]               # see server/sandbox/switches.py
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from server.sandbox.faults import Faults
from server.sandbox.log import Log
from server.sandbox.signals import Signals
from server.sandbox.switches import Switches

Row = dict[str, Any]
Key = int | str

ENTITIES: Final = ("contacts", "companies", "leads", "customers")

# Contacts and companies share one row of numbers in amoCRM (a company is a contact of another type), notes of all
# entities another.
_SEQUENCES: Final = {"companies": "contacts"}
_FIRST_ID: Final = {
    "contacts": 501_001,
    "leads": 701_001,
    "customers": 301_001,
    "notes": 90_001,
    "tasks": 40_001,
    "users": 11_000_011,
    "tags": 15_001,
    "custom_fields": 7_001,
    "enums": 8_001,
    "pipelines": 3_001,
    "statuses": 30_001,
    "roles": 2_001,
    "loss_reasons": 4_001,
    "sources": 9_001,
    "customer_statuses": 35_001,
    "segments": 51,
    "transactions": 134_001,
    "catalogs": 4_501,
    "catalog_elements": 525_001,
}


class Collection:
    """Rows of one noun by their `id`, in the order of their creation."""

    def __init__(self, name: str, disk: "_Disk") -> None:
        self.name = name
        self.on_change: list[Callable[[Key], None]] = []
        self._disk = disk
        self._rows: dict[Key, Row] = disk.load(name)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def get(self, key: Key | None) -> Row | None:
        """The row with this id; the caller may change it and must `put` it back."""
        return None if key is None else self._rows.get(key)

    def __getitem__(self, key: Key) -> Row:
        return self._rows[key]

    def where(self, **fields: Any) -> list[Row]:
        """The rows whose members equal all of `fields`."""
        return [row for row in self._rows.values() if all(row.get(name) == value for name, value in fields.items())]

    def add(self, row: Row) -> Row:
        """Store a new row; it gets the next id unless it brings its own."""
        if "id" not in row:
            row = {"id": self._disk.next_id(_SEQUENCES.get(self.name, self.name)), **row}
        return self.put(row)

    def put(self, row: Row) -> Row:
        """Store `row` under its `id`, new or changed."""
        key: Key = row["id"]
        self._rows[key] = row
        self._disk.save(self.name, key, row)
        self._changed(key)
        return row

    def remove(self, key: Key) -> None:
        """Forget the row; an unknown id is no error."""
        if self._rows.pop(key, None) is not None:
            self._disk.delete(self.name, key)
            self._changed(key)

    def _changed(self, key: Key) -> None:
        for listener in self.on_change:
            listener(key)


class World:
    """One amoCRM account, its users, its integrations and what happened to them.

    `origin` is amoCRM's own address (`http://127.0.0.1:8800`), `clock` answers Unix seconds: tests put their own there.
    """

    def __init__(self, folder: Path | None = None, *, origin: str = "http://127.0.0.1:8800") -> None:
        self._disk = _Disk(folder)
        self.origin = origin.rstrip("/")
        self.clock: Callable[[], float] = time.time
        self.log = Log()
        self.signals = Signals()
        self.faults = Faults()
        self.switches = Switches(self._disk.load_value("switches") or {}, changed=self._save_switches)
        self._account: Row = self._disk.load_value("account") or {}

        self.users = self._collection("users")
        self.groups = self._collection("groups")
        self.roles = self._collection("roles")
        # {"id": client_id, "secret", "redirect_uri", "disable_hook", "name", "widget_code", "enabled"}
        self.integrations = self._collection("integrations")
        self.grants = self._collection("grants")  # {"id", "client_id", "user_id", "alive", "refresh_token", …}
        self.codes = self._collection("codes")  # authorization codes, 20 minutes, single use
        self.one_time_tokens = self._collection("one_time_tokens")  # the last one per integration and user
        self.contacts = self._collection("contacts")
        self.companies = self._collection("companies")
        self.leads = self._collection("leads")
        self.customers = self._collection("customers")
        self.custom_fields = self._collection("custom_fields")
        self.tags = self._collection("tags")
        self.field_groups = self._collection("field_groups")
        self.pipelines = self._collection("pipelines")  # with their statuses inside
        self.loss_reasons = self._collection("loss_reasons")
        self.sources = self._collection("sources")  # of leads, each its integration's own
        self.customer_statuses = self._collection("customer_statuses")  # of the mode periodicity
        self.segments = self._collection("segments")  # of the mode segments
        self.transactions = self._collection("transactions")  # of customers
        self.catalogs = self._collection("catalogs")
        self.catalog_elements = self._collection("catalog_elements")
        self.short_links = self._collection("short_links")  # {"id": code, "url", "contact_id"}
        self.notes = self._collection("notes")  # calls are notes of type call_in / call_out
        self.tasks = self._collection("tasks")
        self.unsorted = self._collection("unsorted")
        self.events = self._collection("events")
        self.webhooks = self._collection("webhooks")
        # {"id": code, "path": str, "settings": {…}, "active": bool, "version", "client_uuid", "installed_at"}
        self.widgets = self._collection("widgets")
        # {"id": uuid, "user_id", "created_at", "is_read", "body": the payload as the page gets it}
        self.notifications = self._collection("notifications")
        self.page_sessions = self._collection("page_sessions")  # {"id": cookie value, "user_id"}

    @property
    def account(self) -> Row:
        """The account's own row; change it through `update_account`."""
        return self._account

    def update_account(self, **fields: Any) -> None:
        """Set members of the account and keep them."""
        self._account = {**self._account, **fields}
        self._disk.save_value("account", self._account)

    def now(self) -> int:
        """Unix seconds, as amoCRM writes all its times."""
        return int(self.clock())

    def entities(self, entity_type: str) -> Collection:
        """The collection of contacts, companies, leads or customers. Raises `KeyError` for anything else."""
        if entity_type not in ENTITIES:
            raise KeyError(entity_type)
        collection: Collection = getattr(self, entity_type)
        return collection

    def next_id(self, sequence: str) -> int:
        """The next number of a named sequence, for parts that are no collection of their own (enums, statuses)."""
        return self._disk.next_id(sequence)

    def user_named(self, text: str | int) -> Row | None:
        """The user with this id, login or extension, as people write it in a query string."""
        wanted = str(text)
        return next((u for u in self.users if wanted in (str(u["id"]), u["login"], u["extension"])), None)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Many writes as one transaction on disk: all or none after a crash, and fast."""
        with self._disk.transaction():
            yield

    def close(self) -> None:
        """Release the file; the world must not be used afterwards."""
        self._disk.close()

    def _collection(self, name: str) -> Collection:
        return Collection(name, self._disk)

    def _save_switches(self, values: Row) -> None:
        self._disk.save_value("switches", values)


WORLD: Final = web.AppKey("world", World)


class _Disk:
    """One SQLite file of JSON documents, or nothing at all when the state lives in memory."""

    def __init__(self, folder: Path | None) -> None:
        self._db: sqlite3.Connection | None = None
        self._ids: dict[str, int] = {}
        self._depth = 0
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        # Autocommit: a change is on disk before the answer that tells of it.
        self._db = sqlite3.connect(folder / "amocrm.sqlite3", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS doc (noun TEXT, id, body TEXT, PRIMARY KEY (noun, id)) WITHOUT ROWID"
        )
        self._db.execute("CREATE TABLE IF NOT EXISTS value (name TEXT PRIMARY KEY, body TEXT)")
        self._ids = self.load_value("ids") or {}

    def load(self, noun: str) -> dict[Key, Row]:
        if self._db is None:
            return {}
        found = self._db.execute("SELECT id, body FROM doc WHERE noun = ?", (noun,))
        rows = [(key, json.loads(body)) for key, body in found]
        return dict(sorted(rows, key=lambda pair: (pair[1].get("created_at") or 0, str(pair[0]).zfill(12))))

    def save(self, noun: str, key: Key, row: Row) -> None:
        if self._db is not None:
            body = json.dumps(row, ensure_ascii=False)
            self._db.execute("INSERT OR REPLACE INTO doc (noun, id, body) VALUES (?, ?, ?)", (noun, key, body))

    def delete(self, noun: str, key: Key) -> None:
        if self._db is not None:
            self._db.execute("DELETE FROM doc WHERE noun = ? AND id = ?", (noun, key))

    def load_value(self, name: str) -> Any:
        if self._db is None:
            return None
        found = self._db.execute("SELECT body FROM value WHERE name = ?", (name,)).fetchone()
        return json.loads(found[0]) if found else None

    def save_value(self, name: str, value: Any) -> None:
        if self._db is not None:
            body = json.dumps(value, ensure_ascii=False)
            self._db.execute("INSERT OR REPLACE INTO value (name, body) VALUES (?, ?)", (name, body))

    def next_id(self, sequence: str) -> int:
        self._ids[sequence] = self._ids.get(sequence, _FIRST_ID.get(sequence, 1) - 1) + 1
        self.save_value("ids", self._ids)
        return self._ids[sequence]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self._db is None or self._depth:
            yield
            return
        self._depth += 1
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        else:
            self._db.execute("COMMIT")
        finally:
            self._depth -= 1

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
