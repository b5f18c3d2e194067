"""What a row of the SDK's table is."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["self", "APP", "global", "callback", "module", "control", "DOM", "event", "rule"]


@dataclass(frozen=True, slots=True)
class Member:
    """One thing a widget can see. `fidelity`: as amoCRM, switch: <names>, not yet, or the sandbox's own."""

    name: str
    kind: Kind
    what: str
    test: str
    fidelity: str = "as amoCRM"


def of(kind: Kind, test: str, members: dict[str, str], fidelity: str = "as amoCRM") -> tuple[Member, ...]:
    """Rows of one kind that one test pins down: name → what it is."""
    return tuple(Member(name, kind, what, test, fidelity) for name, what in members.items())
