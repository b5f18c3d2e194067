"""The table of the SDK against a real page: nothing is missing there, nothing is there that the table leaves out."""

import re
from dataclasses import asdict

import pytest
from conftest import Host

from server.sandbox.page import shell
from server.sandbox.page.sdk import SDK
from server.sandbox.rest.custom_fields import values_by_code

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Compares what can be enumerated with the table's names; an object is looked into when the table names its members.
COMPARE = """
rows => {
  const names = kind => rows.filter(row => row.kind === kind).map(row => row.name);
  const problems = [];
  const compare = (where, found, listed) => {
    const known = new Set(listed);
    found.filter(name => !known.has(name)).forEach(name => problems.push(`not in the table: ${where}${name}`));
    listed.filter(name => !found.includes(name)).forEach(name => problems.push(`not on the page: ${where}${name}`));
  };
  const app = names('APP').filter(name => !name.includes('('));
  const walk = (path, value) => {
    const under = app.filter(name => name.startsWith(path + '.'));
    const below = [...new Set(under.map(name => name.slice(path.length + 1).split('.')[0]))];
    if (!below.length) return;
    compare(path + '.', Object.keys(value), below);
    below.forEach(name => walk(`${path}.${name}`, value[name] || {}));
  };
  walk('APP', APP);
  const keys = Object.keys(SANDBOX_BOOT.constants).concat('card_id').map(key => `APP.constant('${key}')`);
  compare('', keys, names('APP').filter(name => name.includes('(')));
  const members = [];
  for (const name in APP.widgets.list.constructing) members.push(name);
  compare('self.', members, names('self'));
  const frame = document.body.appendChild(document.createElement('iframe'));
  const isOwn = name => !(name in frame.contentWindow) && !(name in window.unlisted) && !/^\\d+$/.test(name);
  const own = Object.keys(window).filter(isOwn);
  compare('window.', own, names('global'));
  return problems;
}
"""


async def test_sdk_table_and_page_name_the_same_members(host: Host) -> None:
    """Every member of self, APP, its constants and the window, in both directions."""
    host.install("constructing")
    await host.page.add_init_script("window.unlisted = {unlisted: 1, seen: 1};")
    page = await host.open(f"/contacts/detail/{next(iter(host.world.contacts))['id']}")
    await page.evaluate(
        "APP.widgets.list.constructing.setSdkCatalogId(1); delete APP.widgets.list.constructing.sdk_catalog_id"
    )

    problems = await page.evaluate(COMPARE, [asdict(row) for row in SDK])

    assert problems == []
    assert await page.evaluate("APP === AMOCRM && $ === jQuery && require === requirejs")


async def test_sdk_modules_can_all_be_required(host: Host) -> None:
    """Each module of the table loads by its name."""
    page = await host.open("/dashboard/")
    modules = [row.name for row in SDK if row.kind == "module"]

    loaded = await page.evaluate(
        """names => Promise.all(names.map(name => new Promise(done =>
             requirejs([name], () => done([name, true]), () => done([name, false])))))""",
        modules,
    )

    assert [name for name, is_there in loaded if not is_there] == []


async def test_markup_widgets_reach_for_is_there(host: Host) -> None:
    """Every selector of the table is found on the page that its row names."""
    host.install("constructing", "phone", "official")
    host.install("fields")
    contact = next(row for row in host.world.contacts if values_by_code(host.world, row, "contacts", "PHONE"))
    missing: list[str] = []

    async def look(place: str) -> None:
        wanted = [row.name for row in SDK if row.kind == "DOM" and row.what == place]
        assert wanted
        found = await host.page.evaluate("all => all.filter(one => !document.querySelector(one))", wanted)
        missing.extend(f"{place}: {selector}" for selector in found)

    page = await host.open(f"/contacts/detail/{contact['id']}")
    await page.wait_for_selector(".card-widgets__widget-official")
    await look("every page")
    await look("every page, with notificationsPhone")
    await look("a card")
    await page.locator(".js-card-fields .control-phone__formatted").first.click()
    await look("the menu of a number")
    await page.click(".js-task-new")
    await look("the task window")
    await page.evaluate("APP.notifications.add_call({text: 'a'})")
    await page.wait_for_selector(".notification__item", state="attached")
    await look("a notification")
    await host.open("/contacts/list/")
    await look("a list")
    await host.open("/settings/widgets/fields/")
    await page.wait_for_selector("[data-settings=ready]")
    await look("the settings window")
    await host.open("/settings/advanced/fields/")
    await page.evaluate("$('#list_page_holder').html('<div id=work-area-fields></div>')")
    await look("a widget's own settings page")
    await host.open("/settings/pipeline/leads/")
    await page.click(".js-trigger-add")
    await look("the automation page")

    assert missing == []


async def test_control_templates_take_what_the_table_says(host: Host) -> None:
    """Each control shows the text, the value and the items it is given, by the variables of its row."""
    page = await host.open("/dashboard/")
    rows = {row.name: row.what for row in SDK if row.kind == "control"}
    values = {
        "id": "the-id", "name": "the-name", "class_name": "the-class", "text": "the-text", "value": "the-value",
        "placeholder": "the-placeholder", "title_empty": "the-empty", "additional_data": 'data-more="the-more"',
        "button_class_name": "the-button", "input_class_name": "the-input", "input_class": "the-input",
        "value_id": "the-value-id", "max_length": "41", "rows": "42", "tab_index": "43", "style": "color: red",
        "type": "tel", "ajax": {"url": "/the-url", "params": "the-params"},
    }  # fmt: skip
    item = {"id": "item-id", "option": "item-option", "class_name": "item-class", "bg_color": "item-color",
            "additional_data": 'data-item="item-more"', "input_id": "item-input"}  # fmt: skip
    for name, told in rows.items():
        own = set(re.sub(r"\[[^]]*\]", "", told).split())
        of_items = re.search(r"items\[([^]]*)\]", told)
        params = {key: values[key] for key in own & values.keys()}
        given = {key: item[key] for key in (of_items[1].split() if of_items else []) if key in item}
        markup = await page.evaluate(
            "([ref, params]) => APP && require('twigjs')({ref}).render(params)",
            [f"{shell.CONTROLS}{name}.twig", {**params, **({"items": [given]} if of_items else {})}],
        )
        shown = {value for value in [*params.values(), *given.values()] if isinstance(value, str)}
        # An input shows what was selected only where nothing has been typed.
        absent = {value for value in shown if value not in markup and value.replace('"', "&quot;") not in markup}
        assert absent == set(), name
