"""The composition root: the only file that names concrete classes, and the order of starting and stopping."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from aiohttp import web

from server.amocrm.client import Client
from server.amocrm.hooks import read_changes
from server.amocrm.tokens import TokenReader, check_disabled
from server.core.errors import ConfigError, StoreUnavailable
from server.core.hosts import Trust
from server.core.messages import ByeMessage, Ping
from server.core.vocabulary import Bye
from server.lanes import LaneKind, Lanes
from server.outbound import Outbound
from server.providers.registry import CODECS
from server.services import outage
from server.services.accounts import Accounts
from server.services.agents import Agents
from server.services.alerts import Alerts
from server.services.calls import Calls
from server.services.cards import Cards
from server.services.clock import now_ms
from server.services.dial import Dialling
from server.services.directory import Directory
from server.services.housekeeping import Housekeeping
from server.services.intake import Intake
from server.services.lines import Lines
from server.services.log import Logging
from server.services.notice import Notice
from server.services.probe import Probe
from server.services.recordings import Recordings
from server.services.session import Sessions
from server.settings import Settings, check
from server.sql import Database, connect
from server.store.accounts import AccountStore
from server.store.calls import CallStore
from server.store.cipher import Cipher
from server.store.dials import DialStore
from server.store.directory import DirectoryStore
from server.store.hooks import HookStore
from server.store.lines import LineStore
from server.store.migrate import migrate
from server.web.app import build
from server.web.channel import frames
from server.web.channel.channels import Channels
from server.web.channel.choose import choose
from server.web.desk import Desk

log = structlog.get_logger()

LANES = {
    # Together under amoCRM's seven requests a second, with one left for people.
    "amo": LaneKind(rate=4.0, width=8, depth=4),
    "crawl": LaneKind(rate=2.0, width=1),
    "book": LaneKind(rate=2.0, width=1),
    "oauth": LaneKind(rate=5.0, width=4),
    "calls": LaneKind(width=8),
}

BACKLOG = 4096
"""Connections waiting to be accepted: after a restart ten thousand browsers come back within seconds."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that is remembered, over one open database."""

    db: Database
    lanes: Lanes
    hooks: HookStore
    calls: CallStore
    dials: DialStore
    accounts: AccountStore
    lines: LineStore
    directory: DirectoryStore


def stores(settings: Settings, db: Database) -> Stores:
    """The stores over an open and migrated database."""
    cipher = Cipher(settings.secret_key)
    lanes = Lanes(db, LANES)
    return Stores(
        db=db,
        lanes=lanes,
        hooks=HookStore(db, cipher),
        calls=CallStore(db, lanes.add, lanes.wake),
        dials=DialStore(db),
        accounts=AccountStore(db, cipher),
        lines=LineStore(db, cipher),
        directory=DirectoryStore(db),
    )


@contextlib.asynccontextmanager
async def house(settings: Settings) -> AsyncIterator[web.Application]:
    """The running backend as an application; everything is started before it is given and stopped after."""
    if problems := check(settings):
        raise ConfigError("\n".join(problems))
    _make_room(settings)
    db = await connect(settings.database_url)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(db.close)
        await migrate(db, settings.database_url)
        kept = stores(settings, db)
        stack.push_async_callback(kept.hooks.close)
        stack.push_async_callback(kept.calls.close)
        yield build(await _furnish(settings, kept, stack))


def _make_room(settings: Settings) -> None:
    if settings.database_url.startswith("sqlite"):
        Path(settings.state).mkdir(parents=True, exist_ok=True)


