"""The console: an administrator opens the journal from the settings window, finds a call and follows it to its note."""

import re

import pytest
from browsers import AtDesk, flaws, open_settings, part
from clients import Clients
from phones import Pbx
from playwright.async_api import Page, expect
from sandboxes import Sandbox, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SETTINGS = "/settings/widgets/"


async def opened(at: AtDesk, **look: str) -> Page:
    """The console in a window of its own, the way an administrator gets there."""
    agent = await at("201", **look)
    page = await agent.open(SETTINGS)
    panel = await open_settings(page)
    await expect(part(panel, "lost")).to_contain_text(re.compile(r"\d"))
    async with agent.context.expect_page() as coming:
        await part(panel, "journal-open").click()
    console = await coming.value
    await expect(console).to_have_url(re.compile(r"/console$"))
    return console


async def logged(sandbox: Sandbox, before: int) -> None:
    """Wait until one more call stands in amoCRM."""

    async def is_there() -> bool:
        return len(await sandbox.log("request", path="/api/v4/calls", status=200)) > before

    await until(is_there, timeout_s=20)


async def test_a_call_is_followed_from_webhook_to_note(
    at: AtDesk, clients: Clients, sipuni: Pbx, sandbox: Sandbox
) -> None:
    """By number: its timeline names whose telephone rang, who saw the card, the attempt and the note; the link leads to
    amoCRM, the PBX's own words are a click away, their secrets masked; the recording plays there."""
    client = clients.take()
    at_work = await (await at("202")).open()
    call = await sipuni.ring("202", caller=client.phone)
    await expect(at_work.locator("[data-kmt-call]").first).to_be_visible()
    await call.answer("202")
    await call.hang_up()
    await logged(sandbox, 0)

    console = await opened(at)
    await expect(console.locator(".health.good .lost")).to_contain_text("0")
    await console.get_by_label("Номер").fill(client.phone[-7:])
    await console.get_by_role("button", name="Найти").click()
    await console.locator("tbody tr").filter(has_text=client.name).locator("td.when a").click()

    timeline = console.locator(".timeline").first
    await expect(timeline).to_contain_text(re.compile("Звонит аппарат 202 .Дмитрий Ковалёв"))
    await expect(timeline).to_contain_text("Дмитрий Ковалёв: звонит")
    await expect(timeline).to_contain_text("Запись в amoCRM: выполнено")
    note = timeline.locator("li.placed")
    await expect(note).to_contain_text("Примечание о звонке в amoCRM")
    assert re.search(r"/(leads|contacts)/detail/\d+$", await note.get_by_role("link").first.get_attribute("href") or "")
    await timeline.get_by_text("Как это сообщила АТС").first.click()
    await expect(timeline.locator("pre").first).to_contain_text('"event": "1"')
    assert await flaws(console, "main") == []


async def test_what_amocrm_refused_is_seen_and_tried_again_by_a_click(
    at: AtDesk, clients: Clients, mango: Pbx, sandbox: Sandbox
) -> None:
    """A call that amoCRM refuses to take counts as lost, says why, and goes out when somebody presses "retry"."""
    client = clients.take()
    await sandbox.fault(target="amocrm", kind="status", status=400, path="/api/v4/calls", n=1)
    await mango.turn(ring_s=0.2)
    call = await mango.ring("203", caller=client.phone)
    await call.hang_up()

    async def is_refused() -> bool:
        return bool(await sandbox.log("request", path="/api/v4/calls", status=400))

    await until(is_refused, timeout_s=20)
    console = await opened(at, lang="en")
    row = console.locator("tbody tr").filter(has_text=client.name)
    await until(lambda: _reloaded_with(console, ".need"), timeout_s=10)
    await expect(row).to_contain_text("not in amoCRM")
    await expect(console.locator(".health.bad .lost")).to_contain_text("1")
    await row.locator("td.when a").click()
    await expect(console.locator(".timeline").first).to_contain_text("Logging in amoCRM: given up, needs a hand")

    async with console.expect_navigation():
        await console.get_by_role("button", name="Retry").click()

    await until(lambda: _reloaded_with(console, "li.placed"), timeout_s=20)
    await expect(console.locator(".timeline").first).to_contain_text("retry")
    await console.get_by_role("link", name="All calls").click()
    await expect(console.locator(".health.good .lost")).to_contain_text("0")


async def test_a_withdrawn_recording_plays_no_more(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """It plays in the console until an administrator closes it; then no link of it opens."""
    client = clients.take()
    call = await sipuni.ring("203", caller=client.phone)
    await call.answer("203")
    await call.hang_up()
    console = await opened(at)
    await console.locator("tbody tr").filter(has_text=client.name).locator("td.when a").click()
    await until(lambda: _reloaded_with(console, "audio"), timeout_s=20)
    address = str(await console.locator("audio").get_attribute("src"))
    assert (await console.request.get(address)).status == 200

    await console.get_by_text("Закрыть доступ к записи").first.click()
    await console.get_by_role("button", name="Закрыть доступ к записи").click()

    await expect(console.locator(".recording")).to_contain_text("доступ закрыт")
    assert (await console.request.get(address)).status == 410


async def _reloaded_with(page: Page, selector: str) -> bool:
    await page.reload()
    return await page.locator(selector).count() > 0
