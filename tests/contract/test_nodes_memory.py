"""Two nodes' services over one PostgreSQL: what either remembers follows what the other does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from databases import postgres_database
from fakes.crm import FakeCrm
from fakes.hooks import CLIENT, answered, ended, rang
from fakes.house import ACCOUNT, LINE, OLGA, PAVEL, SECRET_KEY, USERS, House, furnish
from fakes.sender import FakeSender
from msgspec import structs

from server.core.book import BookRow
from server.core.errors import AccountUnknown, HookUnknown, TicketInvalid
from server.core.messages import AgentView, DialRequest, DirectoryView
from server.core.phone import last10
from server.core.recordings import Kept
from server.core.records import Seat, Tokens
from server.core.vocabulary import Bye, NoticeWay, RecordingState
from server.services.nodes import Nodes
from server.services.session import Sessions
from server.settings import Settings
from server.sql import connect, create_all
from server.store.migrate import METADATA
from server.wiring import Stores, stores

pytestmark = pytest.mark.external_service


class Node(House):
    """The services of one of several processes."""

    async def begin(self) -> "Node":
        self.repaired = 0
        await self.kept.bus.start()
        await self.load()
        rooms = (self.accounts, self.lines, self.recordings, self.fetching, self.cards, self.dialling)
        self.nodes = Nodes(*rooms, repair=self._repair)
        self.kept.bus.subscribe(self.nodes.hear, self.nodes.catch_up)
        return self

    async def _repair(self) -> None:
        self.repaired += 1

    async def end(self) -> None:
        await self.kept.bus.close()
        await self.kept.hooks.close()
        await self.kept.calls.close()
        await self.kept.db.close()


async def opened(url: str) -> Stores:
    return stores(Settings(secret_key=SECRET_KEY, database=url), await connect(url))


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Node, Node]]:
    """Two nodes with one furnished database, one amoCRM and one PBX."""
    url = await postgres_database()
    kept = await opened(url)
    for tables in METADATA:
        await create_all(kept.db, tables)
    await furnish(kept)
    crm, sender = FakeCrm(), FakeSender()
    here = await Node(kept, crm=crm, sender=sender).begin()
    there = await Node(await opened(url), crm=crm, sender=sender, clock=here.clock).begin()
    yield here, there
    for node in (here, there):
        await node.end()


async def until(is_so: Callable[[], Any]) -> None:
    deadline = asyncio.get_running_loop().time() + 10
    while not is_so():
        assert asyncio.get_running_loop().time() < deadline, "it did not come to that"
        await asyncio.sleep(0.005)


Pair = tuple[Node, Node]


async def test_a_webhook_here_shows_its_card_there(pair: Pair) -> None:
    """Every state of it; its jobs are made by the node that took the webhook alone."""
    here, there = pair
    screen = there.screen()
    for hook, state in ((rang(), "ringing"), (answered(), "talking"), (ended(), "ended")):
        await here.hear(hook)
        await until(lambda state=state: screen.states[-1:] == [state])

    assert screen.states == ["ringing", "talking", "ended"]
    assert there.decisions == []


async def test_news_of_one_call_may_come_to_either_node(pair: Pair) -> None:
    """Both screens end with the same card, in whatever order the nodes hear of it."""
    here, there = pair
    screens = here.screen(), there.screen()
    await here.hear(rang())
    await asyncio.gather(there.hear(answered()), here.hear(ended()))

    await until(lambda: all(screen.states[-1:] == ["ended"] for screen in screens))
    cards = [screen.of("call")[-1]["call"] for screen in screens]
    assert cards[0] == cards[1]


async def test_a_card_closed_here_is_closed_there(pair: Pair) -> None:
    """The same agent has a browser at each node; amoCRM's notification is claimed by one of them."""
    here, there = pair
    here.screen()
    screen = there.screen()
    await here.hear(rang())
    await until(lambda: screen.states)
    call_id = here.call.id

    assert [await node.cards.notice(ACCOUNT, OLGA, call_id) for node in pair] == [True, False]
    await here.cards.dismiss(ACCOUNT, OLGA, call_id)
    await until(lambda: screen.of("call")[-1]["call"].get("is_dismissed"))


async def test_a_card_may_be_closed_at_a_node_that_does_not_know_it_yet(pair: Pair) -> None:
    """The proxy sends the agent's request to a node that the news has not reached."""
    here, there = pair
    await there.kept.bus.close()
    await here.hear(rang())

    await there.cards.dismiss(ACCOUNT, OLGA, here.call.id)

    (mark,) = await here.kept.calls.marks([here.call.id])
    assert mark.is_dismissed


async def test_an_order_here_moves_its_state_line_there(pair: Pair) -> None:
    """From the click to the PBX's answer."""
    here, there = pair
    screen = there.screen()
    await here.dialling.start(ACCOUNT, OLGA, DialRequest(phone=CLIENT, key="click"))
    await here.dialling.drain()

    await until(lambda: screen.of("dial") and screen.of("dial")[-1]["dial"]["state"] == "accepted")
    assert there.dialling.current(ACCOUNT, OLGA) == here.dialling.current(ACCOUNT, OLGA)


async def test_lines_and_seats_changed_here_hold_there(pair: Pair) -> None:
    """A new line takes webhooks at both nodes at once, a removed one at neither; the map is one."""
    here, there = pair
    made = await here.lines.add(ACCOUNT, "sipuni", "Новая", {"user": "1", "secret": "s"})
    await here.lines.set_seats(ACCOUNT, [Seat(LINE, "301", PAVEL)])
    await until(lambda: there.lines.users_at(LINE, "301") == (PAVEL,))
    assert there.lines.by_path("sipuni", made.path) == made

    await here.lines.remove(made)
    await until(lambda: there.lines.get(made.id) is None)
    with pytest.raises(HookUnknown):
        there.lines.by_path("sipuni", made.path)


