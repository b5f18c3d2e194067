"""What happens on the wire to a PBX."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec import structs

from server import outbound
from server.core.errors import VendorUnavailable
from server.core.ports import VendorRequest
from server.outbound import Outbound
from server.providers.registry import CODECS


def request(**more: Any) -> VendorRequest:
    values = {"verb": "dial", "method": "POST", "path": "callback/call_number", "body": b"a=1&hash=s3cret"}
    return VendorRequest(**values | {"timeout_s": 5.0} | more)


class Pbx:
    """A PBX that does to its callers what a test says."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bytes]] = []
        self.answer: Any = web.Response(body=b"ok", headers={"Content-Type": "audio/mpeg"})
        self.is_slow = asyncio.Event()

    async def take(self, request_: web.Request) -> web.StreamResponse:
        self.seen.append((request_.method, request_.path, await request_.read()))
        return await self.answer(request_) if callable(self.answer) else self.answer


@pytest.fixture
async def pbx() -> AsyncIterator[tuple[Pbx, Outbound]]:
    """A PBX and what speaks to it."""
    one, app = Pbx(), web.Application()
    app.router.add_route("*", "/{path:.*}", one.take)
    server = TestServer(app)
    await server.start_server()
    sender = Outbound(CODECS, {"sipuni": str(server.make_url("/")), "mango": str(server.make_url("/other/base/"))})
    yield one, sender
    await sender.close()
    await server.close()


async def test_a_request_is_sent_as_it_is(pbx: tuple[Pbx, Outbound]) -> None:
    """Method, path, body; the answer comes back whole."""
    one, sender = pbx

    answer = await sender.send("sipuni", request())

    assert one.seen == [("POST", "/api/callback/call_number", b"a=1&hash=s3cret")]
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, b"ok", "audio/mpeg")


async def test_another_address_may_have_a_path_of_its_own(pbx: tuple[Pbx, Outbound]) -> None:
    """An origin alone gets the vendor's path; a whole address replaces it."""
    one, sender = pbx

    await sender.send("mango", request(path="/commands/callback"))

    assert one.seen[0][1] == "/other/base/commands/callback"


async def test_an_error_status_is_an_answer(pbx: tuple[Pbx, Outbound]) -> None:
    """What it means is the codec's to say."""
    one, sender = pbx
    one.answer = web.Response(status=500, body=b"oops")

    answer = await sender.send("sipuni", request())

    assert (answer.status, answer.body) == (500, b"oops")


async def test_silence_is_given_up(pbx: tuple[Pbx, Outbound]) -> None:
    """After the request's own time."""
    one, sender = pbx

    async def hang(_: web.Request) -> web.Response:
        await one.is_slow.wait()
        return web.Response()

    one.answer = hang
    with pytest.raises(VendorUnavailable):
        await sender.send("sipuni", request(timeout_s=0.05))
    one.is_slow.set()


async def test_a_broken_connection_is_no_answer(pbx: tuple[Pbx, Outbound]) -> None:
    """Cut before the first byte."""
    one, sender = pbx

    async def cut(request_: web.Request) -> web.Response:
        assert request_.transport is not None
        request_.transport.close()
        return web.Response()

    one.answer = cut
    with pytest.raises(VendorUnavailable):
        await sender.send("sipuni", request())


async def test_half_an_answer_is_no_answer(pbx: tuple[Pbx, Outbound]) -> None:
    """It said a hundred bytes, and sent four."""
    one, sender = pbx

    async def half(request_: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request_)
        await response.write(b"half")
        assert request_.transport is not None
        request_.transport.close()
        return response

    one.answer = half
    with pytest.raises(VendorUnavailable):
        await sender.send("sipuni", request())


async def test_what_is_larger_than_was_expected_is_refused(pbx: tuple[Pbx, Outbound]) -> None:
    """Each request says how large its answer may be."""
    one, sender = pbx
    one.answer = web.Response(body=b"x" * 1001)

    with pytest.raises(VendorUnavailable):
        await sender.send("sipuni", structs.replace(request(), most_bytes=1000))


