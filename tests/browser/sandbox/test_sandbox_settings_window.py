"""The settings window: all five kinds of fields, and install, save and disconnect with their callbacks in order."""

import json
from typing import Any

import pytest
from conftest import Host
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MODAL = ".widget-settings__modal"


async def open_window(host: Host, *, active: bool = False, **settings: Any) -> Page:
    host.install("fields", active=active, **settings)
    page = await host.open("/settings/widgets/")
    await page.click(".js-widget-tile[data-code=fields]")
    await page.wait_for_selector(f"{MODAL} [data-settings=ready]")
    return page


def saved(host: Host) -> dict[str, Any]:
    row = host.world.widgets.get("fields")
    assert row is not None
    settings: dict[str, Any] = row["settings"]
    return settings


def is_active(host: Host) -> bool:
    return bool((host.world.widgets.get("fields") or {}).get("active"))


async def test_every_kind_of_field_is_saved_in_its_form(host: Host) -> None:
    """text, pass, users, users_lp and custom arrive in onSave and in the account as documented."""
    page = await open_window(host)
    user = host.users[0]["id"]
    await page.fill("input[name=title]", "Заголовок")
    await page.fill("input[name=secret]", "s3cret")
    await page.fill(f'input[name="extensions[{user}]"]', "201")
    await page.fill(f'input[name="logins[{user}][login]"]', "olga")
    await page.fill(f'input[name="logins[{user}][password]"]', "pw")
    await page.check(".fields-consent")

    await page.click(".js-widget-install")
    await page.wait_for_selector(MODAL, state="detached")

    handed = next(one for one in await host.seen() if isinstance(one, dict) and "fields" in one)
    assert handed["active"] == "Y"
    assert handed["fields"]["extensions"][str(user)] == "201"
    assert saved(host)["title"] == "Заголовок"
    assert saved(host)["secret"] == "s3cret"
    assert saved(host)["logins"][str(user)] == {"login": "olga", "password": "pw"}
    assert json.loads(saved(host)["conf"]) == {"agreed": True}


async def test_installing_saves_then_tells_then_starts(host: Host) -> None:
    """Install runs settings, onSave, onInstall, and then starts the widget."""
    page = await open_window(host)
    await page.fill("input[name=title]", "x")

    await page.click(".js-widget-install")
    await page.wait_for_selector(MODAL, state="detached")
    await host.world.log.wait("callback", widget="fields", name="bind_actions")

    assert host.callbacks("fields")[:6] == ["settings", "onSave", "onInstall", "render", "init", "bind_actions"]
    assert is_active(host)


async def test_missing_required_field_stops_the_installation(host: Host) -> None:
    """Without a required value nothing is asked of the widget and nothing is saved."""
    page = await open_window(host)

    await page.click(".js-widget-install")

    assert await page.inner_text(".js-settings-error") == "Заполните обязательные поля"
    assert "onSave" not in host.callbacks("fields")
    assert not is_active(host)


@pytest.mark.parametrize(
    ("title", "words"), [("refuse", "Виджет не принял эти настройки"), ("reject", "Спросите администратора")]
)
async def test_onsave_can_refuse(host: Host, title: str, words: str) -> None:
    """false, or a rejected promise with its words, leaves the window open and nothing saved."""
    page = await open_window(host)
    await page.fill("input[name=title]", title)

    await page.click(".js-widget-install")
    await page.wait_for_function("document.querySelector('.js-settings-error').textContent !== ''")

    assert await page.inner_text(".js-settings-error") == words
    assert not is_active(host)


async def test_save_button_wakes_up_by_change(host: Host) -> None:
    """Save is idle until an input changes; writing the custom field's hidden input and firing change counts."""
    page = await open_window(host, active=True, title="old")

    assert await page.is_disabled("#save_fields")
    await page.check(".fields-consent")

    assert await page.is_enabled("#save_fields")
    await page.click("#save_fields")
    await page.wait_for_selector(MODAL, state="detached")
    assert json.loads(saved(host)["conf"]) == {"agreed": True}
    assert saved(host)["title"] == "old"


