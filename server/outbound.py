"""Sends vendor requests: the only room that speaks HTTP to PBXs. It reads nothing into the answers.

Bodies are signed and hold keys: they are never logged.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping

import aiohttp
import structlog
from aiohttp import hdrs
from yarl import URL

from server.core.errors import VendorUnavailable
from server.core.ports import Codec, VendorAnswer, VendorRequest, VendorStream

log = structlog.get_logger()

HEAD_BYTES = 64 * 1024
"""How much of a streamed answer is read before it is judged: all of any error, a little of any recording."""

PIECE_BYTES = 256 * 1024
"""How much of a streamed answer is handed on at once, at most."""

SILENCE_S = 30.0
"""How long the next piece of a streamed answer may take; the whole may take as long as it is long."""

STREAM_S = 3600.0


class Outbound:
    """Fills `core.ports.Sender`. Close it before the loop ends."""

    def __init__(self, codecs: Mapping[str, Codec], urls: Mapping[str, str]) -> None:
        self._bases = {name: _base(codec.base_url, urls.get(name, "")) for name, codec in codecs.items()}
        self._session: aiohttp.ClientSession | None = None

    async def send(self, provider: str, request: VendorRequest) -> VendorAnswer:
        """Send one request. Raises VendorUnavailable when no whole answer came in time."""
        timeout = aiohttp.ClientTimeout(total=request.timeout_s, connect=5)
        with _heard(provider, request):
            async with self._ask(provider, request, timeout) as response:
                body = await _begin(response, request.most_bytes + 1)
                if len(body) > request.most_bytes:
                    raise aiohttp.ClientPayloadError("too large")
                return _answer(response, body)

    @contextlib.asynccontextmanager
    async def stream(self, provider: str, request: VendorRequest) -> AsyncIterator[VendorStream]:
        """Send a request whose answer is read piece by piece. Raises VendorUnavailable, also while `rest` is read."""
        timeout = aiohttp.ClientTimeout(total=STREAM_S, connect=5, sock_read=min(SILENCE_S, request.timeout_s))
        async with contextlib.AsyncExitStack() as stack:
            with _heard(provider, request):
                response = await stack.enter_async_context(self._ask(provider, request, timeout))
                head = _answer(response, await _begin(response, HEAD_BYTES))
            yield VendorStream(head, _rest(provider, request, response), _promised(response))

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    def _ask(
        self, provider: str, request: VendorRequest, timeout: aiohttp.ClientTimeout
    ) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
        url = URL(f"{self._bases[provider]}/{request.path.lstrip('/')}", encoded=True)
        return self._open().request(
            request.method, url, data=request.body or None, headers=request.headers,
            timeout=timeout, allow_redirects=request.follows_redirects,
        )  # fmt: skip

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session


@contextlib.contextmanager
def _heard(provider: str, request: VendorRequest) -> Iterator[None]:
    """Whatever goes wrong on the wire is one error."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        log.warning("vendor_unavailable", provider=provider, verb=request.verb, error=type(exc).__name__)
        raise VendorUnavailable(vendor=provider) from exc


def _base(own: str, other: str) -> str:
    """Where a vendor's API is: its own address, or another origin with the same path, or another address altogether."""
    url = URL(other) if other else URL(own)
    return str(url.with_path(URL(own).path) if url.path in ("", "/") else url).rstrip("/")


def _answer(response: aiohttp.ClientResponse, body: bytes) -> VendorAnswer:
    return VendorAnswer(status=response.status, body=body, headers=dict(response.headers))


async def _begin(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The first bytes of the body, or all of a shorter one."""
    body = bytearray()
    while len(body) < most and (piece := await response.content.read(most - len(body))):
        body += piece
    return bytes(body)


async def _rest(provider: str, request: VendorRequest, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    with _heard(provider, request):
        async for piece in response.content.iter_chunked(PIECE_BYTES):
            yield piece


def _promised(response: aiohttp.ClientResponse) -> int | None:
    """The length of the body, where it is told and is that of the bytes that we read."""
    is_plain = hdrs.CONTENT_ENCODING not in response.headers
    return response.content_length if is_plain else None
