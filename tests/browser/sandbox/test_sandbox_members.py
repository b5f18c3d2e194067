"""What widgets read and call on `self` and `APP`, beyond their start: constants, cards, lists, settings, channels."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from conftest import Host, opened
from playwright.async_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MODAL = ".widget-settings__modal"


def contact_of(host: Host) -> dict[str, Any]:
    """A contact with a deal."""
    return next(row for row in host.world.contacts if row["links"].get("leads"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def areas(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """One page for a walk through all areas, with a widget that lives through navigation."""
    async with opened(browser, tmp_path_factory.mktemp("areas")) as host:
        host.install("lasting")
        await host.open("/dashboard/")
        yield host


async def test_constants_have_what_widgets_read(host: Host) -> None:
    """account, user, managers, groups, task_types, widgets, card_id, in the shapes that widgets rely on."""
    host.install("truthy")
    host.install("falsy", active=False)
    contact = contact_of(host)
    page = await host.open(f"/contacts/detail/{contact['id']}")
    found = await page.evaluate(
        "Object.fromEntries('account user managers groups task_types widgets card_id user_rights'.split(' ')"
        ".map(key => [key, APP.constant(key)]))"
    )

    user, account = host.users[0], found["account"]
    assert account["id"] == host.world.account["id"]
    assert account["subdomain"] == host.world.account["subdomain"]
    assert account["paid_till"] > host.world.now()
    assert {"timezone", "language", "top_level_domain", "cf", "users", "tariffName", "amojo_id"} <= set(account)
    lead_field = next(one for one in host.world.custom_fields if one["entity_type"] == "leads")
    told = account["cf"][str(lead_field["id"])]
    assert (told["ID"], told["NAME"], told["ENTREE_DEALS"]) == (lead_field["id"], lead_field["name"], True)
    assert (told["ENTREE_CONTACTS"], told["TYPE_ID"]) == (False, await page.evaluate("APP.cf_types.select"))
    phone = account["predefined_cf"]["PHONE"]
    assert (phone["ENTREE_CONTACTS"], phone["ENTREE_COMPANY"], phone["ENTREE_DEALS"]) == (True, True, False)
    assert found["user"]["id"] == user["id"]
    assert {"login", "name", "personal_mobile"} <= set(found["user"])
    manager = found["managers"][str(user["id"])]
    assert (manager["title"], manager["login"], manager["is_admin"]) == (user["name"], user["login"], "Y")
    assert found["groups"][manager["group"]]
    assert {"id", "option", "color", "icon_id"} <= set(next(iter(found["task_types"].values())))
    assert {code: one["active"] for code, one in found["widgets"]["all"].items()} == {"truthy": "Y", "falsy": "N"}
    assert found["card_id"] == contact["id"]
    assert found["user_rights"]["is_admin"] is True
    await host.go("/dashboard/")
    assert await page.evaluate("[typeof APP.constant('card_id'), APP.constant('own', 7), APP.constant('own')]") == [
        "undefined", 7, 7,
    ]  # fmt: skip


async def test_current_card_saves_and_tells_after(host: Host) -> None:
    """checkChanges() says whether anything was typed; save({afterSave}) writes and leaves widgets' blocks alone."""
    host.install("constructing")
    contact = contact_of(host)
    page = await host.open(f"/contacts/detail/{contact['id']}")
    assert await page.evaluate("APP.data.current_card.checkChanges()") is False
    await page.fill("#person_name", "Имя после правки")
    assert await page.evaluate("APP.data.current_card.checkChanges()") is True

    told = await page.evaluate("new Promise(afterSave => APP.data.current_card.save({ afterSave }))")

    assert told == {"id": contact["id"], "name": "Имя после правки"}
    assert host.world.contacts[contact["id"]]["name"] == "Имя после правки"
    assert await page.evaluate("APP.data.current_card.model.get('contact[NAME]')") == "Имя после правки"
    assert await page.evaluate("APP.data.current_card.checkChanges()") is False
    assert await page.is_visible(".own-body")


