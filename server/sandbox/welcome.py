"""What a started sandbox says: one line of JSON for programs, or where to click for people."""

import io
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from rich.console import Console
from rich.table import Table

from server.sandbox import integrations
from server.sandbox.backend import Backend
from server.sandbox.oauth.tokens import issue_code, new_grant, token_answer
from server.sandbox.options import Options
from server.sandbox.pbx.mango import Mango
from server.sandbox.pbx.sipuni import Sipuni
from server.sandbox.widgets.installed import first_admin
from server.sandbox.world import World


@dataclass(slots=True)
class Sandbox:
    """The parts of a running sandbox; what does not run is None."""

    options: Options
    world: World
    app: web.Application
    backend: Backend | None = None
    sipuni: Sipuni | None = None
    mango: Mango | None = None


def json_line(sandbox: Sandbox) -> str:
    """The addresses and secrets a program needs, with tokens of a grant of its own."""
    return json.dumps(facts(sandbox), ensure_ascii=False)


def facts(sandbox: Sandbox) -> dict[str, Any]:
    """The members of the JSON line; each call makes a new grant and a new code."""
    world = sandbox.world
    integration, admin = integrations.main(world), first_admin(world)
    tokens = token_answer(world, new_grant(world, client_id=integration["id"], user_id=admin["id"]))
    return {
        "amocrm": world.origin,
        "backend": sandbox.backend.url if sandbox.backend else None,
        "backend_pid": sandbox.backend.pid if sandbox.backend else None,
        "subdomain": world.account["subdomain"],
        "account_id": world.account["id"],
        "client_id": integration["id"],
        "client_secret": integration["secret"],
        "redirect_uri": integration["redirect_uri"],
        "auth_code": issue_code(world, client_id=integration["id"], user_id=admin["id"]),
        "access_token": tokens["access_token"],
        "refresh_token": tokens["refresh_token"],
        "users": [{name: user[name] for name in ("id", "name", "login", "extension")} for user in world.users],
        "pbx": _pbx(sandbox),
    }


def _pbx(sandbox: Sandbox) -> dict[str, Any] | None:
    sipuni, mango = sandbox.sipuni, sandbox.mango
    if sipuni is None or mango is None:
        return None
    return {
        "sipuni": {"url": sipuni.base_url, "user": sipuni.user, "secret": sipuni.secret, "hook_url": sipuni.hook},
        "mango": {"url": mango.base_url, "api_key": mango.api_key, "api_salt": mango.api_salt, "hook_base": mango.hook},
    }


def welcome(sandbox: Sandbox) -> str:
    """Where to click, for a terminal."""
    table = Table.grid(padding=(0, 2))
    for user in sandbox.world.users:
        role = "администратор · administrator" if user["rights"]["is_admin"] else ""
        address = f"{sandbox.world.origin}/sandbox/login?user={user['extension']}"
        table.add_row(user["extension"] or "", user["name"], address, role)
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=False, highlight=False)
    console.print(f"\n[bold]amoCRM[/]  {sandbox.world.origin}/")
    for pbx, name in ((sandbox.sipuni, "Sipuni"), (sandbox.mango, "MANGO OFFICE")):
        if pbx is not None:
            console.print(f"[bold]{name}[/]  {pbx.base_url}/   телефоны и звонки · phones and calls")
    if sandbox.backend is not None:
        console.print(f"[bold]backend[/]  {sandbox.backend.url}")
    console.print("\nВойти как · sign in as")
    console.print(table)
    console.print("\nCtrl-C — остановить · to stop")
    return out.getvalue()
