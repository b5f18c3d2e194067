"""Cards: who sees which call, with which caller, and the snapshot that an agent's screens start from.

Live calls and those of the last two minutes are kept in memory, with what the phone book says of their numbers, so
that a ringing call costs one indexed read and no request to amoCRM.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec
import structlog
from msgspec import structs

from server.core import cards, directory
from server.core.calls import Call
from server.core.cards import Marks, Viewpoint
from server.core.directory import Entry
from server.core.errors import CallGone, KommutatorError, NotFound
from server.core.messages import AgentView, CallerView, CallView, Person, Snapshot
from server.core.phone import last10
from server.core.records import CardMark, Decision, Line
from server.core.rights import Rights
from server.core.stores import Calls as CallStore
from server.core.vocabulary import RECENT_S, CallerKind, CardState, Direction

from .agents import AgentKey, Agents
from .clock import Clock, now_ms
from .lines import Lines

log = structlog.get_logger()

CLEAR_EVERY_MS = 1000
"""How often the boards are looked through for calls that are no longer shown: a busy one holds thousands."""

SEARCH_S = 2.0
"""How long the one background look-up of an unknown caller may take while the first copy is being made."""


Tell = Callable[[Call, int, CallView], None]
"""Hears of a call which user is shown which card. It must not wait."""


class Book(Protocol):
    """The phone book, as cards use it."""

    async def find(self, account_id: int, phone: str) -> list[Entry]: ...

    async def search(self, account_id: int, phone: str, *, timeout_s: float) -> list[Entry]: ...

    def is_complete(self, account_id: int) -> bool: ...


class People(Protocol):
    """The account's users, as cards use them."""

    def rights(self, account_id: int, user_id: int) -> Rights: ...

    def people(self, account_id: int) -> dict[int, Person]: ...


class Recordings(Protocol):
    """Links to recordings, as cards use them."""

    def link(self, call: Call) -> str: ...

    def is_pending(self, call: Call) -> bool: ...


class _Shown:
    """A call on screens: its caller's entries (None: not looked up yet), what browsers did with its card, and the card
    that each agent was sent last: news that changes nothing he sees is not sent. `told`: what listeners know of that.
    """

    __slots__ = ("call", "entries", "is_searching", "is_shared", "marks", "searched", "sent", "told")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.entries: list[Entry] | None = None
        self.is_searching = False
        self.is_shared = False  # another node hears of it, too: which news is newer, the store alone knows
        self.searched: str | None = None
        self.marks: dict[int, CardMark] = {}
        self.sent: dict[int, CallView] = {}
        self.told: dict[int, CardState] = {}