async def test_card_page_has_the_feed_as_a_view(host: Host) -> None:
    """card_page.notes.notes holds the notes and tells notes:updated; card_page.el is the card."""
    contact = contact_of(host)
    page = await host.open(f"/contacts/detail/{contact['id']}")
    before = await page.evaluate("APP.data.card_page.notes.notes.length")
    await page.evaluate(
        "window.seen = []; APP.data.card_page.notes.notes.on('notes:updated', notes => seen.push(notes.length))"
    )
    await page.fill(".js-note-form textarea", "новое")
    await page.click(".js-note-form [type=submit]")
    await page.wait_for_selector(".feed-note__text >> text=новое")

    assert (await host.seen())[-1] == before + 1
    assert await page.evaluate("APP.data.card_page.el.id") == "card_holder"


async def test_task_is_set_from_the_card(host: Host) -> None:
    """The window of a new task has the types of the account and belongs to the card."""
    contact = contact_of(host)
    page = await host.open(f"/contacts/detail/{contact['id']}")
    await page.click(".js-task-new")
    assert await page.locator("div.modal-body__inner__todo-types label").count() == len(
        host.world.account["task_types"]
    )
    await page.fill(".modal-task textarea", "Перезвонить во вторник")
    await page.click(".modal-task [type=submit]")
    await page.wait_for_selector(".modal-task", state="detached")

    task = next(row for row in host.world.tasks if row["text"] == "Перезвонить во вторник")
    assert (task["entity_id"], task["entity_type"]) == (contact["id"], "contacts")


@pytest.mark.parametrize(
    ("path", "area", "system", "base"),
    [
        ("/dashboard/", "dashboard", "dashboard", "dashboard"),
        ("/leads/list/", "leads", "llist", "leads"),
        ("/leads/pipeline/", "leads-pipeline", "llist", "leads"),
        ("/leads/trash/", "leads-trash", "llist", "leads"),
        ("/customers/list/", "customers", "culist", "customers"),
        ("/customers/pipeline/", "customers-pipeline", "culist", "customers"),
        ("/contacts/list/", "contacts", "clist", "contacts"),
        ("/companies/list/", "companies", "clist", "companies"),
        ("/todo/list/", "todo", "tlist", "todo"),
        ("/todo/line/", "todo-line", "tline", "todo"),
        ("/todo/calendar/", "todo-calendar", "tcalendar", "todo"),
        ("/contacts/add/", "contacts_card", "ccard", "contacts"),
        ("/leads/add/", "leads_card", "lcard", "leads"),
        ("/companies/add/", "companies_card", "comcard", "companies"),
        ("/customers/add/", "customers_card", "cucard", "customers"),
        ("/settings/widgets/", "widgetsSettings", "settings", "widgetsSettings"),
        ("/settings/users/", "settings-users", "settings", "settings"),
        ("/settings/communications/", "settings-communications", "settings", "settings"),
        ("/settings/advanced/lasting/", "advanced-settings:lasting", "widget.advanced_settings", "settings"),
        ("/widget_page/lasting/item/", "widget-page:lasting", "widget_page", "widget_page"),
        ("/mail/new/", "mail", "mail", "mail"),
        ("/events/list/", "events", "events", "events"),
        ("/stats/", "stats", "stats", "stats"),
        ("/stats/human/", "stats-human", "stats-human", "stats"),
        ("/stats/calls/", "statsCalls", "statsCalls", "stats"),
        ("/catalogs/", "catalogs", "catalogs", "catalogs"),
    ],
)
async def test_every_area_has_its_names(areas: Host, path: str, area: str, system: str, base: str) -> None:
    """getWidgetsArea(), its deprecated twin, self.system().area and getBaseEntity(), address by address."""
    await areas.go(path)

    found = await areas.page.evaluate(
        "[APP.getWidgetsArea(), APP.getV3WidgetsArea(), APP.widgets.list.lasting.system().area, APP.getBaseEntity()]"
    )

    assert found == [area, area, system, base]


