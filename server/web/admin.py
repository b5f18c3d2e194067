"""What an administrator's settings panel asks. Secrets go in and never come out."""

from typing import Any

from aiohttp import web
from msgspec import UNSET, Struct, UnsetType, structs

from server.core import strangers
from server.core.errors import BadPhone
from server.core.phone import to_e164
from server.core.records import Account, Line, Seat
from server.core.strangers import StrangerRule
from server.core.vocabulary import NoticeWay
from server.services.alerts import UNMAPPED

from .desk import DESK, Desk
from .guard import admin, answer, body

routes = web.RouteTableDef()


class PrefsChange(Struct, forbid_unknown_fields=True):
    """PUT /api/settings/account: what is given changes."""

    notice: NoticeWay | UnsetType = UNSET
    email_action: bool | UnsetType = UNSET
    log_internal: bool | UnsetType = UNSET
    strangers: tuple[StrangerRule, ...] | UnsetType = UNSET


class NewLine(Struct, forbid_unknown_fields=True):
    """POST /api/lines."""

    provider: str
    credentials: dict[str, str]
    name: str = ""
    our_lines: list[str] = []
    schemes: dict[str, str] = {}


class LineChange(Struct, forbid_unknown_fields=True):
    """PUT /api/lines/{id}: what is given changes; a secret that is left out stays."""

    name: str | None = None
    credentials: dict[str, str] | None = None
    our_lines: list[str] | None = None
    schemes: dict[str, str] | None = None


class CheckRequest(Struct, forbid_unknown_fields=True):
    """POST /api/lines/{id}/check."""

    credentials: dict[str, str] | None = None


class Period(Struct, forbid_unknown_fields=True):
    """POST /api/lines/{id}/reconcile: calls that began in it, Unix seconds; by default those of the last day."""

    since: int | None = None
    until: int | None = None


class SeatMap(Struct, forbid_unknown_fields=True):
    """PUT /api/agents: the whole map."""

    agents: list[Seat]


@routes.get("/api/settings")
async def settings(request: web.Request) -> web.Response:
    """Everything the panel shows."""
    one, desk = admin(request), request.app[DESK]
    account = desk.accounts.get(one.account_id)
    return answer(
        {
            "account": _account(account),
            "lines": [_line(desk, line) for line in desk.lines.of_account(account.id)],
            "users": [
                {"id": user.id, "name": user.name, "is_admin": user.is_admin, "is_active": user.is_active}
                for user in desk.accounts.users(account.id).values()
            ],
            "agents": desk.lines.seats(account.id),
            "providers": _providers(desk),
            "stranger_defaults": strangers.DEFAULTS,
            "directory": account.progress,
            "alerts": await desk.accounts.alerts(account.id),
        }
    )


@routes.put("/api/settings/account")
async def change_account(request: web.Request) -> web.Response:
    """Change the account's preferences."""
    one, desk = admin(request), request.app[DESK]
    wanted = await body(request, PrefsChange)
    if wanted.strangers is not UNSET:
        lines, users = desk.lines.of_account(one.account_id), desk.accounts.users(one.account_id)
        strangers.check(wanted.strangers, [line.id for line in lines], users)
    given = {name: value for name in wanted.__struct_fields__ if (value := getattr(wanted, name)) is not UNSET}
    return answer({"account": _account(await desk.accounts.set_prefs(one.account_id, **given))})


@routes.get("/api/settings/pipelines")
async def pipelines(request: web.Request) -> web.Response:
    """The account's pipelines with their statuses, as amoCRM has them now."""
    one, desk = admin(request), request.app[DESK]
    return answer({"pipelines": await desk.accounts.pipelines(one.account_id)})


@routes.post("/api/lines")
async def add_line(request: web.Request) -> web.Response:
    """Connect a PBX."""
    one, desk = admin(request), request.app[DESK]
    wanted = await body(request, NewLine)
    our_lines = _phones(wanted.our_lines)
    line = await desk.lines.add(one.account_id, wanted.provider, wanted.name, wanted.credentials)
    if our_lines or wanted.schemes:
        line = await desk.lines.change(line, our_lines=our_lines, schemes=wanted.schemes)
    return answer({"line": _line(desk, line)}, status=201)


