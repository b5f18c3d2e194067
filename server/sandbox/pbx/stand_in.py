"""What both stand-ins share: one exchange, one courier, recordings, knobs, and the origin's own pages.

A vendor's file adds its commands and tells the exchange's happenings in its own words. Start one like this::

    pbx = Sipuni(user="078332", secret="0.sandbox", log=world.log, faults=world.faults)
    runner = web.AppRunner(pbx.app()); …; pbx.base_url = "http://127.0.0.1:8802"; pbx.hook_url = "http://localhost:8801/…"
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal, cast

from aiohttp import web
from aiohttp.typedefs import Middleware

from server.sandbox.faults import Faults
from server.sandbox.log import Log
from server.sandbox.pbx import scripts
from server.sandbox.pbx.audio import mp3
from server.sandbox.pbx.clock import Clock, WallClock
from server.sandbox.pbx.courier import Courier
from server.sandbox.pbx.exchange import Exchange
from server.sandbox.pbx.knobs import Knobs
from server.sandbox.pbx.model import Call, Happening, call_of
from server.sandbox.pbx.scripts import Plot, Story

_WATCHED_S: Final = 5  # a page that reloads or wakes up is back by then
LINES: Final = ("74951234567", "78121234567")
EMPLOYEES: Final = {
    "201": "Ольга Сергеева",
    "202": "Дмитрий Ковалёв",
    "203": "Анна Белова",
    "204": "Тимур Гарифуллин",
    "205": "Екатерина Мельник",
}
GROUPS: Final = {"300": ("201", "202"), "301": ("203", "204", "205")}


@dataclass
class Recording:
    """The record of one talk: in the storage from `ready_at` on (seconds of the stand-in's clock)."""

    id: str
    call: Call
    seconds: float
    ready_at: float
    misses_left: int


class StandIn(ABC):
    """One vendor's PBX: an aiohttp application around a simulated exchange."""

    vendor: ClassVar[Literal["sipuni", "mango"]]

    def __init__(self, *, log: Log, faults: Faults, clock: Clock | None = None, seed: int = 1) -> None:
        self.clock: Clock = clock or WallClock()
        self.log = log
        self.faults = faults
        self.base_url = ""
        self.lines: tuple[str, ...] = LINES
        self.employees = dict(EMPLOYEES)
        self.groups: dict[str, tuple[str, ...]] = dict(GROUPS)
        self.recordings: dict[str, Recording] = {}
        self.courier = Courier(self.vendor, clock=self.clock, log=log, faults=faults, seed=seed)
        self.exchange = Exchange(clock=self.clock, listener=self._heard)
        self.watched = asyncio.Event()
        self.is_stopping = False
        self._watched_at = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def knobs(self) -> Knobs:
        """The knobs in force, faults that last included; assign to turn some."""
        return self.courier.knobs

    @knobs.setter
    def knobs(self, knobs: Knobs) -> None:
        self.courier.turned = knobs

    def at(self, *kinds: str) -> Knobs:
        """The knobs at a moment that these kinds of fault may hit."""
        return self.courier.at(*kinds)

    @property
    @abstractmethod
    def hook(self) -> str:
        """Where this PBX sends its events: one URL, or the base of several; empty when not configured."""

    @hook.setter
    @abstractmethod
    def hook(self, url: str) -> None: ...

    @abstractmethod
    def call_id(self, call: Call) -> str:
        """The vendor's id of a call, as its events carry it."""

    @abstractmethod
    def new_order(self) -> str:
        """A fresh mark for a call started by the API."""

    @abstractmethod
    def tell(self, happening: Happening) -> None:
        """Send what the vendor sends when this happens."""

    def press_keys(self, call: Call, digits: str) -> None:  # noqa: B027  a vendor without such an event says nothing
        """The caller presses keys in the menu."""

    @abstractmethod
    def check_connection(self) -> None:
        """Send what the vendor's cabinet sends when the customer presses "check the connection"."""

    @abstractmethod
    def routes(self) -> Sequence[web.RouteDef]:
        """The vendor's API."""

    def app(self) -> web.Application:
        """The application that serves this PBX's origin."""
        from server.sandbox.pbx import panel

        app = web.Application(middlewares=[cast("Middleware", self.faults.middleware(self.vendor))])
        app.add_routes([*self.routes(), *panel.routes(self)])
        app.on_shutdown.append(self._stopping)
        app.cleanup_ctx.append(self._closing)
        return app

    def play(self, plot: Plot, *, order: str = "") -> Story:
        """Let a call begin and carry it on in the background."""
        if self.at("post_without_json").check_first:
            self.check_connection()
        if plot.scenario == "group" and self.at("double_answer").double_answer:
            plot = replace(plot, scenario="double_answer")
        story = scripts.opened(self.exchange, plot, order)
        self.run(scripts.played(story))
        return story

    def listed_employees(self) -> list[tuple[str, str]]:
        """(extension, name) as the vendor's lists show them: without the deleted, twice the shared."""
        deleted = self.knobs.deleted_extensions.split(",")
        shared = self.knobs.shared_extensions.split(",")
        listed = [(extension, name) for extension, name in self.employees.items() if extension not in deleted]
        return listed + [(extension, f"{name} (второй)") for extension, name in listed if extension in shared]

    def watch(self) -> None:
        """Somebody has the phone page open at this moment."""
        self._watched_at = asyncio.get_running_loop().time()
        self.watched.set()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the request that asked for it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Return when every scripted call is over and everything it led to is delivered."""
        while self._tasks:
            await asyncio.gather(*self._tasks)
        await self.courier.idle()
        if self._tasks:
            await self.idle()

    def scripted(self, callbacks: str) -> str:
        """The scenario that the knob `callbacks` stands for at this moment."""
        if callbacks == "auto":
            is_watched = asyncio.get_running_loop().time() - self._watched_at < _WATCHED_S
            return "by_hand" if is_watched else "callback"
        return {"answered": "callback", "by_hand": "by_hand"}.get(callbacks, f"callback_{callbacks}")

    def follow(self, call: Call) -> None:
        """Let the people at the phone page, or the knob's script, carry a call that the API started."""
        plot = Plot(
            scenario="by_hand" if call.by_hand else self.scripted(self.knobs.callbacks),
            direction=call.direction,
            client=call.client,
            line=call.line,
            extensions=(),
            ring_s=self.knobs.ring_s,
            talk_s=self.knobs.talk_s,
        )
        self.run(scripts.played(Story(self.exchange, plot, call)))

    def keep_recording(self, recording_id: str, call: Call, seconds: float) -> Recording:
        """Put the record of a talk into the storage, a little later."""
        recording = Recording(
            recording_id,
            call,
            seconds,
            ready_at=self.clock.now() + self.knobs.recording_delay_s,
            misses_left=self.knobs.recording_misses,
        )
        self.recordings[recording_id] = recording
        return recording

    def fetch_recording(self, recording_id: str) -> bytes | None:
        """The audio, or None while (or when) it is not in the storage."""
        recording = self.recordings.get(recording_id)
        if recording is None or self.clock.now() < recording.ready_at:
            return None
        if recording.misses_left > 0:
            recording.misses_left -= 1
            return None
        if self.courier.is_struck("recording_404"):
            return None
        return mp3(recording.seconds)

    def _heard(self, happening: Happening) -> None:
        call_id = self.call_id(call_of(happening))
        self.log.note("call", vendor=self.vendor, call_id=call_id, what=type(happening).__name__)
        self.tell(happening)

    async def _stopping(self, _: web.Application) -> None:
        self.is_stopping = True

    async def _closing(self, _: web.Application) -> AsyncIterator[None]:
        yield
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.exchange.close()
        await self.courier.close()


def audio_response(request: web.Request, audio: bytes) -> web.Response:
    """An MP3 answer that honours one byte range, for players that seek."""
    headers = {"Accept-Ranges": "bytes", "Content-Type": "audio/mpeg"}
    if "Range" not in request.headers:
        return web.Response(body=audio, headers=headers)
    try:
        start, stop, _ = request.http_range.indices(len(audio))
    except ValueError:
        start = stop = 0
    if start >= stop:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(audio)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(audio)}"
    return web.Response(status=206, body=audio[start:stop], headers=headers)
