"""The services as the doors see them, in one place; `wiring` fills it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from server.core.crm import Change
from server.core.errors import AccountUnknown
from server.core.hosts import Trust
from server.core.messages import Snapshot
from server.core.records import TOKEN_DEAD
from server.core.session import Pass
from server.core.vocabulary import Bye
from server.services.accounts import Accounts
from server.services.agents import Agents
from server.services.cards import Cards, digest
from server.services.clock import Clock
from server.services.dial import Dialling
from server.services.directory import Directory
from server.services.history import History
from server.services.intake import Intake
from server.services.journal import Journal
from server.services.lines import Lines
from server.services.playing import Playing
from server.services.probe import Probe
from server.services.reconcile import Reconcile
from server.services.recordings import Recordings
from server.services.session import Sessions
from server.services.visits import Visits

from .channel.channels import Channels
from .channel.port import Listener


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a door may call."""

    trust: Trust
    public_url: str
    intake: Intake
    sessions: Sessions
    agents: Agents
    cards: Cards
    dialling: Dialling
    accounts: Accounts
    lines: Lines
    directory: Directory
    recordings: Recordings
    playing: Playing
    probe: Probe
    journal: Journal
    reconcile: Reconcile
    history: History
    visits: Visits
    clock: Clock
    channels: Channels
    listener: Listener
    read_changes: Callable[[bytes], list[Change]]
    disable_account: Callable[[str, str, str], int]
    """Reads amoCRM's switch-off hook (account, client, signature): the account, or CallerError."""
    is_ready: Callable[[], Awaitable[bool]]

    async def retry(self, account_id: int, user_id: int, call_id: str) -> int:
        """Another try for what was given up of a call, told in its journal; how many jobs. Raises NotFound."""
        count = await self.history.retry(account_id, call_id)
        self.journal.asked(call_id, "retry", user_id)
        return count

    async def revoke(self, account_id: int, user_id: int, call_id: str) -> int:
        """Withdraw a call's recordings, told in its journal; how many. Raises NotFound, RecordingAbsent."""
        count = await self.recordings.revoke(account_id, call_id)
        self.journal.asked(call_id, "revoke", user_id)
        return count

    async def snapshot(self, who: Pass) -> Snapshot:
        """What the agent's screens start from. Nothing is awaited after the calls were read."""
        account = self.accounts.get(who.account_id)
        alerts = await self.accounts.alerts(account.id) if who.is_admin else []
        agent = self.sessions.agent(account.id, who.user_id, is_admin=who.is_admin)
        snapshot = await self.cards.snapshot(account.id, agent)
        snapshot.dial = self.dialling.current(account.id, who.user_id)
        snapshot.directory = account.progress
        snapshot.alerts = tuple(alerts)
        snapshot.is_crm_closed = account.state == TOKEN_DEAD
        snapshot.show_cards = account.prefs.notice != "crm"
        snapshot.email_action = account.prefs.email_action
        snapshot.digest = digest(snapshot)
        return snapshot

    async def repair(self) -> None:
        """Give every connected browser a fresh snapshot; those in a long poll look anew."""
        for connection in self.agents.everybody():
            account_id, user_id = connection.agent
            try:
                who = Pass(0, account_id, user_id, connection.is_admin)
                connection.open(await self.snapshot(who))
            except AccountUnknown:
                connection.hang_up(Bye.TERMINAL)


DESK = web.AppKey("desk", Desk)