async def test_channels_tell_of_deals_cards_desk_and_releases(host: Host) -> None:
    """listenSocketChannel hears entities, cards, pipelines, the desk and the system, until it leaves."""
    host.install("lasting")
    lead, account = next(iter(host.world.leads)), host.world.account["id"]
    page = await host.open("/dashboard/")
    channels = [
        "leads:events", f"leads:card:{lead['id']}", f"leads:pipeline:{lead['pipeline_id']}", "dashboard:events",
        f"system:state:{account}",
    ]  # fmt: skip
    await page.evaluate(
        """channels => { window.seen = [];
             window.leave = channels.map(name => APP.widgets.list.lasting.listenSocketChannel(name, null,
               (data, channel) => seen.push(channel))); }""",
        channels,
    )
    change = """id => $.ajax({url: '/api/v4/leads/' + id, method: 'PATCH', contentType: 'application/json',
                 data: JSON.stringify({name: 'Другое имя ' + Math.random()})})"""
    await page.evaluate(change, lead["id"])
    await page.evaluate(
        """$.ajax({url: '/sandbox/switches', method: 'PUT', contentType: 'application/json',
                   data: '{"note_uniq": true}'})"""
    )
    await page.wait_for_function("new Set(window.seen).size === 5")
    assert set(await host.seen()) == set(channels)

    await page.evaluate("window.seen = []; leave.forEach(one => one())")
    await page.evaluate(
        """new Promise(done => APP.widgets.list.lasting.listenSocketChannel('companies:events', ['id'], done)
             && $.ajax({url: '/api/v4/companies', method: 'POST', contentType: 'application/json',
                        data: '[{"name": "Z"}]'}))"""
    )
    await page.evaluate(change, lead["id"])
    assert await host.seen() == []


async def test_pipeline_and_account_are_promised(host: Host) -> None:
    """get_pipeline_id() is the card's, the board's or the main pipeline; get_accounts_current() needs no request."""
    host.install("lasting")
    lead, pipeline = next(iter(host.world.leads)), next(iter(host.world.pipelines))
    host.world.pipelines.add({**pipeline, "id": 555, "is_main": False})
    host.world.leads.put({**lead, "pipeline_id": 555})
    page = await host.open(f"/leads/detail/{lead['id']}")
    ask = "APP.widgets.list.lasting.get_pipeline_id()"
    main = next(one["id"] for one in host.world.pipelines if one["is_main"])

    on_card = await page.evaluate(ask)
    await host.go("/dashboard/")
    elsewhere = await page.evaluate(ask)
    account = await page.evaluate("APP.widgets.list.lasting.get_accounts_current()")

    assert [on_card, elsewhere] == [555, main]
    assert account["id"] == host.world.account["id"]


async def test_settings_and_catalog_are_kept_in_memory(host: Host) -> None:
    """set_settings merges into what get_settings shows, set_lang replaces the words; nothing reaches the account."""
    host.install("lasting", kept="1")
    page = await host.open("/dashboard/")

    found = await page.evaluate(
        """() => { const self = APP.widgets.list.lasting; const settings = self.get_settings();
             self.set_settings({more: 2}); self.set_lang({own: {word: 'слово'}}); self.setSdkCatalogId(5);
             return [settings.more, settings.kept, self.params === settings, self.i18n('own.word'), self.langs.own,
               self.get_install_status(), self.sdk_catalog_id]; }"""
    )

    assert found == [2, "1", True, "слово", {"word": "слово"}, "installed", 5]
    assert (host.world.widgets.get("lasting") or {})["settings"] == {"kept": "1"}


async def test_render_promises_every_form(host: Host) -> None:
    """`promised: true` gives a thenable of a template for href, ref and data; load gets the parameters as well."""
    host.install("constructing")
    page = await host.open("/contacts/add/")

    found = await page.evaluate(
        """async () => { const self = APP.widgets.list.constructing; const base_path = self.params.path;
             const href = await self.render({href: 'templates/hello.twig', base_path, v: 1, promised: true});
             const ref = await self.render({ref: '/tmpl/controls/input.twig', promised: true});
             const data = await self.render({data: '{{ a }}!', promised: true});
             const loaded = await new Promise(done => self.render({href: '/templates/hello.twig', base_path,
               load: (template, params) => done([template.render(params), params])}, {who: 'Ева'}));
             const nowhere = {href: '/templates/none.twig', base_path, promised: true};
             const missing = await Promise.resolve(self.render(nowhere)).then(() => 'found', () => 'missing');
             return [href.render({who: 'Ян'}), ref.render({name: 'x'}).includes('name="x"'), data.render({a: 1}),
               loaded, missing, self.render({ref: '/tmpl/controls/none.twig'})]; }"""
    )

    assert found == ["Hello Ян\n", True, "1!", ["Hello Ева\n", {"who": "Ева"}], "missing", ""]


