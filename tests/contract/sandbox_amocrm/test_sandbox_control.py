"""`/sandbox/*`: what a tester asks of the sandbox itself."""

import asyncio
import json
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ServerDisconnectedError
from aiohttp.test_utils import TestClient, TestServer
from amocrm_client import Api, Receiver, Site, body

from server.sandbox.app import make_app
from server.sandbox.backend import BACKEND, Backend, BackendError
from server.sandbox.control.parts import EXCHANGES
from server.sandbox.pbx.sipuni import Sipuni
from server.sandbox.world import Row, World

MANIFEST = {
    "widget": {"name": "widget.name", "version": "1.2.3"},
    "settings": {"backend_url": {"name": "settings.backend_url", "type": "text", "required": True}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A widget's folder."""
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "i18n").mkdir()
    (tmp_path / "i18n/ru.json").write_text(json.dumps({"settings": {"backend_url": "Адрес сервера"}}))
    return tmp_path


@pytest.mark.parametrize("by", ["11000013", "203", "belova@demo.example"])
async def test_login_sets_the_pages_user(site: Site, by: str) -> None:
    """By id, extension or login; then the browser goes on."""
    answer = await site.get(f"/sandbox/login?user={by}&next=/leads/detail/701001", allow_redirects=False)

    assert (answer.status, answer.headers["Location"]) == (302, "/leads/detail/701001")
    assert (await body(await site.get("/api/v4/account")))["current_user_id"] == 11_000_013


@pytest.mark.parametrize("after", ["https://evil.example/", "//evil.example/", ""])
async def test_login_never_leads_away(site: Site, after: str) -> None:
    """Only a path of the sandbox is followed."""
    answer = await site.get("/sandbox/login", params={"user": "203", "next": after}, allow_redirects=False)

    assert answer.headers["Location"] == "/dashboard/"


async def test_an_unknown_user_is_404(site: Site) -> None:
    """For the page and for tokens."""
    assert (await site.get("/sandbox/login?user=nobody")).status == 404
    assert (await site.post("/sandbox/one-time-token", json={"user": 1})).status == 404


async def test_codes_are_fresh_each_time(site: Site) -> None:
    """POST /sandbox/oauth/code."""
    codes = [(await body(await site.post("/sandbox/oauth/code", json={"user": 11_000_011})))["code"] for _ in range(2)]

    assert len(set(codes)) == 2


async def test_a_widget_is_installed_listed_and_edited(site: Site, folder: Path) -> None:
    """PUT with a path installs, PUT without one edits; the settings sent are the settings."""
    wanted: Row = {"path": str(folder), "settings": {"backend_url": "http://localhost:1"}, "active": True}
    await body(await site.put("/sandbox/widgets/mine", json=wanted))

    await body(await site.put("/sandbox/widgets/mine", json={"settings": {"more": "1"}, "active": True}))

    assert await body(await site.get("/sandbox/widgets")) == [
        {"code": "mine", "active": True, "settings": {"more": "1"}}
    ]


async def test_a_broken_path_leaves_an_installed_widget_as_it_was(site: Site, folder: Path) -> None:
    """Its settings, too."""
    wanted: Row = {"path": str(folder), "settings": {"a": "b"}, "active": True}
    await body(await site.put("/sandbox/widgets/mine", json=wanted))

    refused = await site.put("/sandbox/widgets/mine", json=wanted | {"path": "/nowhere", "settings": {}})

    assert refused.status == 400
    assert await body(await site.get("/sandbox/widgets")) == [{"code": "mine", "active": True, "settings": {"a": "b"}}]


async def test_an_own_backend_is_told_of_installing_and_disconnecting(
    site: Site, folder: Path, receiver: Receiver
) -> None:
    """At the addresses entered for its integration; the code of the hook becomes tokens with the listed keys."""
    addresses = {"redirect_uri": receiver.url, "disable_hook": receiver.url}
    keys = await body(await site.put("/sandbox/integrations/mine", json=addresses))

    await site.put("/sandbox/widgets/mine", json={"path": str(folder), "active": True})
    code = (await receiver.next())["query"]["code"]
    exchange = {name: keys[name] for name in ("client_id", "client_secret", "redirect_uri")}
    wanted = exchange | {"grant_type": "authorization_code", "code": code}
    tokens = await site.post("/oauth2/access_token", json=wanted)
    await site.put("/sandbox/widgets/mine", json={"active": False})

    assert tokens.status == 200
    assert "signature" in (await receiver.next())["query"]
    assert keys in await body(await site.get("/sandbox/integrations"))


@pytest.mark.parametrize("wrong", [{"redirect_uri": "localhost"}, {"redirect_uri": 1}, {"disable_hook": "http://"},
                                   {"redirect_uri": "http://h:port/"}, {"client_secret": "mine"}])  # fmt: skip
async def test_an_integration_takes_whole_addresses_only(site: Site, wrong: Row) -> None:
    """What cannot be called is refused where it is entered."""
    assert (await site.put("/sandbox/integrations/mine", json=wrong)).status == 400


@pytest.mark.parametrize("wrong", [{}, {"path": "/nowhere"}, {"settings": 1, "path": "x"}, {"active": "yes"}])
async def test_a_widget_that_is_none_is_400(site: Site, wrong: Row) -> None:
    """And is not listed."""
    assert (await site.put("/sandbox/widgets/mine", json=wrong)).status == 400
    assert await body(await site.get("/sandbox/widgets")) == []


async def test_the_widgets_api_shows_settings_to_their_own_integration_only(
    site: Site, api: Api, world: World, folder: Path
) -> None:
    """A stranger's token sees the widget without its settings."""
    for code in ("kommutator", "other"):
        await site.put(f"/sandbox/widgets/{code}", json={"path": str(folder), "settings": {"k": "v"}, "active": True})

    own = await body(await api.get("/api/v4/widgets/kommutator"))
    other = await body(await api.get("/api/v4/widgets/other"))

    assert own["settings"] == {"k": "v"}
    assert "settings" not in other
    assert own["version"] == "1.2.3"
    assert own["is_active_in_account"] is True
    assert own["client_uuid"] == world.account["main_client_id"]
    field = {"key": "backend_url", "name": "Адрес сервера", "type": "text", "is_required": True}
    assert own["settings_template"] == [field]


async def test_a_widget_is_installed_and_removed_by_the_api(site: Site, api: Api, folder: Path) -> None:
    """POST with values installs and shows them, required ones must be there; DELETE disconnects with 204."""
    await site.put("/sandbox/widgets/other", json={"path": str(folder), "settings": {}, "active": False})

    refused = await api.post("/api/v4/widgets/other", {"backend_url": ""})
    installed = await body(await api.post("/api/v4/widgets/other", {"backend_url": "http://localhost:2"}))
    removed = await api.delete("/api/v4/widgets/other")

    assert refused.status == 400
    assert installed["is_active_in_account"] is True
    assert installed["settings"] == {"backend_url": "http://localhost:2"}
    assert removed.status == 204
    assert (await body(await site.get("/sandbox/widgets")))[0] == {"code": "other", "active": False, "settings": {}}


async def test_a_zip_is_a_widget_too_and_is_read_again_when_it_changes(site: Site, api: Api, tmp_path: Path) -> None:
    """For whoever builds while the sandbox runs."""
    path = tmp_path / "widget.zip"
    for number, version in enumerate(("1.0.0", "2.0.0")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(
                "manifest.json", json.dumps({"widget": {"version": version}, "settings": {"a" * number: {}}})
            )
        await site.put("/sandbox/widgets/zipped", json={"path": str(path), "settings": {}, "active": True})

    assert (await body(await api.get("/api/v4/widgets/zipped")))["version"] == "2.0.0"


async def test_the_log_holds_requests_until_it_is_cleared(site: Site, api: Api) -> None:
    """With method, path, status and client."""
    await api.get("/api/v4/contacts/1?with=leads")

    entry = (await body(await site.get("/sandbox/log?kind=request")))[-1]
    await site.delete("/sandbox/log")

    assert (entry["method"], entry["path"], entry["status"]) == ("GET", "/api/v4/contacts/1", 204)
    assert entry["client"]
    assert await body(await site.get("/sandbox/log")) == []


async def test_switches_are_read_and_turned(site: Site) -> None:
    """An unknown one or an impossible value is refused by name."""
    turned = await body(await site.put("/sandbox/switches", json={"calls_uniq": "dedupe"}))
    unknown = await body(await site.put("/sandbox/switches", json={"nonsense": 1}), 400)
    wrong = await body(await site.put("/sandbox/switches", json={"calls_uniq": "sometimes"}), 400)

    assert turned["calls_uniq"] == "dedupe"
    assert "nonsense" in unknown["detail"]
    assert "repeat, dedupe" in wrong["detail"]


async def test_a_fault_hits_the_next_n_requests_of_a_path(site: Site, api: Api) -> None:
    """And no others."""
    await site.post(
        "/sandbox/faults", json={"target": "amocrm", "kind": "status", "status": 503, "path": "/api/v4/le", "n": 2}
    )

    statuses = [
        (await api.get(path)).status for path in ("/api/v4/account", "/api/v4/leads", "/api/v4/leads", "/api/v4/leads")
    ]

    assert statuses == [200, 503, 503, 200]


@pytest.mark.parametrize(("rate", "statuses"), [(0, {200}), (1, {503})])
async def test_a_fault_may_be_a_matter_of_chance(site: Site, api: Api, rate: int, statuses: set[int]) -> None:
    """`rate` is how likely a request is hit."""
    await site.post("/sandbox/faults", json={"target": "amocrm", "kind": "status", "status": 503, "rate": rate})

    assert {(await api.get("/api/v4/account")).status for _ in range(5)} == statuses


async def test_a_fault_may_end_by_itself(site: Site, api: Api) -> None:
    """After `for_s` the API answers as before, and the list of faults is empty."""
    await site.post("/sandbox/faults", json={"target": "amocrm", "kind": "status", "status": 503, "for_s": 0.3})
    assert (await api.get("/api/v4/account")).status == 503

    async with asyncio.timeout(5):
        while (await api.get("/api/v4/account")).status == 503:
            pass

    assert await body(await site.get("/sandbox/faults")) == []


async def test_an_outage_lasts_until_faults_are_cleared(site: Site, api: Api) -> None:
    """Connections are closed without an answer; /sandbox itself lives."""
    await site.post("/sandbox/faults", json={"target": "amocrm", "kind": "outage"})
    with pytest.raises(ServerDisconnectedError):
        await api.post("/api/v4/leads", [{}])
    await site.delete("/sandbox/faults")

    assert (await api.get("/api/v4/account")).status == 200


async def test_a_lost_answer_means_the_work_was_done(site: Site, api: Api, world: World) -> None:
    """What a client must expect after a time-out."""
    before = len(world.leads)
    await site.post("/sandbox/faults", json={"target": "amocrm", "kind": "drop_answer", "n": 1})

    with pytest.raises(ServerDisconnectedError):
        await api.post("/api/v4/leads", [{}])

    assert len(world.leads) == before + 1


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"target": "moon", "kind": "drop"},
        {"target": "amocrm", "kind": "x"},
        {"target": "amocrm", "kind": "drop", "rate": 2},
        {"target": "amocrm", "kind": "drop", "much": 1},
        {"target": "amocrm", "kind": "drop", "n": "two"},
        {"target": "amocrm", "kind": "status", "direction": "out"},
    ],
)
async def test_a_fault_without_sense_is_400(site: Site, wrong: Row) -> None:
    """The refusal says what is possible."""
    assert (await site.post("/sandbox/faults", json=wrong)).status == 400


