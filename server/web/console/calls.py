"""The console's pages: whether calls are lost, the calls that are looked for, one call from webhook to note."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from server.core.calls import Call
from server.core.journal import outcome_word
from server.core.messages import AlertView
from server.core.phone import pretty
from server.core.recordings import READY, Kept, state_of
from server.core.records import Account, Line
from server.core.session import Visit
from server.core.vocabulary import Capability, Direction

from ..desk import DESK, Desk
from ..journal import DAY_MS, HEALTH_DAYS, OUTCOMES, cursor, is_amiss, linking, read_query, row
from .frame import moved, page, visited
from .told import Teller
from .words import Words

routes = web.RouteTableDef()


@routes.get("/console")
@visited
async def calls(request: web.Request, visit: Visit, words: Words) -> web.StreamResponse:
    """Whether calls are lost, and the calls that are looked for."""
    desk, asked = request.app[DESK], dict(request.query)
    account = desk.accounts.get(visit.account_id)
    if (begin := words.day_begins_s(asked.get("from", ""))) is not None:
        asked["since"] = str(max(begin, 0))
    if (end := words.day_begins_s(asked.get("to", ""))) is not None:
        asked["until"] = str(max(end + 86_400, 0))
    found = await desk.history.search(read_query(account.id, asked), only_amiss=is_amiss(asked))
    now = desk.clock()
    teller = _teller(desk, account, words, None)
    rows = [
        {
            **row(desk, one),
            **await _who(desk, one.call, words),
            "people": [_name(desk, account.id, words, user) for user in one.agents],
            "word": outcome_word(one.call.verdict.state, one.call.verdict.result),
            "started_ms": one.call.verdict.started_ms,
            "place": teller.place(one.place),
            "address": teller.address(one.place),
        }
        for one in found.calls
    ]
    more = {**{key: value for key, value in request.query.items() if key != "before"}, "before": cursor(found.before)}
    return page(
        words, "calls.html",
        account=account, asked=request.query, rows=rows, outcomes=OUTCOMES,
        health=await desk.history.health(account.id, now - HEALTH_DAYS * DAY_MS), now_ms=now,
        reconciled=[(line.id, line.name, await desk.reconcile.last(line)) for line in _comparable(desk, account.id)],
        alerts=_alerts(await desk.accounts.alerts(account.id), words),
        users=sorted(desk.accounts.users(account.id).values(), key=lambda user: user.name),
        more=urlencode(more) if found.before else "", back=request.path_qs,
    )  # fmt: skip


@routes.get("/console/calls/{id}")
@visited
async def call(request: web.Request, visit: Visit, words: Words) -> web.StreamResponse:
    """One call, from webhook to note."""
    desk = request.app[DESK]
    account = desk.accounts.get(visit.account_id)
    told = await desk.history.timeline(account.id, request.match_info["id"])
    one = told.found.call
    teller, line = _teller(desk, account, words, one), desk.lines.get(one.line_id)
    verdict = one.verdict
    return page(
        words, "call.html",
        account=account, call=one, row=row(desk, told.found), **await _who(desk, one, words),
        word=outcome_word(verdict.state, verdict.result), line=line.name if line else words("line_gone"),
        people=[_name(desk, account.id, words, user) for user in told.found.agents],
        place=teller.place(told.found.place), address=teller.address(told.found.place),
        lines=teller.lines(told), pending=teller.pending(told), unseen=teller.unseen(told),
        unmapped=[extension for extension in verdict.rang if not desk.lines.users_at(one.line_id, extension)],
        recordings=_recordings(desk, told.found.kept, one, words), back=request.path_qs,
    )  # fmt: skip


@routes.post("/console/lines/{id}/reconcile")
@visited
async def reconcile(request: web.Request, visit: Visit, _: Words) -> web.StreamResponse:
    """Compare a line's calls of the last day with the PBX's statistics, soon."""
    desk = request.app[DESK]
    await desk.reconcile.ask(desk.lines.of(visit.account_id, request.match_info["id"]), None, None)
    return moved("/console")


@routes.post("/console/retry")
@visited
async def retry_all(request: web.Request, visit: Visit, _: Words) -> web.StreamResponse:
    """Another try for everything that was given up."""
    await request.app[DESK].history.retry_all(visit.account_id)
    return moved("/console")


@routes.post("/console/calls/{id}/{what:retry|revoke}")
@visited
async def ask(request: web.Request, visit: Visit, _: Words) -> web.StreamResponse:
    """Another try for what was given up of a call, or its recordings withdrawn."""
    desk, call_id = request.app[DESK], request.match_info["id"]
    act = desk.retry if request.match_info["what"] == "retry" else desk.revoke
    await act(visit.account_id, visit.user_id, call_id)
    return moved(f"/console/calls/{call_id}")


# -- what pages show -----------------------------------------------------------------------------------------------


def _teller(desk: Desk, account: Account, words: Words, one: Call | None) -> Teller:
    def at(extension: str) -> str:
        users = desk.lines.users_at(one.line_id, extension) if one else ()
        names = ", ".join(_name(desk, account.id, words, user) for user in users)
        return f"{extension} ({names})" if names else extension

    return Teller(words, name=lambda user: _name(desk, account.id, words, user), at=at, origin=account.origin)


def _name(desk: Desk, account_id: int, words: Words, user_id: int) -> str:
    person = desk.accounts.people(account_id).get(user_id)
    return person.name if person else words("user", id=user_id)


async def _who(desk: Desk, one: Call, words: Words) -> dict[str, str]:
    """The other end: the name that the phone book has for the number, and the number; without a name, that alone."""
    if one.client_phone is None:
        nobody = words("direction.internal") if one.direction is Direction.INTERNAL else words("hidden")
        return {"client": nobody, "phone": ""}
    entries = await desk.directory.find(one.account_id, one.client_phone)
    phone = pretty(one.client_phone)
    return {"client": entries[0].name, "phone": phone} if entries else {"client": phone, "phone": ""}


def _comparable(desk: Desk, account_id: int) -> list[Line]:
    lines = desk.lines.of_account(account_id)
    return [line for line in lines if Capability.STATISTICS in desk.lines.codec(line).capabilities]


def _alerts(alerts: list[AlertView], words: Words) -> list[tuple[str, str]]:
    known = [one for one in alerts if words.knows(f"alert.{one.slug}")]
    return [
        (words(f"alert.{one.slug}", **one.details), words(f"alert.{one.slug}.cure", **one.details)) for one in known
    ]


def _recordings(desk: Desk, kept: Mapping[str, Kept], one: Call, words: Words) -> list[dict[str, Any]]:
    """A call's recordings: how far each has come, and its link while there is something to hear."""
    link, shown = linking(desk), []
    for recording in one.recordings.values():
        mine = kept.get(recording.key)
        state, is_revoked = state_of(recording, mine), mine is not None and mine.revoked_ms is not None
        shown.append({
            "state": words("recording.revoked" if is_revoked else f"recording.{state}"),
            "url": link(one, recording) if state in READY and not is_revoked else "",
            "listened": mine.listened if mine else 0,
        })  # fmt: skip
    return shown
