"""Faults on demand: what they hit, how often and how long."""

import pytest
from aiohttp import ClientError, ClientPayloadError, web
from aiohttp.test_utils import TestClient, TestServer

from server.sandbox.faults import FaultError, Faults

Site = TestClient[web.Request, web.Application]


def site(faults: Faults) -> Site:
    """A PBX that always answers."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    app = web.Application(middlewares=[faults.middleware("sipuni")])  # type: ignore[list-item]
    app.router.add_route("*", "/{tail:.*}", answer)
    return TestClient(TestServer(app))


def test_the_next_n_webhooks_are_lost() -> None:
    """And then none."""
    faults = Faults()
    faults.add({"target": "sipuni", "kind": "drop", "n": 2})

    plans = [faults.plan("sipuni", "/hook") for _ in range(3)]

    assert plans == [[], [], [0.0]]
    assert faults.view() == []


def test_a_duplicate_is_sent_twice_and_late() -> None:
    """Faults add up."""
    faults = Faults()
    faults.add({"target": "mango", "kind": "duplicate"})
    faults.add({"target": "mango", "kind": "latency", "delay_s": 1.5})

    assert faults.plan("mango", "/events/call") == [1.5, 1.5]


def test_shuffled_webhooks_overtake_each_other() -> None:
    """Each gets its own delay up to five seconds."""
    faults = Faults()
    faults.add({"target": "mango", "kind": "shuffle"})

    delays = [faults.plan("mango", "/x")[0] for _ in range(20)]

    assert delays != sorted(delays)
    assert 0 <= min(delays) <= max(delays) <= 5


def test_the_way_to_the_backend_fails_for_every_sender() -> None:
    """A fault of the backend hits the webhooks of all."""
    faults = Faults()
    faults.add({"target": "backend", "kind": "drop"})

    assert [faults.plan(target, "/hook") for target in ("sipuni", "mango", "amocrm")] == [[], [], []]


def test_a_path_limits_a_fault() -> None:
    """By its beginning."""
    faults = Faults()
    faults.add({"target": "mango", "kind": "drop", "path": "/events/summary"})

    assert faults.plan("mango", "/events/call") == [0.0]
    assert faults.plan("mango", "/events/summary") == []


@pytest.mark.parametrize(("rate", "lost"), [(0, 0), (1, 100)])
def test_a_rate_is_a_probability(rate: float, lost: int) -> None:
    """0 never, 1 always."""
    faults = Faults()
    faults.add({"target": "sipuni", "kind": "drop", "rate": rate})

    assert [faults.plan("sipuni", "/") for _ in range(100)].count([]) == lost


def test_a_fault_ends_after_its_time() -> None:
    """for_s: 0 is over at once."""
    faults = Faults()
    faults.add({"target": "sipuni", "kind": "outage", "for_s": 0})

    assert faults.plan("sipuni", "/") == [0.0]


async def test_a_pbx_that_loses_webhooks_still_answers_commands() -> None:
    """`drop` on a PBX means its webhooks, unless a path or a direction says otherwise."""
    faults = Faults()
    faults.add({"target": "sipuni", "kind": "drop"})

    async with site(faults) as client:
        assert (await client.get("/api/callback/call_number")).status == 200
        faults.add({"target": "sipuni", "kind": "drop", "path": "/api/callback"})
        with pytest.raises(ClientError):
            await client.get("/api/callback/call_number")


async def test_a_status_is_answered_without_doing_anything() -> None:
    """With the status asked for."""
    faults = Faults()
    faults.add({"target": "sipuni", "kind": "status", "status": 429, "n": 1})

    async with site(faults) as client:
        assert [(await client.get("/api")).status for _ in range(2)] == [429, 200]


async def test_half_an_answer_breaks_off() -> None:
    """The client sees the length and not the bytes."""
    faults = Faults()
    faults.add({"target": "sipuni", "kind": "truncate"})

    async with site(faults) as client:
        answer = await client.get("/api")
        with pytest.raises(ClientPayloadError):
            await answer.read()


async def test_control_never_fails() -> None:
    """/sandbox/ is how one gets out of a fault again."""
    faults = Faults()
    faults.add({"target": "sipuni", "kind": "outage"})

    async with site(faults) as client:
        assert (await client.get("/sandbox/faults")).status == 200


@pytest.mark.parametrize("rate", [-1, 2, "1", True])
def test_a_number_out_of_range_is_refused(rate: object) -> None:
    """By name."""
    with pytest.raises(FaultError, match="rate"):
        Faults().add({"target": "sipuni", "kind": "drop", "rate": rate})
