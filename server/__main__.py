"""The command line: serve, sandbox, and what operators ask. Each command reads its options and calls one room."""

import asyncio
import contextlib
import gc
import signal
import sys
from pathlib import Path
from typing import Any

import click
import structlog
from aiohttp import web

from server.core.errors import ConfigError, KommutatorError
from server.settings import Settings, check, load

_config = click.option("--config", type=click.Path(path_type=Path), help="Settings in TOML.")
_state = click.option("--state", help="Folder of the database.  [default: .kommutator]")


@click.group()
@click.version_option(package_name="kommutator")
def main() -> None:
    """Kommutator: telephony for amoCRM and Kommo."""


@main.command()
@_config
@_state
@click.option("--listen", help="Address and port to listen on.")
@click.option("--check", "only_check", is_flag=True, help="Print the effective settings (secrets masked) and stop.")
def serve(config: Path | None, listen: str | None, state: str | None, *, only_check: bool) -> None:
    """Run the backend."""
    settings = load(config, listen=listen, state=state)
    if only_check:
        raise SystemExit(_show(settings))
    from server.log import configure

    configure(settings.log_level)
    _runner()(_serve(settings))


def _show(settings: Settings) -> int:
    for name, value in settings.masked().items():
        click.echo(f"{name} = {value!r}")
    problems = check(settings)
    for problem in problems:
        click.echo(f"! {problem}", err=True)
    return 1 if problems else 0


async def _serve(settings: Settings) -> None:
    from server.wiring import BACKLOG, house

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    host, port = settings.host_and_port
    async with contextlib.AsyncExitStack() as stack:
        app = await stack.enter_async_context(house(settings))
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
        _look_for_cycles_less()
        structlog.get_logger().info("listening", host=host, port=port)
        await stop.wait()


def _look_for_cycles_less() -> None:
    """What was loaded stays for good, and what a webhook leaves behind is freed by its counts: looking for cycles after
    every 700 objects, CPython's default, took a seventh of the time of a busy server (`bench/hooks.py`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def _runner() -> Any:
    """uvloop's, when it is installed: it halves the cost of a request."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8800, show_default=True, help="amoCRM's port; the others follow it.")
@click.option("--state", default=".kommutator", show_default=True, help="Folder of the data; :memory: forgets them.")
@click.option("--seed", default=1, show_default=True, help="Which sample data.")
@click.option("--widget", multiple=True, help="[CODE=]PATH of a widget to install instead of ours; repeatable.")
@click.option("--only", type=click.Choice(["amocrm"]), help="Start amoCRM alone.")
@click.option("--redirect-uri", help="Where codes of the first widget's integration go; our backend by default.")
@click.option("--contacts", default=0, help="At least so many contacts in the account (25000: a large one).")
@click.option("--reload/--no-reload", default=True, help="Reload open pages when a widget's file changes.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON first.")
def sandbox(**options: Any) -> None:
    """Run a local amoCRM, local PBXs and the backend."""
    from server.sandbox.run import SandboxError, options_from, run

    try:
        asyncio.run(run(options_from(**options)))
    except SandboxError as exc:
        raise click.ClickException(str(exc)) from exc


@main.command()
@_config
@_state
@click.option("--since", default=0.0, metavar="UNIX", help="Only calls that started at this Unix time or later.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON array instead of a table.")
def calls(config: Path | None, state: str | None, *, since: float, is_json: bool) -> None:
    """Print the calls; only looks, also while the server runs."""
    from server.commands import calls as command

    items = asyncio.run(command.known(load(config, state=state), since))
    if is_json:
        click.echo(command.as_json(items))
    else:
        command.print_table(items)


@main.command()
@_config
@_state
@click.option("--offline", is_flag=True, help="Do not ask the network: neither our own address, nor amoCRM, nor PBXs.")
def doctor(config: Path | None, state: str | None, *, offline: bool) -> None:
    """Say what works and what does not, with cause and cure; prints the webhook addresses. Exit 1: something fails."""
    from server.commands import doctor as command

    raise SystemExit(asyncio.run(command.run(load(config, state=state), is_offline=offline)))


@main.command()
@_config
@_state
def migrate(config: Path | None, state: str | None) -> None:
    """Bring the database to the present schema; needs its lock."""
    from server.commands import migrate as command

    click.echo(asyncio.run(command.run(load(config, state=state))))


@main.command()
@_config
@_state
@click.option("--since", default=0.0, metavar="UNIX", help="Only calls first heard of at this Unix time or later.")
@click.option("--until", type=float, metavar="UNIX", help="Only calls first heard of before this Unix time.")
@click.option("--call", "call_id", default="", metavar="ID", help="Only this call.")
@click.option("--dry-run", is_flag=True, help="Only show the differences, also while the server runs.")
def replay(**options: Any) -> None:
    """Read the stored webhooks again and correct the calls; sends nothing. Needs the database's lock."""
    from server.commands import replay as command

    settings = load(options.pop("config"), state=options.pop("state"))
    for line in asyncio.run(command.run(settings, **options)):
        click.echo(line)


def entry() -> None:
    """Run the command line; what the user can mend is said in a line, without a traceback."""
    try:
        main(standalone_mode=False)
    except (ConfigError, KommutatorError) as exc:
        cure = getattr(exc, "cure", "")
        click.echo(f"error: {exc}" + (f" {cure}" if cure else ""), err=True)
        sys.exit(2)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    entry()
