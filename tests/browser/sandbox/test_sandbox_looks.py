"""The host page for everybody who has to read and press it: contrast, names, roles, in both themes."""

import pytest
from browsers import flaws
from conftest import Host

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_no_page_has_a_serious_flaw(host: Host, theme: str) -> None:
    """No serious finding of axe on the desk, the board, a list, cards and settings, with the developer bar open."""
    host.install("naughty")
    await host.page.context.add_cookies([{"name": "sandbox_theme", "value": theme, "url": host.url("")}])
    contact, lead = list(host.world.contacts)[20]["id"], list(host.world.leads)[-1]["id"]
    await host.open("/contacts/list/")
    await host.page.evaluate("naughty.console()")
    await host.page.click("#sandbox_bar_toggle")
    await host.page.click("#sandbox_bar [data-tab=finding]")
    await host.page.locator(".sandbox-bar__line_finding").wait_for()
    found = {"list": await flaws(host.page, "body")}

    for path in (
        "/dashboard/", "/leads/pipeline/", f"/contacts/detail/{contact}", f"/leads/detail/{lead}", "/settings/widgets/",
    ):  # fmt: skip
        await host.go(path)
        found[path] = await flaws(host.page, "body")

    assert {path: told for path, told in found.items() if told} == {}


async def test_a_menu_on_a_number_is_not_cut_off(host: Host) -> None:
    """The widget's words in the menu of a card's number are whole on the screen."""
    host.install("phone")
    contact = next(iter(host.world.contacts))["id"]
    page = await host.open(f"/contacts/detail/{contact}")

    await page.locator(".js-card-fields .control-phone__formatted").first.click()
    fields, menu = await page.evaluate(
        "['.card-fields', '.js-tip.is-opened'].map(one => document.querySelector(one).getBoundingClientRect())"
    )

    assert fields["left"] <= menu["left"]
    assert menu["right"] <= fields["right"]


async def test_the_open_bar_leaves_room_for_the_page(host: Host) -> None:
    """The last row of a list and the box for a note can be reached above it."""
    contact = next(iter(host.world.contacts))["id"]
    page = await host.open(f"/contacts/detail/{contact}")

    await page.click("#sandbox_bar_toggle")
    bar, box = await page.evaluate(
        "['.sandbox-bar__panel', '.feed-compose'].map(one => document.querySelector(one).getBoundingClientRect())"
    )

    assert box["bottom"] <= bar["top"]