async def test_plain_text_in_a_custom_field_does_not_persist(host: Host) -> None:
    """A custom field keeps JSON and numbers only."""
    page = await open_window(host, active=True, title="old", conf='{"agreed":true}')
    await page.evaluate("$('input[name=conf]').val('just words').trigger('change')")

    await page.click("#save_fields")
    await page.wait_for_selector(MODAL, state="detached")

    assert saved(host)["conf"] == '{"agreed":true}'


async def test_disconnecting_asks_onsave_then_destroys(host: Host) -> None:
    """Disconnect calls onSave with active N, then destroy, and switches the widget off."""
    page = await open_window(host, active=True, title="old")

    await page.click(".js-widget-uninstall")
    await page.wait_for_selector(MODAL, state="detached")

    assert (await host.seen())[0]["active"] == "N"
    await host.world.log.wait("callback", widget="fields", name="destroy")
    assert host.callbacks("fields")[-2:] == ["onSave", "destroy"]
    assert not is_active(host)


async def test_advanced_settings_follow_bind_actions_on_their_own_page(host: Host) -> None:
    """The widget's own settings page runs advancedSettings right after bind_actions."""
    host.install("fields", title="x")

    page = await host.open("/settings/advanced/fields/")

    assert host.callbacks("fields") == ["render", "init", "bind_actions", "advancedSettings"]
    assert await page.is_visible("#list_page_holder .own-page")
    assert await page.evaluate("APP.getWidgetsArea()") == "advanced-settings:fields"


async def test_ordinary_user_may_look_and_not_save(host: Host) -> None:
    """Only administrators install and change widgets."""
    agent = next(user for user in host.users if not user["rights"]["is_admin"])
    host.install("fields", active=False)
    await host.page.goto(host.url(f"/sandbox/login?user={agent['id']}&next=/settings/widgets/"))
    await host.ready()
    await host.page.click(".js-widget-tile[data-code=fields]")
    await host.page.fill("input[name=title]", "x")

    await host.page.click(".js-widget-install")
    await host.page.wait_for_function("document.querySelector('.js-settings-error').textContent.includes('403')")

    assert not is_active(host)


async def test_page_speaks_the_users_language(host: Host) -> None:
    """A user with English sees an English host and the widget's English words."""
    user = host.users[0]
    host.world.users.put({**user, "lang": "en"})

    page = await open_window(host)

    assert await page.inner_text(".js-widget-install") == "Install"
    assert await page.evaluate("APP.lang_id") == "en"
    assert "title en" in await page.inner_text(".widget_settings_block")


WINDOW = """define([], () => function () {
  this.callbacks = {render: () => true, init: () => true, bind_actions: () => true, onSave: () => true,
    settings($body) {
      const $rows = $body.find('.widget_settings_block .widget_settings_block__controls');
      window.seen = [$body.is('.modal-body'), $rows.length];
      $body.find('.js-widget-save').attr('data-onsave-destroy-modal', 'false').trigger('button:save:enable');
      $('.widget_settings_block__controls').before('<b class="own-row">own</b>');
    }}; });"""


@pytest.mark.parametrize("active", [False, True])
async def test_settings_gets_the_whole_window(host: Host, active: bool) -> None:
    """The body of the modal, with a place for own rows over the buttons, before the installation too."""
    host.write("window", WINDOW, active=active)
    page = await host.open("/settings/widgets/window/")
    await page.wait_for_selector(f"{MODAL} [data-settings=ready]")

    assert await host.seen() == [True, 1]
    assert await page.locator("#widget_settings__fields_wrapper > .own-row").count() == 1
    assert host.errors("window") == []


async def test_window_stays_open_when_the_save_button_says_so(host: Host) -> None:
    """data-onsave-destroy-modal=false on Save: what is typed is saved, and the window is there still."""
    host.write("window", WINDOW, settings={"title": {"name": "widget.name", "type": "text"}})
    page = await host.open("/settings/widgets/window/")
    await page.fill("input[name=title]", "kept")

    async with page.expect_response("**/ajax/widgets/edit"):
        await page.click(".js-widget-save")

    await page.wait_for_selector(f"{MODAL} .js-widget-save:enabled:not(.button-input_loading)")
    assert (host.world.widgets.get("window") or {})["settings"]["title"] == "kept"
