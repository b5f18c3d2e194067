"""Whole widgets in the manners that published ones have: each works here as it does in amoCRM.

`official` keeps the shape of amoCRM's own sample, `requiring` is a class of CommonJS modules that returns another
object, `modern` is what a bundler leaves, `dialler` a telephony widget with a call list.
"""

import json
from typing import Any

import pytest
from conftest import Host

from server.sandbox.rest.custom_fields import values_by_code

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MODAL = ".widget-settings__modal"


def lead_of(host: Host) -> dict[str, Any]:
    """A deal whose contact has a number."""
    return next(row for row in host.world.leads if row["links"].get("contacts") and not row["is_deleted"])


async def wrote(host: Host, key: str) -> Any:
    """What the widget wrote down under this key, once it has."""
    await host.page.wait_for_function("key => (window.seen || []).some(one => one && key in Object(one))", arg=key)
    return next(one[key] for one in await host.seen() if isinstance(one, dict) and key in one)


async def test_official_sample_draws_its_panel_and_its_modal(host: Host) -> None:
    """system() in the constructor, getTemplate, controls in twig, a modal around a control, its own style sheet."""
    host.install("official", login="x", api_key="y")
    lead = lead_of(host)
    page = await host.open(f"/leads/detail/{lead['id']}")

    panel = page.locator("#widgets_block .card-widgets__widget-official .official-panel")
    assert await panel.locator(".official-hello").inner_text() == "Здравствуйте"
    assert await panel.locator("#official_choice").get_attribute("value") == "2"
    assert (await host.seen())[0] == {"area": "lcard", "card": lead["id"], "entity": "leads", "isCard": True}
    assert await wrote(host, "base_params") == {"any": "thing"}
    await page.wait_for_function("getComputedStyle(document.querySelector('.official-hello')).color === 'rgb(1, 2, 3)'")

    await panel.locator("#official_send").click()
    assert await page.input_value(".modal.official-modal #official_text") == "helper"
    assert await page.locator(".official-send.button-input_loading").count() == 1
    await page.click(".modal.official-modal .modal-body__close")
    assert await page.locator(".official-send.button-input_loading").count() == 0

    await host.go("/dashboard/")
    assert (await host.seen())[-1] == "destroy"


async def test_official_sample_reads_the_card_where_there_is_none(host: Host) -> None:
    """`current_card.id` is read without a guard on a list too: it is undefined, nothing throws."""
    host.install("official")

    await host.open("/contacts/list/")

    assert (await host.seen())[0] == {"area": "clist", "card": None, "entity": "contacts", "isCard": False}
    assert host.errors("official") == []


async def test_official_sample_has_its_own_settings_page(host: Host) -> None:
    """advancedSettings finds the head of the page with its buttons and #work-area-<code>."""
    host.install("official")
    page = await host.open("/settings/advanced/official/")
    await page.wait_for_selector("#list_page_holder #work-area-official .official-page")

    assert await page.inner_text(".official-page") == "Своя страница\nofficial"
    assert await page.text_content(".content__top__preset__caption") == "Своя страница"
    assert await page.locator(".list__body-right__top__buttons .official-save .button-input-inner__text").count() == 1


async def test_official_sample_sends_messages_for_the_host(host: Host) -> None:
    """add_source('sms') gets phone, message and contact_id and answers with a promise; other types get an element."""
    host.install("official")
    lead = lead_of(host)
    contact = host.world.contacts[lead["links"]["contacts"][0]]
    page = await host.open(f"/leads/detail/{lead['id']}")

    await page.click(".js-source[data-type=sms]")
    await page.fill(".js-sms-form [name=message]", "привет")
    await page.click(".js-sms-form [type=submit]")
    await page.wait_for_selector("text=Отправлено")
    phone = values_by_code(host.world, contact, "contacts", "PHONE")[0]
    assert await wrote(host, "sms") == {"phone": phone, "message": "привет", "contact_id": contact["id"]}

    await page.fill(".js-sms-form [name=message]", "нет")
    await page.click(".js-sms-form [type=submit]")
    await page.wait_for_selector("text=Виджет не отправил сообщение")
    await page.click(".js-source[data-type=custom]")
    assert await page.inner_text(".js-source-body .official-source") == "custom"
    await host.go("/dashboard/")
    await host.go("/customers/list/")
    assert await page.locator(".js-source").count() == 0


