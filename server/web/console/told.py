"""A call's timeline as lines for people: one line for each moment, in the visitor's language."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from server.core.jobs import ParkedJob, WaitingJob
from server.core.journal import TIMER, WEBHOOK, Asked, Decided, Listened, Placed, Shown, Tried, outcome_word
from server.core.records import Place
from server.core.vocabulary import CallState, Filed, RecordingState
from server.services.history import Heard, Moment, Timeline

from .words import Words, talk

GOOD, BAD, PLAIN, QUIET = "good", "bad", "plain", "quiet"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `tone` colours it, `links` are (text, address), `raw` is shown on demand."""

    at: str
    kind: str
    title: str
    notes: list[str] = field(default_factory=list)
    tone: str = PLAIN
    links: list[tuple[str, str]] = field(default_factory=list)
    raw: str = ""


class Teller:
    """Tells of one account's calls to one visitor. `name`: of a user; `at`: a user at an extension of the call's line;
    `origin`: where amoCRM is.
    """

    def __init__(self, words: Words, *, name: Callable[[int], str], at: Callable[[str], str], origin: str) -> None:
        self._words = words
        self._name = name
        self._at = at
        self._origin = origin

    def lines(self, told: Timeline) -> list[Line]:
        """All lines of a timeline: a webhook stands under what came of it, else by itself."""
        heard = {moment.body.id: moment.body for moment in told.moments if isinstance(moment.body, Heard)}
        answered = {moment.body.hook_id for moment in told.moments if isinstance(moment.body, Decided)}
        lines: list[Line] = []
        for moment in told.moments:
            body = moment.body
            if isinstance(body, Heard) and body.id in answered:
                continue
            line = self._line(moment)
            if isinstance(body, Decided):
                line = self._with_news(line, lines, heard.get(body.hook_id))
            lines.append(line)
        return lines

    def _with_news(self, line: Line, before: Sequence[Line], heard: Heard | None) -> Line:
        """A decision with the webhook that brought it; what says the same as the one before is a detail of it."""
        last = next((one.title for one in reversed(before) if one.kind == "decided" and one.tone is not QUIET), None)
        if last is None and line.title == self._words("at.changed"):
            line = replace(line, title=self._words("at.born"))
        if line.title == last and not line.notes:
            line = replace(line, title=self._words("at.detail"), tone=QUIET)
        return replace(line, raw=_raw(heard)) if heard else line

    def pending(self, told: Timeline) -> list[Line]:
        """What is still to be done, and what was given up."""
        is_heard = all(one.state is RecordingState.FETCHED for one in told.found.kept.values())
        waiting = [job for job in told.waiting if job.kind != "fetch" or not is_heard]  # it was announced and came
        return [self._given_up(job) for job in told.parked] + [self._waiting(job) for job in waiting]

    def unseen(self, told: Timeline) -> list[str]:
        """Whose call it was and who saw no card of it."""
        bodies = [moment.body for moment in told.moments]
        concerned = {user for body in bodies if isinstance(body, Decided) for user in body.agents}
        seen = {int(user) for body in bodies if isinstance(body, Shown) for user in body.to}
        return [self._name(user) for user in sorted(concerned - seen)]

    # -- one moment --------------------------------------------------------------------------------------------------

    def _line(self, moment: Moment) -> Line:
        at = self._words.clock(moment.at_ms, is_exact=True)
        match moment.body:
            case Heard() as body:
                line = Line(at, "webhook", self._words("at.webhook"), tone=QUIET, raw=_raw(body))
            case Decided() as body:
                line = self._decided(at, body)
            case Shown() as body:
                line = self._shown(at, body)
            case Tried() as body:
                line = self._tried(at, body)
            case Placed() as body:
                line = self._placed(at, body.place)
            case Listened():
                line = Line(at, "listened", self._words("at.listened"))
            case Asked() as body:
                line = Line(at, "asked", self._words(f"asked.{body.what}", who=self._name(body.user_id)))
        return line

    def _decided(self, at: str, body: Decided) -> Line:
        titles = list(dict.fromkeys(self._effects(body))) or [self._words("at.changed")]
        notes = titles[1:]
        if body.reason != WEBHOOK:
            notes.append(self._words(f"reason.{body.reason}"))
        tone = BAD if body.reason == TIMER else PLAIN
        return Line(at, "decided", titles[0], notes, tone)

    def _effects(self, body: Decided) -> Iterator[str]:
        result = self._words(f"result.{outcome_word(body.state, body.result)}")
        if body.talk_s:
            result = f"{result}, {talk(body.talk_s)}"
        for effect in body.effects:
            name, _, extension = effect.partition(" ")
            if name == "rang":
                yield self._words("at.rang", extension=self._at(extension))
            elif name == "changed" and body.state is CallState.LIVE and body.answered_by:
                yield self._words("at.talking", who=self._at(body.answered_by))
            elif name != "changed" or body.effects == (effect,):
                yield self._words(f"at.{name}", result=result)

    def _shown(self, at: str, body: Shown) -> Line:
        notes = [f"{self._name(int(user))}: {self._words(f'card.{state}')}" for user, state in body.to.items()]
        who = self._words(f"caller.{body.caller}", name=body.name)
        links = [(who, self._origin + body.path)] if body.path else []
        return Line(at, "shown", self._words("at.shown"), notes if links else [*notes, who], links=links)

    def _tried(self, at: str, body: Tried) -> Line:
        outcome = self._words(f"outcome.{body.outcome}", wait=self._words.length(body.again_s))
        tone = {"done": GOOD, "parked": BAD, "failed": BAD}.get(body.outcome, PLAIN)
        title = f"{self._words(f'job.{body.job}')}: {outcome}"
        notes = [self._words("attempt", n=body.attempt)]
        is_known = self._words.knows(f"error.{body.slug}")
        if is_known:
            notes.append(self._words(f"error.{body.slug}"))
        if body.note and (tone is BAD or not is_known):  # what needs a hand is told in the other side's words, too
            notes.append(self._said(body.note))
        return Line(at, "tried", title, notes, tone)

    def _placed(self, at: str, place: Place) -> Line:
        links = [(self._entity(place), address)] if (address := self.address(place)) else []
        notes = [self._words("note", id=place.note_id)] if place.note_id else []
        return Line(at, "placed", self._words(f"at.{place.filed}"), notes, GOOD, links)

    # -- jobs --------------------------------------------------------------------------------------------------------

    def _given_up(self, job: ParkedJob) -> Line:
        notes = [self._words("attempt", n=job.tries), self._said(job.note or "")]
        title = f"{self._job(job.kind)}: {self._words('outcome.parked')}"
        return Line(self._words.clock(job.at_ms), "pending", title, [note for note in notes if note], BAD)

    def _waiting(self, job: WaitingJob) -> Line:
        notes = [self._said(job.note)] if job.note else []
        return Line(self._words("pending_at", at=self._words.clock(job.due_ms)), "pending", self._job(job.kind), notes)

    def _said(self, note: str) -> str:
        """Why a job is not done: our own reasons in the visitor's language, others as they were given."""
        key = f"said.{note}"
        return self._words(key) if self._words.knows(key) else note

    def _job(self, kind: str) -> str:
        return self._words(f"job.{kind}") if self._words.knows(f"job.{kind}") else kind

    # -- amoCRM ------------------------------------------------------------------------------------------------------

    def place(self, place: Place | None) -> str:
        """Where a call stands in amoCRM, in a few words."""
        if place is None:
            return self._words("filed.none")
        if place.filed is Filed.LOGGED:
            return self._entity(place)
        return self._words(f"filed.{place.filed}")

    def _entity(self, place: Place) -> str:
        return self._words(f"filed.{place.noun}", id=place.entity_id)

    def address(self, place: Place | None) -> str:
        """The address of that place, where it has one."""
        if place is None or not place.entity_id:
            return ""
        return f"{self._origin}/{place.noun}/detail/{place.entity_id}"


def _raw(heard: Heard) -> str:
    return msgspec.json.format(msgspec.json.encode(heard.said), indent=2).decode()
