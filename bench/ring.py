"""From the PBX's webhook to the painted card in a real browser, while hundreds and thousands of others are connected.

    python bench/ring.py [--quick] [--rings N]

The whole sandbox runs (its amoCRM, the real backend, the widget in Chromium). A ring begins when the webhook is sent,
and ends when the frame with the card has been painted (two animation frames after the card is in the document, so up
to one frame late); both by this machine's clock. amoCRM's log must show no request in between. The peer in the same
run is the classic design: the page polls once a second and looks the caller up in amoCRM.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from _backend import HERE, ROOT
from _poll_peer import PollPeer, polling
from _report import Row, percentile, raise_descriptor_limit, show
from playwright.async_api import Page, async_playwright

sys.path.insert(0, str(ROOT / "tests" / "support"))

from sandboxes import Sandbox, running, until

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
EXTENSION = "201"
FEW = 200
MANY, QUICK_MANY = 10_000, 2_000
RINGS, QUICK_RINGS = 60, 15
POLLERS = 10
WARM_UP = 5
MUST_MS, SHOULD_MS = 100, 50
CARD_S = 10.0
CROWD_S = 120.0
SPARE_DESCRIPTORS = 500

OBSERVE = """() => {
  const seen = new Set();
  new MutationObserver(() => {
    for (const card of document.querySelectorAll("[data-kmt=card]")) {
      const id = card.dataset.kmtCall;
      if (seen.has(id)) continue;
      seen.add(id);
      requestAnimationFrame(() => requestAnimationFrame(() => painted(id, performance.timeOrigin + performance.now())));
    }
  }).observe(document, { childList: true, subtree: true });
}"""
CLOSE = """() => document.querySelectorAll("[data-kmt=card] [data-kmt=close]").forEach((button) => button.click())"""
NOW = "() => performance.timeOrigin + performance.now()"


@dataclass
class Eye:
    """Hears from pages what they painted, and when."""

    moments: "asyncio.Queue[tuple[str, float]]" = field(default_factory=asyncio.Queue)
    ahead_ms: float = 0.0
    """The page's clock minus ours."""

    async def watch(self, page: Page) -> None:
        """Let `painted(id, ms)` of this page be heard. To be called before the page is loaded."""
        await page.expose_function("painted", lambda one, at_ms: self.moments.put_nowait((one, at_ms)))

    async def set_clock(self, page: Page) -> None:
        """Compare the clocks; the quickest of some answers is the truest."""
        best_ms = 1e9
        for _ in range(20):
            before = time.time() * 1000
            theirs = await page.evaluate(NOW)
            after = time.time() * 1000
            if after - before < best_ms:
                best_ms, self.ahead_ms = after - before, theirs - (before + after) / 2

    async def next(self) -> tuple[str, float]:
        """What was painted next, and when by our clock, Unix milliseconds."""
        one, at_ms = await asyncio.wait_for(self.moments.get(), CARD_S)
        return one, at_ms - self.ahead_ms


@dataclass(frozen=True)
class Ring:
    """One measured ring, Unix milliseconds."""

    sent_ms: float
    painted_ms: float
    runnable: int = 0
    """How many processes of the whole machine wanted a core when it was over."""

    @property
    def took_ms(self) -> float:
        """How long the agent waited for his card."""
        return self.painted_ms - self.sent_ms


class Phones:
    """Rings at extension 201 from numbers that stand in the phone book. The calls go on; only their cards are closed,
    so that nothing is logged in amoCRM while others are measured.
    """

    def __init__(self, sandbox: Sandbox, page: Page, eye: Eye, phones: list[str]) -> None:
        self._sandbox = sandbox
        self._page = page
        self._eye = eye
        self._phones = phones
        self._number = 0

    async def ring(self) -> Ring:
        """One call; its card is closed afterwards."""
        self._number += 1
        now_s = int(time.time())
        event = {
            "event": 1, "call_id": f"{now_s}.{self._number}", "src_type": 1, "dst_type": 2, "timestamp": now_s,
            "src_num": self._phones[self._number % len(self._phones)], "dst_num": f"078332{EXTENSION}",
            "short_dst_num": EXTENSION,
        }  # fmt: skip
        url = f"{self._sandbox.info['pbx']['sipuni']['hook_url']}?{urlencode(event)}"
        await asyncio.sleep(random.uniform(0.05, 0.15))  # meets the frames of the screen at any moment
        sent_ms = time.time() * 1000
        async with self._sandbox.http.get(url) as answer:
            answer.raise_for_status()
        _, painted_ms = await self._eye.next()
        await self._page.evaluate(CLOSE)
        await self._page.wait_for_selector("[data-kmt=card]", state="detached")
        return Ring(sent_ms, painted_ms, _runnable())

    async def many(self, count: int) -> list[Ring]:
        """That many, one after the other."""
        return [await self.ring() for _ in range(count)]


def _runnable() -> int:
    return int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0])


async def known_phones(sandbox: Sandbox) -> list[str]:
    """Numbers of contacts in the sandbox."""
    answer = await sandbox.api("/api/v4/contacts?limit=50")
    fields = [one for contact in answer["_embedded"]["contacts"] for one in contact["custom_fields_values"] or ()]
    found = [one["values"][0]["value"] for one in fields if one["field_code"] == "PHONE"]
    return ["7" + "".join(filter(str.isdigit, phone))[-10:] for phone in found]


