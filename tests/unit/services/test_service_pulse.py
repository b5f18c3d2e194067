"""A dead authorisation is noticed while nobody calls."""

import pytest
from fakes.house import ACCOUNT, OTHER_ACCOUNT, House

from server.core.errors import CrmBlocked, CrmRateLimited, CrmTokenDead, CrmUnavailable, StoreUnavailable
from server.core.records import TOKEN_DEAD
from server.services.pulse import Pulse


@pytest.fixture
def pulse(house: House) -> Pulse:
    return Pulse(house.accounts, house.crm, every_s=50)


async def test_a_dead_authorisation_is_told_to_administrators(house: House, pulse: Pulse) -> None:
    """Nobody has to miss a call first."""
    admin = house.screen(is_admin=True)
    house.crm.fail("check", CrmTokenDead())

    await pulse.feel()

    assert admin.of("alert")[-1]["alert"]["slug"] == "crm-token-dead"
    assert [one.state for one in house.accounts.all()].count(TOKEN_DEAD) == 1


async def test_every_account_is_asked(house: House, pulse: Pulse) -> None:
    """One that fails does not keep the others from being asked."""
    house.crm.fail("check", CrmUnavailable())

    await pulse.feel()

    assert sorted(asked[1] for asked in house.crm.asked) == [ACCOUNT, OTHER_ACCOUNT]


@pytest.mark.parametrize("fault", [CrmUnavailable(), CrmRateLimited(), CrmBlocked()])
async def test_a_sick_amocrm_is_no_dead_authorisation(house: House, pulse: Pulse, fault: Exception) -> None:
    """Down, slow, blocked: that passes."""
    house.crm.fail("check", fault, fault)

    await pulse.feel()

    assert {one.state for one in house.accounts.all()} == {"active"}


async def test_an_authorisation_that_is_taken_again_needs_nobody(house: House, pulse: Pulse) -> None:
    """amoCRM refused it by mistake, or we died in the middle of a new one: what waited goes out all the same."""
    await house.accounts.died(ACCOUNT)

    await pulse.feel()

    assert house.accounts.get(ACCOUNT).state == "active"
    assert await house.accounts.alerts(ACCOUNT) == []
    assert house.shelf.resumed == house.shelf.rearmed == [f"amo:{ACCOUNT}"]


async def test_a_dead_authorisation_stays_dead_until_it_is_taken(house: House, pulse: Pulse) -> None:
    """Asked each time, told once."""
    admin = house.screen(is_admin=True)
    house.crm.fail("check", *(CrmTokenDead() for _ in range(4)))

    await pulse.feel()
    await pulse.feel()

    assert {one.state for one in house.accounts.all()} == {TOKEN_DEAD}
    assert len(admin.of("alert")) == len(admin.of("crm")) == 1


async def test_a_database_that_is_away_does_not_end_the_asking(
    house: House, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The death is noted the next time. (The store is made to fail: a real one would have to be stopped.)"""

    async def away(*_: object) -> None:
        raise StoreUnavailable

    house.crm.fail("check", CrmTokenDead(), CrmTokenDead())
    with monkeypatch.context() as patch:
        patch.setattr(house.kept.accounts, "set_state", away)
        await pulse.feel()
    house.crm.fail("check", CrmTokenDead(), CrmTokenDead())

    await pulse.feel()

    assert {one.state for one in house.accounts.all()} == {TOKEN_DEAD}


async def test_a_request_that_could_not_be_counted_does_not_end_the_asking(house: House, pulse: Pulse) -> None:
    """Nodes count their requests to amoCRM together, in the database: while that is away, none is asked."""
    house.crm.fail("check", StoreUnavailable())

    await pulse.feel()

    assert house.crm.count("check") == 2