async def test_users_settings_may_be_texts(host: Host) -> None:
    """With the switch `users_field: string` per-user fields arrive as JSON texts; the account keeps objects."""
    host.world.switches.set({"users_field": "string"})
    host.install("fields", title="x", extensions={"5": "205"})
    page = await host.open("/settings/widgets/fields/")
    user = host.users[0]["id"]
    assert json.loads(await page.evaluate("APP.widgets.list.fields.get_settings().extensions")) == {"5": "205"}
    await page.fill(f'input[name="extensions[{user}]"]', "201")
    await page.click(".js-widget-save")
    await page.wait_for_selector(MODAL, state="detached")

    handed = next(one for one in await host.seen() if isinstance(one, dict) and "fields" in one)
    assert json.loads(handed["fields"]["extensions"])[str(user)] == "201"
    assert (host.world.widgets.get("fields") or {})["settings"]["extensions"][str(user)] == "201"


async def test_settings_window_shows_every_state(host: Host) -> None:
    """not_configured while a required field is empty, what set_status says while it is open, install when it is off."""
    host.install("fields")
    page = await host.open("/settings/widgets/fields/")
    state = page.locator(f"{MODAL}.modal.fields .widget-state")
    assert await state.get_attribute("class") == "widget-state widget-state_status_not_configured"
    assert await page.evaluate("APP.widgets.list.fields.get_install_status()") == "not_configured"

    await page.evaluate("APP.widgets.list.fields.set_status('error')")
    assert await state.get_attribute("data-status") == "error"
    assert await page.evaluate("APP.widgets.list.fields.get_install_status()") == "error"
    assert await page.locator("#save_fields.js-widget-save:disabled").count() == 1

    host.install("fields", active=False)
    await host.open("/settings/widgets/fields/")
    assert await state.get_attribute("data-status") == "install"
    assert await page.locator(".fields > .modal .js-widget-install:enabled").count() == 1


async def test_widget_without_installation_is_only_looked_at(host: Host) -> None:
    """`installation: false` has no buttons; with is_showcase it has the one to view."""
    script = """define([], () => function () {
      this.callbacks = {render: () => true, init: () => true, bind_actions: () => true}; });"""
    host.write("tile", script, widget={"installation": False}, active=False)
    host.write("shown", script, widget={"installation": False, "is_showcase": True}, active=False)

    page = await host.open("/settings/widgets/tile/")
    await page.wait_for_selector(f"{MODAL} [data-settings=ready]")
    assert await page.locator(f"{MODAL} .widget-settings__command-plate button").count() == 0
    await host.open("/settings/widgets/shown/")
    await page.wait_for_selector(f"{MODAL} [data-settings=ready]")
    assert await page.locator(f"{MODAL} .js-widget-view").count() == 1


async def test_widgets_change_settings_by_the_pages_own_endpoint(host: Host) -> None:
    """/ajax/widgets/list without an area, /ajax/widgets/edit with a form, as widgets that store settings post them."""
    host.install("fields", title="было")
    page = await host.open("/dashboard/")
    read = """new Promise(done => $.ajax({type: 'POST', url: '/ajax/widgets/list', data: '', dataType: 'json',
                success: data => done(JSON.parse(data.widgets.fields.settings))}))"""
    assert (await page.evaluate(read))["title"] == "было"

    answer = await page.evaluate(
        """new Promise(done => $.post('/ajax/widgets/edit', {action: 'edit', id: 1, code: 'fields', widget_active: 'Y',
             settings: {title: 'стало'}}, done))"""
    )

    assert answer["response"]["status"] == "ok"
    assert (await page.evaluate(read))["title"] == "стало"
    off = {"action": "edit", "code": "fields", "widget_active": False}
    await page.evaluate("off => $.post('/ajax/widgets/edit', off)", off)
    assert (host.world.widgets.get("fields") or {})["active"] is False


async def test_feed_hands_over_exactly_the_documented_members(host: Host) -> None:
    """Every member of a notification, its body, rows, actions and buttons, and no other on top."""
    host.install("phone")
    page = await host.open("/dashboard/")
    await page.evaluate(
        "APP.notifications.add_call({text: 'Кто', from: '+70001112233', click_link: '/contacts/add/?phone=1'})"
    )
    await page.wait_for_function("window.seen.length > 0")

    told = (await host.seen())[0]["notification"]
    assert set(told) == {
        "id", "uuid", "notification_id", "entity", "linked_entity", "created_at", "updated_at", "is_read", "silent",
        "notification", "body", "click", "web_link", "absolute_link", "buttons",
    }  # fmt: skip
    assert told["id"] == told["uuid"] == told["notification_id"]
    assert set(told["body"]) - {"call"} == {"title", "icon", "rows", "actions"}
    assert told["body"]["icon"] == {"call": True, "value": "/frontend/images/interface/inbox/notifications_call.svg"}
    assert set(told["body"]["rows"][0]) == {"style", "text", "class_height"}
    assert set(told["body"]["actions"]) == {"click", "buttons", "read_on_show"}
    assert set(told["buttons"][0]) == {"url", "title", "web_link", "absolute_link"}
    assert told["click"] == {"type": "url", "value": "/contacts/add/?phone=1"}


