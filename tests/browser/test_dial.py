"""A click on a number becomes a call: from the click to the talk, or to the reason why not."""

import pytest
from browsers import AtDesk, card, click_number, click_number_in_list, line, part, problem
from clients import Client, Clients, pretty
from phones import Pbx, PhoneCall
from playwright.async_api import Page, expect
from sandboxes import Sandbox, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def is_over(call: PhoneCall) -> bool:
    return not await call.is_live()


async def state_is(page: Page, client: Client, state: str, words: str) -> None:
    """The state line of this client's number is here and says this."""
    shown = line(page, pretty(client.phone), state=state)
    await expect(part(shown, "stage")).to_have_text(words)


async def test_state_line_tells_the_way_from_click_to_talk(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """Asked, my phone rings, the client's rings, we talk: then the call's own card takes over, to the end."""
    client = clients.take()
    page = await (await at("203")).open(client.path)

    await click_number(page)
    call = await sipuni.ordered()
    await state_is(page, client, "agent_ringing", "Звонит ваш телефон: снимите трубку")
    await call.answer("203")
    await state_is(page, client, "client_ringing", "Звоним клиенту…")
    await call.answer()

    talk = card(page, client.name, state="talking")
    await expect(talk).to_be_visible()
    await expect(line(page, pretty(client.phone))).to_have_count(0)
    await call.hang_up()
    await expect(card(page, client.name, state="ended")).to_be_visible()


async def test_number_in_a_list_is_called_as_well(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """The menu on a number in the list of contacts has the same item."""
    client = clients.take()
    page = await (await at("202")).open(f"/contacts/list/?term={client.phone[-10:]}")

    await click_number_in_list(page, client.name)

    await sipuni.ordered()
    await expect(line(page, pretty(client.phone), state="agent_ringing")).to_be_visible()


async def test_mango_rings_and_reports_as_well(at: AtDesk, clients: Clients, mango: Pbx, sandbox: Sandbox) -> None:
    """The same click through MANGO OFFICE, the agent's second line, chosen behind "call another way"."""
    client = clients.take()
    page = await (await at("204")).open(client.path)
    await click_number(page)
    await part(line(page, pretty(client.phone)), "otherwise").click()
    await page.get_by_role("button", name="MANGO OFFICE").click()

    call = await mango.ordered()
    await call.answer("204")
    await call.answer()

    await expect(card(page, pretty(client.phone), state="talking")).to_be_visible()
    assert not [one for one in await Pbx(sandbox, "sipuni").calls() if one["is_live"]]


async def test_double_click_is_one_call(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """An impatient agent clicks twice and gets one call."""
    client = clients.take()
    page = await (await at("201")).open(client.path)

    await click_number(page, times=2)
    call = await sipuni.ordered()
    await call.answer("201")
    await call.answer()
    await expect(card(page, client.name, state="talking")).to_be_visible()

    digits = client.phone.removeprefix("+")
    assert [one["client"] for one in await sipuni.calls() if one["is_live"]] == [digits]
    assert len([one for one in await sipuni.calls() if one["client"] == digits]) == 1


async def test_busy_client_is_named_as_the_reason(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """My phone was picked up and the client is busy: the end says so."""
    client = clients.take()
    await sipuni.turn(callbacks="busy", ring_s=0.2)
    page = await (await at("202")).open(client.path)

    await click_number(page)

    ended = card(page, client.name, state="ended")
    await expect(part(ended, "result")).to_have_text("Занято")


async def test_client_who_does_not_answer_is_named(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """Nobody picks up at the client's end: the card says so, as the end of my call and not as a missed one."""
    client = clients.take()
    await sipuni.turn(callbacks="client_no_answer", ring_s=0.2)
    page = await (await at("203")).open(client.path)

    await click_number(page)

    ended = card(page, client.name, state="ended")
    await expect(part(ended, "result")).to_have_text("Не ответили")


async def test_dead_pbx_is_named_with_its_cure(at: AtDesk, clients: Clients, sipuni: Pbx, sandbox: Sandbox) -> None:
    """The PBX is down: the state line says who does not answer and what to do; tried again later, it is a call."""
    client = clients.take()
    page = await (await at("204")).open(client.path)
    await sandbox.fault(target="sipuni", kind="outage", path="/api/")

    await click_number(page)
    failed = line(page, pretty(client.phone), state="failed")
    await expect(problem(failed, "vendor-unavailable")).to_contain_text("АТС не отвечает")
    await expect(problem(failed, "vendor-unavailable")).to_contain_text("Повторите через минуту")
    await sandbox.ask("DELETE", f"{sandbox.amocrm}/sandbox/faults")
    await part(failed, "retry").click()

    await sipuni.ordered()
    await expect(line(page, pretty(client.phone), state="agent_ringing")).to_be_visible()


async def test_refusing_pbx_is_quoted_in_our_words(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """The PBX does not know the agent's extension: the line says what an administrator has to do."""
    agent = await at("205")
    client = clients.take(lambda one: one.responsible == agent.user["id"])
    await sipuni.turn(deleted_extensions="205")
    page = await agent.open(client.path)

    await click_number(page)

    failed = line(page, pretty(client.phone), state="failed")
    await expect(problem(failed, "vendor-extension")).to_contain_text("внутренний номер")
    await expect(part(failed, "retry")).to_have_count(0)


async def test_order_is_withdrawn_before_anybody_talks(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """Cancelled while my own phone rings, the order is gone at the PBX, too."""
    client = clients.take()
    page = await (await at("201")).open(client.path)
    await click_number(page)
    call = await sipuni.ordered()
    ringing = line(page, pretty(client.phone), state="agent_ringing")

    await part(ringing, "hang-up").click()

    await expect(line(page, pretty(client.phone), state="agent_ringing")).to_have_count(0)
    await until(lambda: is_over(call))


async def test_talk_is_ended_from_the_card(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """The card's own button hangs up at the PBX."""
    client = clients.take()
    page = await (await at("202")).open()
    call = await sipuni.ring("202", caller=client.phone)
    await call.answer("202")

    await part(card(page, client.name, state="talking"), "hang-up").click()

    await expect(card(page, client.name, state="ended")).to_be_visible()
    assert await is_over(call)


async def test_hang_up_that_fails_is_told(at: AtDesk, clients: Clients, sipuni: Pbx, sandbox: Sandbox) -> None:
    """The PBX does not end the call: the agent reads that, and the card goes on talking."""
    client = clients.take()
    page = await (await at("203")).open()
    call = await sipuni.ring("203", caller=client.phone)
    await call.answer("203")
    talk = card(page, client.name, state="talking")
    await sandbox.fault(target="sipuni", kind="outage", path="/api/")

    await part(talk, "hang-up").click()

    await expect(problem(part(page, "trouble"), "vendor-unavailable")).to_be_visible()
    await expect(talk).to_be_visible()
    await part(part(page, "trouble"), "close").click()
    await expect(part(page, "trouble")).to_have_count(0)


async def test_call_from_another_phone(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """External to external: the agent's own mobile rings first, then the client; the desk phone stays silent."""
    client = clients.take()
    page = await (await at("204")).open(client.path)
    await click_number(page)
    first = await sipuni.ordered()
    await part(line(page, pretty(client.phone)), "otherwise").click()
    await part(page, "from-phone").fill("+7 900 000-02-04")
    await part(page, "from-phone").press("Enter")
    await until(lambda: is_over(first))

    call = await sipuni.ordered()

    assert (await call.until_ringing())["number"] == "79000000204"
    await state_is(page, client, "agent_ringing", "Звонит ваш телефон: снимите трубку")
    await call.answer()
    await state_is(page, client, "client_ringing", "Звоним клиенту…")
    await call.answer()
    await expect(card(page, client.name, state="talking")).to_be_visible()


async def test_call_back_from_a_missed_card(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """One click on a missed call's card calls the client back."""
    client = clients.take()
    page = await (await at("201")).open()
    missed = await sipuni.ring("201", caller=client.phone)
    await missed.hang_up()

    await part(card(page, client.name, state="missed"), "call-back").click()

    call = await sipuni.ordered()
    await call.answer("201")
    await expect(line(page, pretty(client.phone), state="client_ringing")).to_be_visible()
