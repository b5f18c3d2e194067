"""What is played: calls as a day of a sales department has them, each with what must become of it. Drawn by chance, the
same for the same seed.
"""

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

VENDORS = ("sipuni", "mango")
EXTENSIONS = ("201", "202", "203", "204")
GROUP = "300"

SHARES = {
    "answered": 46, "missed": 16, "busy": 4, "cancelled": 4, "group": 8, "transfer": 6, "outgoing": 10,
    "outgoing_missed": 6,
}  # fmt: skip
"""Scenarios of the stand-ins, out of a hundred calls."""

TALKED = frozenset({"answered", "group", "transfer", "outgoing"})
STRANGERS = 0.25
"""Every fourth caller is nobody's contact; half of these have called before."""
RECORDED = 0.1
BUSY = 100
"""A telephone has one call at a time: it is not drawn again within so many calls."""


@dataclass(frozen=True)
class Planned:
    """One call: where it is played, how, and what must be known of it afterwards."""

    number: int
    vendor: str
    scenario: str
    phone: str
    extension: str
    talk_s: float
    is_recorded: bool
    is_stranger: bool

    @property
    def direction(self) -> str:
        """In or out."""
        return "out" if self.scenario.startswith("outgoing") else "in"

    @property
    def agents(self) -> frozenset[str]:
        """At which extensions whoever has the call may sit: in a group, whoever took it; after a transfer, either."""
        if self.scenario == "group":
            return frozenset(EXTENSIONS)
        return frozenset({self.extension, self.transfer_to} if self.scenario == "transfer" else {self.extension})

    @property
    def transfer_to(self) -> str:
        """Who gets the call when it is handed on."""
        return next(one for one in EXTENSIONS if one != self.extension)

    @property
    def is_answered(self) -> bool:
        """Whether anybody talked."""
        return self.scenario in TALKED

    @property
    def body(self) -> dict[str, Any]:
        """What the stand-in is asked to play."""
        parties = {"from": self.phone} if self.direction == "in" else {"from": self.extension, "to": self.phone}
        ends = {"extension": GROUP if self.scenario == "group" else self.extension}
        times = {"ring_s": 0.3, "talk_s": self.talk_s, "record": self.is_recorded and self.is_answered}
        if self.scenario == "transfer":
            ends["transfer_to"] = self.transfer_to
        return {**parties, **ends, **times, "scenario": self.scenario}


def plan(count: int, phones: Sequence[str], *, seed: int) -> Iterator[Planned]:
    """The calls, in order. `phones`: numbers of contacts, E.164."""
    chance = random.Random(seed)  # noqa: S311  # a drill's dice
    scenarios, weights = list(SHARES), list(SHARES.values())
    strangers: list[str] = []
    on_the_phone: deque[str] = deque(maxlen=BUSY)
    for number in range(count):
        is_stranger = chance.random() < STRANGERS
        idle = [phone for phone in (strangers if is_stranger else phones) if phone not in on_the_phone]
        if is_stranger and not (idle and chance.random() < 0.5):
            phone = f"+7999{number:07}"
            strangers.append(phone)
        else:
            phone = chance.choice(idle or list(phones))
        on_the_phone.append(phone)
        yield Planned(
            number=number,
            vendor=chance.choice(VENDORS),
            scenario=chance.choices(scenarios, weights)[0],
            phone=phone,
            extension=chance.choice(EXTENSIONS),
            talk_s=round(chance.uniform(1.3, 3.0), 1),
            is_recorded=chance.random() < RECORDED,
            is_stranger=is_stranger,
        )