async def test_nobody_at_the_address_is_no_answer() -> None:
    """The connection is refused."""
    sender = Outbound(CODECS, {"sipuni": "http://127.0.0.1:1"})

    with pytest.raises(VendorUnavailable) as raised:
        await sender.send("sipuni", request())

    await sender.close()
    assert raised.value.details == {"vendor": "sipuni"}


@pytest.mark.parametrize(("follows", "status"), [(True, 200), (False, 302)])
async def test_redirects_are_followed_where_the_vendor_uses_them(
    pbx: tuple[Pbx, Outbound], follows: bool, status: int
) -> None:
    """A recording of MANGO's lies elsewhere."""
    one, sender = pbx

    async def move(request_: web.Request) -> web.Response:
        if request_.path == "/file":
            return web.Response(body=b"audio")
        return web.Response(status=302, headers={"Location": "/file"})

    one.answer = move

    assert (await sender.send("sipuni", request(follows_redirects=follows))).status == status


# -- streams -------------------------------------------------------------------------------------------------------


async def test_a_recording_is_read_piece_by_piece(pbx: tuple[Pbx, Outbound]) -> None:
    """Its first bytes with the answer, the rest as it comes; its size is known before."""
    one, sender = pbx
    content = bytes(range(256)) * 2000
    one.answer = web.Response(body=content, content_type="audio/mpeg")

    async with sender.stream("sipuni", request()) as answer:
        rest = [piece async for piece in answer.rest]

    assert (answer.head.status, answer.size) == (200, len(content))
    assert answer.head.body == content[: outbound.HEAD_BYTES]
    assert answer.head.body + b"".join(rest) == content
    assert max(map(len, rest)) <= outbound.PIECE_BYTES


async def test_a_short_answer_is_whole_at_once(pbx: tuple[Pbx, Outbound]) -> None:
    """An error is judged by all that was said."""
    one, sender = pbx
    one.answer = web.Response(status=404, body=b"no such file")

    async with sender.stream("sipuni", request()) as answer:
        assert (answer.head.status, answer.head.body) == (404, b"no such file")
        assert [piece async for piece in answer.rest] == []


async def test_a_stream_that_breaks_off_says_so(pbx: tuple[Pbx, Outbound]) -> None:
    """It said two hundred thousand bytes, and sent half of them: nobody takes that for a recording."""
    one, sender = pbx

    async def half(request_: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "200000"})
        await response.prepare(request_)
        await response.write(bytes(100_000))
        assert request_.transport is not None
        request_.transport.close()
        return response

    one.answer = half
    async with sender.stream("sipuni", request()) as answer:
        with pytest.raises(VendorUnavailable):
            assert [piece async for piece in answer.rest]


async def test_a_stream_that_falls_silent_is_given_up(
    pbx: tuple[Pbx, Outbound], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the whole may take, the next piece may not."""
    one, sender = pbx
    monkeypatch.setattr(outbound, "SILENCE_S", 0.1)

    async def stall(request_: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "200000"})
        await response.prepare(request_)
        await response.write(bytes(100_000))
        await one.is_slow.wait()
        return response

    one.answer = stall
    async with sender.stream("sipuni", request()) as answer:
        with pytest.raises(VendorUnavailable):
            assert [piece async for piece in answer.rest]
    one.is_slow.set()


async def test_nobody_at_the_address_is_no_stream() -> None:
    """The connection is refused."""
    sender = Outbound(CODECS, {"sipuni": "http://127.0.0.1:1"})

    with pytest.raises(VendorUnavailable):
        async with sender.stream("sipuni", request()):
            pytest.fail("there is no answer")

    await sender.close()


async def test_what_a_reader_of_a_stream_raises_is_his(pbx: tuple[Pbx, Outbound]) -> None:
    """A full disk of ours is no fault of the PBX's."""
    _, sender = pbx

    with pytest.raises(OSError, match="full"):
        async with sender.stream("sipuni", request()):
            raise OSError("full")
