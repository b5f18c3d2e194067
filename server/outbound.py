"""Sends vendor requests: the only room that speaks HTTP to PBXs. It reads nothing into the answers.

Bodies are signed and hold keys: they are never logged.
"""

from collections.abc import Mapping

import aiohttp
import structlog
from yarl import URL

from server.core.errors import VendorUnavailable
from server.core.ports import Codec, VendorAnswer, VendorRequest

log = structlog.get_logger()

MOST_BYTES = 64 * 1024 * 1024
"""A recording of ten hours in the vendors' mp3; anything larger is not what we asked for."""


class Outbound:
    """Fills `core.ports.Sender`. Close it before the loop ends."""

    def __init__(self, codecs: Mapping[str, Codec], urls: Mapping[str, str]) -> None:
        self._bases = {name: _base(codec.base_url, urls.get(name, "")) for name, codec in codecs.items()}
        self._session: aiohttp.ClientSession | None = None

    async def send(self, provider: str, request: VendorRequest) -> VendorAnswer:
        """Send one request. Raises VendorUnavailable when no whole answer came in time."""
        url = URL(f"{self._bases[provider]}/{request.path.lstrip('/')}", encoded=True)
        timeout = aiohttp.ClientTimeout(total=request.timeout_s, connect=5)
        try:
            async with self._open().request(
                request.method,
                url,
                data=request.body or None,
                headers=request.headers,
                timeout=timeout,
                allow_redirects=request.follows_redirects,
            ) as response:
                body = await _whole(response)
                return VendorAnswer(status=response.status, body=body, headers=dict(response.headers))
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            log.warning("vendor_unavailable", provider=provider, verb=request.verb, error=type(exc).__name__)
            raise VendorUnavailable(vendor=provider) from exc

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def _base(own: str, other: str) -> str:
    """Where a vendor's API is: its own address, or another origin with the same path, or another address altogether."""
    url = URL(other) if other else URL(own)
    return str(url.with_path(URL(own).path) if url.path in ("", "/") else url).rstrip("/")


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """The whole body. Raises ClientPayloadError when it is larger than anything we asked for."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise aiohttp.ClientPayloadError("too large")
    return bytes(body)
