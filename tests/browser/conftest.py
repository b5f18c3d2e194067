"""One whole sandbox per worker, shared by its tests: each takes callers that no other test has seen, and before each
the PBXs rest, faults and log are empty, and the cards of earlier calls are closed.

The sandbox takes seconds to start, a test a second; so the browser and the sandbox live as long as the run.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from browsers import CHROMIUM, Agent, AtDesk, at_desk, launched
from clients import Clients, all_clients
from phones import Pbx
from playwright.async_api import Browser, expect
from sandboxes import Sandbox, running, until

expect.set_options(timeout=10_000)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chrome() -> AsyncIterator[Browser]:
    """One browser for the whole run; every agent gets a context of its own."""
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed: make parts")
    async with launched() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """The worker's sandbox, its phone book complete, with more clients than the sample has: each is handed out once."""
    async with running(tmp_path_factory.mktemp("sandbox"), "--contacts", "160") as started:
        await until(started.is_copied, timeout_s=60)
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def clients(shared: Sandbox) -> Clients:
    """The people who call."""
    return await all_clients(shared)


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox(shared: Sandbox) -> Sandbox:
    """The worker's sandbox as if no other test had been there."""
    await shared.ask("DELETE", f"{shared.amocrm}/sandbox/faults")
    for vendor in shared.info["pbx"]:
        await Pbx(shared, vendor).rest()
    for user in shared.info["users"]:
        await shared.close_cards(user["extension"])
    await shared.ask("DELETE", f"{shared.amocrm}/sandbox/log")
    return shared


@pytest.fixture
def sipuni(sandbox: Sandbox) -> Pbx:
    """The stand-in Sipuni."""
    return Pbx(sandbox, "sipuni")


@pytest.fixture
def mango(sandbox: Sandbox) -> Pbx:
    """The stand-in MANGO OFFICE."""
    return Pbx(sandbox, "mango")


@pytest_asyncio.fixture(loop_scope="session")
async def at(sandbox: Sandbox, chrome: Browser) -> AsyncIterator[AtDesk]:
    """`agent = await at("203")`: an agent at a browser; his pages neither throw nor break moderation's rules."""
    async with AsyncExitStack() as stack:
        seated: list[Agent] = []

        async def seat(extension: str, **look: Any) -> Agent:
            seated.append(await stack.enter_async_context(at_desk(sandbox, chrome, extension, **look)))
            return seated[-1]

        yield seat
        assert [error for agent in seated for error in agent.trouble] == []
        assert [one for name in ("rule", "leak") for one in await sandbox.log("callback", name=name)] == []
