"""What becomes of a call whose number amoCRM does not know: the account's rules, and the decision.

A rule is for a kind of call (in or out, talked or not), on all lines or on one. What is then done with amoCRM is no
matter of this room.
"""

from collections.abc import Iterable

from msgspec import Struct

from .errors import CallerError
from .verdicts import Verdict
from .vocabulary import CallKind, Direction, Result, StrangerWay

HOUR_MS = 3_600_000
WAITS_MS = {StrangerWay.NOTHING: 18 * HOUR_MS, StrangerWay.UNSORTED: 30 * 24 * HOUR_MS}
"""For how long a call is put to its client's card once the number becomes known. 18 h: what amoCRM's own old queue did.
Longer for Unsorted, where amoCRM drops the record when somebody creates a contact with its number.
"""

MOST_TAGS, LONGEST_TAG = 10, 64


class StrangerRule(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What becomes of one kind of call. `line_id` "": on every line without a rule of its own.

    `pipeline_id`, `status_id` 0: amoCRM's own choice. `responsible_id` 0: the call's agent.
    """

    kind: CallKind
    way: StrangerWay
    line_id: str = ""
    pipeline_id: int = 0
    status_id: int = 0
    responsible_id: int = 0
    tags: tuple[str, ...] = ()


DEFAULTS = {
    CallKind.IN_ANSWERED: StrangerWay.UNSORTED,
    CallKind.IN_MISSED: StrangerWay.UNSORTED,
    CallKind.OUT_ANSWERED: StrangerWay.CONTACT,
    CallKind.OUT_MISSED: StrangerWay.NOTHING,
}
"""Where no rule speaks: nobody who called is forgotten, and dialling a wrong number makes no contact."""


def kind_of(verdict: Verdict) -> CallKind:
    """Which rules a call falls under. A call whose way is not known is taken for an incoming one."""
    is_answered = verdict.result is Result.ANSWERED
    if verdict.direction is Direction.OUT:
        return CallKind.OUT_ANSWERED if is_answered else CallKind.OUT_MISSED
    return CallKind.IN_ANSWERED if is_answered else CallKind.IN_MISSED


def rule_for(rules: Iterable[StrangerRule], kind: CallKind, line_id: str) -> StrangerRule:
    """The rule of the line, else of all lines, else the default."""
    fitting = {rule.line_id: rule for rule in rules if rule.kind is kind}
    return fitting.get(line_id) or fitting.get("") or StrangerRule(kind, DEFAULTS[kind])


def check(rules: Iterable[StrangerRule], line_ids: Iterable[str], user_ids: Iterable[int]) -> None:
    """Raise CallerError for rules that contradict each other or name what the account does not have."""
    lines, users = {"", *line_ids}, {0, *user_ids}
    seen: set[tuple[CallKind, str]] = set()
    for rule in rules:
        if (rule.kind, rule.line_id) in seen:
            raise CallerError("Two rules for the same calls.", kind=rule.kind, line_id=rule.line_id)
        seen.add((rule.kind, rule.line_id))
        if rule.way is StrangerWay.UNSORTED and rule.kind in (CallKind.OUT_ANSWERED, CallKind.OUT_MISSED):
            raise CallerError("Unsorted takes incoming calls only.", kind=rule.kind)
        if rule.line_id not in lines:
            raise CallerError("A rule names a line that is not this account's.", line_id=rule.line_id)
        if rule.responsible_id not in users:
            raise CallerError("A rule names a user that is not this account's.", user_id=str(rule.responsible_id))
        if rule.status_id and not rule.pipeline_id:
            raise CallerError("A status needs its pipeline.", status_id=str(rule.status_id))
        if len(rule.tags) > MOST_TAGS or any(not 0 < len(tag.strip()) <= LONGEST_TAG for tag in rule.tags):
            raise CallerError(f"At most {MOST_TAGS} tags of 1 to {LONGEST_TAG} characters.")
