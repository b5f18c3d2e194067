"""`doctor`: what an operator asks first when something does not work. It only looks.

It prints no key and no token. The one secret it prints, in full, is each line's webhook address: it has to be copied
into the PBX, and this is the place to copy it from.
"""

import contextlib
import sys
import time

from sqlalchemy import func, select

from server.core.errors import ConfigError, CrmTokenDead, KommutatorError
from server.core.ports import LineKeys
from server.core.records import ACTIVE, DISABLED, Account, Line, Seat
from server.lanes import Lanes
from server.log import configure
from server.outbound import Outbound
from server.providers.registry import CODECS
from server.settings import Settings, check
from server.sql import Database, Stmt
from server.store.schema import IS_UNREAD, hook
from server.wiring import Stores, stores

from .findings import Finding, Findings, Level, fail, ok, warn
from .opened import to_read
from .outside import Outside

QUIET_S = 7 * 86400
"""A PBX that sends nothing for a week is rare enough for a look."""

SOME = 10
"""How many alerts or parked jobs are shown."""

UNREAD = Stmt(select(func.count()).select_from(hook).where(IS_UNREAD))


async def run(settings: Settings, *, is_offline: bool) -> int:
    """Print what is found; returns the exit code."""
    configure("error")
    failures = 0
    async for finding in examine(settings, is_offline=is_offline):
        sys.stdout.write(f"{finding}\n")
        failures += finding.level is Level.FAIL
    return 1 if failures else 0


async def examine(settings: Settings, *, is_offline: bool) -> Findings:
    """Everything that is found, as it is found. Never raises for what it is to find."""
    problems = check(settings)
    for problem in problems:
        name, _, cause = problem.partition(": ")
        yield fail(f"setting {name}", cause)
    if not problems:
        yield ok("settings")
    async with contextlib.AsyncExitStack() as stack:
        outside = None if is_offline else Outside(settings)
        if outside:
            stack.push_async_callback(outside.close)
        if outside and settings.public_url:
            async for finding in outside.address():
                yield finding
        try:
            db = await stack.enter_async_context(to_read(settings))
            yield ok("database", f"opens ({db.dialect}), its schema is the present one")
            async for finding in _inside(settings, db, outside):
                yield finding
        except (ConfigError, KommutatorError) as exc:
            yield fail("database", str(exc), getattr(exc, "cure", ""))


async def _inside(settings: Settings, db: Database, outside: Outside | None) -> Findings:
    if not settings.secret_key:
        return  # named among the settings; without it nothing in there can be read
    kept = stores(settings, db)
    async for finding in _work(db, kept.lanes):
        yield finding
    accounts = await kept.accounts.all()
    if not accounts:
        yield warn("amoCRM", "no account is connected", "switch the integration on in amoCRM")
    for account in accounts:
        async for finding in _account(kept, account, outside):
            yield finding
    lines, seats = await kept.lines.all(), await kept.lines.seats()
    if not lines:
        yield warn("lines", "no PBX is connected", "connect one in the widget's settings")
    sender = Outbound(CODECS, settings.provider_urls()) if outside else None
    try:
        for line in lines:
            async for finding in _line(settings, line, seats.get(line.account_id, []), sender):
                yield finding
    finally:
        if sender:
            await sender.close()


async def _work(db: Database, lanes: Lanes) -> Findings:
    ((unread,),) = await db.read(UNREAD)
    if unread:
        yield warn("webhooks", f"stored and not read: {unread}", "if `serve` runs, look into its log; else start it")
    parked = await lanes.parked(SOME)
    for job in parked:
        yield warn(f"work {job.key}", f"was given up: {job.note}", "mend the cause named here")
    held, ages = await lanes.held(), await lanes.oldest_due_s()
    for lane in sorted(held.keys() & ages.keys()):
        told = f"is held; its oldest job has waited {ages[lane] / 60:.0f} minutes"
        yield warn(f"work of {lane}", told, "amoCRM or the PBX is sick, or the account is off: it goes on by itself")
    if not unread and not parked:
        yield ok("work", "nothing is stuck")


async def _account(kept: Stores, account: Account, outside: Outside | None) -> Findings:
    what = f"amoCRM {account.host} ({account.id})"
    if account.state == DISABLED:
        yield warn(what, "the integration was switched off in amoCRM", "switch it on there to use it again")
        return
    if account.state != ACTIVE:
        yield fail(what, "its authorisation died", CrmTokenDead.cure)
    elif outside:
        async for finding in outside.account(account):
            yield finding
    if not account.progress.is_complete:
        yield warn(f"phone book of {account.host}", "is still being copied", "wait; its progress is in the settings")
    alerts = await kept.accounts.alerts(account.id)
    for alert in alerts[:SOME]:
        told = ", ".join(f"{name} {value}" for name, value in alert.details.items())
        yield warn(f"alert {alert.slug}", told or account.host, ALERT_CURES.get(alert.slug, ""))
    if len(alerts) > SOME:
        yield warn("alerts", f"{len(alerts) - SOME} more", "see the widget's settings")


ALERT_CURES = {
    "extension-unmapped": "give the extension to a user in the widget's settings",
    CrmTokenDead.slug: CrmTokenDead.cure,
}


async def _line(settings: Settings, line: Line, seats: list[Seat], sender: Outbound | None) -> Findings:
    what = f"line {line.name} ({line.provider}, {line.id})"
    base = f"{settings.public_url}/hooks/{line.provider}/{line.path}"
    addresses = tuple(f"{base}/{tail}".rstrip("/") for tail in CODECS[line.provider].hook_tails)
    yield ok(what, "copy into the PBX; secret, shown in full only here:", details=addresses)
    yield _last_hook(what, line)
    if not any(seat.line_id == line.id for seat in seats):
        yield warn(what, "no user has an extension on it", "fill the map in the widget's settings")
    if sender:
        yield await _credentials(what, line, sender)


def _last_hook(what: str, line: Line) -> Finding:
    if line.last_hook_ms is None:
        return warn(what, "no webhook has ever come", "copy the address above into the PBX and make a call")
    age_s = time.time() - line.last_hook_ms / 1000
    if age_s > QUIET_S:
        return warn(what, f"the last webhook came {age_s / 86400:.0f} days ago", "check the address in the PBX")
    return ok(what, f"the last webhook came {max(0, age_s) / 60:.0f} minutes ago")


async def _credentials(what: str, line: Line, sender: Outbound) -> Finding:
    codec = CODECS[line.provider]
    try:
        request = codec.probe(LineKeys(line.credentials))
        codec.outcome(request, await sender.send(line.provider, request))
    except KommutatorError as exc:
        return fail(what, exc.message, exc.cure)
    except KeyError as exc:
        return fail(what, f"lacks {exc.args[0]}", "enter it in the widget's settings")
    return ok(what, "the PBX takes the credentials")