async def test_official_sample_links_goods_in_its_tab(host: Host) -> None:
    """card_sdk: preloaded and linked rows, a search, and linkCard with what was changed."""
    host.install("official")
    lead = lead_of(host)
    page = await host.open(f"/leads/detail/{lead['id']}")
    panel = page.locator(".js-card-panel[data-tab=official]")

    await page.click(".js-card-tab[data-tab=official]")
    await panel.locator(".js-goods >> text=Кофе").wait_for()
    assert await wrote(host, "element") == {"id": lead["id"], "type": 2}
    await panel.locator(".js-goods-found .js-goods-link").click()
    await panel.locator(".js-goods-search").fill("мята")
    await panel.locator(".js-goods-search").press("Enter")
    await panel.locator(".js-goods-found >> text=Какао мята").wait_for()
    await panel.locator(".js-goods [data-id='7'] .js-goods-unlink").click()
    await panel.locator(".js-goods-save").click()

    links = await wrote(host, "links")
    assert [(one["action"], one["from"], one["from_id"], one["to_id"]) for one in links] == [
        ("link", "leads", lead["id"], 1),
        ("unlink", "leads", lead["id"], 7),
    ]
    assert await wrote(host, "query") == "мята"
    assert not await page.is_visible(".js-card-save-bar")


async def test_official_sample_is_reached_from_triggers_bots_and_sources(host: Host) -> None:
    """dpSettings finds its form by amoCRM's classes; the bot's block returns its program; a source its pipeline."""
    host.install("official")
    page = await host.open("/settings/pipeline/leads/")
    main = next(one["id"] for one in host.world.pipelines if one["is_main"])

    await page.click(".js-trigger-add")
    await page.fill("#official_dp", "Скоро будем")
    assert not await page.is_visible("input[name=message]")
    await page.click(".js-trigger-save")
    await host.world.log.wait("notification", method="digital_pipeline")
    assert host.payloads("digital_pipeline")[0]["settings"] == {"message": "Скоро будем"}

    await page.click(".js-bot-add")
    assert await page.input_value("input[name=more]") == "Привет!"
    assert await page.locator(".js-bot-exits li").all_inner_texts() == ["Отправлено", "Ошибка"]
    await page.click(".js-bot-save")
    source = json.loads(await page.inner_text(".js-bot-source"))
    assert source[0]["question"][0]["params"] == {"type": "text", "value": "Привет", "code": "greeting"}

    await page.click(".js-source-add")
    assert await wrote(host, "source") == main
    await page.click(".js-source-settings")
    await page.wait_for_selector(f"{MODAL} [data-settings=ready]")
    opened = await host.world.log.wait("callback", widget="official", name="settings")
    assert opened["args"][1]["source_id"] == main


async def test_official_sample_takes_ticked_rows_of_every_list(host: Host) -> None:
    """contacts, companies (which share the contacts' callback), leads, and tasks under their old name."""
    host.install("official")
    for entity, key in (("companies", "contacts"), ("leads", "leads"), ("todo", "tasks")):
        page = await host.open(f"/{entity}/list/")
        await page.evaluate("window.seen = []")
        await page.locator(".js-item-checkbox").first.check()
        await page.click(".js-list-more")
        await page.click(".js-list-more-widget[data-code=official]")
        chosen = await wrote(host, key)
        assert (
            chosen == 1
            if key == "tasks"
            else [one["type"] for one in chosen] == ["company" if entity == "companies" else "lead"]
        )


@pytest.mark.parametrize(("login", "words"), [("плохой", "Неверный логин"), ("хороший", None)])
async def test_official_sample_is_installed_when_it_agrees(host: Host, login: str, words: str | None) -> None:
    """onSave's promise decides; the description has its placeholders filled in, the tour its words."""
    host.install("official", active=False)
    page = await host.open("/settings/widgets/?widget=official")
    await page.wait_for_selector(f"{MODAL} [data-settings=ready]")
    description = await page.inner_text(f"{MODAL} .widget_settings_block__descr")
    assert description == f"Счёт {host.world.account['subdomain']}, человек {host.users[0]['id']}"
    assert await page.inner_text(f"{MODAL} .widget-settings__tour") == "Обзор"

    await page.fill("input[name=login]", login)
    await page.fill("input[name=api_key]", "k")
    await page.click("button.js-widget-install")

    if words:
        await page.wait_for_selector(f"text={words}")
        assert not (host.world.widgets.get("official") or {})["active"]
    else:
        await page.wait_for_selector(MODAL, state="detached")
        assert (host.world.widgets.get("official") or {})["settings"]["login"] == login


async def test_requiring_class_returns_another_object_and_awaits(host: Host) -> None:
    """define(function (require)), relative and text! modules, pubsub, async callbacks, the API by session."""
    host.install("requiring", token="good")
    await host.open("/dashboard/")

    assert await wrote(host, "account") == host.world.account["id"]
    assert await wrote(host, "pipelines") == len(host.world.pipelines)
    assert host.callbacks("requiring") == ["render", "bind_actions", "init"]
    assert host.errors("requiring") == []


