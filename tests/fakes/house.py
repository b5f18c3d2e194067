"""The services over an in-memory database, with everything outside replaced: amoCRM, the PBXs, the clock, the lanes.

`House(kept, …)` over the same stores is the process after a restart: nothing is remembered but what was stored.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from server.core.calls import Call
from server.core.hosts import Trust
from server.core.jobs import Job
from server.core.messages import DirectoryView
from server.core.ports import Hook, HookReply, VendorAnswer
from server.core.records import ACTIVE, Account, Decision, Line, Seat, Tokens, User
from server.core.rights import Rights
from server.core.vocabulary import Bye
from server.providers.registry import CODECS
from server.services.accounts import Accounts
from server.services.agents import Agents, Connection
from server.services.alerts import Alerts
from server.services.calls import Calls
from server.services.cards import Cards
from server.services.dial import Dialling
from server.services.directory import Directory
from server.services.expiry import Expiry
from server.services.fetching import Cellar, Fetching
from server.services.intake import Intake
from server.services.lines import Lines
from server.services.links import Links
from server.services.log import Logging
from server.services.notice import Notice
from server.services.playing import Playing
from server.services.recordings import Recordings
from server.settings import Settings
from server.sql import connect
from server.store.migrate import migrate
from server.wiring import Stores, stores

from .audio import MemoryAudio, TemporaryPress
from .clock import START_MS, HandClock
from .crm import FakeCrm
from .later import Shelf
from .sender import FakeSender

SECRET_KEY = "k" * 32
PUBLIC_URL = "https://voip.example"
ACCOUNT, OTHER_ACCOUNT = 31_000_001, 31_000_002
LINE, MANGO_LINE, OTHER_LINE = "l_1", "l_2", "l_9"
OLGA, PAVEL, IRINA, STRANGER = 11, 12, 13, 99
ALL = {"contacts": "A", "companies": "A", "leads": "A"}
TRUST = Trust((".amocrm.ru",))


async def fresh_stores() -> Stores:
    """All stores over an empty database in memory."""
    url = "sqlite:///:memory:"
    db = await connect(url)
    await migrate(db, url)
    return stores(Settings(secret_key=SECRET_KEY), db)


def account(account_id: int = ACCOUNT, **changed: Any) -> Account:
    """An authorised account whose phone book is complete."""
    values: dict[str, Any] = {
        "id": account_id, "host": f"a{account_id}.amocrm.ru", "origin": f"https://a{account_id}.amocrm.ru",
        "name": "Демо", "state": ACTIVE, "hook_secret": f"hooksecret{account_id}", "created_ms": START_MS,
        "tokens": Tokens(f"access-{account_id}", f"refresh-{account_id}", START_MS + 86_400_000),
        "progress": DirectoryView(is_complete=True),
    }  # fmt: skip
    return Account(**values | changed)


def user(user_id: int, name: str, *, is_admin: bool = False, view: dict[str, str] | None = None) -> User:
    """A user who may see everything, unless told otherwise."""
    rights = Rights(user_id=user_id, group_id=1, is_admin=is_admin, view=ALL if view is None else view)
    return User(user_id, name, 1, is_admin, True, rights)


def line(line_id: str = LINE, **changed: Any) -> Line:
    """A Sipuni line."""
    values: dict[str, Any] = {
        "id": line_id, "account_id": ACCOUNT, "provider": "sipuni", "name": "Сипуни", "path": f"path-of-{line_id}",
        "credentials": {"user": "078332", "secret": "vendor-secret"}, "created_ms": START_MS,
    }  # fmt: skip
    return Line(**values | changed)


MANGO = line(MANGO_LINE, provider="mango", name="МАНГО", credentials={"api_key": "mango-key", "api_salt": "mango-salt"})
USERS = [user(OLGA, "Ольга", is_admin=True), user(PAVEL, "Павел"), user(IRINA, "Ирина")]
SEATS = [Seat(LINE, "201", OLGA), Seat(LINE, "202", PAVEL), Seat(MANGO_LINE, "201", OLGA)]


async def furnish(kept: Stores) -> None:
    """Two accounts; the first has a line of each vendor and three users, Irina without an extension."""
    for one in (account(), account(OTHER_ACCOUNT)):
        await kept.accounts.put(one)
    for one_line in (line(), MANGO, line(OTHER_LINE, account_id=OTHER_ACCOUNT)):
        await kept.lines.put(one_line)
    await kept.accounts.set_users(ACCOUNT, USERS)
    await kept.accounts.set_users(OTHER_ACCOUNT, [user(STRANGER, "Чужой", is_admin=True)])
    await kept.lines.set_seats(ACCOUNT, SEATS)
    await kept.lines.set_seats(OTHER_ACCOUNT, [Seat(OTHER_LINE, "201", STRANGER)])


class Screen:
    """A connected browser: what it was sent, as plain JSON."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.hung_up: list[Bye] = []

    def send_text(self, payload: bytes) -> bool:
        """See `services.agents.Outlet`."""
        self.messages.append(msgspec.json.decode(payload))
        return True

    def hang_up(self, kind: Bye) -> None:
        """See `services.agents.Outlet`."""
        self.hung_up.append(kind)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a type."""
        return [message for message in self.messages if message["type"] == kind]

    @property
    def states(self) -> list[str]:
        """The states that cards took, in order."""
        return [message["call"]["state"] for message in self.of("call")]

    @property
    def caller(self) -> dict[str, Any]:
        """The caller of the newest card."""
        found: dict[str, Any] = self.of("call")[-1]["call"]["caller"]
        return found


class House:
    """The services of one process."""

    def __init__(
        self, kept: Stores, *, clock: HandClock | None = None, crm: FakeCrm | None = None,
        sender: FakeSender | None = None, audio: MemoryAudio | None = None, hooks: Any = None,
    ) -> None:  # fmt: skip
        self.kept = kept
        self.clock = clock or HandClock()
        self.crm = crm or FakeCrm()
        self.sender = sender or FakeSender()
        self.audio = audio or MemoryAudio()
        self.shelf = Shelf()
        self.decisions: list[Decision] = []
        clock_ = self.clock
        self.agents = Agents()
        self.lines = Lines(kept.lines, CODECS, clock=clock_)
        self.accounts = Accounts(kept.accounts, self.crm, self.agents, self.shelf, trust=TRUST, clock=clock_)
        self.directory = Directory(
            kept.directory, self.crm, self.accounts, self.shelf, hooks_base=PUBLIC_URL, clock=clock_
        )
        self.links = Links(PUBLIC_URL, SECRET_KEY)
        self.recordings = Recordings(kept.calls, kept.recordings, self.links, link_s=3600, clock=clock_)
        self.press = TemporaryPress()
        self.store_recordings(self.audio)
        self.cards = Cards(
            self.lines, self.agents, kept.calls,
            book=self.directory, people=self.accounts, recordings=self.recordings, clock=clock_,
        )  # fmt: skip
        self.dialling = Dialling(self.lines, self.agents, kept.dials, self.sender, self.shelf, clock=clock_)
        self.calls = Calls(self.lines, kept.calls, hooks or kept.hooks, kept.dials, clock=clock_)
        self.notice = Notice(self.accounts, self.lines, self.crm)
        self.logging = Logging(
            kept.calls, self.accounts, self.lines, self.crm, self.shelf, lambda _: self.is_alive,
            link=self.recordings.lasting_link, settle_s=0.0, clock=clock_,
        )  # fmt: skip
        self.is_alive = True
        self.intake = Intake(self.lines, hooks or kept.hooks, self.calls.read)
        for listener in (
            self._note, self.cards.changed, self.dialling.changed, self.notice.changed,
            Alerts(self.accounts, self.lines).changed,
        ):  # fmt: skip
            self.calls.tell(listener)
        self.calls.tell_order(self.dialling.told)
        self.directory.tell(self.cards.found)
        self.directory.tell(self.logging.learned)
        self.recordings.tell(self.cards.refreshed)

    def store_recordings(self, audio: MemoryAudio | None, *, keep_days: int = 0) -> None:
        """Keep recordings here; None: leave them with the PBX."""
        cellar, clock = Cellar(self.press, audio), self.clock
        self.fetching = Fetching(
            self.kept.calls, self.kept.recordings, self.recordings, self.lines, self.sender, self.accounts,
            cellar=cellar, alive=lambda _: self.is_alive, clock=clock,
        )  # fmt: skip
        self.playing = Playing(
            self.kept.calls, self.kept.recordings, self.links, self.lines, self.sender, audio, clock=clock
        )
        self.expiry = Expiry(self.kept.recordings, cellar, keep_days=keep_days, clock=clock)

    async def _note(self, decision: Decision) -> None:
        self.decisions.append(decision)

    async def load(self) -> "House":
        """Read the stores, as at a start."""
        for room in (self.accounts, self.lines, self.recordings, self.cards, self.dialling):
            await room.load()
        return self

    async def again(self, **more: Any) -> "House":
        """The process after a restart: the same stores and outside world, another memory."""
        same = {"clock": self.clock, "crm": self.crm, "sender": self.sender, "audio": self.audio}
        return await House(self.kept, **same | more).load()

    def screen(self, user_id: int = OLGA, account_id: int = ACCOUNT, *, is_admin: bool = False) -> Screen:
        """Connect a browser."""
        screen = Screen()
        self.agents.join(Connection((account_id, user_id), screen, is_admin=is_admin))
        return screen

    async def hear(self, hook: Hook, *, line_id: str = LINE) -> HookReply:
        """Let a webhook arrive at a line, and wait until it was read."""
        known = self.lines.get(line_id)
        assert known is not None
        reply = await self.intake.take(known.provider, known.path, hook)
        await self.intake.drain()
        return reply

    @property
    def call(self) -> Call:
        """The newest call, as it was decided last."""
        return self.decisions[-1].call

    @property
    def jobs(self) -> list[Job]:
        """The jobs that decisions made."""
        return [job for decision in self.decisions for job in decision.jobs]


def answers(*bodies: bytes) -> Sequence[VendorAnswer]:
    """Answers of a PBX, all 200."""
    return [VendorAnswer(status=200, body=body) for body in bodies]
