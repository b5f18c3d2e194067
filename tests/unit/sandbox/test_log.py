"""The list behind /sandbox/log, and the wires."""

import asyncio

import pytest

from server.sandbox.log import KINDS, MEANING, Log
from server.sandbox.signals import Signals


def test_entries_stand_in_their_order_and_can_be_chosen_by_kind() -> None:
    """Each has its time and kind."""
    log = Log()
    log.note("callback", name="render")
    log.note("request", path="/")

    assert [entry["kind"] for entry in log.entries()] == ["callback", "request"]
    assert [entry["path"] for entry in log.entries("request")] == ["/"]
    assert all(isinstance(entry["at"], float) for entry in log.entries())


async def test_waiting_finds_what_was_and_what_will_be() -> None:
    """By kind and members."""
    log = Log()
    log.note("webhook", status=500)
    coming = asyncio.create_task(log.wait("webhook", status=200))
    await asyncio.sleep(0)

    log.note("webhook", status=200)

    assert (await log.wait("webhook", status=500))["status"] == 500
    assert (await coming)["status"] == 200


async def test_waiting_ends_in_time() -> None:
    """When nothing comes."""
    with pytest.raises(TimeoutError):
        await Log().wait("call", timeout_s=0.01)


def test_clearing_forgets() -> None:
    """All of it."""
    log = Log()
    log.note("call")

    log.clear()

    assert log.entries() == []


def test_a_signal_reaches_its_listeners_only() -> None:
    """And nobody after they have gone."""
    signals = Signals()

    with signals.listen("a", "b") as queue:
        told = [signals.emit("a", {"n": 1}), signals.emit("c", {"n": 2}), signals.emit("b", {"n": 3})]
    after = signals.emit("a", {"n": 4})

    assert told == [1, 0, 1]
    assert after == 0
    assert [queue.get_nowait() for _ in range(queue.qsize())] == [("a", {"n": 1}), ("b", {"n": 3})]


def test_every_kind_is_explained() -> None:
    """The kinds that others rely on are there, and each has its meaning in the docs."""
    promised = {"callback", "notification", "error", "request", "webhook", "socket", "call"}

    assert promised <= set(KINDS)
    assert MEANING.keys() == set(KINDS)