async def test_an_accounts_state_choices_and_users_are_one(pair: Pair) -> None:
    """Tokens, preferences, the copy's progress, users and their rights; switched off here, its browsers leave there."""
    here, there = pair
    screen = there.screen()
    tokens = Tokens("access-new", "refresh-new", 5)
    await here.accounts.keep(ACCOUNT, tokens)
    await here.accounts.set_prefs(ACCOUNT, notice=NoticeWay.BOTH)
    await here.accounts.set_progress(ACCOUNT, DirectoryView(is_complete=True, contacts=7))
    await here.accounts.set_users(ACCOUNT, USERS[:1])
    await until(lambda: [one.id for one in there.accounts.users(ACCOUNT).values() if one.is_active] == [OLGA])
    await until(lambda: screen.of("directory"))
    await until(lambda: there.accounts.get(ACCOUNT) == here.accounts.get(ACCOUNT))
    assert there.accounts.tokens(ACCOUNT) == tokens

    await here.accounts.disable(ACCOUNT)
    await until(lambda: screen.hung_up == [Bye.TERMINAL])
    with pytest.raises(AccountUnknown):
        there.accounts.get(ACCOUNT)


async def test_choices_made_at_two_nodes_do_not_undo_each_other(pair: Pair) -> None:
    """Two administrators click in the same moment."""
    here, there = pair
    await asyncio.gather(
        here.accounts.set_prefs(ACCOUNT, log_internal=True), there.accounts.set_prefs(ACCOUNT, email_action=True)
    )

    account = await here.kept.accounts.find(ACCOUNT)
    assert account is not None
    assert (account.prefs.log_internal, account.prefs.email_action) == (True, True)


async def test_an_alert_raised_here_is_shown_to_administrators_there(pair: Pair) -> None:
    """Once; colleagues see nothing."""
    here, there = pair
    admin, colleague = there.screen(is_admin=True), there.screen(PAVEL)
    await here.accounts.alert(ACCOUNT, "extension-unmapped", subject="x", extension="205")

    await until(lambda: admin.of("alert"))
    assert [message["alert"]["details"] for message in admin.of("alert")] == [{"extension": "205"}]
    assert colleague.of("alert") == []


async def test_a_caller_learned_here_gets_his_name_there(pair: Pair) -> None:
    """amoCRM's webhook came to the other node while the telephone rang."""
    here, there = pair
    screen = there.screen()
    await here.hear(rang())
    await until(lambda: screen.states)
    row = BookRow(id=11, name="Иван", owner_id=OLGA, phones=(last10(CLIENT),))
    await here.directory._learn(ACCOUNT, "contacts", [row])

    await until(lambda: "Иван" in str(screen.caller))


async def test_a_recording_stored_here_can_be_heard_there(pair: Pair) -> None:
    """Its link comes into the card of an agent at the other node; withdrawn, it goes."""
    here, there = pair
    screen = there.screen()
    for hook in (rang(), answered(), ended(call_record_link="https://pbx/r1.mp3")):
        await here.hear(hook)
    await until(lambda: screen.states[-1:] == ["ended"])
    (recording,) = here.call.recordings.values()
    kept = Kept(
        call_id=here.call.id, key=recording.key, account_id=ACCOUNT, line_id=LINE, state=RecordingState.FETCHED,
        name="a", size=1, content_type="audio/mpeg", at_ms=here.clock(), changed_ms=here.clock(),
    )  # fmt: skip
    await here.recordings.keep(here.call, kept)
    await until(lambda: there.recordings._known(here.call).get(recording.key) == kept)

    await here.recordings.revoke(ACCOUNT, here.call.id)
    await until(lambda: there.recordings.link(here.call) == "")


async def test_a_ticket_of_one_node_opens_a_socket_at_the_other_once(pair: Pair) -> None:
    """The proxy sends the browser's handshake wherever it likes; whoever reads the ticket from a log comes too late."""
    desks = [
        Sessions(
            node.accounts, node.lines, node.kept.accounts, None, secret_key=SECRET_KEY, client_id="i",
            redirect_uri="https://voip.example/amo/oauth", is_alone=False, clock=node.clock,
        )
        for node in pair
    ]  # fmt: skip
    ticket = desks[0]._answer(ACCOUNT, OLGA, is_admin=False).ticket
    assert (await desks[1].ticket(ticket)).user_id == OLGA
    for desk in desks:
        with pytest.raises(TicketInvalid):
            await desk.ticket(ticket)


async def test_what_was_missed_is_read_anew(pair: Pair) -> None:
    """While a node could not listen, a call ended, a card was closed, a line went: then browsers get a snapshot."""
    here, there = pair
    await here.hear(rang())
    await until(lambda: there.cards._recent(ACCOUNT))
    await there.kept.bus.close()
    await here.hear(ended(talk_from_s=None))
    await here.cards.dismiss(ACCOUNT, OLGA, here.call.id)
    line = here.lines.of(ACCOUNT, "l_2")
    await here.lines.remove(line)

    await there.nodes.catch_up()

    agent = AgentView(id=OLGA, name="Ольга", is_admin=False, extensions={})
    snapshots = [await node.cards.snapshot(ACCOUNT, agent) for node in pair]
    assert structs.asdict(snapshots[0]) == structs.asdict(snapshots[1])
    assert snapshots[1].calls[0].is_dismissed
    assert there.lines.get("l_2") is None
    assert there.repaired == 1
