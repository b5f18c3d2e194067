"""What everybody must be able to see, read and press: languages, themes, long names, keyboard, screen reader."""

import re

import pytest
from browsers import Agent, AtDesk, card, click_number, flaws, line, part
from clients import LONG, Client, Clients, pretty
from phones import Pbx
from playwright.async_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HEIGHT_IN_LINES = "(node) => node.offsetHeight / parseFloat(getComputedStyle(node).lineHeight)"
PANEL = '[data-kmt="panel"]'


async def ringing_at(agent: Agent, pbx: Pbx, client: Client) -> Page:
    """A page of the agent on which this client's call rings."""
    page = await agent.open()
    await pbx.ring(agent.extension, caller=client.phone)
    await expect(card(page, pretty(client.phone), state="ringing")).to_be_visible()
    return page


async def test_english_user_reads_english(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """Card, state line, menu and buttons speak the language of the user's profile."""
    client = clients.take()
    page = await (await at("202", lang="en")).open(client.path)

    await click_number(page, lang="en")
    call = await sipuni.ordered()
    await expect(part(line(page, pretty(client.phone)), "stage")).to_have_text("Your phone is ringing: pick it up")
    await call.answer("202")
    await call.answer()
    talk = card(page, client.name, state="talking")

    await expect(part(talk, "title")).to_have_text("Talking")
    await expect(part(talk, "open")).to_have_text("Open card")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_card_and_state_line_are_readable_for_everybody(
    at: AtDesk, clients: Clients, sipuni: Pbx, theme: str
) -> None:
    """In both themes: no serious finding of axe (contrast, names, roles) on a ringing card with a state line."""
    client, called = clients.take(), clients.take()
    agent = await at("203", theme=theme)
    page = await agent.open(called.path)
    await sipuni.ring("203", caller=client.phone)
    await click_number(page)
    await expect(line(page, pretty(called.phone), state="agent_ringing")).to_be_visible()
    await expect(card(page, client.name, state="ringing")).to_be_visible()

    await expect(page.locator(PANEL)).to_have_attribute("data-theme", theme)
    assert await flaws(page, PANEL) == []


@pytest.mark.parametrize("end", ["missed", "ended"])
async def test_ended_cards_are_readable_for_everybody(at: AtDesk, clients: Clients, sipuni: Pbx, end: str) -> None:
    """No serious finding of axe on a missed and on an ended call, in the dark."""
    client = clients.take()
    agent = await at("204", theme="dark")
    page = await agent.open()
    call = await sipuni.ring("204", caller=client.phone)
    if end == "ended":
        await call.answer("204")
        await expect(card(page, client.name, state="talking")).to_be_visible()
    await call.hang_up()
    await expect(card(page, client.name, state=end)).to_be_visible()

    assert await flaws(page, PANEL) == []


@pytest.mark.parametrize("width", [1280, 390])
async def test_long_name_stays_within_the_card(at: AtDesk, clients: Clients, sipuni: Pbx, width: int) -> None:
    """A name of a hundred letters takes two lines; nothing sticks out of the card, nor the card out of the screen."""
    client = clients.take(lambda one: len(one.name) > LONG)
    page = await ringing_at(await at("201", width=width), sipuni, client)
    shown = card(page, pretty(client.phone), state="ringing")

    await expect(shown).to_be_visible()
    left, right, sticking_out = await shown.evaluate(
        """(node) => {
             const outer = node.getBoundingClientRect();
             const inside = [...node.querySelectorAll("*")].filter((one) => {
               const inner = one.getBoundingClientRect();
               return inner.width && (inner.right > outer.right + 1 || inner.left < outer.left - 1);
             });
             return [outer.left, outer.right, inside.map((one) => one.outerHTML.slice(0, 80))];
           }"""
    )

    assert sticking_out == []
    assert right > left >= 0
    assert right <= width
    lines = await part(shown, "caller").evaluate(
        "(node) => node.offsetHeight / parseFloat(getComputedStyle(node).lineHeight)"
    )
    assert lines <= 2.1


async def test_keyboard_alone_is_enough(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """Tab reaches the card, Escape folds it, Enter unfolds it and opens the contact."""
    client = clients.take()
    page = await ringing_at(await at("202"), sipuni, client)
    shown = card(page, client.name)

    await tab_to(page, "fold")
    await page.keyboard.press("Escape")
    await expect(part(shown, "phone")).to_have_count(0)
    await expect(part(shown, "fold")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(part(shown, "phone")).to_be_visible()
    await tab_to(page, "open")
    await page.keyboard.press("Enter")

    await expect(page).to_have_url(re.compile(f"{client.path}$"))
    await expect(shown).to_be_visible()


async def test_number_is_called_from_the_keyboard(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """Enter on the number opens its menu, the arrow reaches our item, and Enter calls."""
    client = clients.take()
    page = await (await at("203")).open(client.path)
    await page.locator(".js-card-fields .js-control-phone .control-phone__formatted").first.focus()

    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")

    await sipuni.ordered()
    await expect(line(page, pretty(client.phone), state="agent_ringing")).to_be_visible()


async def test_screen_reader_hears_who_calls(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """The ring is announced at once with the caller's name, its end politely; buttons and regions have names."""
    client = clients.take()
    page = await (await at("204")).open()
    call = await sipuni.ring("204", caller=client.phone)

    await expect(part(page, "urgent")).to_have_text(f"Входящий звонок: {client.name}")
    await expect(page.get_by_role("region", name="Коммутатор")).to_be_visible()
    await expect(page.get_by_role("group", name=f"Входящий звонок: {client.name}")).to_be_visible()
    await expect(page.get_by_role("button", name="Свернуть")).to_be_visible()
    await call.hang_up()

    await expect(part(page, "polite")).to_have_text(f"Пропущенный звонок: {client.name}")


async def test_name_that_looks_like_markup_stays_text(at: AtDesk, sipuni: Pbx, clients: Clients) -> None:
    """A contact called by a piece of HTML is shown letter by letter, in the card and in the notification centre."""
    phone, name = clients.stranger(), "<img src=x onerror='window.broken=1'>"
    agent = await at("201")
    page = await agent.open(f"/contacts/add/?phone={phone.replace('+', '%2B')}")
    await page.locator(".js-card-name").fill(name)
    await page.locator(".js-card-save").click()
    await page.wait_for_url("**/contacts/detail/*")

    await sipuni.ring("201", caller=phone)

    await expect(part(card(page, name, state="ringing"), "caller")).to_have_text(name, timeout=15_000)
    assert await page.evaluate("window.broken") is None


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until this button of the card has the focus."""
    for _ in range(80):
        if await page.evaluate("document.activeElement.dataset.kmt") == name:
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {name}")