@routes.put("/api/lines/{id}")
async def change_line(request: web.Request) -> web.Response:
    """Change a line."""
    line, desk = _own_line(request), request.app[DESK]
    wanted = await body(request, LineChange)
    changed = await desk.lines.change(
        line,
        name=wanted.name,
        credentials=wanted.credentials,
        our_lines=None if wanted.our_lines is None else _phones(wanted.our_lines),
        schemes=wanted.schemes,
    )
    return answer({"line": _line(desk, changed)})


@routes.delete("/api/lines/{id}")
async def remove_line(request: web.Request) -> web.Response:
    """Disconnect a PBX."""
    await request.app[DESK].lines.remove(_own_line(request))
    return answer({})


@routes.post("/api/lines/{id}/check")
async def check_line(request: web.Request) -> web.Response:
    """Ask the PBX whether the credentials are right, now."""
    line = _own_line(request)
    wanted = await body(request, CheckRequest)
    return answer({"checks": await request.app[DESK].probe.check(line, wanted.credentials)})


@routes.post("/api/lines/{id}/reconcile")
async def reconcile(request: web.Request) -> web.Response:
    """Compare the line's calls with the PBX's statistics, soon."""
    line = _own_line(request)
    wanted = await body(request, Period)
    period = [None if at is None else at * 1000 for at in (wanted.since, wanted.until)]
    await request.app[DESK].reconcile.ask(line, *period)
    return answer({}, status=202)


@routes.get("/api/lines/{id}/reconcile")
async def reconciled(request: web.Request) -> web.Response:
    """What the latest comparison found."""
    return answer({"last": await request.app[DESK].reconcile.last(_own_line(request))})


@routes.post("/api/lines/{id}/secret")
async def renew_secret(request: web.Request) -> web.Response:
    """A new secret address; the old one stops."""
    desk = request.app[DESK]
    return answer({"line": _line(desk, await desk.lines.renew_path(_own_line(request)))})


@routes.put("/api/agents")
async def set_agents(request: web.Request) -> web.Response:
    """Replace the map (line, extension) → user."""
    one, desk = admin(request), request.app[DESK]
    wanted = await body(request, SeatMap)
    await desk.lines.set_seats(one.account_id, wanted.agents)
    await desk.accounts.settle(one.account_id, UNMAPPED)
    return answer({"agents": desk.lines.seats(one.account_id)})


def _own_line(request: web.Request) -> Line:
    one = admin(request)
    return request.app[DESK].lines.of(one.account_id, request.match_info["id"])


def _phones(texts: list[str]) -> list[str]:
    phones = [to_e164(text) for text in texts]
    if wrong := [text for text, phone in zip(texts, phones, strict=True) if phone is None]:
        raise BadPhone(phone=wrong[0][:64])
    return [phone for phone in phones if phone]


def _account(account: Account) -> dict[str, Any]:
    return {"id": account.id, "name": account.name, "state": account.state, **structs.asdict(account.prefs)}


def _line(desk: Desk, line: Line) -> dict[str, Any]:
    """A line as administrators see it; a secret that is set shows as null."""
    codec = desk.lines.codec(line)
    base = f"{desk.public_url}/hooks/{line.provider}/{line.path}"
    return {
        "id": line.id,
        "provider": line.provider,
        "name": line.name,
        "hook_base": base,
        "hook_urls": {tail: f"{base}/{tail}".rstrip("/") for tail in codec.hook_tails},
        "our_lines": line.our_lines,
        "schemes": line.schemes,
        "credentials": {
            one.name: None if one.is_secret else line.credentials[one.name]
            for one in codec.fields
            if one.name in line.credentials
        },
        "last_hook_at": None if line.last_hook_ms is None else line.last_hook_ms // 1000,
    }


def _providers(desk: Desk) -> list[dict[str, Any]]:
    return [
        {
            "name": codec.name,
            "title": codec.title,
            "capabilities": sorted(codec.capabilities),
            "fields": codec.fields,
        }
        for codec in desk.lines.codecs.values()
    ]
