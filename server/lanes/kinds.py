"""What the lanes of a kind (the word before the colon of a lane's name) are allowed, and the pacing that follows."""

from collections.abc import Callable, Mapping

from msgspec import Struct

PATIENCE_S = 18 * 3600.0
"""How long a job is tried: a call whose contact shows up the next morning still finds it."""

BACKOFF_MOST_S = 900.0


def doubling(tries: int) -> float:
    """Seconds until the next try after a failure of unknown kind: 2, 4, 8, ... 15 min."""
    return min(2.0 ** min(tries, 20), BACKOFF_MOST_S)


class LaneKind(Struct, frozen=True, kw_only=True):
    """The rules for one kind of lanes."""

    rate: float = 0.0
    """Starts per second of one lane, evenly spaced; 0: no limit."""
    width: int = 4
    """Handlers of one lane at work at a time."""
    depth: int = 8
    """Jobs fetched ahead. Small: after a crash, each of them costs a look-up."""
    batch: int = 1
    """Most jobs for one call of the handler."""
    batch_over: int = 0
    """Batch only while more jobs than this are due."""
    patience_s: float = PATIENCE_S
    backoff: Callable[[int], float] = doubling

    def fetch(self, *, deep: bool) -> int:
        """How many jobs to fetch: `deep` when the last fetch of the lane came back full and batches are allowed."""
        usual = self.depth + self.width
        return max(usual, self.batch_over + self.batch) if deep and self.batch > 1 else usual


class Kinds:
    """The rules of every kind; a kind that is not named gets the defaults."""

    def __init__(self, kinds: Mapping[str, LaneKind]) -> None:
        self._kinds = dict(kinds)
        self._default = LaneKind()

    def of(self, lane: str) -> LaneKind:
        """The rules of `lane`."""
        return self._kinds.get(lane.partition(":")[0], self._default)


class Pace:
    """Spaces the starts of one lane evenly (a generic cell rate algorithm without burst). Pure: told the time."""

    __slots__ = ("_gap", "_next", "_slow_until")

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._next = 0.0
        self._slow_until = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the next start is allowed; 0: now."""
        return max(0.0, self._next - now)

    def spend(self, now: float) -> None:
        """A start happens now."""
        gap = self._gap * 2 if now < self._slow_until else self._gap
        self._next = max(self._next, now) + gap

    def slow(self, until: float) -> None:
        """Run at half the rate until then."""
        self._slow_until = max(self._slow_until, until)

    def is_spent(self, now: float) -> bool:
        """Nothing of it matters any more: it can be forgotten."""
        return self._next <= now and self._slow_until <= now
