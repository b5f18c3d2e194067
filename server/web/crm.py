"""Where amoCRM knocks: its authorisation, its switch-off hook, its webhooks."""

import structlog
from aiohttp import web

from server.core.errors import CallerError

from .desk import DESK
from .guard import answer

log = structlog.get_logger()

routes = web.RouteTableDef()

INSTALLED = """<!doctype html><meta charset="utf-8"><title>Kommutator</title>
<body style="font:16px system-ui;margin:4rem auto;max-width:32rem">
<p>Готово: телефония подключена. Это окно можно закрыть.</p><p>Done: telephony is connected. You may close this window.
</p><script>if (window.opener) { window.close(); }</script>"""


@routes.get("/amo/oauth")
async def authorised(request: web.Request) -> web.Response:
    """A browser's redirect or amoCRM's install hook, which waits 3 s and is never repeated: answer at once."""
    if error := request.query.get("error"):
        raise CallerError("The authorisation was refused in amoCRM.", reason=error[:100])
    code, referer = request.query.get("code", ""), request.query.get("referer", "")
    if not code or not referer:
        raise CallerError("amoCRM's redirect lacks `code` or `referer`.")
    await request.app[DESK].accounts.authorise(code, referer)
    return web.Response(text=INSTALLED, content_type="text/html")


@routes.get("/amo/disabled")
async def disabled(request: web.Request) -> web.Response:
    """The integration was switched off. The documentation names the client both client_uuid and client_id."""
    query, desk = request.query, request.app[DESK]
    client = query.get("client_uuid") or query.get("client_id", "")
    account_id = desk.disable_account(query.get("account_id", ""), client, query.get("signature", ""))
    await desk.accounts.disable(account_id)
    return answer({})


@routes.post("/amo/hooks/{secret:[A-Za-z0-9_-]+}")
async def changed(request: web.Request) -> web.Response:
    """Something of the phone book changed in amoCRM. It waits 2 s for the answer; the work comes later."""
    desk = request.app[DESK]
    account = desk.accounts.by_hook(request.match_info["secret"])
    changes = desk.read_changes(await request.read())
    await desk.directory.hear(account.id, changes)
    return answer({})
