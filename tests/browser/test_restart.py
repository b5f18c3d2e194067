"""The backend dies and comes back: what the agent sees is right again at once, and nothing is told twice."""

import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from browsers import AtDesk, card, click_number, line, part, problem
from clients import Clients, pretty
from phones import Pbx
from playwright.async_api import expect
from sandboxes import Sandbox, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RIGHT_AGAIN_S = 2.0
"""Issue "The spine": the card is right again within this long of the backend's return."""


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def backend_runs(sandbox: Sandbox) -> AsyncIterator[None]:
    """The next test finds a running backend whatever happened."""
    yield
    await sandbox.switch_backend("start")


async def is_ready(sandbox: Sandbox) -> bool:
    try:
        async with sandbox.http.get(f"{sandbox.backend}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def start_again(sandbox: Sandbox) -> float:
    """Start the backend; when it said that it is ready, on the monotonic clock."""
    await sandbox.switch_backend("start")
    await until(lambda: is_ready(sandbox), step_s=0.01)
    return time.monotonic()


async def test_card_is_right_within_two_seconds_of_the_backends_return(
    at: AtDesk, clients: Clients, sipuni: Pbx, sandbox: Sandbox
) -> None:
    """Killed while it rings, back while the client still waits: picked up right then, the card talks within 2 s."""
    client = clients.take()
    page = await (await at("201")).open()
    call = await sipuni.ring("201", caller=client.phone)
    await expect(card(page, client.name, state="ringing")).to_be_visible()

    await until(lambda: sandbox.log("notification", method="add_call"))

    await sandbox.switch_backend("kill")
    await expect(card(page, client.name, state="ringing")).to_be_visible()
    back = await start_again(sandbox)
    await call.answer("201")
    await expect(card(page, client.name, state="talking")).to_be_visible()
    right_after_s = time.monotonic() - back
    await call.hang_up()

    await expect(card(page, client.name, state="ended")).to_be_visible()
    assert right_after_s < RIGHT_AGAIN_S
    assert len(await sandbox.log("notification", method="add_call")) == 1


async def test_talk_outlives_the_backend(at: AtDesk, clients: Clients, sipuni: Pbx, sandbox: Sandbox) -> None:
    """A page that is opened after the restart shows the talk as it is."""
    client = clients.take()
    call = await sipuni.ring("202", caller=client.phone)
    await call.answer("202")
    agent = await at("202")
    await expect(card(await agent.open(), client.name, state="talking")).to_be_visible()

    await sandbox.switch_backend("kill")
    await start_again(sandbox)

    await expect(card(await agent.open("/contacts/list/"), client.name, state="talking")).to_be_visible()


async def test_lost_connection_is_said_and_taken_back(
    at: AtDesk, clients: Clients, sipuni: Pbx, sandbox: Sandbox
) -> None:
    """While the backend is away for longer, the card stays with a warning; with the connection the warning goes."""
    client = clients.take()
    page = await (await at("203")).open()
    call = await sipuni.ring("203", caller=client.phone)
    await call.answer("203")
    await expect(card(page, client.name, state="talking")).to_be_visible()

    await sandbox.switch_backend("kill")
    await expect(part(page, "offline")).to_contain_text("Нет связи")
    await expect(card(page, client.name, state="talking")).to_be_visible()
    await start_again(sandbox)

    await expect(part(page, "offline")).to_have_count(0)
    await expect(card(page, client.name, state="talking")).to_be_visible()


async def test_stopped_backend_says_goodbye_and_is_found_again(
    at: AtDesk, clients: Clients, mango: Pbx, sandbox: Sandbox
) -> None:
    """An orderly restart between two calls goes unnoticed: the next call has its card."""
    client = clients.take()
    page = await (await at("204")).open()
    before = await mango.ring("204", caller=client.phone)
    await expect(card(page, pretty(client.phone))).to_be_visible()
    await before.hang_up()

    await sandbox.switch_backend("stop")
    await start_again(sandbox)
    phone = clients.stranger()
    await mango.ring("204", caller=phone)

    await expect(card(page, pretty(phone), state="ringing")).to_be_visible()


async def test_click_while_the_backend_is_away_says_what_to_do(
    at: AtDesk, clients: Clients, sipuni: Pbx, sandbox: Sandbox
) -> None:
    """A click that nobody can take is refused in plain words beside the click; tried again later, it is a call."""
    client = clients.take()
    page = await (await at("201")).open(client.path)
    await sandbox.switch_backend("kill")

    await click_number(page)
    refused = line(page, pretty(client.phone), state="failed")
    await expect(problem(refused, "unreachable")).to_contain_text("Сервер телефонии не отвечает")
    await start_again(sandbox)
    await part(refused, "retry").click()

    await sipuni.ordered()
    await expect(line(page, pretty(client.phone), state="agent_ringing")).to_be_visible()
