"""How webhooks are taken: stored before they are answered, read after."""

import asyncio

import pytest
from fakes.hooks import answered, mango_call, rang
from fakes.house import LINE, MANGO_LINE, House, line

from server.core.errors import HookUnknown, OwnError, StoreUnavailable
from server.core.ports import Hook
from server.core.records import Line, StoredHook, pack
from server.services.intake import Intake
from server.wiring import Stores


class Frail:
    """A webhook store whose database is away while `faults` last."""

    def __init__(self, kept: Stores, **faults: int) -> None:
        self._hooks = kept.hooks
        self.faults = faults

    async def put(self, line_id: str, *, key: str, received_ms: int, raw: bytes) -> int | None:
        self._fail("put")
        return await self._hooks.put(line_id, key=key, received_ms=received_ms, raw=raw)

    async def unread(self) -> list[StoredHook]:
        return await self._hooks.unread()

    async def unread_ids(self) -> set[int]:
        return await self._hooks.unread_ids()

    async def settle(self, hook_id: int, *, note: str = "") -> None:
        self._fail("settle")
        await self._hooks.settle(hook_id, note=note)

    async def purge(self, before_ms: int) -> int:
        return await self._hooks.purge(before_ms)

    def _fail(self, method: str) -> None:
        if self.faults.get(method, 0):
            self.faults[method] -= 1
            raise StoreUnavailable


async def test_a_webhook_is_stored_answered_and_read(house: House) -> None:
    """The vendor hears "true", and a call has come of it."""
    reply = await house.hear(rang())

    assert (reply.status, reply.body) == (200, b'{"success":true}')
    assert house.call.client_phone == "+79161234567"
    assert await house.kept.hooks.unread() == []


async def test_nobodys_address_is_refused_in_its_vendors_manner(house: House) -> None:
    """Sipuni reads `success`, whatever is wrong."""
    reply = await house.intake.take("sipuni", "path-of-nobody", rang())

    assert (reply.status, reply.body) == (404, b'{"success":false,"error":"hook-unknown"}')


async def test_an_address_belongs_to_one_vendor(house: House) -> None:
    """The secret path of a Sipuni line is nothing under MANGO's name, and an unknown vendor has no manner."""
    assert (await house.intake.take("mango", f"path-of-{LINE}", rang())).status == 404
    with pytest.raises(HookUnknown):
        await house.intake.take("asterisk", f"path-of-{LINE}", rang())


async def test_a_forged_webhook_is_refused_and_not_stored(house: House) -> None:
    """A wrong signature: 403 in the vendor's manner."""
    hook = mango_call("Appeared", seq=1)
    forged = Hook(
        method="POST", tail=hook.tail, query="", content_type=hook.content_type,
        body=hook.body.replace(b"sign=", b"sign=0"), received_ms=hook.received_ms,
    )  # fmt: skip

    reply = await house.hear(forged, line_id=MANGO_LINE)

    assert reply.status == 403
    assert b"hook-forged" in reply.body
    assert house.decisions == []


async def test_an_unreadable_webhook_is_refused(house: House) -> None:
    """Half a JSON: 400, `success` false."""
    hook = Hook(method="POST", tail="", query="", content_type="application/json", body=b'{"event":', received_ms=1)

    reply = await house.hear(hook)

    assert (reply.status, reply.body) == (400, b'{"success":false,"error":"hook-malformed"}')
    assert await house.kept.hooks.unread() == []


async def test_an_empty_request_is_answered_and_forgotten(house: House) -> None:
    """Somebody opened the address in a browser."""
    reply = await house.hear(Hook(method="GET", tail="", query="", content_type="", body=b"", received_ms=1))

    assert reply.status == 200
    assert await house.kept.hooks.put(LINE, key="first", received_ms=1, raw=b"x") == 1


async def test_a_repeated_webhook_is_answered_and_not_read_again(house: House) -> None:
    """The vendor did not get our answer and sends the same once more."""
    await house.hear(rang())

    reply = await house.hear(rang())

    assert reply.status == 200
    assert len(house.decisions) == 1


async def test_an_unknown_event_is_kept_and_answered(house: House) -> None:
    """The vendor has invented something: it is stored raw, nothing else."""
    hook = Hook(method="GET", tail="", query="event=77&call_id=r1", content_type="", body=b"", received_ms=1)

    reply = await house.hear(hook)

    assert reply.status == 200
    assert house.decisions == []
    assert await house.kept.hooks.unread() == []


async def test_a_store_that_is_away_is_the_vendors_reason_to_come_back(kept: Stores) -> None:
    """503 and nothing stored; the repeat is taken like a first."""
    house = await House(kept, hooks=Frail(kept, put=1)).load()

    first = await house.hear(rang())
    second = await house.hear(rang())

    assert first.status == 503
    assert b"store-unavailable" in first.body
    assert second.status == 200
    assert house.call.is_live


