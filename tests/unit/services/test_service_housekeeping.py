"""Forgetting: old webhooks and spent tokens go, young ones stay."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.core.journal import Entry, Listened
from server.lanes.schema import metadata as lanes_metadata
from server.services.housekeeping import DAY_MS, Housekeeping
from server.sql import Database, connect, create_all
from server.store.accounts import AccountStore
from server.store.cipher import Cipher
from server.store.hooks import HookStore
from server.store.journal import JournalStore
from server.store.schema import metadata

NOW = 100 * DAY_MS


class Nothing:
    """No recordings to let go."""

    async def tidy(self) -> None: ...


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    database = await connect("sqlite:///:memory:")
    await create_all(database, metadata)
    await create_all(database, lanes_metadata)
    yield database
    await database.close()


def housekeeping(db: Database, hooks: HookStore | None = None, accounts: AccountStore | None = None) -> Housekeeping:
    cipher = Cipher("k" * 32)
    return Housekeeping(
        hooks or HookStore(db, cipher), JournalStore(db, cipher), accounts or AccountStore(db, cipher), Nothing(),
        hooks_days=30, journal_days=180, clock=lambda: NOW,
    )  # fmt: skip


async def test_webhooks_go_after_their_days_and_only_once_read(db: Database) -> None:
    """An unread one is kept however old: it is still to become a call."""
    hooks = HookStore(db, Cipher("k" * 32))
    for key, age_days in (("old", 40), ("unread", 40), ("young", 5)):
        hook_id = await hooks.put("l", key=key, received_ms=NOW - age_days * DAY_MS, raw=b"x")
        if key != "unread" and hook_id is not None:
            await hooks.settle(hook_id)

    await housekeeping(db, hooks=hooks).tidy()

    again = [await hooks.put("l", key=key, received_ms=NOW, raw=b"x") for key in ("old", "unread", "young")]
    assert [new is not None for new in again] == [True, False, False]


async def test_spent_tokens_go_when_they_have_expired(db: Database) -> None:
    """An expired token is refused by its age: remembering it is of no use."""
    accounts = AccountStore(db, Cipher("k" * 32))
    await accounts.spend("dead", account_id=1, user_id=2, exp_ms=NOW - 1)
    await accounts.spend("alive", account_id=1, user_id=2, exp_ms=NOW + 1)

    await housekeeping(db, accounts=accounts).tidy()

    assert await accounts.spend("dead", account_id=1, user_id=2, exp_ms=NOW) is None
    assert await accounts.spend("alive", account_id=1, user_id=2, exp_ms=NOW) == 2


async def test_the_journal_goes_after_its_days(db: Database) -> None:
    """What happened half a year ago is forgotten, what happened since is told."""
    journal = JournalStore(db, Cipher("k" * 32))
    old, young = Entry("c_1", NOW - 181 * DAY_MS, Listened()), Entry("c_1", NOW - 179 * DAY_MS, Listened())
    await journal.put([old, young])

    await housekeeping(db).tidy()

    assert await journal.of_call("c_1") == [young]


async def test_a_fault_does_not_end_tidying(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is logged, and all is tried again the next time."""
    rounds: asyncio.Queue[None] = asyncio.Queue()
    monkeypatch.setattr("server.services.housekeeping.EVERY_S", 0.0)
    keeper = housekeeping(db)

    async def broken() -> None:
        rounds.put_nowait(None)
        raise ZeroDivisionError

    monkeypatch.setattr(keeper, "tidy", broken)
    task = asyncio.create_task(keeper.keep())
    try:
        async with asyncio.timeout(5):
            await rounds.get()
            await rounds.get()
    finally:
        task.cancel()
