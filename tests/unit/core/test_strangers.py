"""The rules for calls whose number amoCRM does not know."""

import pytest

from server.core.errors import CallerError
from server.core.strangers import DEFAULTS, StrangerRule, check, kind_of, rule_for
from server.core.verdicts import Verdict
from server.core.vocabulary import CallKind, CallState, Direction, Result, StrangerWay

MISSED = StrangerRule(CallKind.IN_MISSED, StrangerWay.NOTHING)
OF_LINE = StrangerRule(CallKind.IN_MISSED, StrangerWay.LEAD, line_id="l_2", pipeline_id=5)


@pytest.mark.parametrize(
    ("direction", "result", "kind"),
    [
        (Direction.IN, Result.ANSWERED, CallKind.IN_ANSWERED),
        (Direction.IN, Result.BUSY, CallKind.IN_MISSED),
        (Direction.UNKNOWN, None, CallKind.IN_MISSED),
        (Direction.OUT, Result.ANSWERED, CallKind.OUT_ANSWERED),
        (Direction.OUT, Result.NO_ANSWER, CallKind.OUT_MISSED),
    ],
)
def test_a_call_falls_under_one_kind(direction: Direction, result: Result | None, kind: CallKind) -> None:
    """By its way and by whether anybody talked; of unknown way is as good as incoming: nobody is forgotten."""
    assert kind_of(Verdict(state=CallState.ENDED, direction=direction, result=result)) is kind


@pytest.mark.parametrize(("line_id", "rule"), [("l_2", OF_LINE), ("l_1", MISSED)])
def test_a_rule_of_the_line_goes_before_one_of_all_lines(line_id: str, rule: StrangerRule) -> None:
    """The general one serves the other lines."""
    assert rule_for([MISSED, OF_LINE], CallKind.IN_MISSED, line_id) is rule


@pytest.mark.parametrize("kind", CallKind)
def test_without_a_rule_the_default_stands(kind: CallKind) -> None:
    """Every kind has one."""
    others = [StrangerRule(other, StrangerWay.NOTHING) for other in CallKind if other is not kind]

    assert rule_for(others, kind, "l_1") == StrangerRule(kind, DEFAULTS[kind])


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ([MISSED, MISSED], "Two rules"),
        ([StrangerRule(CallKind.OUT_ANSWERED, StrangerWay.UNSORTED)], "incoming"),
        ([StrangerRule(CallKind.IN_MISSED, StrangerWay.LEAD, line_id="l_9")], "line"),
        ([StrangerRule(CallKind.IN_MISSED, StrangerWay.LEAD, responsible_id=99)], "user"),
        ([StrangerRule(CallKind.IN_MISSED, StrangerWay.LEAD, status_id=1)], "pipeline"),
        ([StrangerRule(CallKind.IN_MISSED, StrangerWay.LEAD, tags=("",))], "tags"),
        ([StrangerRule(CallKind.IN_MISSED, StrangerWay.LEAD, tags=("x",) * 11)], "tags"),
        ([StrangerRule(CallKind.IN_MISSED, StrangerWay.LEAD, tags=("x" * 65,))], "tags"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(rules: list[StrangerRule], says: str) -> None:
    """While they are entered, not when the first call comes."""
    with pytest.raises(CallerError, match=says):
        check(rules, ["l_1", "l_2"], [11])


def test_rules_that_can_be_kept_are_taken() -> None:
    """One per kind and line."""
    check([MISSED, OF_LINE, StrangerRule(CallKind.OUT_ANSWERED, StrangerWay.LEAD, tags=("АТС",))], ["l_1", "l_2"], [11])
