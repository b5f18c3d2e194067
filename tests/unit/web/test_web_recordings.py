"""The door of recordings: what players, programs and people are answered."""

import json
import sqlite3
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import structlog
from aiohttp import web
from fakes.house import SECRET_KEY
from sandboxes import until
from served import ACCOUNT, PAVEL, Served, served

from server.services.links import FOREVER_S, Links

pytestmark = [pytest.mark.asyncio(loop_scope="module")]

SIPUNI = "/hooks/sipuni/path-of-l_1"
SOUND = b"ID3-0123456789"
PAGE = {"Accept": "text/html,application/xhtml+xml"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("recordings"), "detached") as one:
        yield one


class Recorded:
    """A finished call with a recording, and links to it."""

    def __init__(self, house: Served, ref: str) -> None:
        self.house = house
        self.ref = ref
        self.id = ""

    async def end(self) -> "Recorded":
        """The call is over; its recording was announced."""
        at = int(time.time())
        fields = {
            "event": 2, "call_id": self.ref, "src_type": 1, "src_num": "79161234567", "dst_type": 2,
            "short_dst_num": "201", "timestamp": at, "status": "ANSWER", "call_answer_timestamp": at - 5,
            "call_record_link": f"https://sipuni.com/api/statistic/record?id=rec-{self.ref}",
        }  # fmt: skip
        await self.house.ask("GET", SIPUNI, params=fields)
        await self.house.settled()
        (self.id,) = self.row("SELECT id FROM call WHERE call_ref = ?", self.ref)
        return self

    def row(self, query: str, *params: Any) -> tuple[Any, ...]:
        with sqlite3.connect(f"file:{self.house.file}?mode=ro", uri=True) as db:
            return db.execute(query, params).fetchone() or ()

    async def is_fetched(self) -> bool:
        return self.row("SELECT state FROM recording WHERE call_id = ?", self.id) == ("fetched",)

    def token(self, *, expires_s: int = FOREVER_S) -> str:
        call = msg(self.row("SELECT body FROM call WHERE id = ?", self.id)[0])
        return Links("", SECRET_KEY).to(call, call.recordings[f"rec-{self.ref}"], expires_s)


def msg(body: str) -> Any:
    from server.store.calls import decoded

    return decoded(body)


@pytest_asyncio.fixture(loop_scope="module")
async def kept(house: Served, request: pytest.FixtureRequest) -> AsyncIterator[Recorded]:
    """A recording in our store; the PBX is silent from then on."""
    house.outside.answer = SOUND
    one = await Recorded(house, f"k{abs(hash(request.node.name))}").end()
    await until(one.is_fetched)
    house.outside.answer = {"success": False, "message": "record not found"}
    yield one


@pytest_asyncio.fixture(loop_scope="module")
async def missing(house: Served, request: pytest.FixtureRequest) -> Recorded:
    """A recording that the PBX does not have yet."""
    house.outside.answer = {"success": False, "message": "record not found"}
    return await Recorded(house, f"m{abs(hash(request.node.name))}").end()


async def get(house: Served, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, Any]:
    async with house.http.request(method, house.url + path, headers=headers) as response:
        return response.status, await response.read(), response.headers


@pytest.mark.parametrize(
    ("wanted", "status", "body", "told"),
    [
        ("", 200, SOUND, None),
        ("bytes=0-", 206, SOUND, "bytes 0-13/14"),
        ("bytes=0-2", 206, b"ID3", "bytes 0-2/14"),
        ("bytes=-4", 206, b"6789", "bytes 10-13/14"),
        ("bytes=-99", 206, SOUND, "bytes 0-13/14"),
        ("bytes=4-", 206, b"0123456789", "bytes 4-13/14"),
        ("bytes=4-999", 206, b"0123456789", "bytes 4-13/14"),
        ("bytes=0-1,4-5", 200, SOUND, None),
        ("bytes=99-", 416, b"", "bytes */14"),
        ("bytes=-0", 416, b"", "bytes */14"),
        ("bytes=x", 416, b"", "bytes */14"),
    ],
)
async def test_ranges_are_served(kept: Recorded, wanted: str, status: int, body: bytes, told: str | None) -> None:
    """Players seek; a range that is none is said to be none. HEAD tells the same without the sound."""
    range_ = {"Range": wanted} if wanted else {}

    answered = await get(kept.house, kept.token(), **range_)
    head = await get(kept.house, kept.token(), "HEAD", **range_)

    assert (answered[0], answered[1], answered[2].get("Content-Range")) == (status, body, told)
    assert (head[0], head[1], head[2].get("Content-Range")) == (status, b"", told)
    assert answered[2]["Content-Length"] == head[2]["Content-Length"] == str(len(body))
    assert answered[2]["Content-Type"] == "audio/mpeg"
    assert (answered[2]["Accept-Ranges"], answered[2]["X-Content-Type-Options"]) == ("bytes", "nosniff")


async def test_a_player_that_has_it_already_is_told_so(kept: Recorded) -> None:
    """By its tag; and a part of another version is not mixed into it."""
    _, _, headers = await get(kept.house, kept.token())
    tag = headers["ETag"]

    assert (await get(kept.house, kept.token(), **{"If-None-Match": tag}))[0] == 304
    assert (await get(kept.house, kept.token(), Range="bytes=0-2", **{"If-Range": tag}))[0] == 206
    assert (await get(kept.house, kept.token(), Range="bytes=0-2", **{"If-Range": '"other"'}))[:2] == (200, SOUND)


