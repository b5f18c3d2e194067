"""Click to call: the menu on numbers in cards and lists, the tool bar of a list, the softphone's icon."""

from typing import Any

import pytest
from conftest import Host

from server.sandbox.rest.custom_fields import values_by_code

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

OWN_ITEM = ".js-tip.is-opened .js-cf-actions-item[data-type=phone][data-id=phone]"


def phone_of(host: Host, row: dict[str, Any]) -> str:
    return values_by_code(host.world, row, "contacts", "PHONE")[0]


def contact_of(host: Host) -> dict[str, Any]:
    """A contact with a company, a deal and a number."""
    return next(row for row in host.world.contacts if row["links"].get("companies") and row["links"].get("leads"))


async def test_menu_names_the_action_by_call_action(host: Host) -> None:
    """The item in the menu of a number is the widget's `widget.call_action`; copy and edit stand below it."""
    host.install("phone")
    await host.open(f"/contacts/detail/{contact_of(host)['id']}")

    await host.page.locator(".js-card-fields .control-phone__formatted").first.click()

    items = await host.page.locator(".js-tip.is-opened .js-tips-item").all_inner_texts()
    assert [text.strip() for text in items] == ["Позвонить через Образец", "Скопировать", "Редактировать"]


async def test_action_gets_the_number_as_typed_and_the_form(host: Host) -> None:
    """The handler receives the stored text of the number, and the card's form as its model."""
    contact = contact_of(host)
    host.install("phone")
    await host.open(f"/contacts/detail/{contact['id']}")

    await host.page.locator(".js-card-fields .control-phone__formatted").first.click()
    await host.page.click(OWN_ITEM)

    expected = {"value": phone_of(host, contact), "type": "phone", "id": contact["id"], "name": contact["name"]}
    assert await host.seen() == [expected]


async def test_action_on_a_linked_contact_gets_that_contacts_form(host: Host) -> None:
    """On a lead's card the model of a click belongs to the linked contact."""
    lead = next(row for row in host.world.leads if row["links"].get("contacts"))
    contact = host.world.contacts.get(lead["links"]["contacts"][0])
    assert contact is not None
    host.install("phone")
    await host.open(f"/leads/detail/{lead['id']}")

    await host.page.locator(".js-linked-form[data-entity=contacts] .control-phone__formatted").first.click()
    await host.page.click(OWN_ITEM)

    assert (await host.seen())[0]["id"] == contact["id"]
    assert (await host.seen())[0]["name"] == contact["name"]


async def test_action_in_a_list_gets_the_rows_model(host: Host) -> None:
    """In a list the model is the row: its name is {text, url}."""
    host.install("phone")
    await host.open("/contacts/list/")
    row = host.page.locator("tr[data-row-id]:has(.js-control-phone)").first
    row_id = int(str(await row.get_attribute("data-row-id")))

    await row.locator(".js-control-phone .js-pei-open").first.click()
    await host.page.click(OWN_ITEM)

    contact = host.world.contacts.get(row_id)
    assert contact is not None
    expected = {"value": phone_of(host, contact), "type": "phone", "id": row_id, "name": contact["name"]}
    assert await host.seen() == [expected]


async def test_menu_can_be_used_with_the_keyboard(host: Host) -> None:
    """Enter opens the menu, the arrow goes to the widget's item, Enter runs it."""
    host.install("phone")
    await host.open(f"/contacts/detail/{contact_of(host)['id']}")
    await host.page.locator(".js-card-fields .control-phone__formatted").first.focus()

    for key in ("Enter", "ArrowDown", "Enter"):
        await host.page.keyboard.press(key)

    assert [one["type"] for one in await host.seen()] == ["phone"]


async def test_email_action_has_its_own_menu(host: Host) -> None:
    """add_action('email') adds its item to addresses, not to numbers."""
    contact = next(row for row in host.world.contacts if values_by_code(host.world, row, "contacts", "EMAIL"))
    host.install("phone")
    await host.open(f"/contacts/detail/{contact['id']}")

    await host.page.locator(".js-card-fields .js-control-email .control-phone__formatted").first.click()
    await host.page.click(".js-tip.is-opened .js-cf-actions-item[data-type=email]")

    assert await host.seen() == [{"email": values_by_code(host.world, contact, "contacts", "EMAIL")[0]}]


