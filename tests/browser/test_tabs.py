"""One agent is one agent however many tabs he has, and nobody else sees his calls."""

import time

import pytest
from browsers import Agent, AtDesk, card, navigate, part, ready
from clients import Client, Clients, pretty
from phones import Pbx
from playwright.async_api import Page, expect
from sandboxes import Json, Sandbox, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TAKE_OVER_S = 1.0
"""The promise of docs/reference/widget.md and of the design: a closed leader is replaced within a second."""


async def turn_to(page: Page) -> None:
    """The agent clicks into another tab: headless browsers call every tab visible, so the click must tell."""
    await page.bring_to_front()
    await page.mouse.click(400, 5)


async def painted(agent: Agent) -> int:
    """On how many tabs there is a card."""
    return sum([await card(page).count() for page in agent.context.pages])


async def notices(sandbox: Sandbox, client: Client) -> list[Json]:
    """What went into amoCRM's notification centre about this caller."""
    entries = await sandbox.log("notification", method="add_call")
    return [entry for entry in entries if entry["payload"].get("from") == client.name]


async def test_only_the_agent_whose_phone_rings_sees_the_card(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """Two agents side by side: the one whose extension rings has the card, the other has nothing, also at the end."""
    client = clients.take()
    called, idle = await (await at("203")).open(), await (await at("204")).open()

    call = await sipuni.ring("203", caller=client.phone)
    await expect(card(called, client.name, state="ringing")).to_be_visible()
    await call.answer("203")
    await expect(card(called, client.name, state="talking")).to_be_visible()
    await call.hang_up()
    await expect(card(called, client.name, state="ended")).to_be_visible()

    await expect(card(idle, pretty(client.phone))).to_have_count(0)
    await expect(card(idle, client.name)).to_have_count(0)


async def test_five_tabs_are_one_agent(at: AtDesk, clients: Clients, sipuni: Pbx, sandbox: Sandbox) -> None:
    """Five tabs: one connection, one card, one ring, one notice; the card follows the agent from tab to tab."""
    agent, client = await at("201"), clients.take()
    pages = [await agent.open(path) for path in ("/dashboard/", "/contacts/list/", "/leads/list/", "/", "/todo/list/")]
    await turn_to(pages[4])

    await sipuni.ring("201", caller=client.phone)
    await expect(card(pages[4], client.name, state="ringing")).to_be_visible()
    await turn_to(pages[1])
    await expect(card(pages[1], client.name, state="ringing")).to_be_visible()
    await until(lambda: notices(sandbox, client))

    assert await painted(agent) == 1
    assert await agent.rings() == {"started": 1, "sounding": 1}
    assert len(agent.sockets) == 1
    await sipuni.rest()
    await expect(card(pages[1], client.name, state="missed")).to_be_visible()
    assert (await agent.rings())["sounding"] == 0
    assert len(await notices(sandbox, client)) == 1


async def test_next_tab_takes_over_from_a_closed_one(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """The leading tab is closed while it rings: within a second another one leads, and hears what comes next."""
    agent, client = await at("202"), clients.take()
    leader, painter = await agent.open(), await agent.open("/contacts/list/")
    await turn_to(painter)
    call = await sipuni.ring("202", caller=client.phone)
    await expect(card(painter, client.name, state="ringing")).to_be_visible()
    assert len(agent.sockets) == 1

    async with painter.expect_websocket(lambda socket: socket.url.endswith("/api/socket")):
        closed = time.monotonic()
        await leader.close()
    took_over_s = time.monotonic() - closed

    await expect(card(painter, client.name, state="ringing")).to_be_visible()
    await call.answer("202")
    await expect(card(painter, client.name, state="talking")).to_be_visible()
    assert took_over_s < TAKE_OVER_S


async def test_reload_in_mid_call_notices_nothing_twice(
    at: AtDesk, clients: Clients, sipuni: Pbx, sandbox: Sandbox
) -> None:
    """A page that is loaded anew shows the call as it is, and the notification centre keeps its one entry."""
    agent, client = await at("203"), clients.take()
    page = await agent.open()
    call = await sipuni.ring("203", caller=client.phone)
    await until(lambda: notices(sandbox, client))
    await call.answer("203")
    await expect(card(page, client.name, state="talking")).to_be_visible()

    await page.reload()
    await ready(page)
    await expect(card(page, client.name, state="talking")).to_be_visible()
    await call.hang_up()
    await expect(card(page, client.name, state="ended")).to_be_visible()

    assert len(await notices(sandbox, client)) == 1


async def test_closed_card_stays_closed(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """A card that the agent closed does not come back: not with the next event, not with a reload, in no tab."""
    agent, client = await at("204"), clients.take()
    page = await agent.open()
    call = await sipuni.ring("204", caller=client.phone)
    shown = card(page, pretty(client.phone))
    await expect(shown).to_be_visible()

    await part(shown, "close").click()
    await expect(shown).to_have_count(0)
    await call.answer("204")
    marker = await sipuni.ring("204", caller="+79990000001")
    await expect(card(page, pretty("+79990000001"))).to_be_visible()
    await expect(shown).to_have_count(0)
    await page.reload()
    await expect(card(page, pretty("+79990000001"))).to_be_visible()

    await expect(shown).to_have_count(0)
    assert (await agent.rings())["sounding"] <= 1
    await marker.hang_up()


async def test_card_survives_walking_through_amocrm(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """Navigation inside amoCRM in mid-call keeps the card, its clock and the one connection."""
    agent, client = await at("201"), clients.take()
    page = await agent.open()
    call = await sipuni.ring("201", caller=client.phone)
    await call.answer("201")
    talk = card(page, client.name, state="talking")
    await expect(talk).to_be_visible()

    for href in ("/leads/pipeline/", "/settings/widgets/", "/contacts/list/"):
        await navigate(page, page.locator(f'#nav_menu a[href="{href}"]'))
        await expect(talk).to_be_visible()
    await call.hang_up()

    await expect(card(page, client.name, state="ended")).to_be_visible()
    assert len(agent.sockets) == 1


async def test_folded_call_is_one_line_and_opens_again(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """Folded, a call is its name and its clock; unfolded it is whole again."""
    client = clients.take()
    page = await (await at("202")).open()
    await sipuni.ring("202", caller=client.phone)
    shown = card(page, client.name)

    await part(shown, "fold").click()
    await expect(part(shown, "phone")).to_have_count(0)
    await expect(part(shown, "timer")).to_be_visible()
    await part(shown, "fold").click()

    await expect(part(shown, "phone")).to_be_visible()


async def test_silent_setting_rings_and_shows_nothing(
    at: AtDesk, clients: Clients, sipuni: Pbx, sandbox: Sandbox
) -> None:
    """Where the account wants amoCRM's own notice alone, the widget neither paints nor rings; amoCRM tells."""
    client = clients.take()
    headers = {"Authorization": f"Bearer {(await sandbox.session('201'))['bearer']}"}
    account = f"{sandbox.backend}/api/settings/account"
    await sandbox.ask("PUT", account, headers=headers, json={"notice": "crm"})
    try:
        agent = await at("202")
        page = await agent.open()

        await sipuni.ring("202", caller=client.phone)

        await expect(page.locator("#notifications_popups").get_by_text(client.phone)).to_be_visible()
        await expect(card(page, client.name)).to_have_count(0)
        assert await agent.rings() == {"started": 0, "sounding": 0}
    finally:
        await sandbox.ask("PUT", account, headers=headers, json={"notice": "card"})