async def test_listening_is_counted_once_per_listener(kept: Recorded) -> None:
    """Not for a look at the size, nor for each part that a player seeks."""
    await get(kept.house, kept.token(), "HEAD")
    await get(kept.house, kept.token(), Range="bytes=0-")
    await get(kept.house, kept.token(), Range="bytes=5-")
    await get(kept.house, kept.token(), Range="bytes=8-9")

    assert kept.row("SELECT listened FROM recording WHERE call_id = ?", kept.id) == (1,)


async def test_what_is_not_ready_says_so(missing: Recorded) -> None:
    """To a program in the one shape, to a person on a page in both languages; both hear when to try again."""
    status, body, headers = await get(missing.house, missing.token())
    page_status, page, page_headers = await get(missing.house, missing.token(), **PAGE)

    assert (status, json.loads(body)["error"]["slug"], headers["Retry-After"]) == (425, "recording-early", "30")
    assert (page_status, page_headers["Retry-After"], page_headers["Cache-Control"]) == (425, "30", "no-store")
    assert "Запись ещё не готова" in page.decode()
    assert "The recording is not ready yet" in page.decode()
    assert page_headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("expires_s", "cut", "status", "slug"), [(5, 0, 410, "link-expired"), (1 << 40, 1, 404, "link-unknown")]
)
async def test_a_link_that_does_not_open_says_why(
    kept: Recorded, expires_s: int, cut: int, status: int, slug: str
) -> None:
    """Expired, or spoilt: to people and to programs."""
    token = kept.token(expires_s=expires_s)
    link = token[: len(token) - cut]

    told, body, _ = await get(kept.house, link)
    page_status, page, _ = await get(kept.house, link, **PAGE)

    assert (told, json.loads(body)["error"]["slug"], page_status) == (status, slug, status)
    assert b"<h1>" in page


async def test_an_administrator_withdraws_a_recording(kept: Recorded) -> None:
    """From then on it is gone, even for a player that has it and asks whether it still holds."""
    _, _, headers = await get(kept.house, kept.token())
    path = f"/api/calls/{kept.id}/recording/revoke"

    refused = await kept.house.ask("POST", path, headers=await kept.house.bearer(PAVEL, is_admin=False))
    status, body = await kept.house.ask("POST", path, headers=await kept.house.bearer())

    assert (refused[0], status, body) == (403, 200, {"revoked": 1})
    assert (await get(kept.house, kept.token(), **{"If-None-Match": headers["ETag"]}))[0] == 410
    assert "закрыт" in (await get(kept.house, kept.token(), **PAGE))[1].decode()


async def test_a_call_of_nobodys_has_no_recording_to_withdraw(house: Served) -> None:
    """Not found, and nothing is remembered of it."""
    before = house.counts()

    status, body = await house.ask("POST", "/api/calls/c_none/recording/revoke", headers=await house.bearer())

    assert (status, body["error"]["slug"], house.counts()) == (404, "not-found", before)


async def test_a_store_that_is_away_is_our_fault(kept: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said as such, with a page for a person. (The folder is replaced by a file: a disk cannot be taken away here.)"""
    folder = kept.house.file.parent / "recordings" / str(ACCOUNT)
    away = folder.with_name("away")
    folder.rename(away)
    folder.write_text("no folder")
    try:
        status, body, headers = await get(kept.house, kept.token())
        page_status, page, _ = await get(kept.house, kept.token(), **PAGE)
    finally:
        folder.unlink()
        away.rename(folder)

    assert (status, json.loads(body)["error"]["slug"], headers["Retry-After"]) == (503, "audio-unavailable", "30")
    assert (page_status, "Сейчас запись не открывается" in page.decode()) == (503, True)


async def test_links_are_never_logged(kept: Recorded) -> None:
    """Neither one that plays nor one that fails: whoever has the link has the recording."""
    with structlog.testing.capture_logs() as lines:
        await get(kept.house, kept.token())
        await get(kept.house, kept.token(expires_s=5))
        await get(kept.house, kept.token(), Range="bytes=99-")

    said = json.dumps(lines, default=str)
    assert kept.token().rpartition("/")[2] not in said
    assert "/r/" not in said


# -- straight from the PBX -----------------------------------------------------------------------------------------


async def without_length(request: web.Request) -> web.StreamResponse:
    """A PBX that sends a recording in chunks."""
    response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
    await response.prepare(request)
    await response.write(SOUND)
    return response


async def half(request: web.Request) -> web.StreamResponse:
    """A PBX that falls over in the middle of a recording."""
    response = web.StreamResponse(headers={"Content-Type": "audio/mpeg", "Content-Length": "300000"})
    await response.prepare(request)
    await response.write(SOUND + bytes(150_000))
    assert request.transport is not None
    request.transport.close()
    return response


async def test_a_recording_without_a_length_comes_whole(missing: Recorded) -> None:
    """Where in it a part would be, nobody can say: 200, in chunks."""
    missing.house.outside.answer = without_length

    status, body, headers = await get(missing.house, missing.token(), Range="bytes=4-5")

    assert (status, body, headers.get("Content-Range"), headers.get("Content-Length")) == (200, SOUND, None, None)


async def test_a_recording_that_breaks_off_is_not_taken_for_whole(missing: Recorded) -> None:
    """The headers are out already, so the connection is cut: the player knows that something is missing."""
    missing.house.outside.answer = half

    with pytest.raises(aiohttp.ClientPayloadError):
        await get(missing.house, missing.token())


async def test_a_pbx_that_knows_no_ranges_is_cut_by_us(missing: Recorded) -> None:
    """It sends everything whatever part is asked for; players seek all the same."""
    missing.house.outside.answer = SOUND

    status, body, headers = await get(missing.house, missing.token(), Range="bytes=4-5")

    assert (status, body, headers["Content-Range"]) == (206, b"01", "bytes 4-5/14")