async def test_action_leaves_with_its_widget(host: Host) -> None:
    """After a widget is gone its item is gone too."""
    host.install("phone")
    await host.open(f"/contacts/detail/{contact_of(host)['id']}")
    await host.page.evaluate("$(document).trigger('widget:removed', ['phone'])")

    await host.page.locator(".js-card-fields .control-phone__formatted").first.click()

    assert await host.page.locator(OWN_ITEM).count() == 0


@pytest.mark.parametrize(("entity", "kind"), [("contacts", "contact"), ("leads", "lead")])
async def test_more_runs_selected_with_the_ticked_rows(host: Host, entity: str, kind: str) -> None:
    """Ticked rows, "Ещё", the widget's name: `<list>.selected` runs and list_selected() has the rows."""
    host.install("phone")
    await host.open(f"/{entity}/list/")
    boxes = host.page.locator(".js-item-checkbox")
    for index in (0, 3):
        await boxes.nth(index).check()

    await host.page.click(".js-list-more")
    await host.page.click(".js-list-more-widget[data-code=phone]")

    chosen = [int(str(await boxes.nth(index).get_attribute("value"))) for index in (0, 3)]
    (answer,) = await host.seen()
    assert [one["id"] for one in answer["selected"]] == chosen
    assert {one["type"] for one in answer["selected"]} == {kind}
    assert answer["summary"]["items"] == 2
    assert answer["summary"]["phones"] == sum(len(one["phones"]) for one in answer["selected"]) > 0
    assert await host.world.log.wait("callback", widget="phone", name=f"{entity}.selected")


async def test_tool_bar_appears_with_the_first_tick_only(host: Host) -> None:
    """The tool bar shows while at least one row is ticked; the head's box ticks all."""
    await host.open("/contacts/list/")

    assert not await host.page.is_visible("#list_multiple_actions")
    await host.page.check(".js-list-all")
    assert await host.page.is_visible("#list_multiple_actions .list-multiple-actions__item__more-btn")
    assert await host.page.evaluate("APP.data.current_list.where({checked: true}).length") == 50
    await host.page.uncheck(".js-list-all")
    assert not await host.page.is_visible("#list_multiple_actions")


async def test_models_of_the_contact_list_tell_contacts_from_companies(host: Host) -> None:
    """Rows have id, name {text, url}, checked and element_type, as widgets read them."""
    await host.open("/companies/list/")

    model = await host.page.evaluate("APP.data.current_list.first().toJSON()")

    assert model["element_type"] == 3
    assert model["name"] == {"text": model["name"]["text"], "url": f"/companies/detail/{model['id']}"}
    assert model["checked"] is False


async def test_softphone_icon_stands_in_the_left_menu(host: Host) -> None:
    """notificationsPhone puts its icon with a counter into the menu and runs `click`."""
    host.install("phone")
    await host.open("/dashboard/")

    await host.page.click("#left_menu .nav__notifications .calls-list-toggler")

    assert await host.seen() == ["phone icon"]
    assert await host.page.locator(".calls-list-toggler .js-notifications_call_list_counter").count() == 1


async def test_new_contact_comes_with_the_phone_and_is_saved(host: Host) -> None:
    """/contacts/add/?phone= shows the number in a form whose card id is 0; saving it opens the new card."""
    await host.open("/contacts/add/?phone=+79991112233")
    assert await host.page.evaluate("APP.data.current_card.id") == 0

    await host.page.fill(".js-card-name", "Новый Клиент")
    await host.page.click(".js-card-save")
    await host.page.wait_for_url("**/contacts/detail/*")
    await host.ready()

    made = next(row for row in host.world.contacts if row["name"] == "Новый Клиент")
    assert phone_of(host, made) == "+79991112233"
    assert await host.page.evaluate("APP.data.current_card.id") == made["id"]
