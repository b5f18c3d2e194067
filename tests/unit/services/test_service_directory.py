"""The phone book: copied page by page, kept fresh, looked up without a request."""

from collections.abc import Iterable

import msgspec
import pytest
from fakes.hooks import rang
from fakes.house import ACCOUNT, PUBLIC_URL, USERS, House

from server.core.book import BookRow
from server.core.crm import Change
from server.core.errors import CrmTokenDead, CrmUnavailable
from server.core.jobs import Job
from server.core.messages import DirectoryView
from server.services.directory import CHECK_MS, DELTA_MS, OVERLAP_S

FIRMS = [BookRow(id=700 + n, name=f"Фирма {n}", updated_s=1000 + n) for n in range(3)]
PEOPLE = [BookRow(id=500 + n, name=f"Клиент {n}", updated_s=2000 + n, phones=(f"916000000{n}",)) for n in range(5)]
LEADS = [BookRow(id=900, name="Окна", updated_s=3000, bonds=(("contacts", 500),))]


def first() -> Job:
    return Job(f"crawl:{ACCOUNT}", "crawl", "crawl:1", msgspec.json.encode({"account": ACCOUNT}))


@pytest.fixture
def full(house: House) -> House:
    """A house whose amoCRM has three companies, five contacts and a lead, none of them copied."""
    house.crm.rows = {"companies": list(FIRMS), "contacts": list(PEOPLE), "leads": list(LEADS)}
    house.crm.staff = list(USERS)
    return house


async def step(house: House, job: Job) -> Job:
    (following,) = await house.directory.crawl([job])
    return following


async def crawled(house: House, job: Job | None = None) -> Job:
    """Crawl until the next job is one for later; that job."""
    job = await step(house, job or first())
    while not job.due_ms:
        job = await step(house, job)
    return job


def pages(house: House) -> list[tuple[str, int, int]]:
    return [asked[1:] for asked in house.crm.asked if asked[0] == "page"]


async def names(house: House, phones: Iterable[str]) -> list[str]:
    return [entry.name for phone in phones for entry in await house.directory.find(ACCOUNT, phone)]


async def test_the_first_copy_goes_page_by_page(full: House) -> None:
    """Companies, contacts, leads; each page is a job of its own with a key of its own."""
    job, keys = first(), []
    while not job.due_ms:
        keys.append(job.key)
        job = await step(full, job)

    assert [noun for noun, _, _ in pages(full)] == ["companies"] * 2 + ["contacts"] * 3 + ["leads"]
    assert len(set(keys)) == len(keys)
    assert await names(full, ["+79160000000", "+79160000004"]) == ["Клиент 0", "Клиент 4"]
    (entry,) = await full.directory.find(ACCOUNT, "+79160000000")
    assert [lead.name for lead in entry.leads] == ["Окна"]


async def test_the_first_copy_reports_its_progress(full: House) -> None:
    """Counts grow; at the end an unknown number is unknown."""
    await full.accounts.set_progress(ACCOUNT, DirectoryView(is_complete=False))
    screen = full.screen()

    await crawled(full)

    reports = [message["directory"] for message in screen.of("directory")]
    assert reports[0] == {"is_complete": False, "companies": 2}
    assert reports[-1] == {"is_complete": True, "companies": 3, "contacts": 5, "leads": 1}
    assert full.directory.is_complete(ACCOUNT)


async def test_the_copy_goes_on_after_a_restart_where_it_was(full: House) -> None:
    """Pages that were copied are not asked for again."""
    job = await step(full, await step(full, first()))

    await crawled(await full.again(), job)

    assert len(pages(full)) == len(set(pages(full))) == 6


async def test_a_page_that_fails_is_asked_for_again(full: House) -> None:
    """The error passes to the engine; the same job then does what it would have done."""
    full.crm.fail("page", CrmUnavailable())
    with pytest.raises(CrmUnavailable):
        await full.directory.crawl([first()])

    await crawled(full)

    assert await names(full, ["+79160000003"]) == ["Клиент 3"]


async def test_users_are_copied_and_webhooks_asked_for(full: House) -> None:
    """Once per sweep, and once in all."""
    delta = await crawled(full)
    await crawled(full, delta)

    secret = full.accounts.get(ACCOUNT).hook_secret
    assert [asked for asked in full.crm.asked if asked[0] == "subscribe"] == [
        ("subscribe", f"{PUBLIC_URL}/amo/hooks/{secret}")
    ]
    assert full.crm.count("users") == 2


@pytest.mark.parametrize(("has_hooks", "pause_ms"), [(True, CHECK_MS), (False, DELTA_MS)])
async def test_what_changed_is_asked_for_by_and_by(full: House, has_hooks: bool, pause_ms: int) -> None:
    """Every minute without webhooks; every hour with them, for those that were lost."""
    full.crm.has_hooks = has_hooks

    delta = await crawled(full)

    assert delta.due_ms == full.clock.now_ms + pause_ms