async def test_the_description_lists_every_route_of_amocrm(site: Site) -> None:
    """Made from the routes; without what only the sandbox has."""
    described = await body(await site.get("/sandbox/openapi.json"))

    assert {"get", "post", "patch"} == set(described["paths"]["/api/v4/contacts"])
    assert "/oauth2/access_token" in described["paths"]
    assert "/api/v4/{entity}/{id}/notes/{note_id}" in described["paths"]
    assert not [path for path in described["paths"] if path.startswith("/sandbox/")]


async def test_the_description_names_members_filters_and_refusals(site: Site) -> None:
    """Whoever makes up requests from it sends what amoCRM reads."""
    contacts = (await body(await site.get("/sandbox/openapi.json")))["paths"]["/api/v4/contacts"]

    members = contacts["post"]["requestBody"]["content"]["application/json"]["schema"]["items"]["properties"]
    assert members["responsible_user_id"]["type"] == "integer"
    assert members["custom_fields_values"]["items"]["properties"].keys() >= {"field_id", "field_code", "values"}
    assert "closest_task_at" not in members, "amoCRM counts it itself"
    names = {parameter["name"] for parameter in contacts["get"]["parameters"]}
    assert {"page", "query", "filter[id][]", "filter[updated_at][from]", "order[id]", "X-Context-User-ID"} <= names
    assert contacts["get"]["responses"]["4XX"]["content"].keys() == {"application/problem+json"}


