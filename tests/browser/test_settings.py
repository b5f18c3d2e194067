"""The settings window, by clicking: a line from nothing to the first call, checks, extensions, options, and whom it
turns away.

These tests change the account, so each module run has a sandbox of its own.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from browsers import Agent, at_desk, card, click_number, flaws, line, open_settings, part, problem
from clients import all_clients, pretty
from phones import Pbx
from playwright.async_api import Browser, Locator, expect
from sandboxes import Sandbox, running, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SETTINGS = "/settings/widgets/"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """A sandbox for this module alone."""
    # An authorisation that dies is noticed within a second here, not within a minute.
    async with running(tmp_path_factory.mktemp("settings"), KOMMUTATOR_AMO_PULSE_S="1") as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def admin(own: Sandbox, chrome: Browser) -> AsyncIterator[Agent]:
    """An administrator at a browser."""
    await own.ask("DELETE", f"{own.amocrm}/sandbox/faults")
    await Pbx(own, "sipuni").rest()
    async with at_desk(own, chrome, "201", height=1000) as agent:
        yield agent
        assert agent.trouble == []


def line_box(panel: Locator, name: str) -> Locator:
    """The box of a line by its name."""
    return part(part(panel, "lines"), "line").filter(has_text=name)


async def test_everything_entered_is_checked_at_once(admin: Agent) -> None:
    """The address that stands in the field is the backend, answers, and knows the account."""
    panel = await open_settings(await admin.open(SETTINGS))

    for name in ("check-answer", "check-account"):
        await expect(part(panel, name)).to_have_attribute("data-kmt-ok", "true")
    await expect(part(panel, "line")).to_have_count(2)
    await expect(part(panel, "directory")).to_be_visible()


@pytest.mark.parametrize(
    ("typed", "slug"),
    [
        ("calls", "address-unreadable"),
        ("http://calls.example.com", "address-insecure"),
        ("http://localhost:9", "address-silent"),
    ],
)
async def test_wrong_address_is_named_and_not_saved(admin: Agent, typed: str, slug: str) -> None:
    """A wrong address is explained while it is typed, and "save" leaves the window open with the reason."""
    page = await admin.open(SETTINGS)
    panel = await open_settings(page)
    await page.locator('input[name="backend_url"]').fill(typed)
    await expect(problem(panel, slug)).to_be_visible()

    await page.locator(".js-widget-save").click()

    await expect(part(panel, "check-save")).to_have_attribute("data-kmt-ok", "false")
    await expect(page.locator(".js-settings-error")).not_to_be_empty()


async def test_live_check_names_what_works_and_what_does_not(admin: Agent, own: Sandbox) -> None:
    """A good line's keys fit; when the PBX is down the same check says so; with a wrong secret it says that."""
    panel = await open_settings(await admin.open(SETTINGS))
    box = line_box(panel, "Сипуни")
    keys = box.locator('[data-kmt="line-checked"][data-kmt-check="credentials"]')

    await part(box, "line-check").click()
    await expect(keys).to_have_attribute("data-kmt-ok", "true")
    await own.fault(target="sipuni", kind="outage", path="/api/")
    await part(box, "line-check").click()
    await expect(problem(box, "vendor-unavailable")).to_be_visible()

    await own.ask("DELETE", f"{own.amocrm}/sandbox/faults")
    await part(box, "line-check").click()
    await expect(keys).to_have_attribute("data-kmt-ok", "true")


async def test_wrong_secret_is_told_to_who_calls_and_cured_in_the_settings(admin: Agent, own: Sandbox) -> None:
    """A wrong secret makes a click fail by name; the right one, entered again, makes it a call."""
    client = (await all_clients(own)).take()
    page = await admin.open(SETTINGS)
    await change_secret(await open_settings(page), "wrong")
    await expect(problem(part(page, "settings"), "vendor-credentials")).to_be_visible()

    caller = await admin.open(client.path)
    await click_number(caller)
    failed = line(caller, pretty(client.phone), state="failed")
    await expect(problem(failed, "vendor-credentials")).to_contain_text("АТС не принимает ключ линии")
    await change_secret(part(page, "settings"), own.info["pbx"]["sipuni"]["secret"])
    await expect(
        line_box(part(page, "settings"), "Сипуни").locator('[data-kmt-check="credentials"]')
    ).to_have_attribute("data-kmt-ok", "true")
    await click_number(caller)

    await Pbx(own, "sipuni").ordered()
    await expect(line(caller, pretty(client.phone), state="agent_ringing")).to_be_visible()


async def change_secret(panel: Locator, secret: str) -> None:
    """Edit the Sipuni line, put in another secret, save, and check the line."""
    box = line_box(panel, "Сипуни")
    await part(box, "line-edit").click()
    await part(box, "credential-secret").fill(secret)
    await part(box, "line-save").click()
    await expect(part(box, "line-form")).to_have_count(0)
    await part(box, "line-check").click()


