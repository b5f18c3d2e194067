"""Switches: documented defaults, and nothing that is not in the table."""

from typing import Any

import pytest

from server.sandbox.switches import TABLE, SwitchError, Switches


def test_each_switch_starts_at_its_default() -> None:
    """Which is one of its choices."""
    switches = Switches({}, changed=lambda _: None)

    assert switches.view() == {switch.name: switch.default for switch in TABLE}
    assert all(switch.choices is None or switch.default in switch.choices for switch in TABLE)


@pytest.mark.parametrize(
    ("name", "value"), [("code_life_s", 1.5), ("customers", 1), ("brand", "sugar"), ("nothing", 1)]
)
def test_an_impossible_value_changes_nothing(name: str, value: Any) -> None:
    """Not even the others of the same request."""
    switches = Switches({}, changed=lambda _: None)

    with pytest.raises(SwitchError):
        switches.set({"customers": False, name: value})

    assert switches["customers"] is True


def test_a_whole_number_is_a_fraction_too() -> None:
    """JSON writers drop the point."""
    switches = Switches({}, changed=lambda _: None)

    switches.set({"webhook_timeout_s": 1})

    assert switches["webhook_timeout_s"] == 1.0


def test_stored_values_of_switches_that_are_gone_are_ignored() -> None:
    """After an update of the sandbox."""
    assert "old" not in Switches({"old": 1}, changed=lambda _: None).view()
