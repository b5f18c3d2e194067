"""`python -m tests.drill [--database sqlite|postgresql] [--short] [--calls N] [--seed N]`.

Exit 1 unless nothing is lost and nothing doubled. Without --database, both follow each other: SQLite with one node,
PostgreSQL with two.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from .run import Options, drill

LONG = Options(calls=10_000, kills=20, outage_s=60, at_once=60, seed=1)
SHORT = Options(calls=240, kills=3, outage_s=8, at_once=40, seed=1)
DATABASES = ("sqlite", "postgresql")


def main() -> int:
    """Each database after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--database", choices=DATABASES, help="only this one")
    parser.add_argument("--short", action="store_true", help=f"{SHORT.calls} calls instead of {LONG.calls}")
    parser.add_argument("--calls", type=int, help="so many calls")
    parser.add_argument("--kills", type=int, help="so many kill -9")
    parser.add_argument("--seed", type=int, default=1, help="another course of events")
    parser.add_argument("--keep", action="store_true", help="leave the folders with the logs")
    told = parser.parse_args()
    options = replace(SHORT if told.short else LONG, seed=told.seed)
    options = replace(
        options, calls=told.calls or options.calls, kills=options.kills if told.kills is None else told.kills
    )
    failed = [name for name in DATABASES if told.database in (None, name) and not run(name, options, keep=told.keep)]
    return 1 if failed else 0


def run(name: str, options: Options, *, keep: bool) -> bool:
    """One drill; whether it came out clean."""
    folder = Path(tempfile.mkdtemp(prefix="kommutator-drill-"))
    if name == "postgresql":
        sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))
        from databases import postgres_database

        options = replace(options, database=asyncio.run(postgres_database()), nodes=2)
    print(
        f"\n{name}, {options.nodes} node{'s' * (options.nodes > 1)}: {options.calls} calls, seed {options.seed}",
        flush=True,
    )
    started = time.monotonic()
    verdict, figures = asyncio.run(drill(options, folder))
    *findings, count = verdict.lines()
    for line in [*figures.lines(), *findings]:
        print(line)
    print(f"{time.monotonic() - started:.0f} s" + (f", logs in {folder}" if keep or not verdict.is_clean else ""))
    print(count, flush=True)
    if verdict.is_clean and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return verdict.is_clean


if __name__ == "__main__":
    sys.exit(main())