async def test_agent_without_extension_is_told_and_gets_one(admin: Agent, own: Sandbox, chrome: Browser) -> None:
    """No extension, no call: the agent reads why; the administrator types one in, and the next click rings it."""
    client = (await all_clients(own)).take()
    page = await admin.open(SETTINGS)
    panel = await open_settings(page)
    cells = panel.locator(f'[data-kmt="extension"][data-kmt-user="{own.user("203")["id"]}"]')
    await expect(cells).to_have_count(2)
    await fill_all(cells, "")
    await save_agents(panel)

    async with at_desk(own, chrome, "203") as agent:
        desk = await agent.open(client.path)
        await click_number(desk)
        refused = line(desk, pretty(client.phone), state="failed")
        await expect(problem(refused, "no-extension")).to_contain_text("Администратор назначает его")
        await fill_all(cells, "203")
        await save_agents(panel)
        await click_number(desk)

        call = await Pbx(own, "sipuni").ordered()
        assert (await call.until_ringing())["extension"] == "203"
        await expect(line(desk, pretty(client.phone), state="agent_ringing")).to_be_visible()


async def test_one_extension_belongs_to_one_person(admin: Agent, own: Sandbox) -> None:
    """The same number twice on a line is refused before it is sent, with the field in focus."""
    panel = await open_settings(await admin.open(SETTINGS))
    cell = panel.locator(f'[data-kmt="extension"][data-kmt-user="{own.user("204")["id"]}"]').first

    await cell.fill("205")
    await part(panel, "agents-save").click()

    await expect(panel.get_by_text("Номер 205 указан у двоих.")).to_be_visible()
    await expect(panel.locator('[data-kmt="extension"][aria-invalid="true"]')).to_have_count(2)


async def test_line_is_connected_from_nothing(tmp_path: Path, chrome: Browser) -> None:
    """Both lines removed, one connected anew, its address pasted into the PBX: the next call has a card."""
    async with running(tmp_path) as own, at_desk(own, chrome, "201", height=1000) as admin:
        sipuni, keys = Pbx(own, "sipuni"), own.info["pbx"]["sipuni"]
        panel = await open_settings(await admin.open(SETTINGS))
        for left in (1, 0):
            await expect(part(panel, "line")).to_have_count(left + 1)
            await part(part(panel, "line").first, "line-remove").click()
            await panel.get_by_role("button", name="Точно удалить?").click()
        await expect(part(panel, "lines")).to_contain_text("Пока ни одна АТС не подключена.")

        await part(panel, "line-add").click()
        form = part(panel, "line-form")
        await part(form, "line-provider").select_option("sipuni")
        await part(form, "line-name").fill("Новая линия")
        await part(form, "credential-user").fill(keys["user"])
        await part(form, "credential-secret").fill(keys["secret"])
        await part(form, "line-save").click()
        box = line_box(panel, "Новая линия")
        await expect(box).to_contain_text("Вставьте этот адрес в кабинет АТС")
        await sipuni.send_events_to(await part(box, "hook-url").first.input_value())
        await panel.locator(f'[data-kmt="extension"][data-kmt-user="{own.user("201")["id"]}"]').fill("201")
        await save_agents(panel)

        desk = await admin.open()
        await sipuni.ring("201", caller="+79995550001")
        ringing = card(desk, pretty("+79995550001"), state="ringing")
        await expect(part(ringing, "line")).to_contain_text("Новая линия")
        await part(box, "line-check").click()
        await expect(box.locator('[data-kmt-check="hook_seen"]')).to_have_attribute("data-kmt-ok", "true")


async def test_call_goes_through_a_scheme(admin: Agent, own: Sandbox, chrome: Browser) -> None:
    """A scheme that the line was given is offered behind "call another way", and the PBX is asked for it."""
    client = (await all_clients(own)).take()
    box = line_box(await open_settings(await admin.open(SETTINGS)), "Сипуни")
    await part(box, "line-edit").click()
    await part(box, "line-schemes").fill("000-913898 = Отдел продаж")
    await part(box, "line-save").click()
    await expect(part(box, "line-form")).to_have_count(0)

    async with at_desk(own, chrome, "202") as agent:
        desk = await agent.open(client.path)
        await click_number(desk)
        await Pbx(own, "sipuni").ordered()
        await part(line(desk, pretty(client.phone)), "otherwise").click()
        await desk.get_by_role("button", name="Через схему «Отдел продаж»").click()

        await until(lambda: is_tree_ordered(own))
        await expect(line(desk, pretty(client.phone), state="agent_ringing")).to_be_visible()


async def is_tree_ordered(sandbox: Sandbox) -> bool:
    """Whether two calls were ordered, and only the later one goes on."""
    ordered = [call["is_live"] for call in await Pbx(sandbox, "sipuni").calls() if call["by_api"]]
    return ordered[:2] == [True, False]


async def test_options_are_kept(admin: Agent) -> None:
    """How the account works is stored at the click: the window opened again shows it."""
    page = await admin.open(SETTINGS)
    panel = await open_settings(page)
    await part(panel, "option-log_internal").check()
    await part(panel, "option-notice").select_option("both")
    await expect(panel.get_by_text("Сохранено").first).to_be_visible()

    await page.reload()
    panel = await open_settings(page)

    await expect(part(panel, "option-log_internal")).to_be_checked()
    await expect(part(panel, "option-notice")).to_have_value("both")


