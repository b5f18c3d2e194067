"""What the journal is told beside decisions: cards and attempts, gathered, and kept while the database is away."""

from collections.abc import Sequence

import pytest
from fakes.house import ACCOUNT, OLGA, PAVEL, HandClock
from sandboxes import until

from server.core import calls
from server.core.calls import Call
from server.core.errors import CrmRefused, StoreUnavailable
from server.core.jobs import Hold, Job, Later, NotDone, Park
from server.core.journal import Entry, Listened, Shown, Tried
from server.core.messages import CallerView, CallView, Link
from server.core.vocabulary import CallerKind, CardState, Direction
from server.services.journal import ATTEMPTS, MOST, Journal


class Shelf:
    """A store that may be away."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.lots = 0
        self.is_away = False

    async def put(self, entries: Sequence[Entry]) -> None:
        if self.is_away:
            raise StoreUnavailable
        self.lots += 1
        self.entries += entries


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def journal(shelf: Shelf) -> Journal:
    return Journal(shelf, clock=HandClock())  # type: ignore[arg-type]  # of the store, it only puts


def call(call_id: str = "c_1") -> Call:
    return calls.begin(call_id=call_id, account_id=ACCOUNT, line_id="l", provider="sipuni", call_ref="r", received_ms=1)


def card(state: CardState = CardState.RINGING, name: str = "Иван") -> CallView:
    caller = CallerView(CallerKind.CONTACT, name=name, card=Link(name=name, path="/contacts/detail/5", id=5))
    return CallView(id="c_1", direction=Direction.IN, state=state, caller=caller, started_at=1)


async def test_one_card_on_several_screens_is_one_entry(journal: Journal, shelf: Shelf) -> None:
    """Whoever saw it stands in it; another state, another caller or another call is another entry."""
    journal.shown(call(), OLGA, card())
    journal.shown(call(), PAVEL, card())
    journal.shown(call(), OLGA, card(CardState.TALKING))
    journal.shown(call("c_2"), OLGA, card())
    await journal.close()

    path = "/contacts/detail/5"
    assert [(entry.call_id, entry.body) for entry in shelf.entries] == [
        ("c_1", Shown({str(OLGA): CardState.RINGING, str(PAVEL): CardState.RINGING}, CallerKind.CONTACT, "Иван", path)),
        ("c_1", Shown({str(OLGA): CardState.TALKING}, CallerKind.CONTACT, "Иван", path)),
        ("c_2", Shown({str(OLGA): CardState.RINGING}, CallerKind.CONTACT, "Иван", path)),
    ]
    assert shelf.lots == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, Tried("log", 1, "done")),
        (Later(30, "not yet"), Tried("log", 1, "later", "not yet", 30)),
        (Hold(60, "amoCRM is down"), Tried("log", 1, "hold", "amoCRM is down", 60)),
        (Park("refused"), Tried("log", 1, "parked", "refused")),
        (ValueError("odd"), Tried("log", 1, "failed", "ValueError: odd")),
    ],
)
async def test_each_attempt_is_told_with_its_answer(
    journal: Journal, shelf: Shelf, answer: Exception | None, told: Tried
) -> None:
    """And the handler's answer goes on to the engine as it was."""

    async def handler(_: Sequence[Job]) -> None:
        if answer is not None:
            raise answer

    job = Job("amo:1", "log", "log:c_1", grp="c_1", tries=1)
    if answer is None:
        assert await journal.watched(handler)([job]) is None
    else:
        with pytest.raises(type(answer)):
            await journal.watched(handler)([job])
    await journal.close()

    assert [entry.body for entry in shelf.entries] == [told]


async def test_an_error_behind_an_answer_is_named(journal: Journal, shelf: Shelf) -> None:
    """So that it can be told in the reader's language."""

    async def handler(_: Sequence[Job]) -> None:
        raise Park("amoCRM said no") from CrmRefused("amoCRM said no")

    with pytest.raises(NotDone):
        await journal.watched(handler)([Job("amo:1", "log", "k", grp="c_1", tries=1)])
    await journal.close()

    assert [entry.body for entry in shelf.entries] == [Tried("log", 1, "parked", "amoCRM said no", slug="crm-refused")]


async def test_what_is_tried_for_days_is_told_by_tens(journal: Journal, shelf: Shelf) -> None:
    """A recording that does not come must not fill the journal; jobs of no call are not told at all."""

    async def handler(_: Sequence[Job]) -> Sequence[Job]:
        return ()

    for tries in range(1, ATTEMPTS + 31):
        await journal.watched(handler)([Job("rec:l", "fetch", "k", grp="c_1", tries=tries)])
    await journal.watched(handler)([Job("crawl:1", "crawl", "k", tries=1)])
    await journal.close()

    assert len(shelf.entries) == ATTEMPTS + 3


async def test_entries_wait_for_a_database_that_is_away(
    journal: Journal, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are stored when it is back; what is too much for memory goes, the oldest first."""
    monkeypatch.setattr("server.services.journal.GATHER_S", 0.0)
    monkeypatch.setattr("server.services.journal.AGAIN_S", 0.01)
    shelf.is_away = True
    for number in range(MOST + 5):
        journal.listened(call(f"c_{number}"))

    async def is_gathered() -> bool:
        return len(journal._waiting) == MOST

    await until(is_gathered)
    shelf.is_away = False
    await journal.close()

    assert (len(shelf.entries), shelf.entries[0].call_id) == (MOST, "c_5")
    assert shelf.entries[0].body == Listened()
