"""What a widget finds in `self` and in `APP`, in its constructor and later."""

import asyncio
import json

import jwt
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from conftest import Host

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def started(host: Host) -> Host:
    """The widget that writes everything down, on a contact's card."""
    host.install("constructing", greeting="kept")
    contact = next(iter(host.world.contacts))["id"]
    await host.open(f"/contacts/detail/{contact}")
    await host.page.wait_for_function("window.seen.length === 3")
    return host


async def test_constructor_sees_system_and_constants_only(started: Host) -> None:
    """system() and constants work in the constructor; settings and words come later, and asking is harmless."""
    first = (await started.seen())[0]

    assert first["area"] == "ccard"
    assert first["user"] == started.users[0]["id"]
    assert first["account"] == started.world.account["id"]
    assert first["settings"].get("greeting") is None or first["settings"]["widget_code"] == "constructing"
    assert first["word"] == ""


async def test_settings_carry_the_hosts_own_members(started: Host) -> None:
    """get_settings() has what the account saved and what the host adds."""
    settings = (await started.seen())[1]["settings"]

    assert settings["greeting"] == "kept"
    assert settings["widget_code"] == "constructing"
    assert settings["path"] == "/upl/constructing/widget"
    assert settings["images_path"] == "/upl/constructing/widget/images"
    assert settings["version"] == "1.0.0"
    assert settings["widget_active"] == "Y"
    assert settings["status"] == "installed"


async def test_i18n_knows_paths_sections_and_forgives_unknown_keys(started: Host) -> None:
    """A dotted path gives a text, a section its object, an unknown key an empty text."""
    second = (await started.seen())[1]

    assert second["greeting"] == "Здравствуйте"
    assert second["section"] == {"hello": "Здравствуйте"}
    assert second["unknown"] == ""
    assert second["ns"] == ".widget:constructing"


async def test_relative_and_json_dependencies_resolve_beside_the_script(started: Host) -> None:
    """`./lib/helper.js?v=2` and `json!./manifest.json` come from the widget's own folder."""
    second = (await started.seen())[1]

    assert second["helper"] == "helper beside the script"
    assert second["manifest"] == "1.0.0"


async def test_render_answers_at_once_for_controls_and_sources(started: Host) -> None:
    """render({ref}) and render({data}) return text; the host's controls escape what they are given."""
    second = (await started.seen())[1]

    assert 'class="button-input' in second["button"]
    assert "Go &lt;now&gt;" in second["button"]
    assert 'value="Anna"' in second["inline"]
    assert second["inline"].endswith("Anna")
    assert second["wrapped"] == "Hi Boris"


async def test_render_by_href_loads_a_template_of_the_archive(started: Host) -> None:
    """render({href, base_path, load}) hands over a template."""
    assert (await started.seen())[2] == {"loaded": "Hello Galina\n"}


async def test_render_template_fills_the_right_column(started: Host) -> None:
    """The standard block stands in the open right column with body and rendered source."""
    block = started.page.locator("#widgets_block .card-widgets__widget-constructing")

    assert await block.locator(".js-widget-caption-block.own-caption").count() == 1
    assert await block.locator(".own-body").is_visible()
    assert await block.locator(".own-twig").inner_text() == "Vera"


async def test_caption_and_top_close_and_open_the_column(started: Host) -> None:
    """A caption folds one widget, the top folds the whole panel, and the state is remembered per entity."""
    page = started.page

    await page.click(".js-widget-caption-block")
    assert not await page.is_visible(".own-body")
    await page.click(".card-widgets__top")

    assert "js-widgets-active" not in str(await page.get_attribute("#card_holder", "class"))
    assert "contacts_crd_wdgt=0" in await page.evaluate("document.cookie")


async def test_column_is_hidden_when_no_widget_counts_there(host: Host) -> None:
    """A card without widgets of its area has no right column."""
    host.install("lasting")

    await host.open(f"/contacts/detail/{next(iter(host.world.contacts))['id']}")

    assert "js-widgets-hidden" in str(await host.page.get_attribute("#card_holder", "class"))


async def test_every_vendor_module_can_be_required(host: Host) -> None:
    """Each AMD id of the table loads; those npm lacks say so in the developer bar."""
    await host.open("/dashboard/")

    broken = await host.page.evaluate(
        """() => {
             const ids = Object.keys({...SANDBOX_BOOT.vendor, ...SANDBOX_BOOT.aliases}).filter(id => id !== 'require');
             const load = id => new Promise(done => requirejs([id], () => done(null), problem => done(id + problem)));
             return Promise.all(ids.map(load));
           }"""
    )

    assert [one for one in broken if one] == []
    await host.page.wait_for_function("document.querySelector('#sandbox_bar').classList.contains('has-errors')")


