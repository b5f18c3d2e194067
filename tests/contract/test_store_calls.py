"""Calls, webhooks and orders are kept in one piece, on SQLite and PostgreSQL alike."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from databases import postgres_database
from msgspec import structs
from sqlalchemy import text
from store_house import ACCOUNT, KEY, LINE, database_url, db, ended, job, kept, order, ringing  # noqa: F401

from server.core.calls import Call
from server.core.dial import Dial
from server.core.errors import NotFound
from server.core.records import CardMark, Decision, Place, Stray
from server.core.stores import Decide
from server.core.vocabulary import DialState, Filed
from server.services.clock import new_id
from server.settings import Settings
from server.sql import Stmt, connect
from server.store.calls import CallStore, started_since
from server.store.migrate import migrate
from server.wiring import Stores, stores

HOOK_STATE = Stmt(text("SELECT state, call_id, note FROM hook ORDER BY id"))
JOB_KEYS = Stmt(text("SELECT key FROM job ORDER BY key"))


def deciding(call: Call, **more: Any) -> Decide:
    return lambda _before, _waiting: Decision(call=call, **more)


async def hook(stores: Stores, key: str = "k", at_ms: int = 10) -> int:
    hook_id = await stores.hooks.put(LINE, key=key, received_ms=at_ms, raw=b"raw of " + key.encode())
    assert hook_id is not None
    return hook_id


async def test_a_call_its_jobs_and_its_hook_are_one_transaction(kept: Stores) -> None:  # noqa: F811
    """After a digest the call is there, its jobs are put, and its webhook counts as read."""
    hook_id = await hook(kept)

    await kept.calls.digest(LINE, "r1", hook_id=hook_id, decide=deciding(ringing(), jobs=(job("a"), job("b"))))

    assert await kept.calls.find("c_r1") == ringing()
    assert await kept.db.read(JOB_KEYS) == [("a",), ("b",)]
    assert await kept.db.read(HOOK_STATE) == [(1, "c_r1", None)]


async def test_a_crash_in_the_middle_leaves_nothing(kept: Stores, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """A fault after the call was written (while its jobs are put) takes the call back; the webhook stays unread."""
    hook_id = await hook(kept)
    await kept.dials.put(order())

    def broken(_jobs: object) -> Any:
        raise RuntimeError("power cut")
        yield

    monkeypatch.setattr(kept.calls, "_add_jobs", broken)  # the last step of the transaction but one
    with pytest.raises(RuntimeError, match="power cut"):
        await kept.calls.digest(
            LINE, "r1", hook_id=hook_id,
            decide=deciding(ringing(), jobs=(job("a"),), dial=order(call_id="c_r1", state=DialState.TALKING)),
        )  # fmt: skip

    assert await kept.calls.find("c_r1") is None
    assert await kept.dials.find("d_click") == order()
    assert await kept.db.read(JOB_KEYS) == []
    assert [one.id for one in await kept.hooks.unread()] == [hook_id]


async def test_a_failing_decision_spoils_only_itself(kept: Stores) -> None:  # noqa: F811
    """Digests that share a transaction do not share their faults."""

    def refuse(_before: Call | None, _waiting: Sequence[Dial]) -> Decision | None:
        raise ValueError("nonsense")

    good = [kept.calls.digest(LINE, ref, hook_id=None, decide=deciding(ringing(ref))) for ref in ("r1", "r2", "r3")]
    bad = kept.calls.digest(LINE, "bad", hook_id=None, decide=refuse)

    answers = await asyncio.gather(good[0], bad, *good[1:], return_exceptions=True)

    assert [type(answer) for answer in answers] == [Decision, ValueError, Decision, Decision]
    assert len(await kept.calls.on_screens(0)) == 3


async def test_a_decision_sees_the_call_before(kept: Stores) -> None:  # noqa: F811
    """The second webhook of a call is decided on what the first made, also when they come together."""
    seen: list[Call | None] = []

    def decide(before: Call | None, _waiting: Sequence[Dial]) -> Decision:
        seen.append(before)
        return Decision(call=ended(before, at_ms=2_000_000) if before else ringing())

    await asyncio.gather(*(kept.calls.digest(LINE, "r1", hook_id=None, decide=decide) for _ in range(2)))

    assert seen == [None, ringing()]
    found = await kept.calls.find("c_r1")
    assert found is not None
    assert not found.is_live


@pytest.mark.external_service
async def test_nodes_hear_of_one_call_together() -> None:
    """Two nodes that hear of a call at the same moment, even of its first news, lose nothing of what either heard."""
    url = await postgres_database()
    nodes = [await connect(url) for _ in range(2)]
    await migrate(nodes[0], url)
    rooms = [stores(Settings(secret_key=KEY), node).calls for node in nodes]

    def counting(ref: str) -> Decide:
        def decide(before: Call | None, _waiting: Sequence[Dial]) -> Decision:
            call = before or ringing(ref, call_id=new_id("c"))
            return Decision(call=structs.replace(call, heard_ms=call.heard_ms + 1))

        return decide

    async def hear(room: CallStore) -> None:
        for number in range(40):  # each call twice by each node: its first news, and news of a known call
            await room.digest(LINE, f"r{number // 2}", hook_id=None, decide=counting(f"r{number // 2}"))

    await asyncio.gather(*(hear(room) for room in rooms))

    assert [call.heard_ms for call in await started_since(nodes[0], 0)] == [1_000_004] * 20
    for node in nodes:
        await node.close()


async def test_nothing_to_keep_settles_the_hook_with_its_call(kept: Stores) -> None:  # noqa: F811
    """A repeated webhook changes nothing, and is marked as read with the call that it spoke of."""
    await kept.calls.digest(LINE, "r1", hook_id=None, decide=deciding(ringing()))
    hook_id = await hook(kept)

    assert await kept.calls.digest(LINE, "r1", hook_id=hook_id, decide=lambda _before, _waiting: None) is None

    assert await kept.db.read(HOOK_STATE) == [(1, "c_r1", None)]


async def test_a_call_keeps_what_became_of_it_in_the_crm(kept: Stores) -> None:  # noqa: F811
    """News of a call does not forget its note in amoCRM."""
    await kept.calls.digest(LINE, "r1", hook_id=None, decide=deciding(ringing()))
    assert await kept.calls.place("c_r1") is None
    await kept.calls.file("c_r1", Place(Filed.LOGGED, "contacts", 11, 5), 9)

    await kept.calls.digest(LINE, "r1", hook_id=None, decide=deciding(ended(ringing(), at_ms=2_000_000)))

    assert await kept.calls.place("c_r1") == Place(Filed.LOGGED, "contacts", 11, 5)


async def test_strays_are_calls_at_nobodys_card(kept: Stores) -> None:  # noqa: F811
    """Waiting or in Unsorted, of this account, since then; a call that found its card is none any more."""
    places = {
        "waits": Place(Filed.STRAY), "unsorted": Place(Filed.UNSORTED, "leads", 7, uid="u"), "logged": Place(),
        "skipped": Place(Filed.SKIPPED), "found": Place(Filed.STRAY),
    }  # fmt: skip
    for at_ms, (ref, place) in enumerate(places.items(), start=5_000):
        await kept.calls.digest(LINE, ref, hook_id=None, decide=deciding(ended(ringing(ref, at_ms=at_ms), at_ms=9_000)))
        await kept.calls.file(f"c_{ref}", place, 9)
    await kept.calls.file("c_found", Place(Filed.LOGGED, "contacts", 11, 5), 9)

    found = await kept.calls.strays(ACCOUNT, 5_000)

    phone = ringing().client_phone
    assert found == [
        Stray("c_unsorted", phone, 5_001, places["unsorted"]), Stray("c_waits", phone, 5_000, places["waits"]),
    ]  # fmt: skip
    assert [one.call_id for one in await kept.calls.strays(ACCOUNT, 5_001)] == ["c_unsorted"]
    assert await kept.calls.strays(ACCOUNT + 1, 0) == []


async def test_screens_show_live_and_recent_calls(kept: Stores) -> None:  # noqa: F811
    """On screens are live calls, however old, and those that ended since; not those that ended before."""
    over = [ended(ringing(ref, at_ms=1), at_ms=at_ms) for ref, at_ms in (("old", 2_000), ("new", 9_000))]
    for call in (ringing("live", at_ms=1), *over):
        await kept.calls.digest(LINE, call.call_ref, hook_id=None, decide=deciding(call))

    assert {call.call_ref for call in await kept.calls.on_screens(5_000)} == {"live", "new"}


async def test_calls_are_listed_by_their_start(kept: Stores) -> None:  # noqa: F811
    """The list for the command line begins at a moment and is in the order of the calls' starts."""
    for ref, at_ms in (("b", 3_000), ("a", 2_000), ("early", 1_000)):
        await kept.calls.digest(LINE, ref, hook_id=None, decide=deciding(ringing(ref, at_ms=at_ms)))

    assert [call.call_ref for call in await started_since(kept.db, 2_000)] == ["a", "b"]


