"""`doctor`: each thing amiss is one line with cause and cure; nothing is changed, no secret but addresses is shown."""

import datetime
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec import structs
from office import ACCOUNT, LINE, PATH, TALK, account, connected, hear, opened, settings_of
from sqlalchemy import text

from server.commands import doctor as command
from server.commands.findings import Finding, Level
from server.commands.outside import certificate_life
from server.core.messages import DirectoryView
from server.core.records import DISABLED, TOKEN_DEAD, Tokens
from server.settings import Settings
from server.sql import Stmt

DAY_S = 86400
SECRETS = ("access-token", "refresh-token", "vendor-secret", "client-secret", "crm-hook-secret", "k" * 32)


class World:
    """Everything outside in one server: our public address, amoCRM and Sipuni. What it answers can be changed."""

    def __init__(self) -> None:
        self.health: Any = {"ok": True, "name": "kommutator"}
        self.account_status = 200
        self.hooks_status = 200
        self.hooks: list[dict[str, Any]] = []
        self.sipuni: Any = {"success": True}
        self.ahead_s = 0
        self.asked: list[str] = []
        self.server = TestServer(self._app())

    @property
    def url(self) -> str:
        """Its origin."""
        return str(self.server.make_url("/")).rstrip("/").replace("127.0.0.1", "localhost")

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._note])
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/api/v4/account", self._account)
        app.router.add_get("/api/v4/webhooks", self._hooks)
        app.router.add_post("/sipuni/schema/list", self._sipuni)
        return app

    @web.middleware
    async def _note(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        answer: web.StreamResponse = await handler(request)
        answer.headers["Date"] = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + self.ahead_s))
        return answer

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response(self.health)

    async def _account(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer access-token"
        return web.json_response({"id": ACCOUNT}, status=self.account_status)

    async def _hooks(self, _: web.Request) -> web.Response:
        return web.json_response({"_embedded": {"webhooks": self.hooks}}, status=self.hooks_status)

    async def _sipuni(self, _: web.Request) -> web.Response:
        return web.json_response(self.sipuni)


@pytest.fixture
async def world() -> Any:
    one = World()
    await one.server.start_server()
    one.hooks = [{"destination": f"{one.url}/amo/hooks/crm-hook-secret", "disabled": False}]
    yield one
    await one.server.close()


@pytest.fixture
async def settings(tmp_path: Path, world: World) -> Settings:
    """A healthy installation in that world, and its server has just stopped."""
    known = settings_of(
        tmp_path, public_url=world.url, amo_dev_origins=(world.url,), sipuni_url=f"{world.url}/sipuni"
    )  # fmt: skip
    async with opened(known) as kept:
        await connected(kept, origin=world.url, progress=DirectoryView(is_complete=True))
        await hear(kept, *TALK)
        await kept.lines.touch(LINE, time.time_ns() // 1_000_000)
    return known


async def examined(settings: Settings, *, is_offline: bool = False) -> list[Finding]:
    return [finding async for finding in command.examine(settings, is_offline=is_offline)]


async def bad(settings: Settings, *, is_offline: bool = False) -> list[Finding]:
    return [one for one in await examined(settings, is_offline=is_offline) if one.level is not Level.OK]


async def test_a_healthy_installation_has_only_good_lines(settings: Settings, capsys: Any) -> None:
    """All is well: every line says ok, and the exit code is 0."""
    assert await bad(settings) == []

    assert await command.run(settings, is_offline=False) == 0
    printed = capsys.readouterr().out
    assert "takes our token" in printed
    assert "the PBX takes the credentials" in printed


async def test_a_failure_is_the_exit_code(settings: Settings, world: World, capsys: Any) -> None:
    """One FAIL among good lines makes the exit code 1, and its line tells cause and cure."""
    world.account_status = 401

    assert await command.run(settings, is_offline=False) == 1

    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith("FAIL")]
    assert line.count(" — ") == 2


async def test_only_the_webhook_addresses_are_shown_in_full(settings: Settings, world: World, capsys: Any) -> None:
    """The address to copy into the PBX is printed whole, and said to be secret; no other secret is printed, ever."""
    world.account_status = 403
    world.sipuni = {"success": False, "message": "Wrong hash"}

    await command.run(settings, is_offline=False)

    printed = capsys.readouterr().out
    assert f"\n      {world.url}/hooks/sipuni/{PATH}\n" in printed
    assert "secret, shown in full only here" in printed
    assert [secret for secret in SECRETS if secret in printed] == []


async def test_offline_asks_nobody(settings: Settings, world: World) -> None:
    """`--offline` sends no request and still tells what the database knows."""
    findings = await examined(settings, is_offline=True)

    assert world.asked == []
    assert any("the last webhook came" in one.cause for one in findings)


async def test_nothing_is_asked_that_changes_anything(settings: Settings, world: World) -> None:
    """Above all no token is refreshed: the old pair would die, and nobody would have the new one."""
    world.account_status = 401

    await examined(settings)

    assert set(world.asked) == {"GET /healthz", "GET /api/v4/account", "POST /sipuni/schema/list"}


async def test_it_looks_while_the_server_runs(settings: Settings) -> None:
    """The lock is not needed."""
    async with opened(settings):
        assert await bad(settings) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("account_status", 401, "does not take our token"),
        ("account_status", 403, "has blocked our address"),
        ("account_status", 502, "answers with HTTP 502"),
        ("hooks", [], "we are not subscribed"),
        ("hooks_status", 402, "the tariff has none"),
        ("ahead_s", 300, "one-time tokens are refused"),
        ("ahead_s", 20, "off amoCRM's"),
        ("health", {"name": "nginx"}, "another server answers there"),
        ("health", ["what"], "another server answers there"),
        ("sipuni", {"success": False, "message": "Wrong hash"}, "does not accept the line's key"),
    ],
)
async def test_what_is_amiss_outside_is_named(
    settings: Settings, world: World, name: str, value: Any, words: str
) -> None:
    """Each trouble of amoCRM, the PBX, the clock or the proxy is one line, and the only one."""
    setattr(world, name, value)

    (found,) = await bad(settings)

    assert words in found.cause
    assert found.cure


