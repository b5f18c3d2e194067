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
from server.audio.disk import DiskAudio
from server.audio.press import FilePress
from server.bus import choose as choose_bus
from server.core.errors import ConfigError, StoreUnavailable
from server.core.hosts import Trust
from server.core.messages import ByeMessage, Ping
from server.core.ports import Bus
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
from server.services.expiry import Expiry
from server.services.fetching import Cellar, Fetching
from server.services.history import History
from server.services.housekeeping import Housekeeping
from server.services.intake import Intake
from server.services.journal import Journal
from server.services.lines import Lines
from server.services.links import Links
from server.services.log import Logging
from server.services.nodes import Nodes
from server.services.notice import Notice
from server.services.playing import Playing
from server.services.probe import Probe
from server.services.pulse import Pulse
from server.services.reconcile import Reconcile
from server.services.recordings import Recordings
from server.services.session import Sessions
from server.services.visits import Visits
from server.settings import Settings, check
from server.sql import Database, connect
from server.store.accounts import AccountStore
from server.store.calls import CallStore
from server.store.cipher import Cipher
from server.store.dials import DialStore
from server.store.directory import DirectoryStore
from server.store.hooks import HookStore
from server.store.journal import JournalStore
from server.store.lines import LineStore
from server.store.migrate import migrate
from server.store.reconciliations import ReconciliationStore
from server.store.recordings import RecordingStore
from server.web.app import build
from server.web.channel import frames
from server.web.channel.channels import Channels
from server.web.channel.choose import choose
from server.web.channel.port import Listener
from server.web.desk import Desk

log = structlog.get_logger()


def lane_kinds(amo_requests_per_s: int) -> dict[str, LaneKind]:
    """The rules of the lanes: those that ask amoCRM stay together under its limit, with some left for people."""
    share = amo_requests_per_s / 7
    return {
        "amo": LaneKind(rate=4.0 * share, width=round(8 * share), depth=round(4 * share)),
        "crawl": LaneKind(rate=2.0 * share, width=1),
        "book": LaneKind(rate=2.0 * share, width=1),
        "oauth": LaneKind(rate=5.0, width=4),
        "calls": LaneKind(width=8),
        "stat": LaneKind(width=1),
        # Of one PBX: MANGO takes ten requests a second in all, and a recording is large.
        "rec": LaneKind(rate=2.0, width=2, depth=2),
    }


INCOMING = "incoming"
"""The folder, beside those of the accounts, of recordings on their way in."""

BACKLOG = 4096
"""Connections waiting to be accepted: after a restart ten thousand browsers come back within seconds."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that is remembered, over one open database."""

    db: Database
    bus: Bus
    lanes: Lanes
    hooks: HookStore
    calls: CallStore
    dials: DialStore
    accounts: AccountStore
    lines: LineStore
    journal: JournalStore
    reconciliations: ReconciliationStore
    directory: DirectoryStore
    recordings: RecordingStore