async def test_authorized_ajax_carries_a_signed_one_time_token(host: Host) -> None:
    """$authorizedAjax sends X-Auth-Token, signed with the integration's secret for this user."""
    host.install("phone")
    from server.sandbox import integrations

    integration = integrations.ensure(host.world, "phone", redirect_uri="https://voip.example/amo/oauth")
    await host.open("/dashboard/")
    async with host.page.expect_request("**/private/ping.php") as asked:
        await host.page.evaluate("APP.widgets.list.phone.$authorizedAjax({url: '/private/ping.php', method: 'GET'})")

    token = (await asked.value).headers["x-auth-token"]
    claims = jwt.decode(token, integration["secret"], algorithms=["HS256"], audience="https://voip.example")
    assert claims["user_id"] == host.users[0]["id"]
    assert claims["client_uuid"] == integration["id"]


async def test_crm_post_leaves_through_the_proxy_one_a_second(host: Host) -> None:
    """crm_post reaches its target as a form post from the server; a second one waits its turn of a second."""
    received: list[dict[str, str]] = []
    times: list[float] = []

    async def hook(request: web.Request) -> web.Response:
        received.append({str(key): str(value) for key, value in (await request.post()).items()})
        times.append(asyncio.get_running_loop().time())
        return web.json_response({"got": len(received)})

    app = web.Application()
    app.router.add_post("/hook", hook)
    target = TestServer(app)
    await target.start_server()
    host.install("phone")
    await host.open("/dashboard/")

    answers = await host.page.evaluate(
        """url => { const widget = APP.widgets.list.phone;
             const post = n => new Promise((ok, no) => widget.crm_post(url, {n: n, deep: {a: 1}}, ok, 'json', no));
             return Promise.all([post(1), post(2)]); }""",
        str(target.make_url("/hook")),
    )
    await target.close()

    assert received == [{"n": "1", "deep[a]": "1"}, {"n": "2", "deep[a]": "1"}]
    assert answers == [{"got": 1}, {"got": 2}]
    assert times[1] - times[0] > 0.8


async def test_release_reloads_the_page_unless_a_call_is_on(host: Host) -> None:
    """Another X-Core-Version reloads the page; setCallingStatus(true) puts that off until the call is over."""
    await host.open("/dashboard/")
    await host.page.evaluate("window.marked = true; APP.sdk.setCallingStatus(true)")
    host.world.switches.set({"core_version": "2"})

    await host.page.evaluate("$.get('/private/ping.php')")
    assert await host.page.evaluate("window.marked") is True

    async with host.page.expect_navigation():
        await host.page.evaluate("APP.sdk.setCallingStatus(false)")
    await host.ready()
    assert await host.page.evaluate("APP.constant('version')") == "2"


async def test_current_card_contacts_come_without_a_request(host: Host) -> None:
    """On a lead's card the linked contacts are offered with names, phones and e-mails."""
    host.install("phone")
    lead = next(row for row in host.world.leads if row["links"].get("contacts"))
    await host.open(f"/leads/detail/{lead['id']}")

    contacts = await host.page.evaluate("APP.widgets.list.phone.get_current_card_contacts_data()")

    assert [one["id"] for one in contacts] == lead["links"]["contacts"]
    assert set(contacts[0]) == {"id", "name", "first_name", "last_name", "phones", "emails"}


async def test_socket_channel_tells_of_a_changed_card(host: Host) -> None:
    """listenSocketChannel hears what the API does to an entity, until it unsubscribes."""
    host.install("phone")
    contact = next(iter(host.world.contacts))["id"]
    await host.open("/dashboard/")
    await host.page.evaluate(
        """id => {
             window.seen = [];
             APP.widgets.list.phone.listenSocketChannel('contacts:card:' + id, null, data => seen.push(data));
           }""",
        contact,
    )

    async with host.page.expect_response(f"**/api/v4/contacts/{contact}"):
        await host.page.evaluate(
            """([id, data]) =>
                 $.ajax({url: '/api/v4/contacts/' + id, method: 'PATCH', contentType: 'application/json', data})""",
            [contact, json.dumps({"name": "Новое имя"})],
        )

    await host.page.wait_for_function("window.seen.length > 0")
    assert (await host.seen())[0] == {"action": "update", "id": contact}


async def test_modal_shows_after_loaded_and_may_refuse_to_close(host: Host) -> None:
    """A modal appears on modal:loaded, keeps its close button through html(), and destroy() === false keeps it."""
    await host.open("/dashboard/")
    await host.page.evaluate(
        """() => new Promise(done => requirejs(['lib/components/base/modal'], Modal => {
             window.refuse = true;
             new Modal({class_name: 'mine', destroy: () => !window.refuse, init: $body => {
               $body.trigger('modal:loaded').html('<p>inside</p>').trigger('modal:centrify'); done(); }});
           }))"""
    )

    assert await host.page.is_visible(".modal.mine .modal-body p")
    await host.page.click(".modal.mine .modal-body__close")
    assert await host.page.is_visible(".modal.mine")
    await host.page.evaluate("window.refuse = false")
    await host.page.keyboard.press("Escape")
    assert await host.page.locator(".modal.mine").count() == 0
