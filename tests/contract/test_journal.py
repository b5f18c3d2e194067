# ruff: noqa: F811  # fixtures are imported by name
"""Looking for calls, whether any is lost, and another try, on SQLite and PostgreSQL alike."""

from collections.abc import Sequence
from typing import Any

import pytest
from lane_fakes import settled
from msgspec import structs
from store_house import ACCOUNT, LINE, database_url, db, ended, kept, line, ringing  # noqa: F401

from server.core.calls import Call
from server.core.errors import NotFound
from server.core.jobs import Job, Park
from server.core.journal import Decided, Entry, Listened, Placed, Query
from server.core.ports import Hook
from server.core.records import Decision, Place, pack
from server.core.vocabulary import Filed
from server.providers.registry import CODECS
from server.services.history import Heard, History
from server.services.lines import Lines
from server.wiring import Stores

HOUR_MS = 3_600_000


def log_job(call: Call) -> Job:
    return Job(lane=f"amo:{ACCOUNT}", kind="log", key=f"log:{call.id}", grp=call.id)


async def keep(kept: Stores, call: Call, **more: Any) -> Call:
    """The call as a webhook would leave it."""
    decision = Decision(call=call, reason="webhook", at_ms=call.heard_ms, **more)
    await kept.calls.digest(LINE, call.call_ref, hook_id=None, decide=lambda _before, _waiting: decision)
    return call


@pytest.fixture
async def history(kept: Stores) -> History:
    """Over one line with no seats."""
    await kept.lines.put(line())
    lines = Lines(kept.lines, CODECS)
    await lines.load()
    return History(kept.journal, kept.calls, kept.recordings, lines, kept.lanes, clock=lambda: 99_000)


async def ids(history: History, **asked: Any) -> list[str]:
    page = await history.search(Query(account_id=ACCOUNT, **asked), only_amiss=False)
    return [found.call.id for found in page.calls]


async def test_calls_are_found_by_what_people_know_of_them(kept: Stores, history: History) -> None:
    """By number, whole or in part, by agent, time and result; another account's are never found."""
    await keep(kept, ringing("live", at_ms=5_000), agents=(7, 8))
    missed = await keep(kept, ended(ringing("missed", at_ms=3_000), at_ms=4_000), agents=(17,))
    await keep(kept, structs.replace(ringing("foreign", at_ms=4_000), account_id=1, line_id="l_other"))

    assert await ids(history) == ["c_live", "c_missed"]
    assert await ids(history, phone="79161234567") == ["c_live", "c_missed"]
    assert await ids(history, phone="1234567") == ["c_live", "c_missed"]
    assert await ids(history, phone="9990000") == []
    assert await ids(history, agent_id=7) == ["c_live"]
    assert await ids(history, agent_id=17) == ["c_missed"]
    assert await ids(history, result="live") == ["c_live"]
    assert await ids(history, result=str(missed.verdict.result)) == ["c_missed"]
    assert await ids(history, since_ms=4_000) == ["c_live"]
    assert await ids(history, until_ms=5_000) == ["c_missed"]