async def test_what_was_stored_but_not_read_is_read_at_the_next_start(kept: Stores) -> None:
    """The process died right after the answer."""
    hook = rang()
    await kept.hooks.put(LINE, key="k1", received_ms=hook.received_ms, raw=pack(hook))
    house = await House(kept).load()

    count = await house.intake.resume()

    assert count == 1
    assert house.call.call_ref == "r1"
    assert await kept.hooks.unread() == []


async def test_what_a_node_left_unread_is_read_by_another(house: House) -> None:
    """It answered and died. Another node finds the webhook unread twice, and reads it."""
    hook = rang()
    await house.kept.hooks.put(LINE, key="k1", received_ms=hook.received_ms, raw=pack(hook))

    counts = [await house.intake.sweep() for _ in range(3)]

    assert counts == [0, 1, 0]
    assert house.call.call_ref == "r1"
    assert await house.kept.hooks.unread() == []


async def test_what_is_being_read_here_is_not_swept(house: House) -> None:
    """A slow reading is no dead one."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    readings = []

    async def read(_line: Line, _hook: Hook, hook_id: int) -> None:
        readings.append(hook_id)
        begun.set()
        await go_on.wait()
        await house.kept.hooks.settle(hook_id)

    intake = Intake(house.lines, house.kept.hooks, read)
    await intake.take("sipuni", f"path-of-{LINE}", rang())
    await begun.wait()
    counts = [await intake.sweep() for _ in range(3)]
    go_on.set()
    await intake.drain()

    assert (counts, len(readings)) == ([0, 0, 0], 1)


async def test_a_webhook_that_two_nodes_read_at_once_is_one_event(kept: Stores) -> None:
    """Both swept it: the second changes nothing, makes no job, shows nothing."""
    hook = rang()
    await kept.hooks.put(LINE, key="k1", received_ms=hook.received_ms, raw=pack(hook))
    nodes = [await House(kept).load() for _ in range(2)]

    await asyncio.gather(*(node.intake.resume() for node in nodes))

    assert sum(len(node.decisions) for node in nodes) == 1


async def test_a_webhook_whose_line_was_removed_is_settled(house: House) -> None:
    """There is nobody whom its call would belong to."""
    gone = line("l_gone", path="path-of-gone")
    await house.kept.hooks.put(gone.id, key="k1", received_ms=1, raw=pack(rang()))

    await house.intake.resume()

    assert await house.kept.hooks.unread() == []


async def test_a_webhook_that_cannot_be_opened_is_put_aside(house: House) -> None:
    """What no version can read must not keep the server from starting."""
    await house.kept.hooks.put(LINE, key="k1", received_ms=1, raw=b"not a stored webhook")
    await house.kept.hooks.put(LINE, key="k2", received_ms=1, raw=pack(rang()))

    await house.intake.resume()

    assert house.call.call_ref == "r1"
    assert await house.kept.hooks.unread() == []


async def test_a_reader_that_fails_puts_its_webhook_aside(house: House) -> None:
    """A mistake of ours in reading one webhook: it is kept with a note, the others go on."""

    async def stumble(*_: object) -> None:
        raise ValueError("a mistake")

    intake = Intake(house.lines, house.kept.hooks, stumble)
    reply = await intake.take("sipuni", f"path-of-{LINE}", rang())
    await intake.drain()

    assert reply.status == 200
    assert await house.kept.hooks.unread() == []


async def test_a_webhook_is_read_once_the_store_is_back(house: House) -> None:
    """Stored, then the database went away for a moment: the call is not left out until the next restart."""
    faults = [StoreUnavailable(), StoreUnavailable()]

    async def read(*given: object) -> None:
        if faults:
            raise faults.pop()
        await house.calls.read(*given)  # type: ignore[arg-type]

    intake = Intake(house.lines, house.kept.hooks, read, pauses_s=(0.0, 0.0))
    await intake.take("sipuni", f"path-of-{LINE}", answered())
    await intake.drain()

    assert house.call.call_ref == "r1"
    assert await house.kept.hooks.unread() == []


async def test_when_the_store_stays_away_the_webhook_waits_for_the_next_start(house: House) -> None:
    """It stays unread: nothing that was answered 200 is lost."""

    async def read(*_: object) -> None:
        raise StoreUnavailable

    intake = Intake(house.lines, house.kept.hooks, read, pauses_s=(0.0, 0.0))
    await intake.take("sipuni", f"path-of-{LINE}", rang())
    await intake.drain()

    assert len(await house.kept.hooks.unread()) == 1


async def test_a_webhook_that_the_database_refuses_is_put_aside(house: House) -> None:
    """Trying again would end the same way, at every start."""

    class Refused(OwnError):
        """The database refused a row."""

        temporary = False

    async def read(*_: object) -> None:
        raise Refused

    intake = Intake(house.lines, house.kept.hooks, read)
    await intake.take("sipuni", f"path-of-{LINE}", rang())
    await intake.drain()

    assert await house.kept.hooks.unread() == []