class Cards:
    """Turns decisions into what agents see."""

    def __init__(  # noqa: PLR0913  # it joins six rooms, and each is a contract
        self, lines: Lines, agents: Agents, store: CallStore, *, book: Book, people: People, recordings: Recordings,
        clock: Clock = now_ms,
    ) -> None:  # fmt: skip
        self._lines = lines
        self._agents = agents
        self._store = store
        self._book = book
        self._people = people
        self._recordings = recordings
        self._clock = clock
        self._shown: dict[int, dict[str, _Shown]] = {}
        self._cleared_ms = 0
        self._searches: set[asyncio.Task[None]] = set()
        self._listeners: list[Tell] = []

    def tell(self, listener: Tell) -> None:
        """Let `listener` hear which card each agent is shown, whenever its state is another than before."""
        self._listeners.append(listener)

    async def load(self) -> None:
        """Put the calls of the last minutes back on the board after a start."""
        calls = await self._store.on_screens(self._clock() - RECENT_S * 1000)
        for call in calls:
            self._shown.setdefault(call.account_id, {})[call.id] = _Shown(call)
        for mark in await self._store.marks([call.id for call in calls]):
            self._mark(mark)

    async def changed(self, decision: Decision) -> None:
        """A call appeared or changed: show it to its agents."""
        if not decision.effects:
            return
        if not cards.is_shown(decision.call, self._clock()):  # learned of long after, from the PBX's statistics
            return
        call = decision.call
        known = self._shown.get(call.account_id, {}).get(call.id)
        if known is not None and known.is_shared:
            await self.reread(call.account_id, call.id)
            return
        shown = self._keep(call)
        await self._look_up(shown)
        self._show_all(shown)
        if shown.entries == [] and not self._book.is_complete(shown.call.account_id):
            self._search(shown)

    async def reread(self, account_id: int, call_id: str) -> None:
        """Another node changed a call: show it as it is stored."""
        board = self._shown.setdefault(account_id, {})
        while True:
            before = board[call_id].call if call_id in board else None
            call = await self._store.find(call_id)
            marks = await self._store.marks([call_id]) if before is None else []
            if (board[call_id].call if call_id in board else None) is before:  # else it was heard of here meanwhile
                break
        if call is None or call.account_id != account_id or not cards.is_shown(call, self._clock()):
            board.pop(call_id, None)
            return
        shown = self._keep(call)
        shown.is_shared = True
        for mark in marks:
            shown.marks[mark.agent_id] = mark
        if any(self._agents.is_reachable((account_id, user_id)) for user_id in self._lines.audience(call)):
            await self._look_up(shown)
        self._show_all(shown)

    async def catch_up(self) -> None:
        """News of other nodes was missed: read anew what is on the boards, and what should be."""
        known = [(account_id, call_id) for account_id, board in self._shown.items() for call_id in board]
        stored = await self._store.on_screens(self._clock() - RECENT_S * 1000)
        every = dict.fromkeys([*known, *((call.account_id, call.id) for call in stored)])
        for account_id, call_id in every:
            await self.reread(account_id, call_id)
        for mark in await self._store.marks([call_id for _, call_id in every]):
            self._mark(mark)

    async def remark(self, call_id: str) -> None:
        """On another node, browsers did something with a call's card."""
        shown = next((board[call_id] for board in self._shown.values() if call_id in board), None)
        if shown is not None:
            for mark in await self._store.marks([call_id]):
                shown.marks[mark.agent_id] = mark
                self._show(shown, mark.agent_id)

    async def snapshot(self, account_id: int, agent: AgentView) -> Snapshot:
        """What the agent's screens start from; `rev` is filled in by the connection."""
        for shown in self._of(account_id, agent.id):
            await self._look_up(shown)
        # Nothing is awaited from here on: what changes later reaches the connection that joins with this snapshot.
        views = []
        for shown in self._of(account_id, agent.id):
            views.append(view := self._view(shown, agent.id))
            if shown.call.is_live:
                self._say(shown, agent.id, view)
        views.sort(key=lambda view: (view.started_at, view.id))
        snapshot = Snapshot(rev="", digest="", now=self._clock() // 1000, agent=agent, calls=tuple(views))
        snapshot.lines = tuple(self._lines.view(line) for line in self._lines.of_account(account_id))
        return snapshot

    async def to_hang_up(self, account_id: int, user_id: int, call_id: str) -> Call:
        """A live call of this agent's. Raises CallGone, NotFound: also for another account's or a colleague's call."""
        shown = await self._seen(account_id, user_id, call_id)
        if not shown.call.is_live:
            raise CallGone
        if cards.card_state(shown.call, self._extensions(shown.call, user_id)) is CardState.ELSEWHERE:
            raise NotFound("This call is a colleague's.")
        return shown.call

    async def notice(self, account_id: int, user_id: int, call_id: str) -> bool:
        """Claim amoCRM's notification for a call: granted once per call and agent, for ever. Raises NotFound."""
        shown = await self._seen(account_id, user_id, call_id)
        is_first = await self._store.mark(call_id, user_id, noticed_ms=self._clock(), dismissed_ms=None)
        _mark_shown(shown, user_id, is_noticed=True)
        return is_first

    async def dismiss(self, account_id: int, user_id: int, call_id: str) -> None:
        """The agent closed the card: it stays closed, everywhere. Raises NotFound."""
        shown = await self._seen(account_id, user_id, call_id)
        await self._store.mark(call_id, user_id, noticed_ms=None, dismissed_ms=self._clock())
        _mark_shown(shown, user_id, is_dismissed=True)
        self._show(shown, user_id)

    async def found(self, account_id: int, phones: Iterable[str]) -> None:
        """The phone book learned of these numbers (last ten digits): cards that show them are looked up again."""
        known = set(phones)
        for shown in self._recent(account_id):
            phone = shown.call.client_phone
            if phone and last10(phone) in known:
                shown.entries = None
                await self._look_up(shown)
                self._show_all(shown)

    async def refreshed(self, call: Call) -> None:
        """Something beside the call itself changed, e.g. its recording came: show it anew where it is on screens."""
        shown = self._shown.get(call.account_id, {}).get(call.id)
        if shown is not None:
            self._show_all(shown)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _keep(self, call: Call) -> _Shown:
        board = self._shown.setdefault(call.account_id, {})
        shown = board.get(call.id)
        if shown is None:
            self._clear()
            shown = board[call.id] = _Shown(call)
        elif shown.call.client_phone != call.client_phone:
            shown.entries = None
        shown.call = call
        return shown

    def _clear(self) -> None:
        """Take off the boards what is no longer shown; called when a call is added, so the boards stay small."""
        now = self._clock()
        if now - self._cleared_ms < CLEAR_EVERY_MS:
            return
        self._cleared_ms = now
        for board in self._shown.values():
            for call_id in [key for key, shown in board.items() if not cards.is_shown(shown.call, now)]:
                del board[call_id]

    def _recent(self, account_id: int) -> list[_Shown]:
        now = self._clock()
        return [shown for shown in self._shown.get(account_id, {}).values() if cards.is_shown(shown.call, now)]

    def _of(self, account_id: int, user_id: int) -> list[_Shown]:
        return [shown for shown in self._recent(account_id) if user_id in self._lines.audience(shown.call)]

    async def _seen(self, account_id: int, user_id: int, call_id: str) -> _Shown:
        """The agent saw the card, perhaps through a node that heard of the call earlier than we did."""
        if call_id not in self._shown.get(account_id, {}):
            await self.reread(account_id, call_id)
        shown = self._shown.get(account_id, {}).get(call_id)
        if shown is None or user_id not in self._lines.audience(shown.call):
            raise NotFound
        return shown

    async def _look_up(self, shown: _Shown) -> None:
        call = shown.call
        if shown.entries is None and call.client_phone and call.direction is not Direction.INTERNAL:
            shown.entries = await self._book.find(call.account_id, call.client_phone)

    def _search(self, shown: _Shown) -> None:
        """While the first copy is being made, ask amoCRM itself, in the background, once per call."""
        phone = shown.call.client_phone
        if phone is None or shown.searched == phone:
            return
        shown.is_searching, shown.searched = True, phone
        task = asyncio.create_task(self._searched(shown, phone))
        self._searches.add(task)
        task.add_done_callback(self._searches.discard)
        self._show_all(shown)

    async def _searched(self, shown: _Shown, phone: str) -> None:
        try:
            shown.entries = await self._book.search(shown.call.account_id, phone, timeout_s=SEARCH_S)
        except KommutatorError as exc:
            log.info("search_failed", call=shown.call.id, slug=exc.slug)
        finally:
            shown.is_searching = False
            self._show_all(shown)

    def _show_all(self, shown: _Shown) -> None:
        for user_id in self._lines.audience(shown.call):
            self._show(shown, user_id)

    def _show(self, shown: _Shown, user_id: int) -> None:
        agent: AgentKey = (shown.call.account_id, user_id)
        if not self._agents.is_reachable(agent):
            shown.sent.pop(user_id, None)  # who comes back begins with a snapshot: what he saw before says nothing
            return
        view = self._view(shown, user_id)
        if shown.sent.get(user_id) != view:
            shown.sent[user_id] = view
            self._agents.send_call(agent, view)
            self._say(shown, user_id, view)

    def _say(self, shown: _Shown, user_id: int, view: CallView) -> None:
        if shown.told.get(user_id) is not view.state:
            shown.told[user_id] = view.state
            for listener in self._listeners:
                listener(shown.call, user_id, view)

    def _view(self, shown: _Shown, user_id: int) -> CallView:
        call = shown.call
        line = self._lines.get(call.line_id)
        viewpoint = self._viewpoint(call, line, user_id)
        mark = shown.marks.get(user_id, CardMark(call.id, user_id))
        marks = Marks(
            self._recordings.link(call), self._recordings.is_pending(call),
            is_dismissed=mark.is_dismissed, is_noticed=mark.is_noticed,
        )  # fmt: skip
        return cards.card(call, self._caller(shown, user_id, viewpoint), viewpoint, marks)

    def _viewpoint(self, call: Call, line: Line | None, user_id: int) -> Viewpoint:
        return Viewpoint(
            extensions=self._extensions(call, user_id),
            colleagues=self._colleagues(call),
            capabilities=self._lines.codec(line).capabilities if line else frozenset(),
            line_name=line.name if line else "",
        )

    def _colleagues(self, call: Call) -> dict[str, Person]:
        """Those of the call alone: the account may have thousands."""
        people = self._people.people(call.account_id)
        return {
            extension: Person(user_id, people[user_id].name, extension)
            for extension in cards.named_in(call)
            for user_id in self._lines.users_at(call.line_id, extension)
            if user_id in people
        }

    def _extensions(self, call: Call, user_id: int) -> frozenset[str]:
        return self._lines.extensions_on(call.line_id, call.account_id, user_id)

    def _caller(self, shown: _Shown, user_id: int, viewpoint: Viewpoint) -> CallerView:
        call = shown.call
        if call.direction is Direction.INTERNAL:
            return cards.internal_caller(call, viewpoint.extensions, viewpoint.colleagues)
        if call.client_phone is None:
            return CallerView(kind=CallerKind.ANONYMOUS)
        if shown.is_searching and not shown.entries:
            return CallerView(kind=CallerKind.SEARCHING, phone=call.client_phone)
        rights, people = self._people.rights(call.account_id, user_id), self._people.people(call.account_id)
        return directory.caller(shown.entries or (), call.client_phone, rights=rights, people=people)

    def _mark(self, mark: CardMark) -> None:
        for board in self._shown.values():
            if mark.call_id in board:
                board[mark.call_id].marks[mark.agent_id] = mark


def _mark_shown(shown: _Shown, user_id: int, *, is_noticed: bool = False, is_dismissed: bool = False) -> None:
    call_id = shown.call.id
    before = shown.marks.get(user_id, CardMark(call_id, user_id))
    shown.marks[user_id] = CardMark(
        call_id, user_id, before.is_noticed or is_noticed, before.is_dismissed or is_dismissed
    )


def digest(snapshot: Snapshot) -> str:
    """A fingerprint of what a snapshot shows, by which the long poll knows that it has news."""
    shown = structs.replace(snapshot, rev="", digest="", now=0)
    return hashlib.sha256(msgspec.json.encode(shown)).hexdigest()[:24]
