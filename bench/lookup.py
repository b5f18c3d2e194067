"""Who is calling: one number among a million in the phone book, through the store that the product uses.

    python bench/lookup.py [--numbers N] [--quick]

A look-up is everything from the service's question to the entries: the hop to the reader's thread, the statements for
the contact, its company and its open leads. Processor time of the whole process per look-up; the wall clock's beside
it. The peer is a dict in memory, the limit of what any index can do. Half of the callers are known.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from _backend import phone
from _report import Row, percentile, show

from server.core.book import BookRow
from server.sql import connect
from server.store.directory import DirectoryStore
from server.store.migrate import migrate

ACCOUNT = 1
NUMBERS, QUICK_NUMBERS = 1_000_000, 100_000
LOOKUPS, QUICK_LOOKUPS = 20_000, 5_000
AT_ONCE = 5_000
EVERY_LEAD = 10  # one contact in ten has an open lead
MUST_US, SHOULD_US = 100, 20
CRM_MS = (100, 300)  # quoted from the design's speed budgets, not measured here

Find = Callable[[str], Awaitable[object]]


async def fill(store: DirectoryStore, numbers: int) -> None:
    """Contacts with a number each, some with an open lead."""
    for first in range(0, numbers, AT_ONCE):
        lot = range(first + 1, min(first + AT_ONCE, numbers) + 1)
        people = [BookRow(id=one, name=f"Client {one}", owner_id=7, phones=(phone(one)[-10:],)) for one in lot]
        await store.put(ACCOUNT, "contacts", people)
        leads = [
            BookRow(id=one, name=f"Lead {one}", owner_id=7, bonds=(("contacts", one),))
            for one in lot
            if one % EVERY_LEAD == 0
        ]
        await store.put(ACCOUNT, "leads", leads)


async def measure(find: Find, callers: Sequence[str]) -> tuple[float, list[float]]:
    """Microseconds of processor time per look-up, and each look-up's by the clock."""
    walls = []
    cpu = time.process_time()
    for caller in callers:
        started = time.perf_counter()
        await find(caller)
        walls.append((time.perf_counter() - started) * 1e6)
    return (time.process_time() - cpu) / len(callers) * 1e6, walls


async def run(numbers: int, lookups: int) -> int:
    """Everything; the exit code."""
    callers = [phone(random.randint(1, 2 * numbers))[-10:] for _ in range(lookups)]
    with tempfile.TemporaryDirectory(prefix="bench-lookup-") as folder:
        url = f"sqlite:///{Path(folder) / 'kommutator.db'}"
        db = await connect(url)
        await migrate(db, url)
        store = DirectoryStore(db)
        started = time.perf_counter()
        await fill(store, numbers)
        filled_s = time.perf_counter() - started
        found = [await store.find(ACCOUNT, caller) for caller in callers[:1000]]
        assert [len(one) for one in found] == [int(int(caller) - 9_000_000_000 <= numbers) for caller in callers[:1000]]
        cpu_us, walls = await measure(lambda caller: store.find(ACCOUNT, caller), callers)
        await db.close()
    names = {phone(one)[-10:]: f"Client {one}" for one in range(1, numbers + 1)}

    async def in_memory(caller: str) -> str | None:
        return names.get(caller)

    dict_us, dict_walls = await measure(in_memory, callers)
    rows = [
        Row("CPU per look-up, us", cpu_us, dict_us, MUST_US, SHOULD_US),
        Row("wall clock, p50, us", percentile(walls, 0.5), percentile(dict_walls, 0.5)),
        Row("wall clock, p95, us", percentile(walls, 0.95), percentile(dict_walls, 0.95)),
    ]
    title = f"{numbers:,} numbers in SQLite (filled in {filled_s:.0f} s); quoted: amoCRM {CRM_MS[0]}-{CRM_MS[1]} ms"
    return show(f"{title}, 7 requests a second", rows, peer="dict")


def main() -> int:
    """1 when a "must" is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--numbers", type=int)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_NUMBERS:,} numbers")
    options = parser.parse_args()
    numbers = options.numbers or (QUICK_NUMBERS if options.quick else NUMBERS)
    work = run(numbers, QUICK_LOOKUPS if options.quick else LOOKUPS)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return int(uvloop.run(work))


if __name__ == "__main__":
    sys.exit(main())
