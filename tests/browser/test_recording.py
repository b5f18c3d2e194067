"""What is left of a call: the recording that plays from the card, and the notice in amoCRM's centre."""

import re

import pytest
from browsers import AtDesk, card, part
from clients import Clients
from phones import Pbx
from playwright.async_api import expect
from sandboxes import Sandbox, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LISTEN = """async (url) => {
  const audio = Object.assign(new Audio(url), { preload: "auto" });
  await new Promise((done, failed) => { audio.oncanplay = done; audio.onerror = () => failed(audio.error); });
  return audio.duration;
}"""


@pytest.fixture(params=["sipuni", "mango"])
def pbx(request: pytest.FixtureRequest, sandbox: Sandbox) -> Pbx:
    """Either PBX."""
    return Pbx(sandbox, request.param)


async def test_recording_plays_from_the_card(at: AtDesk, clients: Clients, pbx: Pbx) -> None:
    """A finished call's link leads to audio that a player can enter anywhere."""
    client = clients.take()
    page = await (await at("202")).open()
    call = await pbx.ring("202", caller=client.phone)
    await call.answer("202")
    await expect(part(card(page, client.name, state="talking"), "timer")).to_have_text(re.compile("0:0[1-9]"))
    await call.hang_up()

    link = part(card(page, client.name, state="ended"), "recording")
    await expect(link).to_have_text("Запись")
    url = str(await link.get_attribute("href"))

    async def first_bytes() -> bytes:
        answer = await page.request.get(url, headers={"Range": "bytes=0-99"})
        return await answer.body() if answer.status == 206 else b""

    # The PBX takes a second to put the recording into its storage.
    assert len(await until(first_bytes)) == 100
    assert await page.evaluate(LISTEN, url) > 0.5


async def test_recording_is_in_the_contacts_feed(at: AtDesk, clients: Clients, sipuni: Pbx) -> None:
    """The finished call stands in the contact's feed of amoCRM with its recording."""
    client = clients.take(lambda one: one.group == 0 and one.leads == 0)
    call = await sipuni.ring("201", caller=client.phone)
    await call.answer("201")
    await call.hang_up()
    page = await (await at("201")).open(client.path)

    async def is_in_the_feed() -> bool:
        await page.reload()
        await page.locator('html[data-sandbox="ready"]').wait_for()
        return bool(await page.locator(".feed-note__call-content a").count())

    await until(is_in_the_feed, timeout_s=20)


async def test_notice_leads_to_the_caller(at: AtDesk, clients: Clients, sipuni: Pbx, sandbox: Sandbox) -> None:
    """amoCRM's notification centre gets one entry with the caller's name, and a click on it opens the contact."""
    client = clients.take()
    page = await (await at("203")).open()
    await sipuni.ring("203", caller=client.phone)
    await until(lambda: sandbox.log("notification", method="add_call"))

    (entry,) = await sandbox.log("notification", method="add_call")
    assert entry["payload"]["from"] == client.name
    await page.locator("#notifications_popups").get_by_role("link", name=client.name).first.click()

    await expect(page).to_have_url(re.compile(f"{client.path}$"))
    await expect(card(page, client.name, state="ringing")).to_be_visible()
