"""What the developer bar finds out about a widget while it runs: breaches of moderation's rules, things left behind."""

import asyncio

import pytest
from conftest import TIMEOUT_MS, Host
from playwright.async_api import Route

from server.sandbox.log import Entry
from server.sandbox.page import shell

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def found(host: Host, name: str, count: int = 1) -> list[Entry]:
    """The findings of one sort, when there are that many."""
    async with asyncio.timeout(TIMEOUT_MS / 1000):
        while len([one for one in host.world.log.entries("callback") if one["name"] == name]) < count:
            await host.page.wait_for_timeout(20)
    return [one for one in host.world.log.entries("callback") if one["name"] == name]


# Not straight from here: what a debugger evaluates may call eval whatever the page's policy says.
TWICE = """rule => new Promise(done => setTimeout(() => { naughty[rule](); naughty[rule](); done(); }))"""
RULES = [key.removeprefix("rule.") for key in shell.texts("en") if key.startswith("rule.") and key.count(".") == 1]


async def test_every_breach_is_told_with_its_rule_its_place_and_its_cure(host: Host) -> None:
    """Each rule that can be seen at run time, once, although the widget does it twice."""
    host.install("naughty")
    host.page.on("dialog", lambda dialog: dialog.accept())
    await host.open("/contacts/list/")

    for rule in RULES:
        await host.page.evaluate(TWICE, rule)
    told = await found(host, "rule", len(RULES))

    assert sorted(one["rule"] for one in told) == sorted(RULES)
    assert {one["widget"] for one in told} == {"naughty"}
    assert all(one["where"].startswith("script.js:") for one in told)
    assert [one["cure"] for one in told] == [shell.texts("ru")[f"rule.{one['rule']}.cure"] for one in told]
    (css,) = (one for one in told if one["rule"] == "css")
    assert css["message"].endswith(".nav__menu, a:hover")


async def test_code_of_other_hosts_runs_and_is_told(host: Host) -> None:
    """Named as a dependency in define, or imported: the address stands in the finding, and the widget works."""
    host.install("foreign")
    headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"}
    scripts = {"lib.js": "define([], () => ({works: true}))", "module.mjs": "window.imported = true"}

    async def answer(route: Route) -> None:
        await route.fulfill(body=scripts[route.request.url.rpartition("/")[2]], headers=headers)

    await host.page.route("http://elsewhere.test/**", answer)

    await host.open("/dashboard/")
    told = await found(host, "rule", 2)
    await host.page.wait_for_function("window.imported")

    assert {(one["widget"], one["rule"]) for one in told} == {("foreign", "foreign")}
    assert sorted(one["message"].split("/")[-1] for one in told) == ["lib.js", "module.mjs"]


async def test_what_is_allowed_is_no_breach(host: Host) -> None:
    """console.debug, one request, scoped styles, an element that covers nothing, hooks that APP offers."""
    host.install("naughty")
    await host.open("/contacts/list/")

    await host.page.evaluate("decent(), naughty.global()")

    assert [one["rule"] for one in await found(host, "rule")] == ["global"]


async def test_the_hosts_own_doings_are_nobodys_breach(host: Host) -> None:
    """A person clicks Install, amoCRM's own scripts load, requests are made: no widget did it."""
    host.install("naughty", active=False)
    await host.open("/settings/widgets/")

    await host.page.click(".js-widget-tile")
    await host.page.click(".js-widget-install")
    await host.page.wait_for_selector(".modal", state="detached")
    await host.go("/leads/list/")
    await host.page.evaluate("naughty.console()")

    assert [one["rule"] for one in await found(host, "rule")] == ["console"]


LEFT = {
    ("listener", "document: click"),
    ("listener", "window: resize"),
    ("timer", "setInterval(…, 60000)"),
    ("socket", "WebSocket ws://"),
    ("element", "div#leaky_left"),
    ("style", "/upl/leaky/widget/style.css"),
}


async def test_what_outlives_destroy_is_told_with_the_line_that_made_it(host: Host) -> None:
    """Listeners, timers, sockets, elements, styles; what destroy or the host closed is not, be it a promise later."""
    host.install("leaky")
    contact = next(iter(host.world.contacts))["id"]
    await host.open(f"/contacts/detail/{contact}")

    await host.go("/settings/pay/")
    left = await found(host, "leak", len(LEFT))

    def is_told(kind: str, what: str) -> bool:
        return any(one["leak"] == kind and what in one["message"] for one in left)

    assert [what for what in LEFT if not is_told(*what)] == []
    assert len(left) == len(LEFT)
    lines = [one["where"] for one in left]
    assert len(set(lines)) == len(LEFT)
    assert all(where.startswith("script.js:") for where in lines)


async def test_what_stood_in_the_settings_window_goes_with_it(host: Host) -> None:
    """A widget that is disconnected has left behind what it opened elsewhere, and nothing of the window."""
    host.install("leaky")
    await host.open("/settings/widgets/")
    await host.page.click(".js-widget-tile")
    await host.page.wait_for_selector("[data-settings=ready]")

    await host.page.click(".js-widget-uninstall")
    await found(host, "leak", len(LEFT))
    await host.page.wait_for_selector(".modal", state="detached")

    assert len(await found(host, "leak")) == len(LEFT)


async def test_the_bar_shows_findings_in_the_users_language(host: Host) -> None:
    """The tab counts them; a line says what, where and how to mend it; one widget alone can be looked at."""
    host.install("naughty", "truthy")
    await host.open("/contacts/list/")
    await host.page.evaluate("naughty.console()")

    await host.page.click("#sandbox_bar_toggle")
    await host.page.click("#sandbox_bar [data-tab=finding]")
    line = host.page.locator(".sandbox-bar__line_finding")
    await line.wait_for()
    words = await line.inner_text()
    await host.page.locator(".js-bar-widget").select_option("truthy")
    await line.wait_for(state="detached")

    assert "console.log" in words
    assert "script.js:" in words
    assert shell.texts("ru")["rule.console.cure"] in words


async def test_requests_carry_the_widget_that_made_them(host: Host) -> None:
    """The log names the widget of a request to amoCRM, and knows requests to the widget's own server, too."""
    host.install("requesting")
    await host.open("/dashboard/")

    await host.page.evaluate("requesting()")
    own = await host.world.log.wait("request", path="/api/v4/account")
    away = await host.world.log.wait("request", url="http://elsewhere.test/hook")

    assert own["widget"] == "requesting"
    assert (away["widget"], away["method"], away["status"]) == ("requesting", "POST", "failed")
    assert away["where"].startswith("script.js:")


async def test_sockets_of_widgets_are_told(host: Host) -> None:
    """When they open, fail and close."""
    host.install("requesting")
    await host.open("/dashboard/")

    await host.page.evaluate("requesting()")
    entry = await host.world.log.wait("socket", widget="requesting", event="close")

    assert entry["url"].endswith("/nowhere")
    assert entry["method"] == "WebSocket"


async def test_the_pages_own_socket_is_told(host: Host) -> None:
    """Who listens to what, and that a page has gone."""
    await host.open("/dashboard/")
    await host.world.log.wait("socket", event="open", user_id=host.users[0]["id"])
    channels = (await host.world.log.wait("socket", event="subscribe"))["channels"]

    await host.page.close()
    await host.world.log.wait("socket", event="close")

    assert f"notifications:{host.world.account['id']}:{host.users[0]['id']}" in channels
