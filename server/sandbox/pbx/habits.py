"""The knobs as faults: every bad habit of a PBX that `POST /sandbox/faults` can plant, and the rows they cover.

It knows which knob a kind of fault turns, and how far; when a fault hits is `server/sandbox/faults.py`'s. `ROWS` feeds
`docs/reference/sandbox.md`; a test holds it against the kinds and the tests that are there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from server.sandbox.pbx.knobs import KnobError, Knobs, turned

BOTH: Final = ("sipuni", "mango")
MANGO: Final = ("mango",)


@dataclass(frozen=True)
class Habit:
    """One kind of fault: the knob it turns to `value` unless the fault says another.

    `hits` is what `n` and `rate` count; where it is empty the habit is a state that lasts until it is taken back.
    """

    kind: str
    what: str
    knob: str
    value: Any
    hits: str = ""
    vendors: tuple[str, ...] = BOTH


_TABLE: Final = (
    Habit("drop_hangup", "hang-ups get lost", "drop_hangup_rate", 1.0, "hang-up"),
    Habit("replay", "followed by the call's first webhook, byte for byte", "replay", True, "webhook"),
    Habit("types", "numbers as `string` or `mixed`", "types", "string", "webhook", MANGO),
    Habit("wrong_signature", "signed wrongly (Sipuni: to a wrong secret address)", "sign", "wrong", "webhook"),
    Habit("foreign_key", "signed with another tenant's key (Sipuni: to his address)", "sign", "foreign_key", "webhook"),
    Habit("extra_fields", "fields no documentation names", "extra_fields", True, "happening"),
    Habit("unknown_codes", "statuses and reasons that are in no table", "unknown_codes", True, "happening"),
    Habit("clock_skew", "time stamps that many seconds off", "clock_skew_s", 10_800),
    Habit("give_up", "no second chance after that many seconds without an answer", "give_up_s", 5.0),
    Habit("suspend", "no delivery after that many bad answers in a row, or webhooks lost to a fault", "suspend_after",
          3),
    Habit("deleted_extension", "rings, but is on no list of employees", "deleted_extensions", "205"),
    Habit("shared_extension", "two employees of the list have it", "shared_extensions", "204"),
    Habit("anonymous", "the caller withholds the number", "anonymous", True, "call"),
    Habit("double_answer", "a group's call that two phones answer within a second", "double_answer", True, "call"),
    Habit("internal", "an employee calls a colleague", "scenario", "internal", "call"),
    Habit("transfer_external", "handed on to an outside number", "scenario", "transfer_external", "call"),
    Habit("post_without_json", "preceded by the cabinet's connection check: no `json`, no parameters", "check_first",
          True, "call"),
    Habit("result_before_event", "a command's result overtakes its events", "result_order", "before", "command",
          MANGO),
    Habit("event_before_result", "a command's events overtake its result", "result_order", "after", "command", MANGO),
    Habit("order_without_call", "click-to-call is taken, and nothing happens", "callbacks", "never", "command"),
    Habit("lockout", "refused with that status: 401, 429, 503", "command_status", 401, "command"),
    Habit("html_answers", "JSON that calls itself text/html", "html", True, "command"),
    Habit("recording_404", "not in the storage yet", "recording_misses", 1, "request for a recording"),
    Habit("recording_gone", "a one-time link used again is 410", "recording_reuse_status", 410, "used link", MANGO),
)  # fmt: skip
HABITS: Final = {habit.kind: habit for habit in _TABLE}


class HabitError(ValueError):
    """The vendor has no such habit, or not to that degree."""


def check(kind: str, vendor: str, value: Any, *, is_counted: bool) -> None:
    """Whether this vendor can have this habit. Raises `HabitError`."""
    habit = HABITS[kind]
    if vendor not in habit.vendors:
        raise HabitError(f"{kind} is a habit of {' and '.join(habit.vendors)} only")
    if is_counted and not habit.hits:
        raise HabitError(f"{kind} lasts until it is taken back: n and rate count nothing")
    try:
        turned(Knobs(), _change(habit, value))
    except KnobError as error:
        raise HabitError(f"value: {error}") from error


def overlaid(knobs: Knobs, planted: Iterable[tuple[str, Any]]) -> Knobs:
    """The knobs under these faults, each a kind with its value; of two the later one stands."""
    for kind, value in planted:
        knobs = turned(knobs, _change(HABITS[kind], value))
    return knobs


def _change(habit: Habit, value: Any) -> dict[str, Any]:
    return {habit.knob: habit.value if value is None else value}


LASTING: Final = tuple(habit.kind for habit in _TABLE if not habit.hits)
"""The states: in force for whatever looks at the knobs."""


@dataclass(frozen=True)
class Row:
    """One unpleasantness of real PBXs: the faults that make it, and the test of what our backend does then."""

    number: int
    what: str
    kinds: tuple[str, ...]
    test: str
    vendors: tuple[str, ...] = BOTH
    not_yet: str = ""


ROWS: Final = (
    Row(1, "events late, doubled, out of order within 5 s", ("shuffle", "latency", "duplicate"),
        "test_shuffled_and_doubled_events_are_one_call"),
    Row(2, "hang-ups get lost", ("drop_hangup",), "test_a_lost_hang_up_leaves_the_call_to_our_patience"),
    Row(3, "numbers come as text", ("types",), "test_numbers_may_come_as_text", MANGO,
        "Sipuni's fields are a query: they are always text"),
    Row(4, "unknown fields and result codes", ("extra_fields", "unknown_codes"),
        "test_what_nobody_documented_costs_no_call"),
    Row(5, "a command's result before its events, and after", ("result_before_event", "event_before_result"),
        "test_result_and_events_may_come_in_either_order", MANGO, "Sipuni sends no results of commands"),
    Row(6, "two phones answer within a second", ("double_answer",), "test_two_who_answer_at_once_are_one_call"),
    Row(7, "recording not there yet; its link works once", ("recording_404", "recording_gone"),
        "test_a_recording_that_comes_late_is_fetched", not_yet="Sipuni's link is not of one use"),
    Row(8, "commands are refused: 429, 401, 5xx", ("status", "lockout"),
        "test_a_refused_click_is_told_and_not_repeated"),
    Row(9, "the PBX gives up on a slow consumer, and suspends delivery after bad answers", ("give_up", "suspend"),
        "test_a_suspended_delivery_costs_no_later_call", not_yet="MANGO documents no suspension; it can be planted"),
    Row(10, "clocks three hours off", ("clock_skew",), "test_a_clock_that_is_off_changes_no_length"),
    Row(11, "callers without a number", ("anonymous",), "test_a_caller_without_a_number_is_no_note"),
    Row(12, "an extension deleted, or shared by two", ("deleted_extension", "shared_extension"),
        "test_who_shares_an_extension_sees_its_calls",
        not_yet="our backend reads no list of employees; the test shares the extension in its own map"),
    Row(13, "calls between colleagues", ("internal",), "test_colleagues_calls_are_theirs_alone"),
    Row(14, "handed on to an outside number", ("transfer_external",),
        "test_a_call_handed_on_outside_stays_the_clients"),
    Row(15, "forged, replayed, or of another tenant", ("wrong_signature", "replay", "foreign_key"),
        "test_what_is_not_ours_is_refused_and_not_stored"),
    Row(16, "a connection check that carries nothing", ("post_without_json",),
        "test_a_connection_check_is_answered_and_is_no_call",
        not_yet="zd_echo by GET: it is Zadarma's, which is not here yet"),
    Row(17, "answers that call themselves text/html", ("html_answers",), "test_answers_may_call_themselves_html"),
    Row(18, "an order that never becomes a call", ("order_without_call",),
        "test_an_order_without_a_call_falls_silent"),
)  # fmt: skip
