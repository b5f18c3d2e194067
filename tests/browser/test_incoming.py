"""A call comes in: who sees which card, from the first ring to the end, on both PBXs."""

import re

import pytest
from browsers import AtDesk, card, part
from clients import Clients, is_sales, pretty
from phones import Pbx
from playwright.async_api import expect
from sandboxes import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CLOCK = re.compile(r"^0:0\d$")


@pytest.fixture(params=["sipuni", "mango"])
def pbx(request: pytest.FixtureRequest, sandbox: Sandbox) -> Pbx:
    """Either PBX."""
    return Pbx(sandbox, request.param)


async def test_known_caller_has_a_name_before_the_phone_is_picked_up(at: AtDesk, clients: Clients, pbx: Pbx) -> None:
    """The card of a ringing contact says who it is, from which company, with which deal, and opens the contact."""
    client = clients.take(lambda one: is_sales(one) and one.has_company and one.leads == 1)
    page = await (await at("201")).open()

    await pbx.ring("201", caller=client.phone)

    shown = card(page, client.name, state="ringing")
    await expect(part(shown, "title")).to_have_text("Входящий звонок")
    await expect(part(shown, "phone")).to_have_text(pretty(client.phone))
    for row in ("company", "lead", "responsible", "line"):
        await expect(part(shown, row)).to_be_visible()
    await part(shown, "open").click()
    await expect(page).to_have_url(re.compile(f"{client.path}$"))


async def test_answered_call_counts_the_talk_and_ends_with_its_length(at: AtDesk, clients: Clients, pbx: Pbx) -> None:
    """Picked up, the card counts the talk; when it is over it says so and keeps the length."""
    client = clients.take()
    page = await (await at("202")).open()
    call = await pbx.ring("202", caller=client.phone)
    await expect(card(page, client.name, state="ringing")).to_be_visible()

    await call.answer("202")
    talk = card(page, client.name, state="talking")
    await expect(part(talk, "title")).to_have_text("Разговор")
    await expect(part(talk, "timer")).to_have_text(re.compile("^0:0[1-9]$"))
    await call.hang_up()

    ended = card(page, client.name, state="ended")
    await expect(part(ended, "title")).to_have_text("Звонок завершён")
    await expect(part(ended, "timer")).to_have_text(CLOCK)


async def test_missed_call_offers_to_call_back(at: AtDesk, clients: Clients, pbx: Pbx) -> None:
    """The caller gave up: the card says that the call was missed and has a button that calls back."""
    client = clients.take()
    page = await (await at("203")).open()
    call = await pbx.ring("203", caller=client.phone)
    await expect(card(page, client.name, state="ringing")).to_be_visible()

    await call.hang_up(by="client")

    missed = card(page, client.name, state="missed")
    await expect(part(missed, "title")).to_have_text("Пропущенный звонок")
    await expect(part(missed, "result")).not_to_be_empty()
    await expect(part(missed, "call-back")).to_be_enabled()


