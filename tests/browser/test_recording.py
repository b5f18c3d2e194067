"""What is left of a call: the recording that plays from the card, and the notice in amoCRM's centre."""

import asyncio
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
    async with page.context.expect_page() as coming:
        await link.click()
    player = (await coming.value).locator("video, audio")
    await until(lambda: player.evaluate("(sound) => sound.duration > 0.5"))


SEEK = """async (audio) => {
  audio.muted = true;
  if (audio.readyState < 1) await new Promise((done) => audio.addEventListener("loadedmetadata", done, { once: true }));
  audio.pause();
  const sought = new Promise((done) => audio.addEventListener("seeked", done, { once: true }));
  audio.currentTime = audio.duration * 0.75;
  await sought;
  return { duration: audio.duration, at: audio.currentTime, can: audio.seekable.length && audio.seekable.end(0) };
}"""


async def test_recordings_seek_in_the_contacts_feed(at: AtDesk, clients: Clients, sipuni: Pbx, mango: Pbx) -> None:
    """A call over each PBX stands in the contact's feed of amoCRM; amoCRM's own player enters its recording anywhere,
    by the lasting link of the note: the server gives the part that is asked for.
    """
    client = clients.take(lambda one: one.group == 0 and one.leads == 0)
    calls = [await pbx.ring("201", caller=client.phone) for pbx in (sipuni, mango)]
    for call in calls:
        await call.answer("201")
    await asyncio.sleep(2)  # there must be something to seek in
    for call in calls:
        await call.hang_up()
    page = await (await at("201")).open(client.path)
    answers: list[int] = []
    page.on("response", lambda one: answers.append(one.status) if "/r/" in one.url else None)
    # Ours: a client of the sample account may have calls of the past, with recordings of another's making.
    players = page.locator('.feed-note__call-content .js-player[data-link*="/r/"]')

    async def are_ready() -> bool:
        await page.reload()
        await page.locator('html[data-sandbox="ready"]').wait_for()
        links = [str(await one.get_attribute("data-link")) for one in await players.all()]
        return [(await page.request.get(link)).status for link in links] == [200, 200]

    await until(are_ready, timeout_s=20, step_s=0.5)
    for number in (0, 1):
        await players.nth(number).locator(".js-player-play").click()
        sought = await players.nth(number).locator("audio").evaluate(SEEK)

        assert sought["duration"] > 1.5
        assert sought["at"] == pytest.approx(sought["duration"] * 0.75, abs=0.1)
        assert sought["can"] == pytest.approx(sought["duration"], abs=0.1)
    assert set(answers) == {206}


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