async def test_a_subscription_that_was_switched_off_is_named(settings: Settings, world: World) -> None:
    """amoCRM disables webhooks that were not answered."""
    world.hooks[0]["disabled"] = True

    (found,) = await bad(settings)

    assert "amoCRM switched ours off" in found.cause


async def test_silence_outside_is_named(settings: Settings, world: World) -> None:
    """When nothing answers, our address, amoCRM and the PBX are each named."""
    await world.server.close()

    found = await bad(settings)

    assert [one.what.partition(" ")[0] for one in found] == ["public", "amoCRM", "line"]
    assert {one.level for one in found} == {Level.FAIL}


async def test_an_expired_token_is_not_tried(settings: Settings, world: World) -> None:
    """An access token that has run out is the server's to renew: nothing is sent."""
    async with opened(settings) as kept:
        await kept.accounts.set_tokens(ACCOUNT, Tokens("access-token", "refresh-token", 1))

    (found,) = await bad(settings)

    assert "was not renewed" in found.cause
    assert "GET /api/v4/account" not in world.asked


async def test_a_token_goes_to_trusted_hosts_only(settings: Settings, world: World) -> None:
    """An account whose host is none of amoCRM's gets no request."""
    async with opened(settings) as kept:
        await kept.accounts.put(account(origin="https://evil.example"))

    (found,) = await bad(settings)

    assert "nothing was sent there" in found.cause


@pytest.mark.parametrize(
    ("state", "level", "words"),
    [(TOKEN_DEAD, Level.FAIL, "its authorisation died"), (DISABLED, Level.WARN, "was switched off in amoCRM")],
)
async def test_an_account_that_does_not_work_is_not_asked(
    settings: Settings, world: World, state: str, level: Level, words: str
) -> None:
    """What the server already knows of the account is said."""
    async with opened(settings) as kept:
        await kept.accounts.set_state(ACCOUNT, state)

    (found,) = await bad(settings)

    assert (found.level, words in found.cause) == (level, True)
    assert "GET /api/v4/account" not in world.asked


async def test_alerts_are_repeated(settings: Settings) -> None:
    """An extension that rang and belongs to nobody is named with its line and cure."""
    details = {"extension": "299", "line": "Сипуни"}
    async with opened(settings) as kept:
        await kept.accounts.raise_alert(ACCOUNT, "extension-unmapped", subject="299", details=details, at_ms=1)

    (found,) = await bad(settings)

    assert "299" in found.cause
    assert "Сипуни" in found.cause
    assert "give the extension to a user" in found.cure


async def test_a_line_that_was_never_heard_is_named(tmp_path: Path) -> None:
    """A new line without a webhook and without extensions is told what comes next."""
    settings = settings_of(tmp_path)
    async with opened(settings) as kept:
        await connected(kept, progress=DirectoryView(is_complete=True))
        await kept.lines.set_seats(ACCOUNT, [])

    causes = [one.cause for one in await bad(settings, is_offline=True)]

    assert causes == ["no webhook has ever come", "no user has an extension on it"]