async def test_only_lasting_widgets_get_the_feed(host: Host) -> None:
    """addNotificationCallback of a widget without init_once is refused with words."""
    host.install("truthy")
    page = await host.open("/dashboard/")

    await page.evaluate("APP.addNotificationCallback('truthy', () => {})")
    await host.world.log.wait("error", widget="truthy")

    assert "init_once" in host.errors("truthy")[0]


async def test_who_is_online_and_whether_the_tab_is_seen(host: Host) -> None:
    """sdk.showUserStatus in its three forms; ifvisible tells blur and focus."""
    page = await host.open("/dashboard/")
    user = host.users[0]["id"]

    every, online, one, nobody = await page.evaluate(
        "id => [APP.sdk.showUserStatus(), APP.sdk.showUserStatus('online'), APP.sdk.showUserStatus(id),"
        " APP.sdk.showUserStatus(1)]",
        user,
    )
    assert every[str(user)] == {"id": user, "online": True}
    assert user in online
    assert [one, nobody] == [True, False]

    await page.evaluate(
        "window.seen = []; APP.ifvisible.on('blur', () => seen.push('blur')).on('focus', () => seen.push('focus'))"
    )
    await page.evaluate("window.dispatchEvent(new Event('blur')); window.dispatchEvent(new Event('focus'))")
    assert await host.seen() == ["blur", "focus"]


async def test_recording_may_be_exchanged_before_it_plays(host: Host) -> None:
    """player_prepare[code] gets the player of a call's note and may set another link."""
    contact = contact_of(host)
    host.world.notes.add(
        {
            "entity_type": "contacts", "entity_id": contact["id"], "note_type": "call_in", "created_at": 1,
            "params": {"link": "https://example.test/old.mp3", "duration": 3, "phone": "+7"}, "created_by": 0,
        }
    )  # fmt: skip
    host.install("lasting")
    page = await host.open(f"/contacts/detail/{contact['id']}")
    link = page.locator(".feed-note-wrapper-call_in_out .feed-note__call-content a")
    assert await link.first.get_attribute("href") == "https://example.test/old.mp3"

    await page.evaluate(
        "void (APP.player_prepare.lasting = $player => $player.attr('data-link', '/private/ping.php?mine'))"
    )
    await page.locator(".js-player[data-link='https://example.test/old.mp3'] .js-player-play").click()

    assert await page.locator("audio").get_attribute("src") == "/private/ping.php?mine"


async def test_crm_post_waits_its_turn_and_tells_both_ways(host: Host) -> None:
    """Five at once leave a second apart; text answers reach success in any case, JSON failures the error callback."""
    host.install("lasting")
    page = await host.open("/dashboard/")
    await page.evaluate(
        """void (window.setTimeout = (real => (run, ms) => {
             (window.waits ||= []).push(ms); return real(run, 0); })(setTimeout))"""
    )
    found = await page.evaluate(
        """() => { const self = APP.widgets.list.lasting; const url = 'http://127.0.0.1:9/none'; const told = [];
             const one = (type, index) => new Promise(done => self.crm_post(url, {a: 1},
               () => told.push([index, 'success']), type, () => { told.push([index, 'error']); done(); }));
             self.crm_post(url, {});
             return Promise.all([one('text', 1), one('json', 2), one(undefined, 3), one('html', 4)])
               .then(() => told.sort()); }"""
    )

    assert found == [
        [1, "error"],
        [1, "success"],
        [2, "error"],
        [3, "error"],
        [3, "success"],
        [4, "error"],
        [4, "success"],
    ]
    waits = await page.evaluate("waits.filter(ms => ms > 900 || ms === 0).map(ms => Math.round(ms / 1000))")
    assert waits[:5] == [0, 1, 2, 3, 4]