async def test_a_notice_is_claimed_once(kept: Stores) -> None:  # noqa: F811
    """Of many tabs that want to notify of a call, one may; another agent has his own."""
    claims = [kept.calls.mark("c1", 7, noticed_ms=at_ms, dismissed_ms=None) for at_ms in range(1, 6)]

    assert sorted(await asyncio.gather(*claims)) == [False, False, False, False, True]
    assert await kept.calls.mark("c1", 8, noticed_ms=1, dismissed_ms=None)
    assert not await kept.calls.mark("c1", 7, noticed_ms=99, dismissed_ms=None)


async def test_notice_and_dismissal_are_apart(kept: Stores) -> None:  # noqa: F811
    """A card that was noticed can still be dismissed, once."""
    await kept.calls.mark("c1", 7, noticed_ms=1, dismissed_ms=None)

    assert await kept.calls.mark("c1", 7, noticed_ms=None, dismissed_ms=2)
    assert not await kept.calls.mark("c1", 7, noticed_ms=None, dismissed_ms=3)
    assert await kept.calls.marks(["c1", "c2"]) == [CardMark("c1", 7, is_noticed=True, is_dismissed=True)]


# -- webhooks ----------------------------------------------------------------------------------------------------------


async def test_a_repeated_webhook_is_stored_once(kept: Stores) -> None:  # noqa: F811
    """The same key on the same line is the same webhook, also when both come at once; on another line it is not."""
    puts = [kept.hooks.put(LINE, key="k", received_ms=at_ms, raw=b"x") for at_ms in range(5)]

    ids = await asyncio.gather(*puts)

    assert sum(hook_id is not None for hook_id in ids) == 1
    assert await kept.hooks.put("l_2", key="k", received_ms=1, raw=b"x") is not None