async def test_requiring_class_has_pages_in_the_left_menu(host: Host) -> None:
    """`left_menu`: an item after leads with sub-items in order, one below analytics, one of amoCRM's hidden."""
    host.install("requiring")
    page = await host.open("/dashboard/")
    items = await page.locator("#nav_menu > .nav__menu__item").evaluate_all("all => all.map(one => one.dataset.entity)")
    assert items[items.index("leads") + 1] == "requiring-calls"
    assert "mail" not in items
    own = page.locator("#nav_menu [data-entity=requiring-calls]")
    assert await own.locator(".nav__menu__subitem").all_inner_texts() == ["Первый", "Второй"]

    await own.locator(".nav__menu__subitem").nth(1).click()
    await host.ready()
    assert await page.inner_text("#work-area-requiring .requiring-page") == "second"
    await page.click("#nav_menu [data-entity=stats] .nav__menu__subitem")
    await host.ready()
    assert await page.inner_text("#work-area-requiring .requiring-page") == "report"
    pages = [one for one in await host.seen() if isinstance(one, dict) and "location" in one]
    assert pages == [
        {"location": "widget_page", "item_code": "calls", "subitem_code": "second"},
        {"location": "stats", "subitem_code": "report"},
    ]


@pytest.mark.parametrize(("token", "is_saved"), [("good", True), ("bad", False)])
async def test_requiring_class_refuses_by_throwing_in_an_async_onsave(host: Host, token: str, is_saved: bool) -> None:
    """A rejected promise keeps the window open and the account as it was."""
    host.install("requiring", active=False)
    page = await host.open("/settings/widgets/requiring/")
    await page.fill("input[name=token]", token)
    await page.click("button.js-widget-install")

    state = "detached" if is_saved else "attached"
    await page.wait_for_selector(MODAL if is_saved else f"{MODAL} .js-settings-error:not(:empty)", state=state)
    assert bool((host.world.widgets.get("requiring") or {})["active"]) is is_saved


async def test_modern_bundle_uses_what_the_page_has(host: Host) -> None:
    """An empty list of modules, global $ and _, require('twigjs') at once, modules by query and by full address."""
    host.install("modern", config="{}")
    lead = lead_of(host)
    page = await host.open(f"/leads/detail/{lead['id']}")

    assert await page.inner_text(".modern-block") == f"{lead['id']} из twig"
    first = (await host.seen())[0]
    assert first == {"early": None, "user": host.users[0]["id"], "managers": len(host.users)}
    assert await wrote(host, "cached") is True
    assert await wrote(host, "absolute") is True
    assert await wrote(host, "version") == "2.0.0"


async def test_modern_bundle_asks_for_consent_by_its_custom_field(host: Host) -> None:
    """A required custom field refuses the installation until the widget has written JSON into it."""
    host.install("modern", active=False)
    page = await host.open("/settings/widgets/modern/")
    await page.click("button.js-widget-install")
    assert await page.inner_text(f"{MODAL} .js-settings-error") != ""

    await page.click(".modern-agree")
    await page.click("button.js-widget-install")
    await page.wait_for_selector(MODAL, state="detached")

    assert json.loads((host.world.widgets.get("modern") or {})["settings"]["config"]) == {"agreed": True}


async def test_modern_bundle_is_called_in_the_list_of_customers(host: Host) -> None:
    """customers.selected with the phones of the customers' contacts."""
    host.install("modern")
    page = await host.open("/customers/list/")
    await page.check(".js-list-all")
    await page.click(".js-list-more")
    await page.click(".js-list-more-widget[data-code=modern]")

    selected = await wrote(host, "selected")
    assert {one["type"] for one in selected} == {"customer"}
    assert any(one["phones"] for one in selected)


async def test_dialler_calls_by_the_number_in_a_card(host: Host) -> None:
    """The action's number and model, the user's extension of the settings, crm_post, and the reload guard on."""
    user = host.users[0]["id"]
    host.install("dialler", extensions={str(user): "201"})
    contact = next(row for row in host.world.contacts if values_by_code(host.world, row, "contacts", "PHONE"))
    page = await host.open(f"/contacts/detail/{contact['id']}")
    await page.locator(".js-card-fields .control-phone__formatted").first.click()
    await page.click(".js-tip.is-opened .js-cf-actions-item[data-type=phone][data-id=dialler]")

    number = values_by_code(host.world, contact, "contacts", "PHONE")[0]
    assert (await host.seen())[0] == {"dial": number, "from": "201", "name": contact["name"]}
    assert await page.evaluate("APP.sdk.getCallingStatus()") is True
    assert "127.0.0.1:9" in await wrote(host, "answer")