async def test_rules_for_unknown_numbers_are_kept(admin: Agent) -> None:
    """A rule for all lines, another for one line; the window opened again shows both."""
    page = await admin.open(SETTINGS)
    panel = await open_settings(page)
    await expect(part(panel, "stranger-stage-in_missed")).to_contain_text("·")  # amoCRM's stages have come
    await part(panel, "stranger-in_missed").select_option("lead")
    await part(panel, "stranger-tags-in_missed").fill("АТС, пропущен")
    await part(panel, "strangers-line").select_option(label="Сипуни")
    await part(panel, "stranger-out_missed").select_option("contact")
    await part(panel, "strangers-save").click()
    await expect(panel.locator(".kmt-section", has=part(page, "strangers-save"))).to_contain_text("Сохранено")

    await page.reload()
    panel = await open_settings(page)

    await expect(part(panel, "stranger-in_missed")).to_have_value("lead")
    await expect(part(panel, "stranger-tags-in_missed")).to_have_value("АТС, пропущен")
    await part(panel, "strangers-line").select_option(label="Сипуни")
    await expect(part(panel, "stranger-in_missed")).to_have_value("")
    await expect(part(panel, "stranger-out_missed")).to_have_value("contact")


async def test_new_address_needs_two_clicks(admin: Agent) -> None:
    """A new secret address for the PBX is asked for twice, and then is another one."""
    panel = await open_settings(await admin.open(SETTINGS))
    box = part(panel, "line").first
    before = await part(box, "hook-url").first.input_value()

    await part(box, "line-secret").click()
    await expect(part(box, "hook-url").first).to_have_value(before)
    await panel.get_by_role("button", name="Старый перестанет работать. Сменить?").click()

    await expect(part(box, "hook-url").first).not_to_have_value(before)


async def test_settings_are_for_administrators(own: Sandbox, chrome: Browser) -> None:
    """Somebody else sees that the account is connected and the own extension, and nothing to change."""
    async with at_desk(own, chrome, "204") as agent:
        page = await agent.open(SETTINGS)
        panel = await open_settings(page)

        await expect(panel).to_contain_text("Линии и сотрудников настраивает администратор")
        for name in ("lines", "agents", "line-add", "option-notice"):
            await expect(part(panel, name)).to_have_count(0)


async def test_settings_can_be_used_by_everybody(admin: Agent) -> None:
    """No serious finding of axe in our part of the window, with the form of a line open."""
    page = await admin.open(SETTINGS)
    panel = await open_settings(page)
    await part(panel, "line-add").click()
    await expect(part(panel, "line-form")).to_be_visible()

    assert await flaws(page, '[data-kmt="settings"]') == []


async def fill_all(cells: Locator, text: str) -> None:
    for cell in await cells.all():
        await cell.fill(text)


async def save_agents(panel: Locator) -> None:
    section = panel.locator(".kmt-section", has=part(panel.page, "agents-save"))
    await part(panel, "agents-save").click()
    await expect(section.get_by_text("Сохранено")).to_be_visible()


async def test_a_dead_authorisation_is_told_on_every_page_and_mended(
    own: Sandbox, admin: Agent, chrome: Browser
) -> None:
    """An administrator reads what to do, an agent that no call is lost; a call meanwhile waits. When the integration
    is authorised again, the words go by themselves and the call is logged."""
    client = (await all_clients(own)).take(lambda one: one.group == 0 and one.leads == 0)
    async with at_desk(own, chrome, "203") as agent:
        at_work, page = await agent.open(client.path), await admin.open("/dashboard/")
        await own.fault(target="amocrm", kind="status", status=401, path="/oauth2/access_token")
        await own.fault(target="amocrm", kind="revoke_token", path="/api/v4/account")

        banner = part(page, "crm")
        await expect(banner).to_contain_text("CRM больше не принимает наш доступ")
        await expect(banner).to_contain_text("отключает интеграцию и включает её снова")
        await expect(part(at_work, "crm")).to_contain_text("Ни один не потеряется")
        assert await flaws(page, '[data-kmt="panel"]') == []
        call = await Pbx(own, "sipuni").ring("203", caller=client.phone)
        await expect(card(at_work, client.name, state="ringing")).to_be_visible()
        await call.answer("203")
        await call.hang_up()
        await part(part(at_work, "crm"), "close").click()
        await expect(part(at_work, "crm")).to_have_count(0)

        await own.ask("DELETE", f"{own.amocrm}/sandbox/faults")
        code = (await own.ask("POST", f"{own.amocrm}/sandbox/oauth/code", json={}))["code"]
        host = own.amocrm.removeprefix("http://")
        async with own.http.get(f"{own.backend}/amo/oauth", params={"code": code, "referer": host}) as answer:
            assert answer.status == 200

        await expect(banner).to_have_count(0)
        await until(lambda: own.log("request", path="/api/v4/calls", status=200), timeout_s=30)
