"""A webhook's first half: recognise its line, verify it, store it, answer. The second half starts after the answer.

Whatever follows the answer is repeatable, and is repeated if the process dies in between: by the next start (`resume`),
or by another node within seconds (`keep`). Two who read one webhook at once do no harm: the second changes nothing.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from server.core.errors import HookUnknown, KommutatorError, OwnError
from server.core.ports import Codec, Hook, HookReply
from server.core.records import Line, StoredHook, pack, unpack
from server.core.stores import Hooks

from .lines import Lines, keys_of

log = structlog.get_logger()

Read = Callable[[Line, Hook, int], Awaitable[None]]
"""The second half: translate a stored webhook (its id comes last) and act on it."""

PAUSES_S = (1.0, 5.0, 15.0, 60.0)
"""How long to wait before each new try to read a webhook while the store is away; then it waits for the next sweep."""

SWEEP_S = 3.0
"""How often unread webhooks are looked for: what is unread twice has been left by somebody."""


class Intake:
    """Takes webhooks of all vendors."""

    def __init__(self, lines: Lines, hooks: Hooks, read: Read, *, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self._lines = lines
        self._hooks = hooks
        self._read = read
        self._pauses_s = pauses_s
        self._is_leaving = asyncio.Event()
        self._busy: set[asyncio.Task[None]] = set()
        self._in_hand: set[int] = set()
        self._suspects: set[int] = set()

    async def take(self, provider: str, path: str, hook: Hook) -> HookReply:
        """Take one webhook and answer it in its vendor's manner. Raises HookUnknown for a vendor we do not know."""
        codec = self._codec(provider)
        try:
            line = self._lines.by_path(provider, path)
            await self._store(line, codec, hook)
        except OwnError as exc:
            log.exception("hook_not_stored", provider=provider, slug=exc.slug)
            return codec.reply(exc)
        except KommutatorError as exc:
            log.warning("hook_refused", provider=provider, slug=exc.slug, tail=hook.tail)
            return codec.reply(exc)
        return codec.reply(None)

    def refuse(self, provider: str, error: KommutatorError) -> HookReply:
        """Answer a webhook that cannot even be looked at, in its vendor's manner. Raises HookUnknown as `take`."""
        log.warning("hook_refused", provider=provider, slug=error.slug)
        return self._codec(provider).reply(error)

    def _codec(self, provider: str) -> Codec:
        if provider not in self._lines.codecs:
            raise HookUnknown
        return self._lines.codecs[provider]

    async def _store(self, line: Line, codec: Codec, hook: Hook) -> None:
        admission = codec.admit(hook, keys_of(line))
        if not admission.is_stored:
            return
        raw = pack(hook)
        hook_id = await self._hooks.put(line.id, key=admission.key, received_ms=hook.received_ms, raw=raw)
        if hook_id is not None:
            self._start(line, hook, hook_id)

    async def resume(self) -> int:
        """Read what was stored but not read before the process ended; returns how many webhooks that were."""
        waiting = await self._hooks.unread()
        for stored in waiting:
            await self._again(stored)
        return len(waiting)

    async def keep(self) -> None:
        """Sweep again and again, until cancelled. A store that is away is asked again the next time."""
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self.sweep()
            except OwnError as exc:
                log.warning("not_swept", slug=exc.slug)

    async def sweep(self) -> int:
        """Read what was unread at the last sweep, still is, and is not ours: returns how many webhooks that were.

        Told by two looks, not by its age: the clocks of two nodes differ.
        """
        unread = await self._hooks.unread_ids() - self._in_hand
        left, self._suspects = self._suspects & unread, unread
        if not left:
            return 0
        waiting = [stored for stored in await self._hooks.unread() if stored.id in left - self._in_hand]
        for stored in waiting:
            await self._again(stored)
        log.info("hooks_swept", hooks=len(waiting))
        return len(waiting)

    async def drain(self) -> None:
        """Wait for everything that was stored to be read; nothing pauses any more."""
        self._is_leaving.set()
        while self._busy:
            await asyncio.wait(set(self._busy))

    async def _again(self, stored: StoredHook) -> None:
        line = self._lines.get(stored.line_id)
        if line is None:
            await self._hooks.settle(stored.id, note="line-removed")
            return
        try:
            hook = unpack(stored.raw)
        except msgspec.MsgspecError:
            log.exception("hook_unreadable", line=line.id, hook=stored.id)
            await self._hooks.settle(stored.id, note="unreadable: not a webhook of this version")
            return
        await self._is_finished(line, hook, stored.id)

    def _start(self, line: Line, hook: Hook, hook_id: int) -> None:
        task = asyncio.create_task(self._finish(line, hook, hook_id))
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _finish(self, line: Line, hook: Hook, hook_id: int) -> None:
        self._in_hand.add(hook_id)
        try:
            await self._read_stubbornly(line, hook, hook_id)
        finally:
            self._in_hand.discard(hook_id)

    async def _read_stubbornly(self, line: Line, hook: Hook, hook_id: int) -> None:
        for pause_s in self._pauses_s:
            if await self._is_finished(line, hook, hook_id):
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_leaving.wait(), pause_s)
        await self._is_finished(line, hook, hook_id)

    async def _is_finished(self, line: Line, hook: Hook, hook_id: int) -> bool:
        """An error here is ours; the webhook stays unread when the store is away, else it is put aside with a note."""
        try:
            await self._lines.touch(line)
            await self._read(line, hook, hook_id)
        except OwnError as exc:
            log.exception("hook_unread", line=line.id, hook=hook_id)
            return not exc.temporary and await self._is_put_aside(hook_id)
        except Exception:
            log.exception("hook_unreadable", line=line.id, hook=hook_id)
            return await self._is_put_aside(hook_id)
        return True

    async def _is_put_aside(self, hook_id: int) -> bool:
        try:
            await self._hooks.settle(hook_id, note="unreadable: see the log")
        except OwnError:
            log.exception("hook_unread", hook=hook_id)
            return False
        return True