async def test_unknown_caller_becomes_a_contact_in_two_clicks(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """The card of an unknown number opens the form of a new contact with the number filled in; saved, he has a name."""
    phone = clients.stranger()
    page = await (await at("201")).open()
    await sipuni.ring("201", caller=phone)
    shown = card(page, pretty(phone), state="ringing")
    await expect(shown).to_have_attribute("data-kmt-caller", "unknown")

    await part(shown, "create").click()
    await expect(page).to_have_url(re.compile(r"/contacts/add/\?phone=(%2B|\+)7999\d{7}$"))
    await expect(page.locator('.js-pei-value[data-type="phone"]').first).to_have_value(phone)
    await page.locator(".js-card-name").fill("Вениамин Новосёлов")
    await page.locator(".js-card-save").click()

    await expect(card(page, "Вениамин Новосёлов", state="ringing")).to_be_visible(timeout=15_000)


async def test_colleague_is_shown_as_a_colleague(at: AtDesk, sipuni: Pbx, sandbox: Sandbox) -> None:
    """An internal call names the colleague and the extension, and offers no new contact."""
    page = await (await at("203")).open()

    await sipuni.ring_colleague("203", caller="204")

    shown = card(page, sandbox.user("204")["name"], state="ringing")
    await expect(part(shown, "title")).to_have_text("Внутренний звонок")
    await expect(part(shown, "phone")).to_have_text("внутренний 204")
    await expect(part(shown, "create")).to_have_count(0)


async def test_withheld_number_says_so(at: AtDesk, sipuni: Pbx) -> None:
    """Without a number there is nothing to open, create or call back."""
    page = await (await at("204")).open()

    call = await sipuni.ring("204", caller="")

    shown = card(page, "Номер скрыт")
    await expect(shown).to_have_attribute("data-kmt-caller", "anonymous")
    await call.hang_up()
    await expect(shown).to_have_attribute("data-kmt-state", "missed")
    for button in ("open", "create", "call-back"):
        await expect(part(shown, button)).to_have_count(0)


async def test_contact_out_of_view_stays_hidden(at: AtDesk, clients: Clients, sipuni: Pbx, sandbox: Sandbox) -> None:
    """An agent who may see only his own contacts gets a number, and the word that others know it."""
    agent = await at("205")
    client = clients.take(lambda one: one.responsible != agent.user["id"])
    page = await agent.open()

    await sipuni.ring("205", caller=client.phone)

    shown = card(page, pretty(client.phone), state="ringing")
    await expect(shown).to_have_attribute("data-kmt-caller", "hidden")
    await expect(shown).to_contain_text("у вас нет доступа")
    await expect(shown).not_to_contain_text(client.name)
    for button in ("open", "create", "company", "lead", "responsible"):
        await expect(part(shown, button)).to_have_count(0)


async def test_group_call_leaves_everybody_but_the_one_who_took_it(
    at: AtDesk, clients: Clients, pbx: Pbx, sandbox: Sandbox
) -> None:
    """Two phones ring; one is picked up: the other agent reads who took the call, and soon the card goes by itself."""
    client = clients.take()
    colleague = await at("202")
    await colleague.context.clock.install()
    taker, other = await (await at("201")).open(), await colleague.open()
    call = await pbx.ring("201", "202", caller=client.phone)
    for page in (taker, other):
        await expect(card(page, client.name, state="ringing")).to_be_visible()

    await call.answer("201")

    await expect(card(taker, client.name, state="talking")).to_be_visible()
    elsewhere = card(other, client.name, state="elsewhere")
    await expect(part(elsewhere, "answered-by")).to_have_text(sandbox.user("201")["name"])
    await other.clock.fast_forward(10_000)
    await expect(elsewhere).to_have_count(0)


async def test_transferred_call_moves_to_the_colleague(
    at: AtDesk, clients: Clients, pbx: Pbx, sandbox: Sandbox
) -> None:
    """Handed over, the call rings at the colleague with the giver's name, and the giver's card no longer talks."""
    client = clients.take()
    giver, taker = await (await at("203")).open(), await (await at("204")).open()
    call = await pbx.ring("203", caller=client.phone)
    await call.answer("203")
    await expect(card(giver, client.name, state="talking")).to_be_visible()
    await expect(card(taker, client.name)).to_have_count(0)

    await call.transfer("204")
    arriving = card(taker, pretty(client.phone), state="ringing")
    await expect(part(arriving, "transferred-by")).to_have_text(sandbox.user("203")["name"])
    await call.answer("204")

    await expect(card(taker, pretty(client.phone), state="talking")).to_be_visible()
    await expect(card(giver, client.name, state="talking")).to_have_count(0)


async def test_number_of_two_people_offers_both(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """Two contacts share a number: one is shown, the other is a link below."""
    one, other = clients.namesakes
    page = await (await at("201")).open()

    await sipuni.ring("201", caller=one.phone)

    shown = card(page, pretty(one.phone), state="ringing")
    named = await part(shown, "caller").inner_text()
    second = other if named == one.name else one
    await expect(part(shown, "others").get_by_role("link", name=second.name)).to_be_visible()
