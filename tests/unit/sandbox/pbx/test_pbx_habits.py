"""Knobs as faults: planted, counted, and taken back."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from server.sandbox.faults import KINDS, FaultError, Faults
from server.sandbox.log import Log
from server.sandbox.pbx.habits import HABITS, ROWS
from server.sandbox.pbx.knobs import Knobs
from server.sandbox.pbx.mango import Mango
from server.sandbox.pbx.play import read_plot
from server.sandbox.pbx.sipuni import Sipuni
from server.sandbox.pbx.stand_in import StandIn

MAKERS = {"sipuni": Sipuni, "mango": Mango}
ROOT = Path(__file__).parents[4]


def test_the_eighteen_rows_name_faults_and_tests_that_exist() -> None:
    """Every habit is in a row, every row has its test."""
    source = (ROOT / "tests/contract/test_knobs.py").read_text("utf-8")
    named = {kind for row in ROWS for kind in row.kinds}

    assert [row.number for row in ROWS] == list(range(1, 19))
    assert named <= set(KINDS)
    assert set(HABITS) <= named
    assert [row.test for row in ROWS if f"def {row.test}(" not in source] == []


@pytest.mark.parametrize("kind", HABITS)
def test_every_habit_turns_its_knob_until_it_is_taken_back(kind: str) -> None:
    """For each PBX that has it."""
    habit = HABITS[kind]
    for vendor in habit.vendors:
        faults = Faults()
        pbx = MAKERS[vendor](log=Log(), faults=faults)
        faults.add({"target": vendor, "kind": kind})

        assert getattr(pbx.at(kind), habit.knob) == habit.value
        faults.clear()
        assert pbx.at(kind) == Knobs()


def test_a_habit_can_be_counted_where_it_hits() -> None:
    """The next two calls come without a number, the third with one."""
    faults = Faults()
    pbx = Sipuni(log=Log(), faults=faults)
    faults.add({"target": "sipuni", "kind": "anonymous", "n": 2})

    assert [read_plot(pbx, {"from": "79161234567"}).client for _ in range(3)] == ["", "", "79161234567"]
    assert faults.view() == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"target": "sipuni", "kind": "types"}, "mango only"),
        ({"target": "amocrm", "kind": "replay"}, "sipuni and mango only"),
        ({"target": "mango", "kind": "clock_skew", "n": 1}, "until it is taken back"),
        ({"target": "mango", "kind": "clock_skew", "value": "late"}, "clock_skew_s is a int"),
        ({"target": "mango", "kind": "replay", "path": "/events"}, "no member 'path'"),
        ({"target": "mango", "kind": "status", "value": 1}, "no member 'value'"),
    ],
)
def test_a_habit_that_cannot_be_is_refused(fault: dict[str, Any], message: str) -> None:
    """Not silently planted to no effect."""
    with pytest.raises(FaultError, match=message):
        Faults().add(fault)


def test_scripted_calls_can_be_switched_to_a_scenario() -> None:
    """Whatever they were asked for."""
    faults = Faults()
    pbx = Sipuni(log=Log(), faults=faults)
    faults.add({"target": "sipuni", "kind": "internal", "n": 1})

    assert [read_plot(pbx, {"scenario": "missed"}).scenario for _ in range(2)] == ["internal", "missed"]


async def test_webhooks_that_faults_swallow_count_as_bad_answers(pbx: StandIn, consumer: Any) -> None:
    """To the PBX they were not answered; what made it sulk taken back, it delivers again."""
    pbx.faults.add({"target": pbx.vendor, "kind": "suspend", "value": 1})
    pbx.faults.add({"target": pbx.vendor, "kind": "drop", "n": 1})
    pbx.play(read_plot(pbx, {"scenario": "missed"}))
    await pbx.idle()
    assert consumer.got == []

    pbx.faults.clear()
    pbx.play(read_plot(pbx, {"scenario": "missed"}))
    await pbx.idle()
    assert consumer.got


async def test_a_recording_is_missing_as_often_as_asked(pbx: StandIn) -> None:
    """And then it is there."""
    pbx.faults.add({"target": pbx.vendor, "kind": "recording_404", "n": 2})
    story = pbx.play(read_plot(pbx, {}))
    await pbx.idle()
    pbx.keep_recording("r", story.call, 3).ready_at = 0

    assert [pbx.fetch_recording("r") is not None for _ in range(3)] == [False, False, True]


async def test_a_stranger_of_sipuni_is_who_has_the_address_wrong(sipuni: Sipuni, consumer: Any) -> None:
    """Sipuni signs nothing."""
    sipuni.hook = f"{sipuni.hook}/secret"
    sipuni.faults.add({"target": "sipuni", "kind": "wrong_signature"})
    sipuni.play(read_plot(sipuni, {"scenario": "missed"}))
    await sipuni.idle()

    assert {path for path, _ in consumer.raw} == {"terces"}


async def test_a_lockout_is_answered_to_the_next_commands(pbx: StandIn, browser: ClientSession) -> None:
    """With 401, and noted."""
    pbx.faults.add({"target": pbx.vendor, "kind": "lockout", "n": 1})
    path = {"sipuni": "/api/schema/list", "mango": "/vpbx/config/users/request"}[pbx.vendor]

    statuses = [(await browser.post(pbx.base_url + path)).status for _ in range(2)]

    assert statuses == [401, 200]
