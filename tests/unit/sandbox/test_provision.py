"""Setting up the backend through its own API, against a backend that answers as its documentation says."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.sandbox import provision
from server.sandbox.provision import Panel, ProvisionError

USERS = [{"id": 1, "extension": "201"}, {"id": 2, "extension": "202"}]


class Backend:
    """Lines and agents in memory; the account becomes known with the third question."""

    def __init__(self) -> None:
        self.asked = 0
        self.lines: list[dict[str, Any]] = []
        self.agents: list[dict[str, Any]] = [{"user_id": 9, "line_id": "old", "extension": "900"}]
        self.refuses = False

    async def session(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.refuses or self.asked < 3:
            return web.json_response({"error": {"slug": "account_unknown"}}, status=401)
        assert request.headers["X-Auth-Token"] == f"token-{self.asked}"
        return web.json_response({"bearer": "b"})

    async def settings(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer b"
        return web.json_response({"lines": self.lines, "agents": self.agents})

    async def add(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["provider"] == "nobody":
            return web.json_response({"error": {"slug": "unknown_provider"}}, status=400)
        line = {"id": f"l{len(self.lines)}", **body}
        self.lines.append(line)
        return web.json_response({"line": line}, status=201)

    async def change(self, request: web.Request) -> web.Response:
        line = next(line for line in self.lines if line["id"] == request.match_info["id"])
        line |= await request.json()
        return web.json_response({"line": line})

    async def map(self, request: web.Request) -> web.Response:
        self.agents = (await request.json())["agents"]
        return web.json_response({"agents": self.agents})


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
async def panel(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    """The panel before it is entered; each token is a new one. Patched: patience, which is twenty seconds in life."""
    monkeypatch.setattr(provision, "_PATIENCE_S", 0.5)
    monkeypatch.setattr(provision, "_PAUSE_S", 0.01)
    app = web.Application()
    app.router.add_post("/api/session", backend.session)
    app.router.add_get("/api/settings", backend.settings)
    app.router.add_post("/api/lines", backend.add)
    app.router.add_put("/api/lines/{id}", backend.change)
    app.router.add_put("/api/agents", backend.map)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        panel = Panel(url, origin="http://127.0.0.1:1", token=lambda: f"token-{backend.asked + 1}")
        yield panel
        await panel.close()


async def test_the_panel_waits_until_the_account_is_known(panel: Panel, backend: Backend) -> None:
    """The code is exchanged in the background; each question has a fresh token."""
    await panel.enter()

    assert backend.asked == 3


async def test_a_backend_that_never_knows_us_is_told_with_its_answer(panel: Panel, backend: Backend) -> None:
    """So that the reason is on the screen."""
    backend.refuses = True

    with pytest.raises(ProvisionError, match="account_unknown"):
        await panel.enter()


async def test_a_line_is_made_once_and_then_changed(panel: Panel, backend: Backend) -> None:
    """A restart with the same state doubles nothing."""
    await panel.enter()

    first = await panel.line("sipuni", name="Сипуни", credentials={"user": "1"})
    again = await panel.line("sipuni", name="Сипуни", credentials={"user": "2"})

    assert first["id"] == again["id"]
    assert [line["credentials"] for line in backend.lines] == [{"user": "2"}]


async def test_every_user_has_the_extension_on_each_line_and_others_stay(panel: Panel, backend: Backend) -> None:
    """The whole map is sent, as the panel does."""
    await panel.enter()

    await panel.extensions(USERS, ["a", "b"])

    mapped = {(agent["user_id"], agent["line_id"], agent["extension"]) for agent in backend.agents}
    assert mapped == {(9, "old", "900"), (1, "a", "201"), (2, "a", "202"), (1, "b", "201"), (2, "b", "202")}


async def test_a_refused_step_is_named(panel: Panel) -> None:
    """With the backend's own words."""
    await panel.enter()

    with pytest.raises(ProvisionError, match=r"POST /api/lines: 400 .*unknown_provider"):
        await panel.line("nobody", name="x", credentials={})