async def test_a_line_that_fell_silent_is_named(settings: Settings) -> None:
    """Two weeks without a webhook are worth a look at the PBX."""
    async with opened(settings) as kept:
        await kept.lines.touch(LINE, int((time.time() - 14 * DAY_S) * 1000))

    (found,) = await bad(settings)

    assert "14 days ago" in found.cause


async def test_stuck_work_is_named(settings: Settings) -> None:
    """Webhooks that were not read and jobs that were given up are shown."""
    async with opened(settings) as kept:
        await kept.hooks.put(LINE, key="x", received_ms=1, raw=b"x")
        await kept.db.write(Stmt(text("UPDATE job SET state = 3, note = 'amoCRM refused' WHERE kind = 'log'")))

    found = await bad(settings)

    assert [one.cause for one in found] == ["stored and not read: 1", "was given up: amoCRM refused"]


async def test_a_held_lane_with_work_is_named(settings: Settings) -> None:
    """amoCRM is away or has blocked us, and calls wait for it; a held lane where nothing waits is no news."""
    async with opened(settings) as kept:
        await kept.lanes.pause(f"amo:{ACCOUNT}")
        await kept.lanes.pause("amo:9")

    (found,) = await bad(settings)

    assert (found.what, "is held" in found.cause) == (f"work of amo:{ACCOUNT}", True)


async def test_nothing_connected_is_said(tmp_path: Path) -> None:
    """A fresh installation is told to connect amoCRM and a PBX."""
    settings = settings_of(tmp_path)
    async with opened(settings):
        pass

    assert [one.what for one in await bad(settings, is_offline=True)] == ["amoCRM", "lines"]


async def test_an_unfinished_copy_is_said(tmp_path: Path) -> None:
    """While the phone book is being copied, an unknown caller may be a known one."""
    settings = settings_of(tmp_path)
    async with opened(settings) as kept:
        await kept.accounts.put(structs.replace(account(), progress=DirectoryView(is_complete=False)))

    assert "is still being copied" in [one.cause for one in await bad(settings, is_offline=True)]


async def test_missing_settings_do_not_end_the_examination(settings: Settings) -> None:
    """A missing client secret is named, and everything else is examined all the same."""
    broken = settings_of(
        Path(settings.state), amo_client_secret="", public_url=settings.public_url,
        amo_dev_origins=settings.amo_dev_origins, sipuni_url=settings.sipuni_url,
    )  # fmt: skip

    findings = await examined(broken)

    assert [one.what for one in findings if one.level is Level.FAIL] == ["setting amo_client_id, amo_client_secret"]
    assert any("takes our token" in one.cause for one in findings)


async def test_a_wrong_key_is_named(settings: Settings) -> None:
    """With another secret_key nothing stored can be opened: that is said, with the cure."""
    (found,) = await bad(settings_of(Path(settings.state), secret_key="x" * 32), is_offline=True)

    assert "put the old key behind the new one" in found.cause


async def test_a_missing_database_is_named(tmp_path: Path) -> None:
    """Before the first start there is no database; that is a finding, not a traceback."""
    (found,) = await bad(settings_of(tmp_path / "nothing"), is_offline=True)

    assert (found.level, found.what) == (Level.FAIL, "database")


# -- TLS ---------------------------------------------------------------------------------------------------------------


def own_certificate(folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(pem)
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.fixture
async def secure(tmp_path: Path, world: World) -> Any:
    """Our public address over TLS."""
    server = TestServer(world._app(), scheme="https")
    await server.start_server(ssl=own_certificate(tmp_path))
    yield f"https://localhost:{server.port}"
    await server.close()


async def test_a_certificate_that_browsers_refuse_is_named(tmp_path: Path, secure: str) -> None:
    """An address whose certificate nobody vouches for fails as such, not as "does not answer"."""
    (found,) = [one for one in await bad(settings_of(tmp_path, public_url=secure)) if "public" in one.what]

    assert "its certificate is not valid" in found.cause


async def test_a_good_certificate_tells_its_days(tmp_path: Path, secure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A valid certificate is ok, with the days that are left."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))  # this machine trusts it

    findings = await examined(settings_of(tmp_path, public_url=secure))

    (found,) = [one for one in findings if one.what == "certificate"]
    assert (found.level, found.cause) == (Level.OK, "29 days left")


@pytest.mark.parametrize(("days", "level"), [(60, Level.OK), (14, Level.OK), (13.9, Level.WARN), (0.5, Level.WARN)])
def test_a_certificate_is_to_be_renewed_in_time(days: float, level: Level) -> None:
    """Under two weeks its automatic renewal has failed."""
    assert certificate_life(days * DAY_S).level is level
