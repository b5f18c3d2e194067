"""The journal: what is remembered of a call beside the call itself, so that a person can follow it from the first
webhook to the note in amoCRM.

An entry says one thing that happened, is written once and never changed. Raw webhooks, the call, its place in amoCRM
and its recordings are kept in their own rooms; `services/history` joins them into one timeline.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

from .calls import Rang
from .ports import Hook
from .records import Decision, Place
from .vocabulary import CallerKind, CallState, CardState, Result

WEBHOOK, TIMER, STATISTICS = "webhook", "timer", "statistics"
"""What a decision came from: the PBX told us, its word never came, or we asked the PBX for its statistics."""


class Body(Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """What an entry says."""


class Decided(Body, frozen=True, tag="decided", omit_defaults=True):
    """What a piece of news came to: its `effects` (e.g. "rang 201", "ended"), how the call reads now, whose call it is
    (`agents`, users), the click that it carries out, and the webhook that brought the news.
    """

    reason: str
    effects: tuple[str, ...]
    state: CallState
    result: Result | None = None
    answered_by: str | None = None
    talk_s: int = 0
    agents: tuple[int, ...] = ()
    order_id: str = ""
    hook_id: int = 0


class Shown(Body, frozen=True, tag="shown", omit_defaults=True):
    """Whose screens showed which card (`to`: by user), and whom it named as the caller, with the path of his card."""

    to: dict[str, CardState]
    caller: CallerKind
    name: str = ""
    path: str = ""


class Tried(Body, frozen=True, tag="tried", omit_defaults=True):
    """One attempt of a job: `outcome` is done, later, hold, parked or failed; `note` is the other side's answer, `slug`
    the error that it makes.
    """

    job: str
    attempt: int
    outcome: str
    note: str = ""
    again_s: float = 0.0
    slug: str = ""


class Placed(Body, frozen=True, tag="placed"):
    """Where the call stands in amoCRM from now on."""

    place: Place


class Listened(Body, frozen=True, tag="listened"):
    """Somebody played the recording from its beginning."""


class Asked(Body, frozen=True, tag="asked"):
    """What an administrator wanted: `what` is retry or revoke."""

    what: str
    user_id: int


AnyBody = Decided | Shown | Tried | Placed | Listened | Asked


class Entry(Struct, frozen=True):
    """One thing that happened to a call. `at_ms` is our clock."""

    call_id: str
    at_ms: int
    body: AnyBody


def decided(decision: Decision, hook_id: int | None) -> Entry:
    """The entry of a decision, and of the webhook that brought it about."""
    call, verdict = decision.call, decision.call.verdict
    effects = [
        f"rang {effect.extension}" if isinstance(effect, Rang) else type(effect).__name__.lower()
        for effect in decision.effects
    ]
    return Entry(call.id, decision.at_ms, Decided(
        reason=decision.reason,
        effects=tuple(dict.fromkeys(effects)),
        state=verdict.state,
        result=verdict.result,
        answered_by=verdict.answered_by,
        talk_s=verdict.talk_s,
        agents=decision.agents or (),
        order_id=call.order.id if call.order else "",
        hook_id=hook_id or 0,
    ))  # fmt: skip


class Query(Struct, frozen=True, kw_only=True):
    """Which calls are looked for, the latest first.

    `phone`: its digits, whole or in part; `result`: a Result, `live` or `ended_unknown`; `amiss`: only these, and those
    whose end is a guess; `before`: the last one of the page before, as (started_ms, id).
    """

    account_id: int
    phone: str = ""
    agent_id: int = 0
    since_ms: int = 0
    until_ms: int = 1 << 60
    result: str = ""
    amiss: tuple[str, ...] | None = None
    before: tuple[int, str] = (1 << 60, "")
    most: int = 50


class Counts(Struct, frozen=True):
    """How many calls there were, how many go on, and how many are over and not in amoCRM yet."""

    calls: int
    live: int
    unfiled: int


def outcome_word(state: CallState, result: Result | None) -> str:
    """The word by which a call is looked for: how it ended, or that it goes on, or that its end is a guess."""
    return (result or Result.UNKNOWN).value if state is CallState.ENDED else state.value


# -- raw webhooks as people may see them ---------------------------------------------------------------------------

MASK = "•••"
SECRET = re.compile(r"sign|hash|token|secret|key$|password|authorization", re.IGNORECASE)
"""Names of fields that hold, or prove, a secret: of the vendors, and of whatever comes after them."""

LINK = re.compile(r"https?://[^\s\"'\\<>]+")


def masked(hook: Hook) -> Any:
    """What a webhook said, its secrets and the secret parts of its links masked. It never raises."""
    said: dict[str, Any] = dict(parse_qsl(hook.query, keep_blank_values=True))
    text = hook.body.decode(errors="replace")
    if text:
        said |= _form(text) or {"body": text}
    try:
        return _mask({name: _opened(value) for name, value in said.items()})
    except RecursionError:
        return MASK


def _form(text: str) -> dict[str, Any]:
    if "=" not in text or text.lstrip()[:1] in ("{", "["):
        opened = _opened(text)
        return opened if isinstance(opened, dict) else {}
    return dict(parse_qsl(text, keep_blank_values=True))


def _opened(value: str) -> Any:
    """JSON within a field, as MANGO sends it, is shown as what it is."""
    if value[:1] not in ("{", "["):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value


def _mask(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: MASK if SECRET.search(name) and inner else _mask(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_mask(inner) for inner in value]
    return LINK.sub(_without_proof, value) if isinstance(value, str) else value


def _without_proof(link: re.Match[str]) -> str:
    """A link's host; what follows may open a recording."""
    try:
        parts = urlsplit(link.group())
    except ValueError:
        return MASK
    return f"{parts.scheme}://{parts.hostname}/{MASK}"
