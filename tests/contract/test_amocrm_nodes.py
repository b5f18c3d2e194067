"""What amoCRM grants us, however many processes we are: a refresh token works once; seven requests a second."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakes.clock import HandClock
from fakes.crm import FakeCrm
from fakes.later import Shelf
from store_house import ACCOUNT, account, database_url, db, kept  # noqa: F401

from server.amocrm.client import Client
from server.amocrm.pace import RATE, SPARE
from server.core.errors import CrmTokenDead, CrmUnavailable
from server.core.hosts import Trust
from server.core.records import Account, Tokens
from server.services.accounts import SOLE_MS, Accounts
from server.services.agents import Agents
from server.services.clock import now_ms
from server.wiring import Stores

NODES = 3


class Amo:
    """amoCRM's token endpoint and one method: a refresh token is taken once, and the pair before it is dead."""

    def __init__(self) -> None:
        self.number = 1
        self.refreshes: list[str] = []
        self.is_down = False
        self.moments: list[float] = []

    async def refresh(self, request: web.Request) -> web.Response:
        said = await request.json()
        self.refreshes.append(said["refresh_token"])
        await asyncio.sleep(0.05)  # both are on their way at once, unless somebody waits for somebody
        if self.is_down:
            return web.Response(status=503)
        if said["refresh_token"] != f"refresh-{self.number}":
            return web.json_response({"hint": "Token has been revoked"}, status=400)
        self.number += 1
        pair = {"access_token": f"access-{self.number}", "refresh_token": f"refresh-{self.number}"}
        return web.json_response({**pair, "token_type": "Bearer", "expires_in": 86_400})

    async def users(self, request: web.Request) -> web.Response:
        self.moments.append(time.monotonic())
        is_good = request.headers["Authorization"] == f"Bearer access-{self.number}"
        return web.json_response({"_embedded": {"users": []}}, status=200 if is_good else 401)


class Node:
    """What one process knows of accounts, and its way to amoCRM."""

    def __init__(self, kept: Stores, clock: Callable[[], int]) -> None:  # noqa: F811
        self.client = Client(client_id="i", client_secret="s", redirect_uri="https://voip.example", clock=clock)
        self.accounts = Accounts(kept.accounts, FakeCrm(), Agents(), Shelf(), trust=Trust(()), clock=clock)
        self.client.attach(self.accounts)

    async def ask(self) -> None:
        await self.client.users(self.accounts.get(ACCOUNT))


@pytest.fixture
async def amo() -> AsyncIterator[tuple[Amo, str]]:
    """The stand-in, and its origin."""
    amo, app = Amo(), web.Application()
    app.router.add_post("/oauth2/access_token", amo.refresh)
    app.router.add_get("/api/v4/users", amo.users)
    async with TestServer(app) as server:
        yield amo, str(server.make_url("")).rstrip("/")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def nodes(kept: Stores, amo: tuple[Amo, str], clock: HandClock) -> AsyncIterator[list[Node]]:  # noqa: F811
    """Processes that all remember the first pair; none hears what another stores."""
    one: Account = account(origin=amo[1], tokens=Tokens("access-1", "refresh-1", clock() + 1000))
    await kept.accounts.put(one)
    every = [Node(kept, clock) for _ in range(NODES)]
    for node in every:
        await node.accounts.load()
    yield every
    for node in every:
        await node.client.close()


async def test_nodes_that_need_a_new_pair_at_once_get_one(nodes: list[Node], amo: tuple[Amo, str]) -> None:
    """The first asks amoCRM, the others wait for it and take its pair: no authorisation dies."""
    await asyncio.gather(*(node.ask() for node in nodes for _ in range(2)))

    assert amo[0].refreshes == ["refresh-1"]
    assert {node.accounts.tokens(ACCOUNT).access for node in nodes} == {"access-2"}


async def test_a_node_whose_pair_is_old_takes_the_stored_one(nodes: list[Node], amo: tuple[Amo, str]) -> None:
    """It slept through another's refresh: amoCRM says 401, and nothing is refreshed again."""
    await nodes[0].ask()
    await nodes[1].ask()

    assert amo[0].refreshes == ["refresh-1"]


async def test_a_refresh_that_failed_leaves_the_right_to_the_next(nodes: list[Node], amo: tuple[Amo, str]) -> None:
    """amoCRM was down for one node's request; the next may ask at once."""
    amo[0].is_down = True
    with pytest.raises(CrmUnavailable):
        await nodes[0].ask()
    amo[0].is_down = False
    await nodes[1].ask()

    assert amo[0].refreshes == ["refresh-1", "refresh-1"]


async def test_a_node_that_died_refreshing_holds_nobody_up_for_long(
    nodes: list[Node], amo: tuple[Amo, str], kept: Stores, clock: HandClock  # noqa: F811
) -> None:  # fmt: skip
    """Its right runs out; the others do not ask amoCRM before."""
    until_ms = clock() + SOLE_MS
    assert await kept.accounts.lease(f"refresh:{ACCOUNT}", account_id=ACCOUNT, now_ms=clock(), until_ms=until_ms)
    asking = asyncio.create_task(nodes[0].ask())
    await asyncio.sleep(0.5)
    assert amo[0].refreshes == []

    clock.pass_s(SOLE_MS / 1000 + 1)
    await asking
    assert amo[0].refreshes == ["refresh-1"]


async def test_a_pair_lost_with_its_node_is_a_dead_authorisation(nodes: list[Node], amo: tuple[Amo, str]) -> None:
    """It died between amoCRM's answer and the store: nobody has the new pair, and that is said, not tried again."""
    amo[0].number = 2  # the answer that nobody stored

    with pytest.raises(CrmTokenDead):
        await nodes[0].ask()


@pytest.mark.external_service
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_nodes_share_seven_requests_a_second(kept: Stores, amo: tuple[Amo, str]) -> None:  # noqa: F811
    """Three nodes with much to do at once never ask more often together than one may alone."""
    await kept.accounts.put(account(origin=amo[1], tokens=Tokens("access-1", "refresh-1", now_ms() + 86_400_000)))
    every = [Node(kept, now_ms) for _ in range(NODES)]
    for node in every:
        await node.accounts.load()

    await asyncio.gather(*(node.ask() for node in every for _ in range(RATE - SPARE)))

    moments = sorted(amo[0].moments)
    work = RATE - SPARE
    assert len(moments) == NODES * work
    assert all(later - earlier >= 1.0 for earlier, later in zip(moments, moments[work:], strict=False))
    for node in every:
        await node.client.close()
