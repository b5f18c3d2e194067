"""Closes the gap between a turn that is under way and a pause or cancel that commits meanwhile. Pure.

The turn may have leased the lane, or fetched the job, just before; its news arrives just after. So the word of the
pause stands in memory until a turn that began after it is over: from then on the database itself holds it.
"""


class Fence:
    """What must not start although a turn may still bring it. Turns are numbered from 1, in order."""

    def __init__(self) -> None:
        self._lanes: dict[str, int] = {}
        self._groups: dict[str, int] = {}

    def pause(self, lane: str, *, turn: int) -> None:
        """A lane was paused; `turn` is the last turn that had begun."""
        self._lanes[lane] = turn

    def resume(self, lane: str) -> None:
        self._lanes.pop(lane, None)

    def cancel(self, grp: str, *, turn: int) -> None:
        """A group was cancelled; `turn` is the last turn that had begun."""
        self._groups[grp] = turn

    def stops(self, lane: str) -> bool:
        return lane in self._lanes

    def bars(self, grp: str | None) -> bool:
        return grp in self._groups

    def lift(self, turn: int) -> None:
        """This turn is over: what was known when it began, it has seen in the database."""
        self._lanes = {lane: at for lane, at in self._lanes.items() if at >= turn}
        self._groups = {grp: at for grp, at in self._groups.items() if at >= turn}
