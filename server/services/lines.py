"""Lines and seats: which PBX a webhook belongs to, and who sits at an extension. In memory, for the ringing path."""

import secrets
from collections.abc import Iterable, Mapping, Sequence

from msgspec import structs

from server.core import cards
from server.core.calls import Call
from server.core.errors import CallerError, HookUnknown, NoExtension, NoLine, NotFound
from server.core.messages import LineView
from server.core.ports import Codec, LineKeys
from server.core.records import Line, Seat
from server.core.stores import Lines as LineStore

from .clock import Clock, new_id, now_ms

PATH_BYTES = 24
"""192 random bits: nobody finds an unsigned vendor's address by trying."""

TOUCH_EVERY_MS = 60_000
"""How often the moment of the last webhook is written down: the settings show minutes."""


class Lines:
    """The lines and seats of all accounts."""

    def __init__(self, store: LineStore, codecs: Mapping[str, Codec], *, clock: Clock = now_ms) -> None:
        self._store = store
        self.codecs = codecs
        self._clock = clock
        self._by_id: dict[str, Line] = {}
        self._by_path: dict[tuple[str, str], Line] = {}
        self._seats: dict[int, list[Seat]] = {}
        self._users: dict[tuple[str, str], tuple[int, ...]] = {}
        self._places: dict[tuple[int, int], dict[str, list[str]]] = {}

    async def load(self) -> None:
        """Read everything from the store; to be called before the first webhook."""
        lines, seats = await self._store.all(), await self._store.seats()
        self._by_id, self._by_path = {}, {}
        for line in lines:
            self._know(line)
        self._seats = seats
        self._index_seats()

    async def reread(self, account_id: int) -> None:
        """Another node changed an account's lines or seats."""
        while True:
            before = self.of_account(account_id), self.seats(account_id)
            lines, seats = await self._store.of_account(account_id), await self._store.seats_of(account_id)
            if before == (self.of_account(account_id), self.seats(account_id)):
                break  # else it changed here meanwhile: what was read may be older
        for line in self.of_account(account_id):
            self._forget(line)
        for line in lines:
            self._know(line)
        if seats != self.seats(account_id):
            self._seats[account_id] = seats
            self._index_seats()

    def by_path(self, provider: str, path: str) -> Line:
        """The line of a webhook's address. Raises HookUnknown."""
        line = self._by_path.get((provider, path))
        if line is None:
            raise HookUnknown
        return line

    def get(self, line_id: str) -> Line | None:
        """A line by its id."""
        return self._by_id.get(line_id)

    def of(self, account_id: int, line_id: str) -> Line:
        """A line of this account. Raises NotFound, also for another account's line."""
        line = self._by_id.get(line_id)
        if line is None or line.account_id != account_id:
            raise NotFound
        return line

    def all(self) -> list[Line]:
        """All lines."""
        return list(self._by_id.values())

    def of_account(self, account_id: int) -> list[Line]:
        """The account's lines, the oldest first."""
        return [line for line in self._by_id.values() if line.account_id == account_id]

    def codec(self, line: Line) -> Codec:
        """The codec of a line's vendor."""
        return self.codecs[line.provider]

    def view(self, line: Line) -> LineView:
        """The line as agents see it."""
        capabilities = tuple(sorted(self.codec(line).capabilities))
        return LineView(
            id=line.id, name=line.name, provider=line.provider, capabilities=capabilities, schemes=line.schemes
        )

    # -- seats -----------------------------------------------------------------------------------------------------

    def users_at(self, line_id: str, extension: str) -> tuple[int, ...]:
        """The users who sit at an extension: usually one, none when nobody was given it."""
        return self._users.get((line_id, extension), ())

    def audience(self, call: Call) -> set[int]:
        """The users whose extensions are in the call, and who ordered it."""
        places = cards.extensions_of(call)
        users = {user for extension in places for user in self.users_at(call.line_id, extension)}
        return users | ({call.order.agent_id} if call.order else set())

    def seats(self, account_id: int) -> Sequence[Seat]:
        """All seats of an account."""
        return self._seats.get(account_id, [])

    def extensions(self, account_id: int, user_id: int) -> dict[str, str]:
        """The user's extension on each line where he has one (the first, if he has several)."""
        return {line_id: places[0] for line_id, places in self._places.get((account_id, user_id), {}).items()}

    def extensions_on(self, line_id: str, account_id: int, user_id: int) -> frozenset[str]:
        """All of the user's extensions on a line."""
        return frozenset(self._places.get((account_id, user_id), {}).get(line_id, ()))

    def to_dial_from(self, account_id: int, user_id: int, line_id: str = "") -> tuple[Line, str]:
        """The line and extension that the user dials from: the oldest line where he has one, unless he names another.

        Raises NoLine, NoExtension, NotFound.
        """
        connected = self.of_account(account_id)
        if not connected:
            raise NoLine
        mine = self.extensions(account_id, user_id)
        oldest = next((line.id for line in connected if line.id in mine), "")
        chosen = self.of(account_id, line_id).id if line_id else oldest
        if chosen not in mine:
            raise NoExtension
        return self._by_id[chosen], mine[chosen]

    async def set_seats(self, account_id: int, seats: Iterable[Seat]) -> None:
        """Replace the account's map. Raises NotFound for a line of another account, CallerError for a blank."""
        wanted = list(dict.fromkeys(Seat(seat.line_id, seat.extension.strip(), seat.user_id) for seat in seats))
        for seat in wanted:
            self.of(account_id, seat.line_id)
            if not (seat.extension.isascii() and seat.extension.isdigit()):
                raise CallerError("An extension consists of digits.", extension=seat.extension)
        await self._store.set_seats(account_id, wanted)
        self._seats[account_id] = wanted
        self._index_seats()

    # -- changing lines --------------------------------------------------------------------------------------------

    async def add(self, account_id: int, provider: str, name: str, credentials: Mapping[str, str]) -> Line:
        """Connect a PBX. Raises CallerError for an unknown vendor or a missing credential."""
        if provider not in self.codecs:
            raise CallerError(f"There is no provider {provider!r}.", known=sorted(self.codecs))
        line = Line(
            id=new_id("l"),
            account_id=account_id,
            provider=provider,
            name=name.strip() or self.codecs[provider].title,
            path=secrets.token_urlsafe(PATH_BYTES),
            credentials=self._complete(provider, credentials),
            created_ms=self._clock(),
        )
        return await self._keep(line)

    async def change(
        self,
        line: Line,
        *,
        name: str | None = None,
        credentials: Mapping[str, str] | None = None,
        our_lines: Sequence[str] | None = None,
        schemes: Mapping[str, str] | None = None,
    ) -> Line:
        """Change what is given; a credential that is not given stays, and so does a secret that comes back blank."""
        secret = {one.name for one in self.codecs[line.provider].fields if one.is_secret}
        given = {name: value for name, value in (credentials or {}).items() if value or name not in secret}
        changed = structs.replace(
            line,
            name=name.strip() if name and name.strip() else line.name,
            credentials=self._complete(line.provider, {**line.credentials, **given}),
            our_lines=line.our_lines if our_lines is None else tuple(our_lines),
            schemes=line.schemes if schemes is None else dict(schemes),
        )
        return await self._keep(changed)

    async def renew_path(self, line: Line) -> Line:
        """Give the line a new secret address; the old one stops at once."""
        return await self._keep(structs.replace(line, path=secrets.token_urlsafe(PATH_BYTES)))

    async def remove(self, line: Line) -> None:
        """Disconnect a PBX; its calls stay."""
        await self._store.remove(line.id)
        self._forget(line)
        seats = [seat for seat in self.seats(line.account_id) if seat.line_id != line.id]
        self._seats[line.account_id] = seats
        self._index_seats()

    async def touch(self, line: Line) -> None:
        """A webhook came."""
        now = self._clock()
        known = self._by_id.get(line.id)
        if known is None or now - (known.last_hook_ms or 0) < TOUCH_EVERY_MS:
            return
        self._know(structs.replace(known, last_hook_ms=now))
        await self._store.touch(line.id, now)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _complete(self, provider: str, credentials: Mapping[str, str]) -> dict[str, str]:
        fields = self.codecs[provider].fields
        given = {one.name: str(credentials.get(one.name, "")).strip() for one in fields}
        missing = [one.name for one in fields if one.is_required and not given[one.name]]
        if missing:
            raise CallerError("The line lacks credentials.", missing=missing)
        return {name: value for name, value in given.items() if value}

    async def _keep(self, line: Line) -> Line:
        await self._store.put(line)
        known = self._by_id.get(line.id)
        if known is not None:  # the changed line keeps its place among the others
            del self._by_path[known.provider, known.path]
        self._know(line)
        return line

    def _know(self, line: Line) -> None:
        self._by_id[line.id] = line
        self._by_path[line.provider, line.path] = line

    def _forget(self, line: Line) -> None:
        self._by_id.pop(line.id, None)
        self._by_path.pop((line.provider, line.path), None)

    def _index_seats(self) -> None:
        users: dict[tuple[str, str], list[int]] = {}
        places: dict[tuple[int, int], dict[str, list[str]]] = {}
        for account_id, seats in self._seats.items():
            for seat in seats:
                users.setdefault((seat.line_id, seat.extension), []).append(seat.user_id)
                places.setdefault((account_id, seat.user_id), {}).setdefault(seat.line_id, []).append(seat.extension)
        self._users = {place: tuple(who) for place, who in users.items()}
        self._places = places


def keys_of(line: Line) -> LineKeys:
    """What the codec may know of a line."""
    return LineKeys(line.credentials)
