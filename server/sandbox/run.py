"""Starts the whole sandbox: its amoCRM, its PBXs, and our backend with the widget installed.

Order matters: amoCRM must answer before the backend exchanges its code, and the backend before anything is entered into
it. What is started last is stopped first.
"""

import asyncio
import base64
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from server.sandbox import integrations, ports
from server.sandbox.app import make_app
from server.sandbox.backend import BACKEND, Backend
from server.sandbox.control.parts import EXCHANGES
from server.sandbox.errors import SandboxError
from server.sandbox.oauth.tokens import one_time_token
from server.sandbox.options import Options, options_from
from server.sandbox.pbx.mango import Mango
from server.sandbox.pbx.sipuni import Sipuni
from server.sandbox.provision import Panel
from server.sandbox.seed import more_contacts, seed
from server.sandbox.welcome import Sandbox, json_line, welcome
from server.sandbox.widgets import changes, installed
from server.sandbox.widgets.archive import Archive
from server.sandbox.world import World

__all__ = ["Options", "SandboxError", "options_from", "run", "started"]

_SHUTDOWN_S: Final = 1.0  # open pages and held requests get this long
_OURS: Final = "kommutator"


async def run(options: Options) -> None:
    """Run until Ctrl-C or SIGTERM. Raises `SandboxError` when a part does not come up."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(wanted, task.cancel if task else loop.stop)
    try:
        async with started(options) as sandbox:
            sys.stdout.write(json_line(sandbox) + "\n" if options.as_json else welcome(sandbox))
            sys.stdout.flush()
            await asyncio.Event().wait()
    except asyncio.CancelledError:  # the signal above; everything has been stopped on the way out
        pass


@asynccontextmanager
async def started(options: Options) -> AsyncIterator[Sandbox]:
    """Everything up and connected for as long as the block runs."""
    async with AsyncExitStack() as stack:
        state = options.state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-")))
        listeners = _take_ports(options)
        for listener in listeners.values():
            stack.callback(listener.close)
        world = World(None if options.state is None else state / "sandbox", origin=options.amocrm_url)
        stack.callback(world.close)
        code = options.widgets[0][0] if options.widgets else _OURS
        redirect_uri = options.redirect_uri or f"{options.backend_url}/amo/oauth"
        seed(world, options.seed, widget_code=code, redirect_uri=redirect_uri)
        more_contacts(world, options.contacts - len(world.contacts))
        sandbox = Sandbox(options=options, world=world, app=make_app(world))
        if options.reload:
            sandbox.app.cleanup_ctx.append(changes.watching)
        if not options.only_amocrm:
            await _add_pbxs(sandbox, stack, listeners)
            sandbox.backend = _backend(sandbox, state)
            sandbox.app[BACKEND] = sandbox.backend
            stack.push_async_callback(sandbox.backend.stop)
        await _serve(stack, sandbox.app, listeners["amocrm"])
        if sandbox.backend is not None:
            await sandbox.backend.start()
        await _install(sandbox)
        if sandbox.backend is not None and _OURS in world.widgets:
            await _provision(sandbox)
        yield sandbox


def _take_ports(options: Options) -> dict[str, socket.socket]:
    taken = {"amocrm": ports.listen(options.host, options.port)}
    if options.only_amocrm:
        return taken
    try:
        ports.check_free(options.host, options.port + 1)
        taken["sipuni"] = ports.listen(options.host, options.port + 2)
        taken["mango"] = ports.listen(options.host, options.port + 3)
    except ports.PortTakenError:
        for listener in taken.values():
            listener.close()
        raise
    return taken


async def _serve(stack: AsyncExitStack, app: web.Application, listener: socket.socket) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listener).start()


async def _add_pbxs(sandbox: Sandbox, stack: AsyncExitStack, listeners: dict[str, socket.socket]) -> None:
    world, seed_number = sandbox.world, sandbox.options.seed
    sandbox.sipuni = Sipuni(log=world.log, faults=world.faults, seed=seed_number)
    sandbox.mango = Mango(log=world.log, faults=world.faults, seed=seed_number)
    sandbox.app[EXCHANGES] = {"sipuni": sandbox.sipuni, "mango": sandbox.mango}
    for pbx in (sandbox.sipuni, sandbox.mango):
        pbx.base_url = sandbox.options.pbx_url(pbx.vendor)
        await _serve(stack, pbx.app(), listeners[pbx.vendor])


def _backend(sandbox: Sandbox, state: Path) -> Backend:
    options, world = sandbox.options, sandbox.world
    integration = integrations.main(world)
    if "backend_key" not in world.account:
        world.update_account(backend_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    environment = {
        "KOMMUTATOR_LISTEN": f"{options.host}:{options.port + 1}",
        "KOMMUTATOR_PUBLIC_URL": options.backend_url,
        "KOMMUTATOR_STATE": str(state.resolve()),
        "KOMMUTATOR_SECRET_KEY": world.account["backend_key"],
        "KOMMUTATOR_AMO_CLIENT_ID": integration["id"],
        "KOMMUTATOR_AMO_CLIENT_SECRET": integration["secret"],
        "KOMMUTATOR_AMO_REDIRECT_URI": integration["redirect_uri"],
        "KOMMUTATOR_AMO_DEV_ORIGINS": options.amocrm_url,
        "KOMMUTATOR_SIPUNI_URL": options.pbx_url("sipuni"),
        "KOMMUTATOR_MANGO_URL": options.pbx_url("mango"),
    }
    output = state.resolve() / "backend.log"
    return Backend(options.backend_url, environment=environment, output=output, log=world.log)


async def _install(sandbox: Sandbox) -> None:
    """Install the widgets as an administrator does; one that is installed keeps its settings."""
    for code, path in sandbox.options.widgets:
        fields = Archive(path).manifest().get("settings")
        known = sandbox.world.widgets.get(code)
        settings = dict(known["settings"]) if known else {}
        if isinstance(fields, dict) and "backend_url" in fields:
            settings["backend_url"] = sandbox.options.backend_url
        await installed.save(sandbox.app, code, path=str(path), settings=settings, active=True)


async def _provision(sandbox: Sandbox) -> None:
    """Both PBXs connected, every user with an extension on both."""
    world, sipuni, mango = sandbox.world, sandbox.sipuni, sandbox.mango
    if sandbox.backend is None or sipuni is None or mango is None:
        return
    integration, admin = integrations.main(world), installed.first_admin(world)
    panel = Panel(
        sandbox.backend.url,
        origin=world.origin,
        token=lambda: one_time_token(world, admin, integration),
    )
    try:
        await panel.enter()
        credentials = {"user": sipuni.user, "secret": sipuni.secret}
        lines = [await panel.line("sipuni", name="Сипуни", credentials=credentials)]
        credentials = {"api_key": mango.api_key, "api_salt": mango.api_salt}
        lines.append(await panel.line("mango", name="MANGO OFFICE", credentials=credentials))
        await panel.extensions(list(world.users), [line["id"] for line in lines])
    finally:
        await panel.close()
    sipuni.hook, mango.hook = lines[0]["hook_base"], lines[1]["hook_base"]
