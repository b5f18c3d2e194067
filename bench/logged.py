"""Calls logged in amoCRM: how many a second, and what one costs, from the webhook to the note.

    python bench/logged.py [--quick]

Ours is the real process with the sandbox's amoCRM, whose limit is lifted: each call is one webhook (a hang-up that
tells all), a card, a durable job, a note, and what the journal keeps. The peers are bare loops that only send the
request: one call after another, and six at a time. They lose a call with every answer that is not 200.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from _backend import cpu_s
from _report import Row, show

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from clients import all_clients
from sandboxes import Sandbox, running, until

GRACE_S = 5.0
"""How long an ended call waits for stragglers: waiting is no work."""

LIMIT = 500
"""Requests a second that this amoCRM allows."""


@dataclass(frozen=True)
class Cost:
    """Of one way to log calls."""

    per_s: float
    cpu_us: float


async def ours(sandbox: Sandbox, phones: list[str], count: int) -> Cost:
    """Tell of `count` calls that are over, and wait until all are in amoCRM."""
    url, now = sandbox.info["pbx"]["sipuni"]["hook_url"], int(time.time())
    pid = sandbox.info["backend_pid"]
    free = asyncio.Semaphore(32)

    async def tell(number: int) -> None:
        fields = {
            "event": 2, "call_id": f"{now}.{number}", "src_type": 1, "src_num": phones[number % len(phones)].strip("+"),
            "dst_type": 2, "short_dst_num": "202", "timestamp": now, "status": "ANSWER",
            "call_start_timestamp": now - 9, "call_answer_timestamp": now - 7,
        }  # fmt: skip
        async with free:
            await sandbox.ask("GET", f"{url}?{urlencode(fields)}")

    bearer = (await sandbox.session("201"))["bearer"]

    async def is_done() -> bool:
        headers = {"Authorization": f"Bearer {bearer}"}
        health = await sandbox.ask("GET", f"{sandbox.backend}/api/journal/health", headers=headers)
        return bool(health["waiting"] == 0 and health["calls"] >= count)

    cpu, wall = cpu_s(pid), time.perf_counter()
    await asyncio.gather(*map(tell, range(count)))
    await until(is_done, timeout_s=600, step_s=0.2)
    spent_s = time.perf_counter() - wall - GRACE_S
    return Cost(count / spent_s, (cpu_s(pid) - cpu) * 1e6 / count)


def peer(sandbox: Sandbox, phones: list[str], count: int, at_once: int) -> Cost:
    """The same number of calls by a bare loop."""
    told = {
        "origin": sandbox.amocrm, "token": sandbox.info["access_token"], "phones": phones, "count": count,
        "at_once": at_once,
    }  # fmt: skip
    command = [sys.executable, str(Path(__file__).with_name("_logged_peer.py")), json.dumps(told)]
    cost = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return Cost(count / cost["wall_s"], cost["cpu_s"] * 1e6 / count)


async def measured(count: int) -> tuple[Cost, Cost, Cost]:
    """Ours, the peer one by one, the peer six at a time."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with running(Path(folder), KOMMUTATOR_AMO_REQUESTS_PER_S=str(LIMIT)) as sandbox:
            await until(sandbox.is_copied, timeout_s=60)
            await sandbox.switch(limit_integration_per_s=0, limit_account_per_s=0)
            clients = await all_clients(sandbox)
            phones = [clients.take(lambda _: True).phone for _ in range(30)]
            mine = await ours(sandbox, phones, count)
            alone = await asyncio.to_thread(peer, sandbox, phones, count, 1)
            six = await asyncio.to_thread(peer, sandbox, phones, count, 6)
            return mine, alone, six


def main() -> int:
    """Two tables: beside each peer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer calls")
    count = 300 if parser.parse_args().quick else 2000
    mine, alone, six = asyncio.run(measured(count))
    title = f"Calls logged in amoCRM, {count} of each; SQLite; amoCRM itself is the sandbox's, in one process"
    for name, other in (("bare loop, one by one", alone), ("bare loop, six at a time", six)):
        rows = [
            Row("calls logged per s", mine.per_s, other.per_s, is_rate=True),
            Row("CPU per logged call, µs", mine.cpu_us, other.cpu_us),
        ]
        show(title, rows, peer=name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