async def test_a_delta_reaches_back_to_the_start_of_the_sweep_before(full: House) -> None:
    """Not to the newest change we know: a webhook may have told that, and an earlier one have been lost."""
    began_s = full.clock.now_ms // 1000
    delta = await crawled(full)
    lost = BookRow(id=600, name="Потерянный", updated_s=began_s + 10, phones=("9167777777",))
    full.crm.rows["contacts"].append(lost)
    newer = BookRow(id=601, name="Новый", updated_s=began_s + 900, phones=("9168888888",))
    await full.directory.learn([heard(Change("contacts", 601, newer))])
    full.clock.pass_s(CHECK_MS / 1000)
    full.crm.asked.clear()

    following = await crawled(full, delta)

    assert {since_s for _, _, since_s in pages(full)} == {began_s - OVERLAP_S}
    assert await names(full, ["+79167777777"]) == ["Потерянный"]
    assert msgspec.json.decode(following.body)["since_s"] == began_s + CHECK_MS // 1000 - OVERLAP_S


async def test_a_delta_fetches_what_changed_and_no_more(full: House) -> None:
    """Nothing has changed in a minute: one request per noun."""
    full.crm.has_hooks = False
    delta = await crawled(full)
    full.clock.pass_s(DELTA_MS / 1000)
    full.crm.asked.clear()

    await crawled(full, delta)

    assert [noun for noun, _, _ in pages(full)] == ["companies", "contacts", "leads"]


def heard(*changes: Change) -> Job:
    body = msgspec.json.encode({"account": ACCOUNT, "changes": changes})
    return Job(f"book:{ACCOUNT}", "learn", "learn:1", body)


async def test_a_webhook_is_kept_and_learned_later(house: House) -> None:
    """amoCRM waits two seconds for the answer."""
    await house.directory.hear(ACCOUNT, [Change("contacts", 500, PEOPLE[0])])
    assert await names(house, ["+79160000000"]) == []

    await house.directory.learn(house.shelf.of("learn"))

    assert await names(house, ["+79160000000"]) == ["Клиент 0"]
    assert house.crm.asked == []


async def test_a_deleted_contact_is_forgotten(house: House) -> None:
    """Its number is unknown again."""
    await house.directory.learn([heard(Change("contacts", 500, PEOPLE[0]))])

    await house.directory.learn([heard(Change("contacts", 500, None))])

    assert await names(house, ["+79160000000"]) == []


async def test_a_contact_that_lost_a_number_is_not_found_by_it(house: House) -> None:
    """The webhook names all numbers that are left."""
    await house.directory.learn([heard(Change("contacts", 500, PEOPLE[0]))])

    changed = BookRow(id=500, name="Клиент 0", phones=("9169999999",))
    await house.directory.learn([heard(Change("contacts", 500, changed))])

    assert await names(house, ["+79160000000", "+79169999999"]) == ["Клиент 0"]


async def test_a_changed_lead_is_fetched_for_its_people(full: House) -> None:
    """The webhook does not name them."""
    await full.directory.learn([heard(Change("contacts", 500, PEOPLE[0]), Change("leads", 900, LEADS[0]))])

    (entry,) = await full.directory.find(ACCOUNT, "+79160000000")
    assert [lead.id for lead in entry.leads] == [900]
    assert ("fetch", "leads", (900,)) in full.crm.asked


async def test_what_is_learned_refreshes_the_cards(house: House) -> None:
    """The contact is created while its number is on the line."""
    screen = house.screen()
    await house.hear(rang(src_num="79160000000"))

    await house.directory.learn([heard(Change("contacts", 500, PEOPLE[0]))])

    assert screen.caller["name"] == "Клиент 0"


async def test_a_webhook_of_an_account_that_was_switched_off_is_dropped(full: House) -> None:
    """There is no token to fetch the lead with."""
    await full.accounts.disable(ACCOUNT)

    await full.directory.learn([heard(Change("leads", 900, LEADS[0]))])

    assert full.crm.asked == []


async def test_a_dead_token_is_noticed_while_copying(full: House) -> None:
    """The administrators hear of it even if no call is ever logged."""
    admin = full.screen(is_admin=True)
    full.crm.fail("users", CrmTokenDead())

    with pytest.raises(CrmTokenDead):
        await full.directory.crawl([first()])

    assert [alert["alert"]["slug"] for alert in admin.of("alert")] == ["crm-token-dead"]


async def test_a_search_is_kept(full: House) -> None:
    """The next call of the same number needs none."""
    found = await full.directory.search(ACCOUNT, "+79160000000", timeout_s=2)

    assert [entry.name for entry in found] == ["Клиент 0"]
    assert found[0].leads[0].name == "Окна"
    assert await names(full, ["+79160000000"]) == ["Клиент 0"]
