"""The journal as JSON, for administrators: looking for calls, one call's timeline, whether any is lost, another try."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from server.core import listing
from server.core.calls import Call, Recording
from server.core.errors import CallerError
from server.core.journal import Query
from server.core.vocabulary import CallState, Result
from server.services.history import Found, Timeline

from .desk import DESK, Desk
from .guard import admin, answer

routes = web.RouteTableDef()

OUTCOMES = (CallState.LIVE.value, *(one.value for one in Result), CallState.ENDED_UNKNOWN.value)
"""What `result` may be."""

MOST = 200
DAY_MS = 86_400_000
HEALTH_DAYS = 7
"""Over which time calls are counted; a lost one counts however old it is."""


@routes.get("/api/journal")
async def search(request: web.Request) -> web.Response:
    """Calls, the latest first."""
    one, desk = admin(request), request.app[DESK]
    query = read_query(one.account_id, request.query)
    page = await desk.history.search(query, only_amiss=is_amiss(request.query))
    return answer({"calls": [row(desk, found) for found in page.calls], "next": cursor(page.before)})


@routes.get("/api/journal/health")
async def health(request: web.Request) -> web.Response:
    """Whether calls are lost."""
    one, desk = admin(request), request.app[DESK]
    return answer(await desk.history.health(one.account_id, desk.clock() - HEALTH_DAYS * DAY_MS))


@routes.get("/api/journal/calls/{id}")
async def timeline(request: web.Request) -> web.Response:
    """One call, from webhook to note."""
    one, desk = admin(request), request.app[DESK]
    told = await desk.history.timeline(one.account_id, request.match_info["id"])
    return answer(row(desk, told.found) | _told(told))


@routes.post("/api/journal/calls/{id}/retry")
async def retry(request: web.Request) -> web.Response:
    """Another try for what was given up of a call."""
    one, call_id = admin(request), request.match_info["id"]
    return answer({"retried": await request.app[DESK].retry(one.account_id, one.user_id, call_id)})


@routes.post("/api/journal/retry")
async def retry_all(request: web.Request) -> web.Response:
    """Another try for everything that was given up."""
    one = admin(request)
    return answer({"retried": await request.app[DESK].history.retry_all(one.account_id)})


def read_query(account_id: int, asked: Mapping[str, str]) -> Query:
    """What is looked for. Raises CallerError."""
    result = asked.get("result", "")
    if result and result not in OUTCOMES:
        raise CallerError("There is no such result.", result=result[:40], known=" ".join(OUTCOMES))
    at_ms, _, call_id = asked.get("before", "").partition(".")
    bounds = {name: _number(asked, name) for name in ("since", "until", "agent", "limit")}
    return Query(
        account_id=account_id,
        phone="".join(sign for sign in asked.get("phone", "") if sign in "0123456789")[:20],
        agent_id=bounds["agent"] or 0,
        since_ms=(bounds["since"] or 0) * 1000,
        until_ms=(bounds["until"] or 1 << 50) * 1000,
        result=result,
        before=(_number({"before": at_ms}, "before") or 1 << 60, call_id),
        most=min(max(bounds["limit"] or 50, 1), MOST),
    )


def is_amiss(asked: Mapping[str, str]) -> bool:
    """Whether only calls that need a hand are looked for."""
    return asked.get("attention", "") not in ("", "0")


def cursor(before: tuple[int, str] | None) -> str | None:
    """The next page, as `before` takes it."""
    return f"{before[0]}.{before[1]}" if before else None


def row(desk: Desk, found: Found) -> dict[str, Any]:
    """A call in a list."""
    needs = {"lost": found.is_lost, "parked": found.is_parked, "end_unknown": found.is_guess}
    return {
        "call": listing.item(found.call, found.kept, linking(desk)),
        "agents": found.agents,
        "amo": found.place,
        "needs": [name for name, is_needed in needs.items() if is_needed],
    }


def linking(desk: Desk) -> listing.Link:
    """Links to recordings that expire as cards' do."""

    def link(call: Call, recording: Recording) -> str:
        return desk.recordings.short_link(call, recording)

    return link


def _told(told: Timeline) -> dict[str, Any]:
    return {"moments": told.moments, "marks": told.marks, "waiting": told.waiting, "parked": told.parked}


def _number(asked: Mapping[str, str], name: str) -> int | None:
    text = asked.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        raise CallerError(f"`{name}` is not a number.", given=text[:40])
    return int(text)
