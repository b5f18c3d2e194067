"""A large account in the sandbox: 25 000 contacts searched, listed in Chromium, and loaded again after a restart.

    python bench/large.py [--contacts N] [--quick]

Searching is the API's `query=` by number and by name, over HTTP and inside; the peer of the latter is the scan through
all contacts that needs no index. First paint is from the navigation until the second animation frame after the rows are
in the document, the first time in a fresh browser context; the peer is the account with its own sixty contacts.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from _backend import ROOT
from _report import Row, percentile, show
from playwright.async_api import Browser

from server.sandbox.phones import digits
from server.sandbox.rest.custom_fields import values_by_code
from server.sandbox.rest.search import Finder
from server.sandbox.seed import more_contacts, seed
from server.sandbox.world import World

sys.path.insert(0, str(ROOT / "tests" / "support"))

from browsers import launched
from sandboxes import Sandbox, running

CONTACTS, QUICK_CONTACTS = 25_000, 5_000
SEARCHES, QUICK_SEARCHES = 200, 40
PAINTS, QUICK_PAINTS = 7, 3
QUERY_MUST_MS, PAINT_MUST_MS = 50, 1000

PAINTED = """new Promise((done) => {
  const look = () => document.querySelector('.js-list-row')
    ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())))
    : requestAnimationFrame(look);
  look();
})"""


def wanted(count: int) -> list[str]:
    """What is searched: numbers, most of them nobody's, and names."""
    dice = random.Random(1)
    return [
        f"+79{dice.randint(0, 10**9 - 1):09d}" if one % 2 else dice.choice(("Волков", "Мария")) for one in range(count)
    ]


def timed(search: Callable[[str], object], texts: list[str]) -> list[float]:
    """Milliseconds of each search."""
    found = []
    for text in texts:
        began = time.perf_counter()
        search(text)
        found.append((time.perf_counter() - began) * 1000)
    return found


def inside(contacts: int, texts: list[str]) -> tuple[list[float], list[float]]:
    """The finder's times, and those of a scan through every contact."""
    world = World()
    seed(world)
    more_contacts(world, contacts - len(world.contacts))
    finder = Finder(world)

    def scan(text: str) -> list[int]:
        number = digits(text)[-7:]
        return [
            row["id"]
            for row in world.contacts
            if (
                number
                and any(digits(phone).endswith(number) for phone in values_by_code(world, row, "contacts", "PHONE"))
            )
            or text.casefold() in row["name"].casefold()
        ]

    assert [row["id"] for row in finder.search("contacts", "Волков")] == scan("Волков")
    return timed(lambda text: finder.search("contacts", text), texts), timed(scan, texts[:20])


async def over_http(sandbox: Sandbox, texts: list[str]) -> list[float]:
    """Milliseconds of each `query=` from the request to the end of the answer."""
    await sandbox.switch(limit_integration_per_s=0, limit_account_per_s=0)
    headers, found = {"Authorization": f"Bearer {sandbox.info['access_token']}"}, []
    for text in texts:
        began = time.perf_counter()
        async with sandbox.http.get(
            f"{sandbox.amocrm}/api/v4/contacts", params={"query": text, "limit": 50}, headers=headers
        ) as answer:
            await answer.read()
        found.append((time.perf_counter() - began) * 1000)
    return found


async def painted(browser: Browser, sandbox: Sandbox, times: int) -> list[float]:
    """Milliseconds until the list of contacts is on screen, each time in a fresh context."""
    found = []
    for _ in range(times):
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        page = await context.new_page()
        await page.goto(f"{sandbox.amocrm}/contacts/list/", wait_until="commit")
        found.append(float(await page.evaluate(PAINTED)))
        await context.close()
    return found


async def run(contacts: int, searches: int, paints: int) -> int:
    """Everything; the exit code."""
    texts = wanted(searches)
    ours, scan = inside(contacts, texts)
    with tempfile.TemporaryDirectory(prefix="bench-large-") as folder:
        alone = ("--only", "amocrm")
        began = time.perf_counter()
        async with running(Path(folder) / "large", *alone, "--contacts", str(contacts)):
            filled_s = time.perf_counter() - began
        began = time.perf_counter()
        async with running(Path(folder) / "large", *alone) as large, launched() as browser:
            loaded_s = time.perf_counter() - began
            http = await over_http(large, texts)
            shown = await painted(browser, large, paints)
            began = time.perf_counter()
            async with running(Path(folder) / "small", *alone) as small:
                small_s = time.perf_counter() - began
                few = await painted(browser, small, paints)
    rows = [
        Row("query=, inside, p50, ms", percentile(ours, 0.5), percentile(scan, 0.5)),
        Row("query=, inside, p95, ms", percentile(ours, 0.95), percentile(scan, 0.95)),
        Row("query=, over HTTP, p50, ms", percentile(http, 0.5)),
        Row("query=, over HTTP, p95, ms", percentile(http, 0.95), must=QUERY_MUST_MS),
        Row("list, first paint, p50, ms", percentile(shown, 0.5), percentile(few, 0.5), must=PAINT_MUST_MS),
        Row("list, first paint, worst, ms", max(shown), max(few)),
        Row("start with the stored account, s", loaded_s, small_s),
        Row("start and fill, s", filled_s, small_s),
    ]
    return show(f"{contacts:,} contacts in the sandbox", rows, peer="scan / small account")


def main() -> int:
    """1 when a "must" is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--contacts", type=int)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_CONTACTS:,} contacts")
    options = parser.parse_args()
    sizes = (QUICK_CONTACTS, QUICK_SEARCHES, QUICK_PAINTS) if options.quick else (CONTACTS, SEARCHES, PAINTS)
    contacts, searches, paints = sizes
    return asyncio.run(run(options.contacts or contacts, searches, paints))


if __name__ == "__main__":
    sys.exit(main())
