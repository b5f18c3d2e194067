"""One timer wheel for all heartbeats, without a clock: somebody turns it, it says who is due and who is dead.

A member is pinged once per revolution, each in its own slot, so that ten thousand pings never fall into one moment.
It is dead when it has stayed silent through two pings and the grace after the second. There is no timer per member:
two small numbers live in the member itself, set to nought by whoever hears from it.
"""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

MISSED_PINGS = 2


class Member(Protocol):
    """What the wheel keeps in a member. `silent` counts the pings since the peer was last heard."""

    slot: int
    silent: int


M = TypeVar("M", bound=Member)


class Wheel(Generic[M]):
    """The members, spread evenly over the slots."""

    def __init__(self, *, slots: int, grace: int) -> None:
        """`grace`: how many turns after its second unanswered ping a member still may answer; less than `slots`."""
        if not 0 < grace < slots:
            raise ValueError(f"a grace of {grace} turns does not fit a wheel of {slots}")
        # Dicts as ordered sets: half the memory of sets of this size, and a stable order.
        self._slots: list[dict[M, None]] = [{} for _ in range(slots)]
        self._grace = grace
        self._hand = 0
        self._joined = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[M]:
        for slot in self._slots:
            yield from slot

    def add(self, member: M) -> None:
        """Give a newcomer its slot; its first ping comes within one revolution."""
        member.slot = self._joined % len(self._slots)
        member.silent = 0
        self._joined += 1
        self._size += 1
        self._slots[member.slot][member] = None

    def discard(self, member: M) -> None:
        """Forget a member; one that is not here is no error."""
        slot = self._slots[member.slot]
        if member in slot:
            del slot[member]
            self._size -= 1

    def turn(self) -> tuple[list[M], list[M]]:
        """Move on by one slot: (members to ping now, members to give up)."""
        self._hand = (self._hand + 1) % len(self._slots)
        judged = self._slots[self._hand - self._grace]
        dead = [member for member in judged if member.silent >= MISSED_PINGS]
        due = list(self._slots[self._hand])
        for member in due:
            member.silent += 1
        return due, dead
