"""The states that an agent meets, each played through the sandbox, for `shots.py`."""

from collections.abc import Awaitable, Callable

from browsers import Agent, card, click_number, line, open_settings, part
from clients import LONG, Client, Clients, is_sales, pretty
from phones import Pbx, PhoneCall
from playwright.async_api import Locator, Page
from sandboxes import Sandbox

SETTINGS = "/settings/widgets/"


class Stage:
    """A state's actors: the sandbox, its Sipuni, the people who call, and the agent whose screen is taken."""

    def __init__(self, sandbox: Sandbox, clients: Clients, agent: Agent) -> None:
        self.sandbox = sandbox
        self.clients = clients
        self.agent = agent
        self.sipuni = Pbx(sandbox, "sipuni")

    async def ring(self, page: Page, caller: str, state: str = "ringing") -> PhoneCall:
        """A call rings on the page."""
        call = await self.sipuni.ring(self.agent.extension, caller=caller)
        await card(page, state=state).first.wait_for()
        return call

    async def click(self, client: Client) -> tuple[Page, Locator]:
        """The contact's number was clicked: the page and its state line."""
        page = await self.agent.open(client.path)
        await click_number(page, lang=self.agent.lang)
        return page, line(page, pretty(client.phone))


Scene = Callable[[Stage], Awaitable[Page]]


async def ringing(stage: Stage) -> Page:
    """A contact with a company and a deal."""
    page = await stage.agent.open()
    await stage.ring(page, stage.clients.any(lambda one: one.has_company and one.leads > 0).phone)
    return page


async def ringing_on_a_card(stage: Stage) -> Page:
    """The same while another contact's card is open."""
    page = await stage.agent.open(stage.clients.any(is_sales).path)
    await stage.ring(page, stage.clients.any(lambda one: one.leads > 1).phone)
    return page


async def ringing_with_a_long_name(stage: Stage) -> Page:
    """Names longer than any card, on a list."""
    page = await stage.agent.open("/contacts/list/")
    await stage.ring(page, stage.clients.any(lambda one: len(one.name) > LONG).phone)
    return page


async def unknown(stage: Stage) -> Page:
    """Nobody's number."""
    page = await stage.agent.open()
    await stage.ring(page, stage.clients.stranger())
    return page


async def anonymous(stage: Stage) -> Page:
    """A withheld number."""
    page = await stage.agent.open()
    await stage.ring(page, "")
    return page


async def hidden(stage: Stage) -> Page:
    """A contact whom this agent may not see."""
    page = await stage.agent.open()
    await stage.ring(page, stage.clients.any(lambda one: one.responsible != stage.agent.user["id"]).phone)
    return page


async def internal(stage: Stage) -> Page:
    """A colleague."""
    page = await stage.agent.open()
    await stage.sipuni.ring_colleague(stage.agent.extension, caller="204")
    await card(page).wait_for()
    return page


async def talking(stage: Stage) -> Page:
    """In the middle of a talk."""
    page = await stage.agent.open()
    call = await stage.ring(page, stage.clients.any(is_sales).phone)
    await call.answer(stage.agent.extension)
    await card(page, state="talking").wait_for()
    return page


async def transferred(stage: Stage) -> Page:
    """Handed over by a colleague."""
    page = await stage.agent.open()
    call = await stage.sipuni.ring("204", caller=stage.clients.any(is_sales).phone)
    await call.answer("204")
    await call.transfer(stage.agent.extension)
    await card(page).wait_for()
    return page


async def taken_by_a_colleague(stage: Stage) -> Page:
    """Group call, answered elsewhere."""
    page = await stage.agent.open()
    call = await stage.sipuni.ring(stage.agent.extension, "204", caller=stage.clients.any(is_sales).phone)
    await card(page).wait_for()
    await call.answer("204")
    await card(page, state="elsewhere").wait_for()
    return page


async def missed(stage: Stage) -> Page:
    """The caller gave up."""
    page = await stage.agent.open()
    call = await stage.ring(page, stage.clients.any(is_sales).phone)
    await call.hang_up()
    await card(page, state="missed").wait_for()
    return page


async def ended(stage: Stage) -> Page:
    """After a talk, with its recording."""
    page = await talking(stage)
    await page.wait_for_timeout(1100)
    await stage.sipuni.rest()
    await part(card(page, state="ended"), "recording").wait_for()
    return page


async def three_at_once(stage: Stage) -> Page:
    """A talk and two that ring: the third starts small."""
    page = await talking(stage)
    for _ in range(2):
        await stage.ring(page, stage.clients.stranger())
    await card(page).nth(2).wait_for()
    return page


async def folded(stage: Stage) -> Page:
    """A talk made small."""
    page = await talking(stage)
    await part(card(page), "fold").click()
    return page