def stores(settings: Settings, db: Database) -> Stores:
    """The stores over an open and migrated database."""
    cipher = Cipher(settings.secret_key)
    lanes = Lanes(db, lane_kinds(settings.amo_requests_per_s))
    bus = choose_bus(db, settings.database_url)
    return Stores(
        db=db,
        bus=bus,
        lanes=lanes,
        hooks=HookStore(db, cipher),
        calls=CallStore(db, lanes.add, lanes.wake, bus.telling),
        dials=DialStore(db, bus.telling),
        accounts=AccountStore(db, cipher, bus.telling),
        lines=LineStore(db, cipher, bus.telling),
        journal=JournalStore(db, cipher),
        reconciliations=ReconciliationStore(db),
        directory=DirectoryStore(db, bus.telling),
        recordings=RecordingStore(db, bus.telling),
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
        stack.push_async_callback(kept.bus.close)
        await kept.bus.start()  # before anything is read: what changes from now on is heard
        yield build(await _furnish(settings, kept, stack))


def _make_room(settings: Settings) -> None:
    if settings.database_url.startswith("sqlite"):
        Path(settings.state).mkdir(parents=True, exist_ok=True)


def cellar(settings: Settings) -> Cellar:
    """Where recordings go."""
    folder, megabyte = settings.recordings_path, 1 << 20
    reserve = settings.recordings_reserve_mb * megabyte
    press = FilePress(folder / INCOMING, most=settings.recordings_most_mb * megabyte, reserve=reserve)
    if settings.recordings_store == "proxy":
        return Cellar(press, None)
    if settings.recordings_store == "disk":
        return Cellar(press, DiskAudio(folder, reserve=reserve))
    from server.audio.s3 import S3Audio

    return Cellar(press, S3Audio(
        settings.recordings_s3_bucket,
        endpoint=settings.recordings_s3_endpoint,
        region=settings.recordings_s3_region,
        access_key=settings.recordings_s3_access_key,
        secret_key=settings.recordings_s3_secret_key,
    ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that acts, over the stores and the two edges: amoCRM's client and the way out to the PBXs."""

    client: Client
    outbound: Outbound
    trust: Trust
    agents: Agents
    lines: Lines
    accounts: Accounts
    directory: Directory
    recordings: Recordings
    fetching: Fetching
    playing: Playing
    expiry: Expiry
    cards: Cards
    dialling: Dialling
    calls: Calls
    logging: Logging
    notice: Notice
    intake: Intake
    journal: Journal
    reconcile: Reconcile


def services(settings: Settings, kept: Stores) -> Services:
    """The services, each told what it must hear of; nothing runs yet."""
    client = Client(
        client_id=settings.amo_client_id,
        client_secret=settings.amo_client_secret,
        redirect_uri=settings.redirect_uri,
        clock=now_ms,
        rate=settings.amo_requests_per_s,
    )
    outbound = Outbound(CODECS, settings.provider_urls())
    trust = Trust(settings.amo_hosts, settings.amo_dev_origins)
    agents, lines = Agents(), Lines(kept.lines, CODECS)
    accounts = Accounts(kept.accounts, client, agents, kept.lanes, trust=trust)
    client.attach(accounts)
    directory = Directory(kept.directory, client, accounts, kept.lanes, hooks_base=settings.public_url)
    links, store = Links(settings.public_url, settings.secret_key), cellar(settings)
    recordings = Recordings(kept.calls, kept.recordings, links, link_s=settings.recordings_link_s)
    fetching = Fetching(
        kept.calls, kept.recordings, recordings, lines, outbound, accounts, cellar=store, alive=kept.lanes.alive
    )  # fmt: skip
    playing = Playing(kept.calls, kept.recordings, links, lines, outbound, store.store)
    expiry = Expiry(kept.recordings, store, keep_days=settings.recordings_keep_days)
    cards = Cards(lines, agents, kept.calls, book=directory, people=accounts, recordings=recordings)
    dialling = Dialling(lines, agents, kept.dials, outbound, kept.lanes)
    calls = Calls(lines, kept.calls, kept.hooks, kept.dials)
    logging = Logging(
        kept.calls, accounts, lines, client, kept.lanes, kept.lanes.alive,
        link=recordings.lasting_link, settle_s=settings.amo_settle_s,
    )  # fmt: skip
    notice = Notice(accounts, lines, client)
    for listener in (cards.changed, dialling.changed, notice.changed, Alerts(accounts, lines).changed):
        calls.tell(listener)
    calls.tell_order(dialling.told)
    directory.tell(cards.found)
    directory.tell(logging.learned)
    recordings.tell(cards.refreshed)
    intake, journal = Intake(lines, kept.hooks, calls.read), Journal(kept.journal)
    reconcile = Reconcile(
        lines, calls, kept.calls, kept.reconciliations, outbound, accounts, later=kept.lanes,
        hour=settings.reconcile_hour, settle_s=settings.reconcile_settle_s,
    )  # fmt: skip
    cards.tell(journal.shown)
    playing.tell(journal.listened)
    return Services(
        client, outbound, trust, agents, lines, accounts, directory, recordings, fetching, playing, expiry, cards,
        dialling, calls, logging, notice, intake, journal, reconcile,
    )  # fmt: skip


async def _furnish(settings: Settings, kept: Stores, stack: contextlib.AsyncExitStack) -> Desk:
    """Build the services on the stores, start what runs by itself, and lay out the desk."""
    acting = services(settings, kept)
    stack.push_async_callback(acting.client.close)
    stack.push_async_callback(acting.outbound.close)
    stack.push_async_callback(acting.journal.close)
    await _start(acting, kept, stack)
    housekeeping = Housekeeping(
        kept.hooks, kept.journal, kept.accounts, acting.expiry,
        hooks_days=settings.hooks_keep_days, journal_days=settings.journal_keep_days,
    )  # fmt: skip
    tidying = asyncio.create_task(housekeeping.keep())
    stack.callback(tidying.cancel)
    comparing = asyncio.create_task(acting.reconcile.keep())
    stack.callback(comparing.cancel)
    pulse = Pulse(acting.accounts, acting.client, every_s=settings.amo_pulse_s)
    feeling = asyncio.create_task(pulse.keep())
    stack.callback(feeling.cancel)
    sweeping = asyncio.create_task(acting.intake.keep())
    stack.callback(sweeping.cancel)
    channels = Channels(ping=frames.text(msgspec.json.encode(Ping())))
    beating = asyncio.create_task(channels.keep_beating())
    stack.push_async_callback(_leave, beating, channels, acting.agents, acting.accounts)
    listener = await choose("aiohttp" if settings.channel == "aiohttp" else "detached", channels)
    desk = _desk(settings, kept, acting, channels=channels, listener=listener)
    nodes = Nodes(
        acting.accounts, acting.lines, acting.recordings, acting.fetching, acting.cards, acting.dialling,
        repair=desk.repair,
    )  # fmt: skip
    kept.bus.subscribe(nodes.hear, nodes.catch_up)
    return desk


async def _start(acting: Services, kept: Stores, stack: contextlib.AsyncExitStack) -> None:
    """Take up where the last process ended: what was remembered, the webhooks it did not read, the durable work."""
    for room in (acting.accounts, acting.lines, acting.recordings, acting.cards, acting.dialling):
        await room.load()
    read_again = await acting.intake.resume()
    lines, accounts = len(acting.lines.all()), len(acting.accounts.all())
    log.info("started", lines=lines, accounts=accounts, hooks_read_again=read_again)
    watched = acting.journal.watched
    kept.lanes.start(
        {
            "expire": acting.calls.expire,
            "silence": acting.dialling.silence,
            "log": watched(acting.logging.log),
            "attach": watched(acting.logging.attach),
            "correct": watched(acting.logging.correct),
            "fetch": watched(acting.fetching.fetch),
            "reconcile": acting.reconcile.reconcile,
            "exchange": outage.held(acting.accounts.exchange),
            "crawl": outage.held(acting.directory.crawl),
            "learn": outage.held(acting.directory.learn),
        }
    )
    stack.push_async_callback(kept.lanes.close)
    stack.push_async_callback(acting.notice.drain)
    stack.push_async_callback(acting.dialling.drain)
    stack.push_async_callback(acting.intake.drain)


def _desk(settings: Settings, kept: Stores, acting: Services, *, channels: Channels, listener: Listener) -> Desk:
    client_id, client_secret = settings.amo_client_id, settings.amo_client_secret
    sessions = Sessions(
        acting.accounts, acting.lines, kept.accounts, TokenReader(client_secret),
        secret_key=settings.secret_key, client_id=client_id, redirect_uri=settings.redirect_uri,
        reuse=settings.session_reuse_token, is_alone=kept.bus.is_alone,
    )  # fmt: skip
    return Desk(
        trust=acting.trust,
        public_url=settings.public_url,
        intake=acting.intake,
        sessions=sessions,
        agents=acting.agents,
        cards=acting.cards,
        dialling=acting.dialling,
        accounts=acting.accounts,
        lines=acting.lines,
        directory=acting.directory,
        recordings=acting.recordings,
        playing=acting.playing,
        probe=Probe(acting.lines, acting.outbound),
        journal=acting.journal,
        reconcile=acting.reconcile,
        history=History(kept.journal, kept.calls, kept.recordings, acting.lines, kept.lanes),
        visits=Visits(acting.accounts, kept.accounts, secret_key=settings.secret_key),
        clock=now_ms,
        channels=channels,
        listener=listener,
        read_changes=read_changes,
        disable_account=lambda account, client_name, signature: check_disabled(
            account, client_name, signature, client_id=client_id, client_secret=client_secret
        ),
        is_ready=lambda: _is_ready(kept),
    )


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
