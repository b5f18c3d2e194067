"""Who is connected, and what wakes a long poll."""

import asyncio
from collections.abc import Callable

import pytest
from fakes.house import ACCOUNT, OLGA, OTHER_ACCOUNT, PAVEL, House

from server.core.messages import AlertView, ByeMessage, DirectoryView
from server.core.vocabulary import Bye
from server.services.agents import Agents

Act = Callable[[Agents], None]
WAKING: list[Act] = [
    lambda agents: agents.send_directory(ACCOUNT, DirectoryView(is_complete=True)),
    lambda agents: agents.send_alert(ACCOUNT, AlertView(slug="crm-token-dead")),
    lambda agents: agents.say_bye(ACCOUNT, ByeMessage(kind=Bye.TERMINAL)),
]


@pytest.mark.parametrize("act", WAKING)
async def test_whatever_a_socket_is_told_wakes_the_long_poll(house: House, act: Act) -> None:
    """Where WebSocket is blocked, people wait no longer."""
    with house.agents.watch((ACCOUNT, OLGA)) as changed:
        act(house.agents)

        await asyncio.wait_for(changed.wait(), 1)


@pytest.mark.parametrize("act", WAKING)
async def test_another_account_sleeps_on(house: House, act: Act) -> None:
    """Nothing has changed there."""
    with house.agents.watch((OTHER_ACCOUNT, OLGA)) as changed:
        act(house.agents)

        assert not changed.is_set()


async def test_an_alert_goes_to_administrators(house: House) -> None:
    """An agent can do nothing about it."""
    admin, agent = house.screen(OLGA, is_admin=True), house.screen(PAVEL)

    house.agents.send_alert(ACCOUNT, AlertView(slug="crm-token-dead"))

    assert [len(admin.messages), len(agent.messages)] == [1, 0]


async def test_a_goodbye_reaches_the_accounts_browsers_and_no_others(house: House) -> None:
    """The last word, then the line is cut."""
    mine, theirs = house.screen(OLGA), house.screen(OLGA, OTHER_ACCOUNT)

    house.agents.say_bye(ACCOUNT, ByeMessage(kind=Bye.TERMINAL))

    assert (mine.hung_up, theirs.hung_up) == ([Bye.TERMINAL], [])
    assert mine.messages[-1]["type"] == "bye"


async def test_who_left_is_not_counted(house: House) -> None:
    """Nor is leaving twice, or without having joined, an error."""
    house.screen()
    house.screen()
    connection = next(house.agents.online(ACCOUNT))

    house.agents.leave(connection)
    house.agents.leave(connection)

    assert house.agents.count == 1
    assert house.agents.is_reachable((ACCOUNT, OLGA))


async def test_a_long_poll_counts_as_being_here(house: House) -> None:
    """While it waits."""
    agent = (ACCOUNT, PAVEL)
    with house.agents.watch(agent), house.agents.watch(agent):
        assert house.agents.is_reachable(agent)

    assert not house.agents.is_reachable(agent)