async def test_dialler_collects_a_call_list_and_shows_it(host: Host) -> None:
    """Ticked contacts with numbers go on the list; the counter of the phone icon and the panel show them."""
    host.install("dialler")
    page = await host.open("/contacts/list/")
    boxes = page.locator("tr:has(.js-control-phone) .js-item-checkbox")
    for index in range(3):
        await boxes.nth(index).check()
    await page.click(".js-list-more")
    await page.click(".js-list-more-widget[data-code=dialler]")

    assert await wrote(host, "added") == 3
    assert await wrote(host, "updates") == 3
    await host.go("/dashboard/")
    assert await page.inner_text(".js-notifications_call_list_counter") == "3"
    await page.click(".calls-list-toggler")
    await page.wait_for_selector("#popups_wrapper > .dialler li")
    assert await page.locator("#popups_wrapper > .dialler li").count() == 3


async def test_dialler_says_that_nobody_has_a_number(host: Host) -> None:
    """Rows without a number add nothing: a message without a header says so."""
    host.install("dialler")
    page = await host.open("/contacts/list/")
    bare = await page.evaluate("APP.data.current_list.find(row => !row.get('phones').length)?.id")
    if bare is None:
        await page.evaluate("APP.data.current_list.first().set('phones', [])")
        bare = await page.evaluate("APP.data.current_list.first().id")
    await page.check(f".js-item-checkbox[value='{bare}']")
    await page.click(".js-list-more")
    await page.click(".js-list-more-widget[data-code=dialler]")

    await page.wait_for_selector(".notification-error__row >> text=Нет номеров")
    assert await page.locator(".notification-error__title").count() == 0


async def test_dialler_saves_what_came_of_a_call(host: Host) -> None:
    """The finished call is in the feed, the modal survives a click beside it, its form makes a lead with a note."""
    host.install("dialler")
    page = await host.open("/dashboard/")
    await page.evaluate("APP.widgets.list.dialler.hungUp('+79990001122', 65)")
    assert await wrote(host, "feed") == "+79990001122"
    await page.mouse.click(5, 5)
    await page.fill(".dialler-form [name=lead]", "Заказ по звонку")
    await page.fill(".dialler-form [name=note]", "Перезвонить")
    await page.click(".dialler-form [type=submit]")
    await page.wait_for_selector(".dialler-result", state="detached")

    lead = next(row for row in host.world.leads if row["name"] == "Заказ по звонку")
    assert [note["params"]["text"] for note in host.world.notes.where(entity_id=lead["id"])] == ["Перезвонить"]
    assert await page.evaluate("APP.sdk.getCallingStatus()") is False


ABSOLUTE = """define(['jquery'], $ => function () {
  const self = this, own = path => `https://${self.system().subdomain}.${self.system().domain}${path}`;
  this.callbacks = {init: () => true, bind_actions: () => true, render() {
    (async () => {
      const account = await (await fetch(own('/api/v4/account'))).json();
      const pipelines = await $.ajax({url: own('/api/v4/leads/pipelines'), dataType: 'json'});
      window.seen = [account.subdomain, pipelines._embedded.pipelines.length > 0];
      APP.router.navigate(own('/contacts/list/'), {trigger: true});
    })();
    return true; }}; });"""


@pytest.mark.parametrize("brand", ["amocrm", "kommo"])
async def test_accounts_address_written_in_full_is_this_page(host: Host, brand: str) -> None:
    """https://<subdomain>.<domain>/… from fetch, $.ajax and the router: the page's own origin in amoCRM, and here."""
    host.world.switches.set({"brand": brand})
    host.write("absolute", ABSOLUTE)
    page = await host.open("/dashboard/")

    await page.wait_for_url("**/contacts/list/")
    assert page.url == host.url("/contacts/list/")
    assert await host.seen() == [host.world.account["subdomain"], True]


PARSING = """define([], () => function () {
  const self = this;
  this.callbacks = {render: () => true, bind_actions: () => true, init() {
    const {extensions} = self.get_settings();
    window.seen = [JSON.parse(extensions)['7'], extensions['7'], Object.keys(extensions)];
    return true; }}; });"""


async def test_users_settings_may_be_parsed_or_read(host: Host) -> None:
    """Of per-user settings some widgets parse a text and some read an object: what get_settings() has serves both."""
    host.write("parsing", PARSING, settings={"extensions": {"name": "widget.name", "type": "users"}})
    row = host.world.widgets.get("parsing")
    assert row is not None
    host.world.widgets.put({**row, "settings": {"extensions": {"7": "207"}}})

    await host.open("/dashboard/")

    assert host.errors("parsing") == []
    assert await host.seen() == ["207", "207", ["7"]]