async def test_unread_webhooks_come_back_in_order(kept: Stores) -> None:  # noqa: F811
    """After a crash the unread webhooks are found as they came, whole; settled ones are not."""
    first, second, third = [await hook(kept, key) for key in ("a", "b", "c")]
    await kept.hooks.settle(second, note="no event")

    found = await kept.hooks.unread()

    assert [(one.id, one.raw, one.line_id) for one in found] == [(first, b"raw of a", LINE), (third, b"raw of c", LINE)]


async def test_raw_webhooks_are_sealed(kept: Stores) -> None:  # noqa: F811
    """What a vendor sent cannot be read in the database."""
    await hook(kept, "number-79161234567")

    ((raw,),) = await kept.db.read(Stmt(text("SELECT raw FROM hook")))

    assert b"79161234567" not in bytes(raw)


async def test_purging_forgets_old_read_webhooks_only(kept: Stores) -> None:  # noqa: F811
    """An old webhook that was not read yet stays: it may hold a call."""
    read_old, _, read_new = [await hook(kept, key, at_ms) for key, at_ms in (("a", 10), ("b", 10), ("c", 90))]
    for hook_id in (read_old, read_new):
        await kept.hooks.settle(hook_id)

    assert await kept.hooks.purge(50) == 1

    assert len(await kept.db.read(HOOK_STATE)) == 2
    assert len(await kept.hooks.unread()) == 1