async def book_is_whole(sandbox: Sandbox) -> bool:
    """Whether the first copy of the phone book is complete: then nothing more is asked of amoCRM by itself."""
    session = await sandbox.session(EXTENSION)
    headers = {"Authorization": f"Bearer {session['bearer']}"}
    snapshot = await sandbox.ask("GET", f"{sandbox.backend}/api/poll", headers=headers)
    return bool((snapshot.get("directory") or {}).get("is_complete"))


@contextmanager
def crowd(sandbox: Sandbox, count: int) -> Iterator[None]:
    """That many other agents, connected."""
    info = sandbox.info
    redirect = urlsplit(info["redirect_uri"])
    told = {
        "port": urlsplit(sandbox.backend).port, "count": count, "account_id": info["account_id"],
        "client": [info["client_id"], info["client_secret"]], "audience": f"{redirect.scheme}://{redirect.hostname}",
    }  # fmt: skip
    command = [sys.executable, str(HERE / "_agents_load.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the other agents could not connect")
        yield
        if process.poll() is not None:
            raise RuntimeError("the other agents were disconnected")
        process.stdin.close()


async def asked_between(sandbox: Sandbox, rings: list[Ring]) -> int:
    """How many requests amoCRM saw while one of these rings was on its way to the screen."""
    requests = [(entry["at"] * 1000 - entry["ms"], entry["at"] * 1000) for entry in await sandbox.log("request")]
    return sum(any(begun <= ring.painted_ms and ended >= ring.sent_ms for ring in rings) for begun, ended in requests)


@asynccontextmanager
async def desk(sandbox: Sandbox, eye: Eye) -> AsyncIterator[tuple[Any, Page]]:
    """The browser, and an agent's page in it, widget ready."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        await eye.watch(page)
        await page.goto(f"{sandbox.amocrm}/sandbox/login?user={sandbox.user(EXTENSION)['id']}")
        await page.goto(f"{sandbox.amocrm}/dashboard/")
        await page.wait_for_selector("html[data-sandbox=ready]", state="attached")
        await page.mouse.click(640, 400)  # the agent is at this tab
        await page.evaluate(OBSERVE)
        await eye.set_clock(page)
        yield browser, page
        await browser.close()


async def poll_rings(browser: Any, sandbox: Sandbox, folder: Path, *, phones: list[str], count: int) -> list[Ring]:
    """The peer's rings; several agents poll in one page, each in his own rhythm."""
    eye, places = Eye(), [str(300 + place) for place in range(POLLERS)]
    peer = PollPeer(folder / "peer.db", sandbox.amocrm, sandbox.info["access_token"], sandbox.http)
    async with polling(peer) as url:
        page = await browser.new_page()
        await eye.watch(page)
        await page.goto(f"{url}/?{urlencode([('extension', place) for place in places])}")
        await eye.set_clock(page)
        await asyncio.sleep(1)  # all of them have begun to poll
        sent_ms: dict[str, float] = {}

        async def ring(number: int) -> None:
            await asyncio.sleep(random.random())
            sent_ms[str(number)] = time.time() * 1000
            query = {"id": number, "extension": places[number % POLLERS], "phone": phones[number % len(phones)]}
            async with sandbox.http.get(f"{url}/hook?{urlencode(query)}") as answer:
                answer.raise_for_status()

        found = []
        for first in range(0, count, POLLERS):
            lot = range(first, min(first + POLLERS, count))
            await asyncio.gather(*map(ring, lot))
            for _ in lot:
                one, painted_ms = await eye.next()
                found.append(Ring(sent_ms[one], painted_ms))
        await page.close()
        return found


async def run(rings: int, many: int) -> int:
    """Everything; the exit code."""
    with tempfile.TemporaryDirectory(prefix="bench-ring-") as name:
        folder, eye = Path(name), Eye()
        async with running(folder / "sandbox") as sandbox, desk(sandbox, eye) as (browser, page):
            await until(lambda: book_is_whole(sandbox), timeout_s=30)
            numbers = await known_phones(sandbox)
            phones = Phones(sandbox, page, eye, numbers)
            await phones.many(WARM_UP)
            measured, asked = {}, 0
            for others in (FEW, many):
                with crowd(sandbox, others):
                    measured[others] = await phones.many(rings)
                asked += await asked_between(sandbox, measured[others])
            polled = await poll_rings(browser, sandbox, folder, phones=numbers, count=rings)
            asked_by_peer = await asked_between(sandbox, polled)
    rows = [Row("requests to amoCRM between ring and card, all rings", asked, asked_by_peer, must=0)]
    for others, found in measured.items():
        took, theirs = ([ring.took_ms for ring in one] for one in (found, polled))
        for title, part in (("p50", 0.5), ("p95", 0.95)):
            limits = (MUST_MS, SHOULD_MS) if part == 0.95 else (None, None)
            label = f"ring to painted card, {title}, ms; {others:,} others"
            rows.append(Row(label, percentile(took, part), percentile(theirs, part), *limits))
    busy = [float(ring.runnable) for found in measured.values() for ring in found]
    title = f"{rings} rings each, Chromium, the sandbox's amoCRM; {os.cpu_count()} cores, processes that wanted one:"
    title += f" p50 {percentile(busy, 0.5):.0f}, most {max(busy):.0f}"
    return show(title, rows, peer="a poll a second")


def main() -> int:
    """1 when a "must" is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rings", type=int)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RINGS} rings, {QUICK_MANY:,} others at most")
    options = parser.parse_args()
    room = raise_descriptor_limit() - SPARE_DESCRIPTORS
    rings = options.rings or (QUICK_RINGS if options.quick else RINGS)
    return asyncio.run(run(rings, min(room, QUICK_MANY if options.quick else MANY)))


if __name__ == "__main__":
    sys.exit(main())
