"""What every agent's browser asks: a session, calls to start and end, cards to close, the long poll."""

import asyncio

from aiohttp import web

from server.core.messages import DialRequest, NoticedMessage
from server.core.vocabulary import LONG_POLL_S

from .desk import DESK
from .guard import answer, body, who
from .metrics import SESSIONS

routes = web.RouteTableDef()

AUTH_TOKEN = "X-Auth-Token"  # noqa: S105  # the header's name


@routes.post("/api/session")
async def open_session(request: web.Request) -> web.Response:
    """Trade amoCRM's one-time token for a bearer and a ticket."""
    with SESSIONS.labels("refused").count_exceptions():
        session = await request.app[DESK].sessions.open(request.headers.get(AUTH_TOKEN, ""))
    SESSIONS.labels("opened").inc()
    return answer(session)


@routes.post("/api/ticket")
async def renew_session(request: web.Request) -> web.Response:
    """A fresh bearer and ticket."""
    return answer(request.app[DESK].sessions.renew(who(request)))


@routes.get("/api/poll")
async def poll(request: web.Request) -> web.Response:
    """The long poll: a snapshot as soon as its digest differs."""
    one, desk = who(request), request.app[DESK]
    with desk.agents.watch((one.account_id, one.user_id)) as changed:
        snapshot = await desk.snapshot(one)
        if snapshot.digest == request.query.get("digest"):
            try:
                await asyncio.wait_for(changed.wait(), LONG_POLL_S)
            except TimeoutError:
                pass
            else:
                snapshot = await desk.snapshot(one)
    return answer(snapshot)


@routes.post("/api/dial")
async def dial(request: web.Request) -> web.Response:
    """Start a call."""
    one = who(request)
    wanted = await body(request, DialRequest)
    return answer({"dial": await request.app[DESK].dialling.start(one.account_id, one.user_id, wanted)})


@routes.post("/api/dial/{id}/cancel")
async def cancel_dial(request: web.Request) -> web.Response:
    """Withdraw an order."""
    one = who(request)
    cancelled = await request.app[DESK].dialling.cancel(one.account_id, one.user_id, request.match_info["id"])
    return answer({"dial": cancelled})


@routes.post("/api/calls/{id}/hangup")
async def hang_up(request: web.Request) -> web.Response:
    """End a live call."""
    one, desk = who(request), request.app[DESK]
    call = await desk.cards.to_hang_up(one.account_id, one.user_id, request.match_info["id"])
    await desk.dialling.hang_up(call)
    return answer({})


@routes.post("/api/calls/{id}/notice")
async def notice(request: web.Request) -> web.Response:
    """Claim amoCRM's notification for a call."""
    one, call_id = who(request), request.match_info["id"]
    is_yours = await request.app[DESK].cards.notice(one.account_id, one.user_id, call_id)
    return answer(NoticedMessage(call_id=call_id, is_yours=is_yours))


@routes.post("/api/calls/{id}/dismiss")
async def dismiss(request: web.Request) -> web.Response:
    """Close a call's card, in all tabs."""
    one = who(request)
    await request.app[DESK].cards.dismiss(one.account_id, one.user_id, request.match_info["id"])
    return answer({})
