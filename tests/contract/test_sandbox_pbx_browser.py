"""A real browser at the stand-in PBX: its recordings play and seek, its phone page steers calls."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, async_playwright, expect

from server.sandbox.faults import Faults
from server.sandbox.log import Log
from server.sandbox.pbx.audio import mp3
from server.sandbox.pbx.sipuni import Sipuni, signature
from server.sandbox.pbx.stand_in import audio_response

pytestmark = pytest.mark.browser

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]

LISTEN = """async (url) => {
  const response = await fetch(url);
  const decoded = await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(await response.arrayBuffer());
  const loudness = (from, to) => Math.max(...decoded.getChannelData(0).slice(from * 48000, to * 48000).map(Math.abs));
  const audio = new Audio(url);
  audio.preload = "auto";
  await new Promise((done, failed) => { audio.oncanplay = done; audio.onerror = failed; });
  const duration = audio.duration;
  audio.currentTime = 31;
  await new Promise((done) => { audio.onseeked = done; });
  return { duration, at: audio.currentTime, tone: loudness(10.1, 10.4), silence: loudness(10.7, 10.9) };
}"""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page of Debian's Chromium."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = await chromium.new_page()
        page.set_default_timeout(10_000)
        yield page
        await chromium.close()


@pytest.fixture
async def sipuni() -> AsyncIterator[Sipuni]:
    """A Sipuni whose events go nowhere."""
    pbx = Sipuni(log=Log(), faults=Faults())
    app = pbx.app()

    async def minute(request: Any) -> Any:
        return audio_response(request, mp3(60))

    app.router.add_get("/minute.mp3", minute)
    async with TestServer(app) as server:
        pbx.base_url = str(server.make_url("")).rstrip("/")
        yield pbx


async def test_recording_plays_and_seeks(page: Page, sipuni: Sipuni) -> None:
    """A made-up minute lasts a minute, can be entered at second 31, and has a tone and a silence in each second."""
    await page.goto(f"{sipuni.base_url}/phone")

    heard = await page.evaluate(LISTEN, f"{sipuni.base_url}/minute.mp3")

    assert heard["duration"] == pytest.approx(60, abs=0.2)
    assert heard["at"] == pytest.approx(31, abs=0.1)
    assert heard["tone"] > 0.02
    assert heard["silence"] < heard["tone"] / 20


async def test_person_plays_a_whole_call_by_clicking(page: Page, sipuni: Sipuni) -> None:
    """Call, answer, transfer, answer, hang up: nothing but the page is used."""
    await page.goto(f"{sipuni.base_url}/phone")
    await page.get_by_test_id("call").click()
    await page.get_by_test_id("phone-201").locator("[data-action=answer]").click()
    await page.get_by_test_id("phone-201").locator("[data-action=transfer]").click()
    await page.locator("[data-testid=to-204] + span").click()
    await page.get_by_test_id("transfer-go").click()
    await page.get_by_test_id("phone-204").locator("[data-action=answer]").click()
    await expect(page.get_by_test_id("phone-204")).to_have_attribute("data-state", "talking")
    await expect(page.get_by_test_id("phone-201")).to_have_attribute("data-state", "idle")

    await page.get_by_test_id("client-1").locator("[data-action=hang_up]").click()

    await expect(page.get_by_test_id("phone-204")).to_have_attribute("data-state", "idle")
    assert not sipuni.exchange.live


async def test_unplayable_call_is_explained_on_the_page(page: Page, sipuni: Sipuni) -> None:
    """A number that is none gets a sentence beside the form."""
    await page.goto(f"{sipuni.base_url}/phone")
    await page.get_by_test_id("from").fill("кто-то")

    await page.get_by_test_id("call").click()

    await expect(page.get_by_test_id("problem")).to_contain_text("Это не номер")
    await page.get_by_test_id("language").click()
    await page.get_by_test_id("call").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("This is not a number")


async def test_person_answers_a_click_to_call(page: Page, sipuni: Sipuni) -> None:
    """With the page open an order from the CRM rings the employee's phone, then the client's."""
    await page.goto(f"{sipuni.base_url}/phone")
    await page.get_by_test_id("phone-201").wait_for()
    order = {"user": sipuni.user, "phone": "79161234567", "sipnumber": "201", "reverse": "0"}
    data = order | {"hash": signature(order, sipuni.secret)}
    await page.request.post(f"{sipuni.base_url}/api/callback/call_number", form=data)

    await page.get_by_test_id("phone-201").locator("[data-action=answer]").click()
    await page.get_by_test_id("client-1").locator("[data-action=answer]").click()
    await expect(page.get_by_test_id("client-1")).to_have_attribute("data-state", "talking")
    await page.get_by_test_id("phone-201").locator("[data-action=hang_up]").click()

    await expect(page.get_by_test_id("phone-201")).to_have_attribute("data-state", "idle")
    assert sipuni.exchange.calls[1].talk_started_at
