"""What `doctor` asks of the world outside: our public address, its certificate, amoCRM. It sends nothing that changes
anything; above all it never refreshes a token, for the old pair would be dead and nobody would have the new one.
"""

import asyncio
import email.utils
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from server.core.errors import CrmTokenDead
from server.core.hosts import Trust
from server.core.records import Account
from server.core.session import LEEWAY_S
from server.settings import Settings

from .findings import Finding, Findings, fail, ok, warn

TIMEOUT_S = 8.0
DAYS_LEFT = 14
"""A certificate with fewer days was not renewed in time: Let's Encrypt's clients renew a month ahead."""

SKEW_S = 5
"""A clock that is off by more than this shows wrong times; by more than LEEWAY_S, one-time tokens are refused."""


class Outside:
    """Asks; to be closed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._trust = Trust(settings.amo_hosts, settings.amo_dev_origins)
        self._tls = ssl.create_default_context()
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.close()

    async def address(self) -> Findings:
        """Whether the public address leads here, with a valid certificate."""
        url = self._settings.public_url
        what = f"public address {url}"
        try:
            status, body, _ = await self._get(f"{url}/healthz")
        except aiohttp.ClientConnectorCertificateError as exc:
            yield fail(what, f"its certificate is not valid: {exc.certificate_error}", "renew it in the proxy")
            return
        except (aiohttp.ClientError, OSError) as exc:
            yield fail(
                what, f"does not answer from here ({_named(exc)})", "start `serve`; check DNS, proxy and firewall"
            )
            return
        if status == 200 and isinstance(body, dict) and body.get("name") == "kommutator":
            yield ok(what, "answers")
        else:
            yield fail(what, f"another server answers there (HTTP {status})", "point the proxy at the setting `listen`")
        if url.startswith("https:"):
            yield await self._certificate(url)

    async def account(self, account: Account) -> Findings:
        """Whether amoCRM takes the account's token, sends us its changes, and has the same time."""
        what = f"amoCRM {account.host} ({account.id})"
        if account.tokens is None:
            yield fail(what, "has no token", CrmTokenDead.cure)
            return
        if not self._trust.is_origin(account.origin):
            yield fail(what, "its host is not trusted: nothing was sent there", "correct amo_hosts or amo_dev_origins")
            return
        if account.tokens.expires_ms <= time.time_ns() // 1_000_000:
            yield warn(what, "its access token has expired and was not renewed", "start `serve`: it renews it at need")
            return
        headers = {"Authorization": f"Bearer {account.tokens.access}"}
        try:
            status, _, date = await self._get(f"{account.origin}/api/v4/account", headers=headers)
            yield _token(what, status)
            if date:
                yield _clock(date)
            if status == 200:
                yield await self._subscription(account, headers)
        except (aiohttp.ClientError, OSError) as exc:
            yield fail(what, f"does not answer ({_named(exc)})", "check the network and status.amocrm.ru")

    async def _subscription(self, account: Account, headers: dict[str, str]) -> Finding:
        what = f"webhooks of amoCRM {account.host}"
        ours = f"{self._settings.public_url}/amo/hooks/{account.hook_secret}"
        query = {"filter[destination]": ours}
        status, body, _ = await self._get(f"{account.origin}/api/v4/webhooks", headers=headers, params=query)
        if status in (402, 403, 404):
            return warn(what, "the tariff has none", "nothing to do: the phone book asks what changed each minute")
        rows = body.get("_embedded", {}).get("webhooks", []) if isinstance(body, dict) else []
        mine = [row for row in rows if row.get("destination") == ours]
        if not mine:
            return fail(what, "we are not subscribed", "switch the integration off and on in amoCRM")
        if mine[0].get("disabled"):
            return fail(
                what, "amoCRM switched ours off: we did not answer", "switch the integration off and on in amoCRM"
            )
        return ok(what, "subscribed")

    async def _get(self, url: str, **options: Any) -> tuple[int, Any, str]:
        """Status, JSON (None: it is none) and Date. Redirects are not followed: tokens stay where they belong."""
        async with self._http.get(url, allow_redirects=False, **options) as answer:
            raw = await answer.read()
            try:
                body = msgspec.json.decode(raw)
            except msgspec.DecodeError:
                body = None
            return answer.status, body, answer.headers.get("Date", "")

    async def _certificate(self, url: str) -> Finding:
        what, parts = "certificate", urlsplit(url)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port or 443, ssl=self._tls)
        except OSError as exc:
            return fail(what, f"cannot be read ({_named(exc)})", "renew it in the proxy")
        certificate = writer.get_extra_info("peercert")
        writer.close()
        return certificate_life(ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time())


def certificate_life(left_s: float) -> Finding:
    """What is left of a certificate."""
    days = int(left_s // 86400)
    if days < DAYS_LEFT:
        return warn("certificate", f"{days} days left", "its renewal did not run: look at the proxy's log")
    return ok("certificate", f"{days} days left")


def _token(what: str, status: int) -> Finding:
    if status == 200:
        return ok(what, "takes our token")
    if status == 401:
        return fail(what, "does not take our token", CrmTokenDead.cure)
    if status == 403:
        return fail(what, "has blocked our address", "wait; if it stays, write to amoCRM's support")
    return fail(what, f"answers with HTTP {status}", "check status.amocrm.ru; try again later")


def _clock(date: str) -> Finding:
    try:
        theirs = email.utils.parsedate_to_datetime(date).timestamp()
    except ValueError:
        return warn("clock", "amoCRM's Date was not understood")
    skew_s = round(time.time() - theirs)
    if abs(skew_s) >= LEEWAY_S:
        return fail("clock", f"{skew_s} s off amoCRM's: one-time tokens are refused", "run: timedatectl set-ntp true")
    if abs(skew_s) > SKEW_S:
        return warn("clock", f"{skew_s} s off amoCRM's", "run: timedatectl set-ntp true")
    return ok("clock", f"{abs(skew_s)} s off amoCRM's")


def _named(error: BaseException) -> str:
    return type(error).__name__
