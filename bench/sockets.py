"""Memory per idle agent, handshakes per second and core, CPU per socket of a fan-out: ours beside aiohttp's.

    python bench/sockets.py [--connections N] [--quick]

Each server runs in a process of its own; every figure is the server's own PSS or CPU time, not wall clock, so that
the load beside it and a busy machine change little. Handshakes per second and core are one over the
CPU time of one handshake. The rounds alternate; the best of each server is shown. Limits: design, "speed budgets".
"""

import argparse
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from _socket_load import Load, request
from _socket_server import MESSAGE, VARIANTS
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
FAN, FAN_ROUNDS = 1_000, 30
MUST_KB, MUST_HANDSHAKES = 2.5, 1.5
QUICK = 5_000
FEWER = 10  # a tenth of the connections shows what the default costs; all of them would take a gigabyte
SPARE_DESCRIPTORS = 200


@dataclass(frozen=True)
class Figures:
    """One server, one round."""

    idle_kb: float
    used_kb: float
    handshake_us: float
    fan_us: float

    def best(self, other: "Figures") -> "Figures":
        """The lower of each."""
        return Figures(*(min(pair) for pair in zip(self.row, other.row, strict=True)))

    @property
    def row(self) -> tuple[float, float, float, float]:
        """All figures."""
        return self.idle_kb, self.used_kb, self.handshake_us, self.fan_us


def pss_kb(pid: int) -> int:
    """Proportional set size of a process."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise LookupError("no Pss in smaps_rollup")


def measure(variant: str, connections: int) -> Figures:
    """Start one server, load it, read its figures."""
    with subprocess.Popen(
        [sys.executable, str(HERE / "_socket_server.py"), variant], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        # A compressed repetition is a handful of bytes; elsewhere only the whole message counts, a ping does not.
        message_bytes = 1 if variant == "aiohttp-deflate" else len(MESSAGE)
        load = Load(int(server.stdout.readline()), message_bytes)
        try:
            return _figures(server.pid, load, connections)
        finally:
            load.close()
            server.kill()


def _figures(pid: int, load: Load, connections: int) -> Figures:
    load.connect(100)  # warms caches, imports and the allocator
    load.settle(0.2)
    memory, cpu = pss_kb(pid), _cpu_s(load)
    load.connect(connections)
    handshake_s = _cpu_s(load) - cpu
    load.settle(0.5)
    idle_kb = pss_kb(pid) - memory
    everyone = len(load.sockets)
    _fan(load, everyone)
    used_kb = pss_kb(pid) - memory
    cpu = _cpu_s(load)
    fan = min(FAN, everyone)
    for _ in range(FAN_ROUNDS):
        _fan(load, fan)
    fan_s = (_cpu_s(load) - cpu) / FAN_ROUNDS / fan
    return Figures(idle_kb / connections, used_kb / connections, handshake_s / connections * 1e6, fan_s * 1e6)


def _cpu_s(load: Load) -> float:
    return float(request(load.port, "GET", "/cpu"))


def _fan(load: Load, count: int) -> None:
    request(load.port, "POST", f"/fan?n={count}")
    load.receive(count)


@dataclass(frozen=True)
class Row:
    """One figure of all servers, in the order of `VARIANTS`; the "must" is empty where the design sets none."""

    name: str
    figures: list[float]
    must: str = ""
    is_kept: bool = True

    @property
    def cells(self) -> list[str]:
        """The row as text."""
        shown = [f"{figure:,.0f}" if figure > 200 else f"{figure:.2f}" for figure in self.figures]
        verdict = ("ok" if self.is_kept else "MISSED") if self.must else ""
        return [self.name, *shown, f"{self.figures[0] / self.figures[2]:.2f} x", self.must, verdict]


def rows(results: dict[str, Figures]) -> list[Row]:
    """What is compared, and what the design demands of it."""
    ours, stock = results["detached"], results["aiohttp"]
    idle_kb, used_kb, handshake_us, fan_us = (
        list(column) for column in zip(*(f.row for f in results.values()), strict=True)
    )
    is_quick_enough = stock.handshake_us >= MUST_HANDSHAKES * ours.handshake_us
    return [
        Row("KB per idle connection", idle_kb, f"<= {MUST_KB}", ours.idle_kb <= MUST_KB),
        Row("KB after one message each", used_kb),
        Row("handshakes per s and core", [1e6 / us for us in handshake_us], f">= {MUST_HANDSHAKES} x", is_quick_enough),
        Row("fan-out, us of CPU per socket", fan_us, "< 1 x", ours.fan_us < stock.fan_us),
    ]


def show(table_rows: list[Row], connections: int) -> None:
    """Print the table."""
    table = Table(title=f"{connections:,} connections, each let in by an HMAC ticket; {FAN:,} sockets per fan-out")
    few = f"aiohttp, default ({connections // FEWER:,})"
    for column in ("", "ours (detached)", "ours (plain)", "aiohttp", few, "ours : aiohttp", "must", ""):
        table.add_column(column, justify="right")
    for row in table_rows:
        table.add_row(*row.cells)
    Console(width=160).print(table)


def main() -> int:
    """Run all servers; 1 when a "must" is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} connections, one round")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    connections = min(QUICK if options.quick else options.connections, hard - SPARE_DESCRIPTORS)
    results: dict[str, Figures] = {}
    for _ in range(1 if options.quick else 2):
        for variant in VARIANTS:
            figures = measure(variant, connections // FEWER if variant == "aiohttp-deflate" else connections)
            results[variant] = figures.best(results[variant]) if variant in results else figures
    table_rows = rows(results)
    show(table_rows, connections)
    return 0 if all(row.is_kept for row in table_rows) else 1


if __name__ == "__main__":
    sys.exit(main())