async def test_pages_follow_each_other_without_a_gap(kept: Stores, history: History) -> None:
    """Also where several calls began in the same millisecond."""
    for number in range(7):
        await keep(kept, ringing(f"r{number}", at_ms=1_000 + number // 3))

    seen: list[str] = []
    before: tuple[int, str] | None = (1 << 60, "")
    while before:
        page = await history.search(Query(account_id=ACCOUNT, most=2, before=before))
        seen += [found.call.id for found in page.calls]
        before = page.before

    assert seen == ["c_r6", "c_r5", "c_r4", "c_r3", "c_r2", "c_r1", "c_r0"]


async def test_later_news_keeps_whose_call_it_was(kept: Stores, history: History) -> None:
    """A decision that says nothing of agents (a replay's) leaves them; one that does replaces them."""
    call = await keep(kept, ringing(), agents=(7,))
    await keep(kept, structs.replace(call, heard_ms=2_000_000))
    assert await ids(history, agent_id=7) == [call.id]

    await keep(kept, call, agents=(8,))
    assert await ids(history, agent_id=7) == []


async def parked(kept: Stores, job: Job) -> None:
    """Put a job that is given up at once."""

    async def refuse(_: Sequence[Job]) -> None:
        raise Park("amoCRM refused")

    kept.lanes.start({job.kind: refuse})
    await kept.lanes.put(job)
    await settled(kept.lanes, parked=1)
    await kept.lanes.close()


async def test_a_call_is_lost_when_nobody_is_at_work_on_it(kept: Stores, history: History) -> None:
    """Over, not in amoCRM, no job: lost. With a job it waits; filed, it is safe; live, it is nobody's trouble yet."""
    lost = await keep(kept, ended(ringing("lost", at_ms=1_000), at_ms=2_000))
    waiting = ended(ringing("waiting", at_ms=1_000), at_ms=2_000)
    await keep(kept, waiting, jobs=(log_job(waiting),))
    safe = await keep(kept, ended(ringing("safe", at_ms=1_000), at_ms=2_000))
    await kept.calls.file(safe.id, Place(Filed.LOGGED, "contacts", 5, 6), 3_000)
    await keep(kept, ringing("live", at_ms=1_000))

    health = await history.health(ACCOUNT, 0)
    assert (health.calls, health.live, health.waiting, health.lost, health.parked) == (4, 1, 1, 1, 0)
    page = await history.search(Query(account_id=ACCOUNT), only_amiss=True)
    assert [(found.call.id, found.is_lost) for found in page.calls] == [(lost.id, True)]


async def test_one_click_takes_up_what_was_given_up(kept: Stores, history: History) -> None:
    """A parked job is taken up again, unsure; a lost call gets a job; then nothing is lost, and a second click does
    nothing."""
    given_up = ended(ringing("parked", at_ms=1_000), at_ms=2_000)
    await keep(kept, given_up)
    await parked(kept, log_job(given_up))
    lost = await keep(kept, ended(ringing("lost", at_ms=1_000), at_ms=2_000))
    assert (await history.health(ACCOUNT, 0)).lost == 2
    assert (await history.timeline(ACCOUNT, given_up.id)).parked[0].note == "amoCRM refused"

    assert await history.retry(ACCOUNT, given_up.id) == 1
    assert await history.retry_all(ACCOUNT) == 1

    health = await history.health(ACCOUNT, 0)
    assert (health.lost, health.waiting, health.parked) == (0, 2, 0)
    assert [job.kind for job in (await history.timeline(ACCOUNT, lost.id)).waiting] == ["log"]
    assert await history.retry_all(ACCOUNT) == 0


async def test_a_timeline_tells_all_that_is_remembered_in_order(kept: Stores, history: History) -> None:
    """The webhook, the decision it brought, where the call was put, who listened."""
    raw = Hook(method="GET", tail="", query="event=1&hash=x", content_type="", body=b"", received_ms=1_000)
    hook_id = await kept.hooks.put(LINE, key="k", received_ms=1_000, raw=pack(raw))
    decision = Decision(call=ringing(at_ms=1_000), reason="webhook", at_ms=1_001, agents=(7,))
    await kept.calls.digest(LINE, "r1", hook_id=hook_id, decide=lambda _before, _waiting: decision)
    await kept.journal.put([Entry("c_r1", 5_000, Listened())])
    await kept.calls.file("c_r1", Place(Filed.LOGGED, "contacts", 5, 6), 3_000)

    told = await history.timeline(ACCOUNT, "c_r1")

    assert [(moment.at_ms, type(moment.body)) for moment in told.moments] == [
        (1_000, Heard), (1_001, Decided), (3_000, Placed), (5_000, Listened),
    ]  # fmt: skip
    decided = told.moments[1].body
    assert isinstance(decided, Decided)
    assert decided.hook_id == hook_id
    assert told.moments[0].body == Heard(hook_id or 0, "", {"event": "1", "hash": "•••"})
    assert told.found.place == Place(Filed.LOGGED, "contacts", 5, 6)


async def test_another_accounts_call_is_not_there(kept: Stores, history: History) -> None:
    """Neither to look at nor to try again."""
    call = await keep(kept, ringing())

    with pytest.raises(NotFound):
        await history.timeline(ACCOUNT + 1, call.id)
    with pytest.raises(NotFound):
        await history.retry(ACCOUNT + 1, call.id)


async def test_the_journal_forgets_what_is_old(kept: Stores) -> None:
    """Entries from before a moment go, others stay."""
    await kept.journal.put([Entry("c_1", at_ms, Listened()) for at_ms in (1, HOUR_MS)])

    assert await kept.journal.purge(HOUR_MS) == 1
    assert [entry.at_ms for entry in await kept.journal.of_call("c_1")] == [HOUR_MS]