async def _furnish(settings: Settings, kept: Stores, stack: contextlib.AsyncExitStack) -> Desk:
    """Build the services on the stores, start what runs by itself, and lay out the desk."""
    client = Client(
        client_id=settings.amo_client_id,
        client_secret=settings.amo_client_secret,
        redirect_uri=settings.redirect_uri,
        clock=now_ms,
    )
    stack.push_async_callback(client.close)
    outbound = Outbound(CODECS, settings.provider_urls())
    stack.push_async_callback(outbound.close)
    trust = Trust(settings.amo_hosts, settings.amo_dev_origins)
    agents = Agents()
    lines = Lines(kept.lines, CODECS)
    accounts = Accounts(kept.accounts, client, agents, kept.lanes, trust=trust)
    client.attach(accounts)
    directory = Directory(kept.directory, client, accounts, kept.lanes, hooks_base=settings.public_url)
    recordings = Recordings(
        kept.calls, lines, outbound,
        public_url=settings.public_url, secret_key=settings.secret_key, link_s=settings.recordings_link_s,
    )  # fmt: skip
    cards = Cards(lines, agents, kept.calls, book=directory, people=accounts, recordings=recordings)
    dialling = Dialling(lines, agents, kept.dials, outbound, kept.lanes)
    calls = Calls(lines, kept.calls, kept.hooks, kept.dials)
    logging = Logging(
        kept.calls, accounts, lines, client, kept.lanes.alive,
        link=recordings.lasting_link, settle_s=settings.amo_settle_s,
    )  # fmt: skip
    notice = Notice(accounts, lines, client)
    calls.tell(cards.changed)
    calls.tell(dialling.changed)
    calls.tell(notice.changed)
    calls.tell(Alerts(accounts, lines).changed)
    calls.tell_order(dialling.told)
    directory.tell(cards.found)
    intake = Intake(lines, kept.hooks, calls.read)

    for room in (accounts, lines, cards, dialling):
        await room.load()
    read_again = await intake.resume()
    log.info("started", lines=len(lines.all()), accounts=len(accounts.all()), hooks_read_again=read_again)
    kept.lanes.start(
        {
            "expire": calls.expire,
            "silence": dialling.silence,
            "log": logging.log,
            "exchange": outage.held(accounts.exchange),
            "crawl": outage.held(directory.crawl),
            "learn": outage.held(directory.learn),
        }
    )
    stack.push_async_callback(kept.lanes.close)
    stack.push_async_callback(notice.drain)
    stack.push_async_callback(dialling.drain)
    stack.push_async_callback(intake.drain)

    housekeeping = Housekeeping(kept.hooks, kept.accounts, keep_days=settings.hooks_keep_days)
    tidying = asyncio.create_task(housekeeping.keep())
    stack.callback(tidying.cancel)

    channels = Channels(ping=frames.text(msgspec.json.encode(Ping())))
    beating = asyncio.create_task(channels.keep_beating())
    stack.push_async_callback(_leave, beating, channels, agents, accounts)
    client_id, client_secret = settings.amo_client_id, settings.amo_client_secret
    return Desk(
        trust=trust,
        public_url=settings.public_url,
        intake=intake,
        sessions=Sessions(
            accounts, lines, kept.accounts, TokenReader(client_secret),
            secret_key=settings.secret_key, client_id=client_id, redirect_uri=settings.redirect_uri,
            reuse=settings.session_reuse_token,
        ),
        agents=agents,
        cards=cards,
        dialling=dialling,
        accounts=accounts,
        lines=lines,
        directory=directory,
        recordings=recordings,
        probe=Probe(lines, outbound),
        channels=channels,
        listener=await choose("aiohttp" if settings.channel == "aiohttp" else "detached", channels),
        read_changes=read_changes,
        disable_account=lambda account, client_name, signature: check_disabled(
            account, client_name, signature, client_id=client_id, client_secret=client_secret
        ),
        is_ready=lambda: _is_ready(kept),
    )  # fmt: skip


async def _leave(beating: "asyncio.Task[None]", channels: Channels, agents: Agents, accounts: Accounts) -> None:
    """Tell every browser to come back soon, and hang up."""
    beating.cancel()
    for account in accounts.all():
        agents.say_bye(account.id, ByeMessage(kind=Bye.TEMPORARY))
    await channels.drain()


async def _is_ready(kept: Stores) -> bool:
    try:
        await kept.accounts.all()
    except StoreUnavailable:
        return False
    return True
