"""Every state of the widget as a scene: what the backend says, so that `shots.py` can take its picture."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Page

from server.core import messages as m
from server.core.strangers import DEFAULTS
from server.core.vocabulary import CallerKind, CardState, DialState, DialWay, Direction, Result
from tests.fakes.backend import AGENT, Backend

Scene = Callable[[Backend, Page], Awaitable[None]]

PHONE = "+79123456789"
LONG = "Константинопольская-Преображенская Александра-Виктория Святославовна"
IVAN = m.CallerView(
    kind=CallerKind.CONTACT,
    phone=PHONE,
    name="Иван Петров",
    card=m.Link(name="Иван Петров", path="/contacts/detail/51", id=51),
    company=m.Link(name="ООО «Ромашка»", path="/companies/detail/61", id=61),
    lead=m.Link(name="Поставка окон для школы № 17", path="/leads/detail/71", id=71),
    leads_open=3,
    responsible=m.Person(id=102, name="Олег Смирнов"),
)
LONG_ONE = m.CallerView(
    kind=CallerKind.CONTACT,
    phone=PHONE,
    name=LONG,
    card=m.Link(name=LONG, path="/contacts/detail/52", id=52),
    company=m.Link(name=f"Научно-производственное объединение «{LONG}»", path="/companies/detail/62", id=62),
    lead=m.Link(name=f"Переоборудование складского комплекса, {LONG}", path="/leads/detail/72", id=72),
    leads_open=22,
    responsible=m.Person(id=102, name=LONG),
)
FIRST_NAMES = ("Анна", "Борис", "Вера", "Глеб", "Дина")
NAMESAKES = tuple(
    m.Link(name=f"{name} Петров", path=f"/contacts/detail/{i}", id=i) for i, name in enumerate(FIRST_NAMES, 80)
)
SEVERAL = m.CallerView(kind=CallerKind.CONTACT, phone=PHONE, name="Иван Петров", card=IVAN.card, others=NAMESAKES)
OLEG = m.Person(id=102, name="Олег Смирнов", extension="202")


def call(call_id: str, state: CardState, caller: m.CallerView = IVAN, **more: Any) -> m.CallView:
    """A call that has been going on for a little while."""
    now = int(time.time())
    talks = state in {CardState.TALKING, CardState.HELD}
    facts: dict[str, Any] = {
        "direction": Direction.IN,
        "started_at": now - 83 if talks else now - 7,
        "answered_at": now - 74 if talks else None,
        "line_name": "Отдел продаж",
        "our_line": "+74951234567",
        "extension": "201",
        "can": ("hangup",) if talks else (),
        **more,
    }
    return m.CallView(id=call_id, state=state, caller=caller, **facts)


def ended(call_id: str, state: CardState, **more: Any) -> m.CallView:
    """A call that is over since a moment."""
    now = int(time.time())
    return call(call_id, state, **{"started_at": now - 200, "ended_at": now - 2, **more})


def card(make: Callable[[], m.CallView]) -> Scene:
    """The scene of one card."""

    async def play(backend: Backend, page: Page) -> None:
        shown = make()
        await backend.show(shown)
        await page.locator(f'[data-kmt-call="{shown.id}"]').wait_for()

    return play


def of(kind: CallerKind, **more: Any) -> m.CallerView:
    """A caller of this kind."""
    return m.CallerView(kind=kind, **more)


CARDS: dict[str, Scene] = {
    "known": card(lambda: call("c1", CardState.RINGING)),
    "unknown": card(lambda: call("c1", CardState.RINGING, of(CallerKind.UNKNOWN, phone="+74957654321"))),
    "internal": card(
        lambda: call(
            "c1",
            CardState.RINGING,
            of(CallerKind.INTERNAL, phone="202", name="Олег Смирнов"),
            direction=Direction.INTERNAL,
        )
    ),
    "hidden": card(lambda: call("c1", CardState.RINGING, of(CallerKind.HIDDEN, phone=PHONE, responsible=OLEG))),
    "anonymous": card(lambda: call("c1", CardState.RINGING, of(CallerKind.ANONYMOUS))),
    "searching": card(lambda: call("c1", CardState.RINGING, of(CallerKind.SEARCHING, phone=PHONE))),
    "several": card(lambda: call("c1", CardState.RINGING, SEVERAL)),
    "company": card(
        lambda: call(
            "c1",
            CardState.RINGING,
            of(
                CallerKind.COMPANY,
                phone=PHONE,
                name="ООО «Ромашка»",
                card=m.Link(name="ООО «Ромашка»", path="/companies/detail/61", id=61),
            ),
        )
    ),
    "long": card(lambda: call("c1", CardState.RINGING, LONG_ONE, line_name=LONG)),
    "test": card(lambda: call("c1", CardState.RINGING, is_test=True)),
    "talking": card(lambda: call("c1", CardState.TALKING)),
    "transferred": card(lambda: call("c1", CardState.TALKING, transferred_by=OLEG)),
    "held": card(lambda: call("c1", CardState.HELD)),
    "elsewhere": card(lambda: ended("c1", CardState.ELSEWHERE, answered_by=OLEG)),
    "missed": card(lambda: ended("c1", CardState.MISSED, result=Result.CANCELLED)),
    "missed_unknown": card(
        lambda: ended(
            "c1", CardState.MISSED, caller=of(CallerKind.UNKNOWN, phone="+74957654321"), result=Result.NO_ANSWER
        )
    ),
    "ended": card(
        lambda: ended(
            "c1", CardState.ENDED, talk_s=134, result=Result.ANSWERED, recording_url="https://rec.example/r/1"
        )
    ),
    "ended_pending": card(
        lambda: ended("c1", CardState.ENDED, talk_s=134, result=Result.ANSWERED, recording_pending=True)
    ),
    "out_ended": card(lambda: ended("c1", CardState.ENDED, direction=Direction.OUT, result=Result.BUSY)),
}


async def stacked(backend: Backend, page: Page) -> None:
    """Several calls at once."""
    await backend.show(call("c1", CardState.TALKING))
    await backend.show(call("c2", CardState.RINGING, of(CallerKind.UNKNOWN, phone="+74957654321")))
    await backend.show(call("c3", CardState.RINGING, SEVERAL))
    await backend.show(ended("c4", CardState.MISSED, result=Result.NO_ANSWER))
    await page.locator('[data-kmt-call="c4"]').wait_for()


async def folded(backend: Backend, page: Page) -> None:
    """A card that the agent made small."""
    await CARDS["talking"](backend, page)
    await page.locator('[data-kmt="fold"]').click()


def dialling(state: DialState, **more: Any) -> Scene:
    """The scene of one state of the line."""

    async def play(backend: Backend, page: Page) -> None:
        now = int(time.time())
        facts = {"can": () if state in {DialState.FAILED, DialState.SILENT, DialState.ENDED} else ("cancel",), **more}
        await backend.dialling(
            m.DialView(
                id="d1", way=DialWay.NUMBER, state=state, phone=PHONE, started_at=now - 5, changed_at=now - 4, **facts
            )
        )
        await page.locator(f'[data-kmt="dial"][data-kmt-state="{state}"]').wait_for()

    return play


async def choosing(backend: Backend, page: Page) -> None:
    """The other ways to call."""
    await dialling(DialState.AGENT_RINGING)(backend, page)
    await page.locator('[data-kmt="otherwise"]').click()
    await page.locator('[data-kmt="chooser"]').wait_for()


async def troubled(backend: Backend, page: Page) -> None:
    """A hang-up that came too late."""
    backend.refusals["/api/calls/c1/hangup"] = m.Problem(slug="call-gone")
    await CARDS["talking"](backend, page)
    await page.locator('[data-kmt="hang-up"]').click()
    await page.locator('[data-kmt="trouble"]').wait_for()


def refused(slug: str, **more: Any) -> Scene:
    """A click that the backend refused."""

    async def play(backend: Backend, page: Page) -> None:
        backend.refusals["/api/dial"] = m.Problem(slug=slug, **more)
        await page.evaluate("window.click('phone', '+7 912 345-67-89')")
        await page.locator(f'[data-kmt="problem"][data-kmt-slug="{slug}"]').wait_for()

    return play


REFUSALS = (
    "bad-phone", "no-line", "no-extension", "dial-twice", "vendor-failed", "vendor-unavailable", "vendor-rate-limited",
    "vendor-credentials", "vendor-refused", "vendor-number", "vendor-extension", "vendor-billing", "vendor-unsupported",
    "own-fault",
)  # fmt: skip
TEMPORARY = {"vendor-unavailable", "vendor-rate-limited", "own-fault"}

DIALS: dict[str, Scene] = {
    **{
        state.value: dialling(state)
        for state in DialState
        if state not in {DialState.ASKING, DialState.FAILED, DialState.TALKING}
    },
    "asking": dialling(DialState.ASKING),
    "talking": dialling(DialState.TALKING, can=("hangup",), call_id="c9"),
    "choosing": choosing,
    **{slug: refused(slug, temporary=slug in TEMPORARY) for slug in REFUSALS},
    "vendor-said": refused("vendor-refused", details={"vendor_text": "wrong hash"}),
    "troubled": troubled,
}

PROVIDERS = [
    {
        "name": "sipuni",
        "title": "Sipuni",
        "capabilities": ["dial_number", "dial_scheme"],
        "fields": [
            {"name": "user", "is_secret": False, "is_required": True},
            {"name": "secret", "is_secret": True, "is_required": True},
        ],
    },
    {
        "name": "mango",
        "title": "MANGO OFFICE",
        "capabilities": ["dial_number"],
        "fields": [
            {"name": "api_key", "is_secret": True, "is_required": True},
            {"name": "api_salt", "is_secret": True, "is_required": True},
        ],
    },
]
LINES = [
    {
        "id": "l1",
        "provider": "sipuni",
        "name": "Отдел продаж",
        "hook_urls": {"": "https://calls.example.com/hooks/sipuni/6f1c9a7be2d04c5d"},
        "hook_base": "https://calls.example.com/hooks/sipuni/6f1c9a7be2d04c5d",
        "our_lines": ["+74951234567"],
        "schemes": {"000-913898": "Очередь продаж"},
        "credentials": {"user": "078332", "secret": None},
        "last_hook_at": 1790000000,
    },
    {
        "id": "l2",
        "provider": "mango",
        "name": "Поддержка",
        "hook_urls": {
            "events/call": "https://calls.example.com/hooks/mango/9a7b/events/call",
            "events/summary": "https://calls.example.com/hooks/mango/9a7b/events/summary",
        },
        "hook_base": "https://calls.example.com/hooks/mango/9a7b",
        "our_lines": [],
        "schemes": {},
        "credentials": {"api_key": None, "api_salt": None},
        "last_hook_at": None,
    },
]
USERS = [
    {"id": 101, "name": "Мария Орлова", "is_admin": True, "is_active": True},
    {"id": 102, "name": "Олег Смирнов", "is_admin": False, "is_active": True},
    {"id": 103, "name": LONG, "is_admin": False, "is_active": True},
]


def settings_of(**more: Any) -> dict[str, Any]:
    """The answer of GET /api/settings."""
    return {
        "account": {"notice": "card", "email_action": False, "log_internal": False},
        "lines": LINES,
        "users": USERS,
        "agents": [{"user_id": 101, "line_id": "l1", "extension": "201"}],
        "providers": PROVIDERS,
        "stranger_defaults": DEFAULTS,
        "directory": {"is_complete": True, "contacts": 1204, "companies": 87, "leads": 311},
        "alerts": [],
        **more,
    }


def settings(prepare: Callable[[Backend], None], act: Scene | None = None, wait: str = "settings-body") -> Scene:
    """A scene of the settings window."""

    async def play(backend: Backend, page: Page) -> None:
        prepare(backend)
        await page.evaluate("widget.callbacks.settings($('#page'))")
        await page.locator(f'[data-kmt="{wait}"] >> nth=0').wait_for(state="attached")
        await page.locator(".kmt-settings .kmt-spin").wait_for(state="detached") if wait != "directory" else None
        if act:
            await act(backend, page)

    return play


def _with(**more: Any) -> Callable[[Backend], None]:
    return lambda backend: setattr(backend, "settings", settings_of(**more))


def _refusing(path: str, slug: str) -> Callable[[Backend], None]:
    return lambda backend: backend.refusals.update({path: m.Problem(slug=slug)})


def _agent(backend: Backend) -> None:
    backend.agent = m.AgentView(id=102, name="Олег Смирнов", extensions={"l1": "202"})


async def add_line(_: Backend, page: Page) -> None:
    """The form of a new line."""
    await page.locator('[data-kmt="line-add"]').click()


async def check_line(backend: Backend, page: Page) -> None:
    """A check that one part of the line fails."""
    backend.settings["checks"] = [
        {"name": "hook_seen", "ok": False},
        {"name": "extensions", "ok": True},
        {"name": "credentials", "ok": False, "problem": {"slug": "vendor-credentials"}},
    ]
    await page.locator('[data-kmt="line-check"]').first.click()
    await page.locator('[data-kmt="line-checked"]').first.wait_for()


async def extension_twice(_: Backend, page: Page) -> None:
    """One extension for two people."""
    await page.locator('[data-kmt-user="102"][data-kmt-line="l1"]').fill("201")
    await page.locator('[data-kmt="agents-save"]').click()


CRAWLING = {"is_complete": False, "contacts": 431, "companies": 2, "leads": 0}
ALERTS = [
    {"slug": "extension-unmapped", "details": {"extension": "207", "line": "Отдел продаж"}},
    {"slug": "crm-token-dead"},
]

SETTINGS: dict[str, Scene] = {
    "empty": settings(_with(lines=[], agents=[])),
    "lines": settings(_with(), wait="agents"),
    "new_line": settings(_with(lines=[], agents=[]), add_line, wait="line-add"),
    "check_fails": settings(_with(), check_line, wait="line-check"),
    "twice": settings(_with(), extension_twice, wait="agents"),
    "crawling": settings(_with(directory=CRAWLING, alerts=ALERTS, lines=LINES[:1]), wait="directory"),
    "account_unknown": settings(_refusing("/api/session", "account-unknown")),
    "not_admin": settings(_agent),
}


def reset(backend: Backend) -> None:
    """Back to the beginning."""
    backend.refusals.clear()
    backend.agent = AGENT
    backend.settings = settings_of()


SCENES: dict[str, dict[str, Scene]] = {
    "card": {**CARDS, "stacked": stacked, "folded": folded},
    "dial": DIALS,
    "settings": SETTINGS,
}
