"""The live check of what an administrator entered: the PBX is asked now, and what is amiss is named with its cure."""

from collections.abc import Mapping

from msgspec import Struct

from server.core.errors import CallerError, KommutatorError
from server.core.messages import Problem
from server.core.ports import Codec, LineKeys, Sender
from server.core.records import Line

from .lines import Lines


class Check(Struct, frozen=True, omit_defaults=True):
    """One thing that was checked: `name` finds its text in the widget."""

    name: str
    ok: bool
    problem: Problem | None = None


HOOK_SEEN = "hook_seen"
CREDENTIALS = "credentials"
EXTENSIONS = "extensions"


class Probe:
    """Checks lines."""

    def __init__(self, lines: Lines, sender: Sender) -> None:
        self._lines = lines
        self._sender = sender

    async def check(self, line: Line, credentials: Mapping[str, str] | None = None) -> list[Check]:
        """Check a line, with other credentials if given: nothing is stored."""
        given = {name: value for name, value in (credentials or {}).items() if value}
        keys = LineKeys({**line.credentials, **given})
        seats = [seat for seat in self._lines.seats(line.account_id) if seat.line_id == line.id]
        return [
            await self._credentials(line.provider, self._lines.codec(line), keys),
            Check(HOOK_SEEN, ok=line.last_hook_ms is not None),
            Check(EXTENSIONS, ok=bool(seats)),
        ]

    async def _credentials(self, provider: str, codec: Codec, keys: LineKeys) -> Check:
        try:
            request = codec.probe(keys)
            codec.outcome(request, await self._sender.send(provider, request))
        except KommutatorError as exc:
            words = {name: str(value) for name, value in exc.details.items()}
            return Check(CREDENTIALS, ok=False, problem=Problem(exc.slug, exc.message, exc.cure, exc.temporary, words))
        except KeyError as exc:
            raise CallerError("The line lacks credentials.", missing=[str(exc.args[0])]) from exc
        return Check(CREDENTIALS, ok=True)
