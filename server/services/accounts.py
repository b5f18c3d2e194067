"""Accounts: installed by amoCRM's authorisation, known in memory with their users, switched off and revived."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import structlog
from msgspec import structs

from server.core.crm import Crm, Grant, Pipeline
from server.core.errors import AccountUnknown, CrmRefused, CrmTokenDead, NotFound
from server.core.hosts import Trust
from server.core.jobs import Job, Park
from server.core.messages import AlertView, ByeMessage, DirectoryView, Person, Problem
from server.core.records import ACTIVE, DISABLED, TOKEN_DEAD, Account, Prefs, Tokens, User
from server.core.rights import Rights
from server.core.stores import Accounts as AccountStore
from server.core.vocabulary import Bye

from .agents import Agents
from .clock import Clock, now_ms

log = structlog.get_logger()

CODE_MS = 20 * 60_000
"""How long amoCRM's authorisation code lives: after that, trying again is in vain."""


SOLE_MS = 45_000
"""How long one process may have the refresh token: longer than amoCRM's answer to it is waited for."""

LOOK_AGAIN_S = 0.2
"""How often a process that waits for another's refresh looks whether it is over."""


TURN_AGAIN_S = 0.05
"""How often a request for which no slot is free looks again."""


class Later(Protocol):
    """Where durable work is put, taken back by its group, and set going again by its lane."""

    async def put(self, *jobs: Job) -> None: ...

    async def cancel(self, grp: str) -> int: ...

    async def resume(self, lane: str) -> None: ...

    async def rearm_lane(self, lane: str) -> int: ...