async def test_settled_webhooks_are_told_page_by_page(kept: Stores, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """A replay hears every webhook that was read since a moment, each once, in order, with its call."""
    ids = await asyncio.gather(*(hook(kept, f"k{number}", at_ms=number) for number in range(1, 1202)))
    await kept.db.write(Stmt(text("UPDATE hook SET state = 1, call_id = 'c'")))
    heard: list[tuple[int, str | None]] = []

    await kept.db.read_script(kept.hooks.settled, 3, lambda one: heard.append((one.id, one.call_id)))

    assert heard == [(hook_id, "c") for hook_id in ids[2:]]


# -- orders ------------------------------------------------------------------------------------------------------------


async def test_a_double_click_is_one_order(kept: Stores) -> None:  # noqa: F811
    """A second order with the agent's key gives the first one back."""
    answers = await asyncio.gather(*(kept.dials.put(order(id=f"d_{number}")) for number in range(3)))

    assert len({answer.id for answer in answers}) == 1


async def test_a_digest_sees_the_waiting_orders_of_its_line(kept: Stores) -> None:  # noqa: F811
    """A new call is offered the orders that wait on its line, the oldest first; not failed ones, nor other lines'."""
    await kept.dials.put(order("late", created_ms=9))
    await kept.dials.put(order("early", created_ms=3))
    await kept.dials.put(order("elsewhere", line_id="l_2"))
    await kept.dials.put(order("failed", state=DialState.FAILED))
    offered: list[str] = []

    def decide(_before: Call | None, waiting: Sequence[Dial]) -> None:
        offered.extend(one.key for one in waiting)

    await kept.calls.digest(LINE, "r1", hook_id=None, decide=decide)

    assert offered == ["early", "late"]


async def test_a_call_with_an_order_is_offered_only_that(kept: Stores) -> None:  # noqa: F811
    """Once an order found its call, the call's later news sees it alone, and no other call sees it."""
    await kept.dials.put(order("mine"))
    await kept.dials.put(order("other"))
    taken = order("mine", call_id="c_r1", state=DialState.TALKING)
    await kept.calls.digest(LINE, "r1", hook_id=None, decide=deciding(ringing(), dial=taken))
    offered: dict[str, list[str]] = {}

    def remember(ref: str) -> Decide:
        def decide(_before: Call | None, waiting: Sequence[Dial]) -> None:
            offered[ref] = [one.key for one in waiting]

        return decide

    for ref in ("r1", "r2"):
        await kept.calls.digest(LINE, ref, hook_id=None, decide=remember(ref))

    assert offered == {"r1": ["mine"], "r2": ["other"]}
    assert await kept.dials.find("d_mine") == taken


async def test_concurrent_changes_of_an_order_all_count(kept: Stores) -> None:  # noqa: F811
    """Changes of one order are applied one after the other: none is lost."""
    await kept.dials.put(order())

    def more(one: Dial) -> Dial:
        return structs.replace(one, changed_ms=one.changed_ms + 1)

    await asyncio.gather(*(kept.dials.change("d_click", more) for _ in range(20)))

    found = await kept.dials.find("d_click")
    assert found is not None
    assert found.changed_ms == 1_020


async def test_an_answer_and_a_call_change_an_order_together(kept: Stores) -> None:  # noqa: F811
    """The vendor's answer to an order and the first event of its call come at once: both stay."""
    for number in range(10):
        one = await kept.dials.put(order(f"k{number}", line_id=f"l_{number}"))

        def bind(_before: Call | None, waiting: Sequence[Dial], number: int = number) -> Decision:
            taken = structs.replace(waiting[0], call_id=f"c_r{number}", state=DialState.TALKING)
            return Decision(call=ringing(f"r{number}"), dial=taken)

        def accept(one: Dial) -> Dial:
            return structs.replace(one, order_ref="vendor's")

        await asyncio.gather(
            kept.dials.change(one.id, accept),
            kept.calls.digest(one.line_id, f"r{number}", hook_id=None, decide=bind),
        )

        found = await kept.dials.find(one.id)
        assert found is not None
        assert (found.order_ref, found.call_id) == ("vendor's", f"c_r{number}")


async def test_an_unknown_order_cannot_be_changed(kept: Stores) -> None:  # noqa: F811
    """Changing what is not there is an error."""
    with pytest.raises(NotFound):
        await kept.dials.change("d_nobody", lambda one: one)


async def test_each_agents_newest_order_is_the_latest(kept: Stores) -> None:  # noqa: F811
    """For the snapshot: one order an agent, his newest, if it is new enough."""
    for key, agent_id, at_ms in (("a", 7, 5_000), ("b", 7, 6_000), ("c", 8, 5_500), ("old", 9, 10)):
        await kept.dials.put(order(key, agent_id=agent_id, created_ms=at_ms))

    assert {one.key for one in await kept.dials.latest(1_000)} == {"b", "c"}
