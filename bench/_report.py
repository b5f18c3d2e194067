"""How the benches show their figures: ours beside the peer's, the ratio, and what the design demands."""

import resource
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

WIDTH = 160


@dataclass(frozen=True)
class Row:
    """One figure; larger is better where `is_rate`. `must` and `should` are the design's; None: it sets none."""

    name: str
    ours: float
    peer: float | None = None
    must: float | None = None
    should: float | None = None
    is_rate: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether the figure keeps its "must"."""
        return self.must is None or (self.ours >= self.must if self.is_rate else self.ours <= self.must)

    @property
    def cells(self) -> list[str]:
        """The row as text."""
        sign = ">=" if self.is_rate else "<="
        ratio = f"{self.ours / self.peer:.2f} x" if self.peer else ""
        limits = [f"{sign} {_number(limit)}" if limit is not None else "" for limit in (self.must, self.should)]
        verdict = "" if self.must is None else "ok" if self.is_kept else "MISSED"
        return [self.name, _number(self.ours), "" if self.peer is None else _number(self.peer), ratio, *limits, verdict]


def show(title: str, rows: list[Row], *, peer: str) -> int:
    """Print the table; the exit code: 1 when a "must" is missed."""
    table = Table(title=title, title_justify="left")
    for column in ("", "ours", peer, "ours : peer", "must", "should", ""):
        table.add_column(column, justify="right" if column else "left")
    for row in rows:
        table.add_row(*row.cells)
    Console(width=WIDTH).print(table)
    return 0 if all(row.is_kept for row in rows) else 1


def percentile(values: list[float], part: float) -> float:
    """The value that `part` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def raise_descriptor_limit() -> int:
    """As many open files as the machine allows this process, and those that it starts; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
