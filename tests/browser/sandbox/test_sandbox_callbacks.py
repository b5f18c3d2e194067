"""The order in which the host calls a widget, and how long a widget lives (platform reference, load sequence)."""

import pytest
from conftest import Host

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

STARTED = ["render", "init", "bind_actions"]


async def test_truthy_render_is_followed_by_init_and_bind_actions(host: Host) -> None:
    """A plain truthy answer of render starts init, then bind_actions."""
    host.install("truthy")

    await host.open("/dashboard/")

    assert host.callbacks("truthy") == STARTED


async def test_loaded_event_comes_between_render_and_init(host: Host) -> None:
    """The document hears `widget:<code>:loaded` after render and before init."""
    host.install("truthy")
    await host.open("/settings/pay/")
    await host.page.evaluate(
        """$(document).on('widget:truthy:loaded', () => {
             const init = APP.widgets.list.truthy.callbacks.init;
             window.seen = ['loaded'];
             APP.widgets.list.truthy.callbacks.init = () => { window.seen.push('init'); return init(); };
           })"""
    )

    await host.go("/dashboard/")

    assert await host.seen() == ["loaded", "init"]


async def test_falsy_render_skips_init(host: Host) -> None:
    """A falsy answer of render runs bind_actions and never init."""
    host.install("falsy")

    await host.open("/dashboard/")

    assert host.callbacks("falsy") == ["render", "bind_actions"]


async def test_promised_render_delays_init_past_bind_actions(host: Host) -> None:
    """A promise from render lets bind_actions run at once and init when it is resolved; only then the page is ready."""
    host.install("deferred")

    await host.open("/dashboard/")

    assert host.callbacks("deferred") == ["render", "bind_actions", "init"]


async def test_throwing_widget_is_recorded_and_the_others_live(host: Host) -> None:
    """An exception in render ends that widget's start, is logged, and nobody else notices."""
    host.install("throwing", "truthy")

    await host.open("/dashboard/")

    assert host.callbacks("throwing") == ["render"]
    assert host.errors("throwing") == ["render is broken"]
    assert host.callbacks("truthy") == STARTED


@pytest.mark.parametrize("code", ["incomplete", "unreadable"])
async def test_widget_that_is_none_is_dropped(host: Host, code: str) -> None:
    """Without one of the three callbacks, or with a script that is no JavaScript, a widget is left out."""
    host.install(code, "truthy")

    await host.open("/dashboard/")

    assert host.callbacks(code) == []
    assert await host.page.evaluate("Object.keys(APP.widgets.list)") == ["truthy"]


async def test_leaving_an_area_destroys_and_starts_anew(host: Host) -> None:
    """A widget without init_once is destroyed by each navigation and constructed again on the next page."""
    host.install("truthy")
    await host.open("/dashboard/")

    await host.go("/contacts/list/")

    assert host.callbacks("truthy") == [*STARTED, "destroy", *STARTED]


async def test_init_once_only_renders_again(host: Host) -> None:
    """A widget with init_once lives through navigation; only its render is repeated."""
    host.install("lasting")
    await host.open("/dashboard/")

    await host.go("/contacts/list/")
    await host.go("/leads/list/")

    assert host.callbacks("lasting") == [*STARTED, "render", "render"]


async def test_billing_page_starts_nothing(host: Host) -> None:
    """On /settings/pay/ no widget runs, whatever its locations."""
    host.install("truthy", "lasting")

    await host.open("/settings/pay/")

    assert host.world.log.entries("callback") == []


async def test_locations_decide_where_a_widget_starts(host: Host) -> None:
    """A widget of contact and lead cards starts there and nowhere else."""
    host.install("cards_only")
    contact, lead = (next(iter(rows))["id"] for rows in (host.world.contacts, host.world.leads))

    await host.open("/contacts/list/")
    assert host.callbacks("cards_only") == []

    await host.go(f"/contacts/detail/{contact}")
    await host.go(f"/leads/detail/{lead}")
    assert host.callbacks("cards_only") == [*STARTED, "destroy", *STARTED]


async def test_switched_off_widget_does_not_start(host: Host) -> None:
    """Only active widgets are started."""
    host.install("truthy", active=False)

    await host.open("/dashboard/")

    assert host.callbacks("truthy") == []


async def test_navigation_takes_the_ready_mark_away(host: Host) -> None:
    """`data-sandbox=ready` goes when a navigation begins and comes back after the new area's callbacks."""
    host.install("truthy")
    await host.open("/dashboard/")

    during = await host.page.evaluate(
        "APP.router.navigate('/leads/list/', {trigger: true}), document.documentElement.hasAttribute('data-sandbox')"
    )
    await host.ready()

    assert during is False
    assert host.callbacks("truthy")[-3:] == STARTED


async def test_page_changed_is_told_after_each_navigation(host: Host) -> None:
    """`page:changed` fires on the document after a navigation, not on the first load; `widgets:load` starts a round."""
    await host.open("/dashboard/")
    await host.page.evaluate(
        "window.seen = []; $(document).on('page:changed widgets:load', event => window.seen.push(event.type))"
    )

    await host.page.click("#nav_menu [data-entity=catalogs] a")
    await host.ready()

    assert await host.seen() == ["page:changed", "widgets:load"]
    assert await host.page.evaluate("APP.getWidgetsArea()") == "contacts"


async def test_zip_archive_runs_like_a_folder(host: Host, zipped: object) -> None:
    """A widget installed from a zip is served and started file by file."""
    host.install("constructing")
    row = host.world.widgets.get("constructing")
    assert row is not None
    host.world.widgets.put({**row, "path": str(zipped("constructing"))})  # type: ignore[operator]
    contact = next(iter(host.world.contacts))["id"]

    await host.open(f"/contacts/detail/{contact}")

    assert host.callbacks("constructing") == STARTED