async def offline(stage: Stage) -> Page:
    """The backend is away in mid-talk."""
    page = await talking(stage)
    await stage.sandbox.switch_backend("kill")
    await part(page, "offline").wait_for()
    return page


async def my_phone_rings(stage: Stage) -> Page:
    """Clicked, the agent's phone rings."""
    page, shown = await stage.click(stage.clients.any(is_sales))
    await stage.sipuni.ordered()
    await shown.and_(page.locator('[data-kmt-state="agent_ringing"]')).wait_for()
    return page


async def their_phone_rings(stage: Stage) -> Page:
    """Picked up, the client's phone rings."""
    page, shown = await stage.click(stage.clients.any(is_sales))
    await (await stage.sipuni.ordered()).answer(stage.agent.extension)
    await shown.and_(page.locator('[data-kmt-state="client_ringing"]')).wait_for()
    return page


async def another_way(stage: Stage) -> Page:
    """The other ways to call, opened."""
    page = await my_phone_rings(stage)
    await part(page, "otherwise").click()
    await part(page, "chooser").wait_for()
    return page


async def pbx_down(stage: Stage) -> Page:
    """The PBX does not answer."""
    await stage.sandbox.fault(target="sipuni", kind="outage", path="/api/")
    page, shown = await stage.click(stage.clients.any(is_sales))
    await shown.and_(page.locator('[data-kmt-state="failed"]')).wait_for()
    return page


async def refused(stage: Stage) -> Page:
    """The PBX does not know the extension."""
    await stage.sipuni.turn(deleted_extensions=stage.agent.extension)
    page, shown = await stage.click(stage.clients.any(is_sales))
    await shown.and_(page.locator('[data-kmt-state="failed"]')).wait_for()
    return page


async def hang_up_failed(stage: Stage) -> Page:
    """The PBX does not end the call."""
    page = await talking(stage)
    await stage.sandbox.fault(target="sipuni", kind="outage", path="/api/")
    await part(card(page), "hang-up").click()
    await part(page, "trouble").wait_for()
    return page


async def settings(stage: Stage) -> Page:
    """The window as it opens."""
    page = await stage.agent.open(SETTINGS)
    await part(await open_settings(page), "directory").wait_for()
    return page


async def settings_below(stage: Stage) -> Page:
    """Its lower end: extensions, options, phone book."""
    page = await settings(stage)
    await part(page, "directory").scroll_into_view_if_needed()
    return page


async def settings_strangers(stage: Stage) -> Page:
    """Rules for unknown numbers, one of them with everything that can be chosen."""
    page = await settings(stage)
    await part(page, "stranger-in_missed").select_option("lead")
    await part(page, "stranger-tags-in_missed").fill("АТС, пропущен")
    await part(page, "strangers-save").scroll_into_view_if_needed()
    return page


async def settings_form(stage: Stage) -> Page:
    """The form of a new line."""
    page = await settings(stage)
    await part(page, "line-add").click()
    await part(page, "line-save").scroll_into_view_if_needed()
    return page


async def settings_checked(stage: Stage) -> Page:
    """A line that was checked while the PBX is down, and one that was not used yet."""
    page = await settings(stage)
    await stage.sandbox.fault(target="sipuni", kind="outage", path="/api/")
    for check in await part(page, "line-check").all():
        await check.click()
    await part(page, "line-checked").nth(3).wait_for()
    await part(page, "line-checked").last.scroll_into_view_if_needed()
    return page


async def settings_wrong_address(stage: Stage) -> Page:
    """An address where nobody answers."""
    page = await settings(stage)
    await page.locator('input[name="backend_url"]').fill("http://localhost:9")
    await page.locator('[data-kmt-slug="address-silent"]').wait_for()
    return page


async def settings_of_an_agent(stage: Stage) -> Page:
    """What who is no administrator sees."""
    page = await stage.agent.open(SETTINGS)
    await part(await open_settings(page), "check-account").wait_for()
    await page.locator('[data-kmt="settings-body"] p').first.wait_for()
    return page


GROUPS: dict[str, tuple[Scene, ...]] = {
    "cards": (
        ringing, ringing_on_a_card, ringing_with_a_long_name, unknown, anonymous, hidden, internal, talking,
        transferred, taken_by_a_colleague, missed, ended, three_at_once, folded, offline,
    ),
    "dialling": (my_phone_rings, their_phone_rings, another_way, pbx_down, refused, hang_up_failed),
    "settings": (
        settings, settings_below, settings_strangers, settings_form, settings_checked, settings_wrong_address,
        settings_of_an_agent,
    ),
}  # fmt: skip

AT: dict[Scene, str] = {
    hidden: "205",
    hang_up_failed: "202",
    settings_of_an_agent: "204",
    settings: "201",
    settings_below: "201",
    settings_strangers: "201",
    settings_form: "201",
    settings_checked: "201",
    settings_wrong_address: "201",
}
"""Whose screen it is, where it is not 203's."""
