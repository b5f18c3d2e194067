"""The scenarios: who calls whom, and when people do what.

A script only presses buttons of the exchange at its times; whoever presses one earlier (a person at the phone page,
the vendor's API) changes the story, and the script goes on from there.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from server.sandbox.pbx.exchange import Exchange, Side
from server.sandbox.pbx.model import Call, Direction, Leg, Party, Place, Reason, Stage


@dataclass(frozen=True)
class Plot:
    """One call to be played; numbers are digits with the country code, times seconds of the exchange's clock."""

    scenario: str
    direction: Direction
    client: str
    line: str
    extensions: tuple[str, ...]
    group: str = ""
    callee: str = ""  # internal calls: the extension that is called
    target: Party = field(default=Party(extension="203"))
    ring_s: float = 2.0
    talk_s: float = 5.0
    ivr_s: float = 0.0
    record: bool = True
    hang_up: Side = Side.CLIENT

    @property
    def phones(self) -> Stage:
        """The round of ringing that the scheme starts for an incoming call."""
        targets = tuple(Party(extension=extension) for extension in self.extensions)
        return Stage(Party(number=self.client), targets, group=self.group, queue=bool(self.group))


@dataclass(frozen=True)
class Story:
    """A call that is being played."""

    exchange: Exchange
    plot: Plot
    call: Call

    async def sleep(self, seconds: float) -> None:
        """Let time pass on the exchange's clock."""
        await self.exchange.clock.sleep(seconds)


def opened(exchange: Exchange, plot: Plot, order: str = "") -> Story:
    """Let the call begin; `played` carries on."""
    by_hand = plot.scenario == "by_hand"
    if plot.direction is Direction.IN:
        call = exchange.arrive(plot.client, plot.line, record=plot.record, by_hand=by_hand)
    else:
        call = Call(plot.direction, plot.client, plot.line, order=order, record=plot.record, by_hand=by_hand)
        call.plan = list(_stages(plot))
        exchange.place(call)
    return Story(exchange, plot, call)


async def played(story: Story) -> None:
    """Carry a begun call to its end, or to where people take over."""
    if story.plot.direction is Direction.IN:
        await story.sleep(story.plot.ivr_s)
        if story.plot.scenario == "ivr_only":
            story.exchange.hang_up(story.call, Side.CLIENT)
        elif all(leg.place is Place.IVR for leg in story.call.legs):  # nobody routed the call in the meantime
            story.exchange.ring(story.call, story.plot.phones)
    await ACTS[story.plot.scenario](story)


def _stages(plot: Plot) -> tuple[Stage, ...]:
    first = Party(extension=plot.extensions[0])
    client = Party(number=plot.client)
    if plot.direction is Direction.INTERNAL:
        return (Stage(first, (Party(extension=plot.callee),)),)
    if plot.scenario.startswith("callback"):
        return (Stage(client, (first,)), Stage(first, (client,)))
    return (Stage(first, (client,)),)


async def _answer_all(story: Story) -> None:
    """Every round of ringing is answered, by the last phone of each."""
    while story.call.is_live and not story.call.talk:
        await story.sleep(story.plot.ring_s)
        phones = story.call.ringing
        if not phones:
            return
        story.exchange.answer(phones[-1])


async def _talk(story: Story) -> None:
    await _answer_all(story)
    await story.sleep(story.plot.talk_s)
    story.exchange.hang_up(story.call, story.plot.hang_up)


async def _decline(story: Story, reason: Reason) -> None:
    await story.sleep(story.plot.ring_s)
    for leg in story.call.ringing:
        story.exchange.decline(leg, reason)


async def _missed(story: Story) -> None:
    await _decline(story, Reason.NO_ANSWER)


async def _busy(story: Story) -> None:
    await _decline(story, Reason.BUSY)


async def _rejected(story: Story) -> None:
    await _decline(story, Reason.REJECTED)


async def _unavailable(story: Story) -> None:
    await _decline(story, Reason.UNAVAILABLE)


async def _cancelled(story: Story) -> None:
    await story.sleep(story.plot.ring_s)
    story.exchange.hang_up(story.call, Side.CLIENT if story.plot.direction is Direction.IN else Side.EMPLOYEE)


async def _answer_first(story: Story) -> None:
    await story.sleep(story.plot.ring_s)
    for leg in story.call.ringing[:1]:
        story.exchange.answer(leg)


async def _client_busy(story: Story) -> None:
    await _answer_first(story)
    await _busy(story)


async def _client_missed(story: Story) -> None:
    await _answer_first(story)
    await _missed(story)


async def _double(story: Story) -> None:
    await story.sleep(story.plot.ring_s)
    phones = story.call.ringing
    for leg in phones[:1]:
        story.exchange.answer(leg, exclusive=False)
    await story.sleep(0.5)
    for leg in phones[1:2]:
        story.exchange.answer(leg)
    await story.sleep(story.plot.talk_s)
    story.exchange.hang_up(story.call, story.plot.hang_up)


async def _transfer(story: Story) -> None:
    await _hand_over(story, story.exchange.transfer)


async def _consultation(story: Story) -> None:
    await _hand_over(story, story.exchange.consult)


async def _hand_over(story: Story, action: Callable[[Leg, Party], None]) -> None:
    await _answer_all(story)
    await story.sleep(story.plot.talk_s / 2)
    if story.call.talk:
        action(story.call.talk, story.plot.target)
    await story.sleep(story.plot.ring_s)
    for leg in story.call.ringing:
        story.exchange.answer(leg)
    if action == story.exchange.consult:
        await story.sleep(1)
        story.exchange.hang_up(story.call, Side.EMPLOYEE)
    await story.sleep(story.plot.talk_s / 2)
    story.exchange.hang_up(story.call, story.plot.hang_up)


async def _nothing(_: Story) -> None:
    """People do the rest."""


ACTS: Final[dict[str, Callable[[Story], Awaitable[None]]]] = {
    "answered": _talk,
    "missed": _missed,
    "busy": _busy,
    "rejected": _rejected,
    "unavailable": _unavailable,
    "cancelled": _cancelled,
    "ivr_only": _nothing,
    "group": _talk,
    "double_answer": _double,
    "transfer": _transfer,
    "transfer_external": _transfer,
    "consultation": _consultation,
    "internal": _talk,
    "outgoing": _talk,
    "outgoing_busy": _busy,
    "outgoing_missed": _missed,
    "callback": _talk,
    "callback_no_answer": _missed,
    "callback_busy": _client_busy,
    "callback_client_no_answer": _client_missed,
    "by_hand": _nothing,
}