async def test_a_call_is_played_by_the_named_pbx(world: World) -> None:
    """What it cannot play is refused in words; another vendor is 404."""
    app = make_app(world)
    app[EXCHANGES] = {"sipuni": Sipuni(log=world.log, faults=world.faults)}
    async with TestClient(TestServer(app)) as client:
        wrong = await body(await client.post("/sandbox/pbx/sipuni/calls", json={"scenario": "opera"}), 400)
        other = (await client.post("/sandbox/pbx/mango/calls", json={})).status

    assert wrong["slug"] == "unknown_scenario"
    assert other == 404


async def test_more_contacts_are_added_on_request(site: Site, world: World) -> None:
    """For whoever measures."""
    before = len(world.contacts)

    told = await body(await site.post("/sandbox/contacts", json={"count": 20}))

    assert told == {"contacts": before + 20}
    assert (await site.post("/sandbox/contacts", json={"count": -1})).status == 400


CHILD = """
import http.server, signal, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *words): pass
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


@pytest.fixture
def child(world: World, tmp_path: Path, unused_tcp_port: int) -> Backend:
    """A backend that is not ours but has an address, a readiness and a process."""
    (tmp_path / "child.py").write_text(CHILD)
    command = (sys.executable, str(tmp_path / "child.py"), str(unused_tcp_port))
    url = f"http://127.0.0.1:{unused_tcp_port}"
    return Backend(url, environment={}, output=tmp_path / "out.log", log=world.log, command=command)


@pytest.fixture
async def whole(world: World, child: Backend) -> AsyncIterator[Site]:
    """A sandbox with that backend beside it."""
    app = make_app(world)
    app[BACKEND] = child
    async with TestClient(TestServer(app)) as client:
        await child.start()
        yield client
        await child.kill()


async def test_the_backend_is_killed_and_started_again(whole: Site, child: Backend) -> None:
    """With another process id."""
    before = child.pid

    killed = await body(await whole.post("/sandbox/backend", json={"action": "kill"}))
    started = await body(await whole.post("/sandbox/backend", json={"action": "start"}))

    assert (killed["running"], killed["pid"]) == (False, None)
    assert started["running"] is True
    assert started["pid"] not in (None, before)


async def test_the_backend_stops_when_asked(whole: Site, child: Backend) -> None:
    """SIGTERM; an unknown action is refused."""
    assert (await whole.post("/sandbox/backend", json={"action": "dance"})).status == 400

    assert (await body(await whole.post("/sandbox/backend", json={"action": "stop"})))["running"] is False
    assert child.pid is None


async def test_an_outage_of_the_backend_ends_by_itself(whole: Site, child: Backend, world: World) -> None:
    """Its process is killed, and started after for_s."""
    before = child.pid
    world.log.clear()

    await body(await whole.post("/sandbox/faults", json={"target": "backend", "kind": "outage", "for_s": 0.05}))

    entry = await world.log.wait("backend", action="start")
    assert entry["pid"] not in (None, before)


async def test_without_a_backend_there_is_nothing_to_move(site: Site) -> None:
    """--only amocrm."""
    assert (await site.post("/sandbox/backend", json={"action": "kill"})).status == 404


async def test_a_backend_that_ends_at_once_is_told_with_its_last_words(world: World, tmp_path: Path) -> None:
    """So that the reason is seen without looking for a file."""
    command = (sys.executable, "-c", "print('no secret key'); raise SystemExit(2)")
    backend = Backend("http://127.0.0.1:9", environment={}, output=tmp_path / "o", log=world.log, command=command)

    with pytest.raises(BackendError, match="no secret key"):
        await backend.start()