class Accounts:
    """All connected accounts."""

    def __init__(
        self, store: AccountStore, crm: Crm, agents: Agents, later: Later, *, trust: Trust, clock: Clock = now_ms
    ) -> None:
        self._store = store
        self._crm = crm
        self._agents = agents
        self._later = later
        self._trust = trust
        self._clock = clock
        self._changing = asyncio.Lock()
        self._known: dict[int, Account] = {}
        self._users: dict[int, dict[int, User]] = {}
        self._people: dict[int, dict[int, Person]] = {}

    async def load(self) -> None:
        """Read everything from the store; to be called before the first request."""
        for account in await self._store.all():
            self._known[account.id] = account
            self._know_users(account.id, await self._store.users(account.id))

    def get(self, account_id: int) -> Account:
        """A connected account. Raises AccountUnknown, also when it was switched off."""
        account = self._known.get(account_id)
        if account is None or account.state == DISABLED:
            raise AccountUnknown
        return account

    def all(self) -> Sequence[Account]:
        """All connected accounts."""
        return [account for account in self._known.values() if account.state != DISABLED]

    def by_hook(self, secret: str) -> Account:
        """The account of one of amoCRM's webhooks. Raises NotFound."""
        for account in self._known.values():
            if secrets.compare_digest(account.hook_secret, secret) and account.state != DISABLED:
                return account
        raise NotFound

    # -- what another node changed ---------------------------------------------------------------------------------

    async def reread(self, account_id: int) -> None:
        """Read an account anew, and tell the connected browsers what they would have been told here."""
        while True:
            before = self._known.get(account_id)
            now = await self._store.find(account_id)
            if self._known.get(account_id) is before:  # else it changed here meanwhile: what was read may be older
                break
        if now is None:
            return
        self._known[account_id] = now
        if before is None:
            return
        if now.state == DISABLED and before.state != DISABLED:
            self._say_bye(account_id)
        if now.progress != before.progress:
            self._agents.send_directory(account_id, now.progress)
        self._say_state(before, now)

    async def reread_users(self, account_id: int) -> None:
        """Read an account's users anew."""
        self._know_users(account_id, await self._store.users(account_id))

    async def show_alert(self, account_id: int, slug: str) -> None:
        """Another node raised an alert: show it to the administrators who are connected here."""
        standing = [alert for alert in await self._store.alerts(account_id) if alert.slug == slug]
        if standing:
            self._agents.send_alert(account_id, standing[-1])

    # -- people ----------------------------------------------------------------------------------------------------

    def users(self, account_id: int) -> Mapping[int, User]:
        """The account's users by id."""
        return self._users.get(account_id, {})

    def people(self, account_id: int) -> dict[int, Person]:
        """The account's users as colleagues see each other."""
        return self._people.get(account_id, {})

    def rights(self, account_id: int, user_id: int) -> Rights:
        """The user's view rights; of an unknown user, none."""
        user = self.users(account_id).get(user_id)
        return user.rights if user else Rights(user_id=user_id)

    def is_admin(self, account_id: int, user_id: int) -> bool:
        """Whether amoCRM's list of users says that this is an administrator."""
        user = self.users(account_id).get(user_id)
        return user is not None and user.is_admin

    async def set_users(self, account_id: int, users: Sequence[User]) -> None:
        """Replace what is known of the users. Those whom amoCRM does not list any more stay known, as inactive: whoever
        was removed must not look like one who is new.
        """
        listed = {user.id for user in users}
        gone = [_gone(user) for user in self.users(account_id).values() if user.id not in listed]
        everybody = [*users, *gone]
        await self._store.set_users(account_id, everybody)
        self._know_users(account_id, everybody)

    def _know_users(self, account_id: int, users: Sequence[User]) -> None:
        self._users[account_id] = {user.id: user for user in users}
        self._people[account_id] = {user.id: Person(user.id, user.name) for user in users}

    # -- authorisation ---------------------------------------------------------------------------------------------

    async def authorise(self, code: str, referer: str) -> None:
        """Take an authorisation code, to be exchanged in the background. Raises HostForeign before a request leaves."""
        origin = self._trust.origin_of(referer)
        now = self._clock()
        body = msgspec.json.encode({"origin": origin, "code": code})
        job = Job(
            # A lane of the host's own: what amoCRM holds against one account must not keep others from installing.
            lane=f"oauth:{origin}",
            kind="exchange",
            key=f"exchange:{secrets.token_hex(8)}",
            body=body,
            dead_ms=now + CODE_MS,
        )
        await self._later.put(job)

    async def exchange(self, jobs: Sequence[Job]) -> None:
        """Trade the code for tokens; the phone book is copied next. A dead code is parked: installing anew mends it."""
        (job,) = jobs
        body = msgspec.json.decode(job.body, type=dict[str, str])
        try:
            grant = await self._crm.exchange(body["origin"], body["code"])
        except CrmRefused as exc:
            account = await self._authorised_before(body["origin"]) if job.unsure else None
            if account is None:
                raise Park(f"amoCRM refused the code: {exc.message}") from exc
        else:
            account = await self._take_in(body["origin"], grant)
            await self._later.cancel(f"crawl:{account.id}")  # the copy that an earlier authorisation began
        lane = f"crawl:{account.id}"
        key = f"{lane}:{job.key.partition(':')[2]}"  # once, though an attempt breaks off after this
        step = msgspec.json.encode({"account": account.id})
        await self._later.put(Job(lane=lane, kind="crawl", key=key, body=step, grp=lane))
        await self.recovered(account.id)
        log.info("account_authorised", account=account.id, host=account.host)

    async def _take_in(self, origin: str, grant: Grant) -> Account:
        known = self._known.get(grant.account_id)
        fresh = Account(
            id=grant.account_id,
            host=origin.partition("://")[2],
            origin=origin,
            name=grant.name,
            state=TOKEN_DEAD if known else ACTIVE,  # until all that follows is done: a crash must not skip a part of it
            hook_secret=known.hook_secret if known else secrets.token_urlsafe(24),
            created_ms=known.created_ms if known else self._clock(),
            prefs=known.prefs if known else Prefs(),
            progress=known.progress if known else DirectoryView(is_complete=False),
            tokens=grant.tokens,
        )
        await self._store.put(fresh)
        self._known[fresh.id] = await self._store.find(fresh.id) or fresh  # its secret, where another node was faster
        return fresh

    async def _authorised_before(self, origin: str) -> Account | None:
        """The account whose code was spent by an attempt that broke off, if its tokens are taken."""
        account = next((one for one in self.all() if one.origin == origin), None)
        if account is not None:
            with contextlib.suppress(CrmTokenDead):
                await self._crm.check(account, within_s=0)
                return account
        return None

    def tokens(self, account_id: int) -> Tokens:
        """The account's tokens. Raises CrmTokenDead."""
        account = self._known.get(account_id)
        if account is None or account.tokens is None:
            raise CrmTokenDead
        return account.tokens

    async def keep(self, account_id: int, tokens: Tokens) -> None:
        """Tokens were refreshed: they are stored before they are used, for the old pair is dead."""
        await self._store.set_tokens(account_id, tokens)
        self._known[account_id] = structs.replace(self._known[account_id], tokens=tokens)

    async def turn(self, account_id: int, slots: Sequence[int], *, slot_s: float) -> None:
        """Return when a request may leave, counting those of all nodes: each takes a slot for this long."""
        length_ms = round(slot_s * 1000)
        while True:
            now = self._clock()
            if await self._store.take_slot(account_id, slots, now_ms=now, until_ms=now + length_ms):
                return
            await asyncio.sleep(TURN_AGAIN_S)

    @contextlib.asynccontextmanager
    async def sole(self, account_id: int) -> AsyncIterator[Tokens]:
        """The right to use the refresh token, which no other process has meanwhile, and the tokens as they stand now.

        Of a process that dies with it, it comes free when amoCRM's answer cannot come any more.
        """
        name = f"refresh:{account_id}"
        while True:
            now = self._clock()
            if await self._store.lease(name, account_id=account_id, now_ms=now, until_ms=now + SOLE_MS):
                break
            await asyncio.sleep(LOOK_AGAIN_S)
        try:
            await self.reread(account_id)
            yield self.tokens(account_id)
        finally:
            await self._store.release(name)

    async def died(self, account_id: int) -> None:
        """amoCRM does not take our tokens any more: say so to everybody; what is to be sent is kept."""
        if self._known[account_id].state == DISABLED:  # that its tokens are dead is no news
            return
        await self._set_state(account_id, TOKEN_DEAD)
        await self.alert(account_id, CrmTokenDead.slug)

    async def recovered(self, account_id: int) -> None:
        """amoCRM takes our tokens again: what waited goes out, and what was given up meanwhile.

        The state comes last: until it is stored, the next pulse repeats the rest.
        """
        await self._later.rearm_lane(f"amo:{account_id}")
        await self._later.resume(f"amo:{account_id}")
        await self._store.drop_alerts(account_id, CrmTokenDead.slug)
        await self._set_state(account_id, ACTIVE)

    async def disable(self, account_id: int) -> None:
        """The integration was switched off in amoCRM."""
        if account_id in self._known:
            await self._set_state(account_id, DISABLED)
            self._say_bye(account_id)
            log.info("account_disabled", account=account_id)

    def _say_bye(self, account_id: int) -> None:
        problem = Problem(AccountUnknown.slug, cure=AccountUnknown.cure)
        self._agents.say_bye(account_id, ByeMessage(kind=Bye.TERMINAL, problem=problem))

    async def _set_state(self, account_id: int, state: str) -> None:
        await self._store.set_state(account_id, state)
        before = self._known[account_id]
        self._known[account_id] = structs.replace(before, state=state)
        self._say_state(before, self._known[account_id])

    def _say_state(self, before: Account, now: Account) -> None:
        """Everybody in the account sees that calls are kept but not written, and that they are written again."""
        if (is_closed := now.state == TOKEN_DEAD) != (before.state == TOKEN_DEAD):
            self._agents.send_crm(now.id, is_closed=is_closed)

    # -- what administrators choose and see ------------------------------------------------------------------------

    async def set_prefs(self, account_id: int, **changed: Any) -> Account:
        """Change some of the account's preferences: in the store, so that two clicks do not undo each other."""
        self.get(account_id)
        async with self._changing:  # in memory they stand in the order of the store
            prefs = await self._store.change_prefs(account_id, lambda one: structs.replace(one, **changed))
            self._known[account_id] = structs.replace(self.get(account_id), prefs=prefs)
            return self._known[account_id]

    async def pipelines(self, account_id: int) -> Sequence[Pipeline]:
        """Where leads can be put. Raises CrmError."""
        return await self._crm.pipelines(self.get(account_id))

    async def set_progress(self, account_id: int, progress: DirectoryView) -> None:
        """Remember how far the first copy is, and tell the connected browsers."""
        await self._store.set_progress(account_id, progress)
        self._known[account_id] = structs.replace(self.get(account_id), progress=progress)
        self._agents.send_directory(account_id, progress)

    async def alert(self, account_id: int, slug: str, *, subject: str = "", **details: str) -> None:
        """Tell the administrators, once per subject."""
        is_new = await self._store.raise_alert(account_id, slug, subject=subject, details=details, at_ms=self._clock())
        if is_new:
            log.warning("alert", account=account_id, alert=slug, **details)
            self._agents.send_alert(account_id, AlertView(slug=slug, details=details))

    async def settle(self, account_id: int, slug: str, *, subject: str = "") -> None:
        """Forget the alerts of a kind (of one subject): they are answered, and what is still amiss is told anew."""
        await self._store.drop_alerts(account_id, slug, subject=subject)

    async def alerts(self, account_id: int) -> list[AlertView]:
        """What stands against the account."""
        return await self._store.alerts(account_id)


def _gone(user: User) -> User:
    return structs.replace(user, is_active=False, is_admin=False, rights=Rights(user_id=user.id))
