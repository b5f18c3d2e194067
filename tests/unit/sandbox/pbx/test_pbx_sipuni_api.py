"""Sipuni's API as the stand-in answers it: vectors, refusals, reply forms, reports, recordings."""

import csv
import io
from typing import Any

import pytest
from aiohttp import ClientSession

from server.sandbox.pbx.knobs import turned
from server.sandbox.pbx.play import play
from server.sandbox.pbx.sipuni import Sipuni, signature

SECRET = "0.test5ecret01"
USER = {"user": "078332"}
CALL = {"phone": "79161234567", "sipnumber": "201", **USER}
OLDEST_EXPORT = {
    "anonymous": "1",
    "firstTime": "0",
    "from": "01.11.2023",
    "fromNumber": "",
    "state": "0",
    "to": "02.11.2023",
    "toAnswer": "",
    "toNumber": "",
    "tree": "",
    "type": "0",
    **USER,
}
CURRENT_EXPORT = OLDEST_EXPORT | {
    "crmLinks": "0",
    "dtmfUserAnswer": "0",
    "hangupinitor": "1",
    "ignoreSpecChar": "1",
    "names": "1",
    "numbersInvolved": "1",
    "numbersRinged": "1",
    "outgoingLine": "1",
    "rating": "0",
    "showTreeId": "1",
    "timeFrom": "00:00",
    "timeTo": "23:59",
}
VECTORS = [
    (CALL | {"reverse": "0", "antiaon": "0"}, "2cd512c05ddc73570ce9462a579c7277"),
    (CALL | {"reverse": "1", "antiaon": "0"}, "2e2cb525bc77354bc3da2cee94a0240b"),
    (CALL | {"reverse": "0", "tree": "000-913898"}, "34b158804198b95d3c2df06806dd4e52"),
    (CALL | {"reverse": "0", "tree": "000-913898", "callAttemptTime": "45"}, "8a831115f72d7274b1e081858d7a7077"),
    (
        USER | {"phoneFrom": "79161234567", "phoneTo": "74991234567", "sipnumber": "201", "sipnumber2": "202"},
        "e3784b66a9dc48b925f4bad9d6b0ded9",
    ),
    (USER | {"callbackId": "3f1c9a7be2d04c5d8a6b0e1f2a3b4c5d"}, "ae27a7e719e90c49ef0e3b0de53271aa"),
    (USER | {"callId": "1700000000.12345"}, "bba1038930efb91d49cf0d3444f5c4df"),
    (USER | {"id": "1700000000.12345"}, "bba1038930efb91d49cf0d3444f5c4df"),
    (
        USER | {"callId": "1700000000.12345", "sipnumber": "201", "whisper": "1"},
        "3307089f7c849defbcaf480ee497065b",
    ),
    (CALL | {"message": "Посылка ждёт вас", "voice": "Maria"}, "e88300e90360af5972e711dafa3dad0f"),
    (
        USER | {"again": "1", "autocallId": "777", "number": "79161234567"},
        "19d2d0bd8a01a64f8e38de46c7aa1084",
    ),
    (USER | {"autocallId": "777", "number": "79161234567"}, "717c99fd7a9105ee6a217864a05bbdd5"),
    (USER, "931b43a485d19b998eb2802c665d198c"),
    (USER | {"type": "0"}, "adbc4a8c4e36bfae9d6475ce95abaf7d"),
    (USER | {"sipnumber": "201", "status": "1"}, "be0bd83ad7e5e29bff7595432de1d32d"),
    (OLDEST_EXPORT, "116cd63119942c9b0507a800ce6d6ba7"),
    (CURRENT_EXPORT, "62d092a3f01c0a59706c49d60af37ba7"),
    (USER | {"limit": "500", "order": "asc", "page": "1"}, "f94c16f3d16d8180815099fd57176c29"),
]


def signed(**params: str) -> dict[str, str]:
    full = USER | params
    return full | {"hash": signature(full, SECRET)}


async def ask(browser: ClientSession, pbx: Sipuni, path: str, **params: str) -> Any:
    async with browser.post(f"{pbx.base_url}/api/{path}", data=signed(**params)) as answer:
        return await answer.json(content_type=None)


@pytest.mark.parametrize(("params", "digest"), VECTORS)
def test_signature_matches_the_vendors_recipe(params: dict[str, str], digest: str) -> None:
    """md5 over the values in the order of their names."""
    assert signature(params, SECRET) == digest


def test_hash_does_not_sign_itself() -> None:
    """The parameter `hash` is left out."""
    assert signature(USER | {"hash": "x"}, SECRET) == signature(USER, SECRET)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_click_to_call_is_ordered(browser: ClientSession, sipuni: Sipuni, method: str) -> None:
    """A form and a query are both accepted; the answer carries the order's id."""
    params = signed(phone="79161234567", sipnumber="201", reverse="0", antiaon="0")
    sent: dict[str, Any] = {"params": params} if method == "GET" else {"data": params}

    async with browser.request(method, f"{sipuni.base_url}/api/callback/call_number", **sent) as answer:
        reply = await answer.json()

    assert reply["success"] is True
    assert len(reply["id"]) == 32
    assert sipuni.exchange.calls[1].order == reply["id"]


async def test_wrong_hash_is_a_polite_no(browser: ClientSession, sipuni: Sipuni) -> None:
    """HTTP 200 and a sentence, as public clients saw it; nothing rings."""
    params = signed(phone="79161234567", sipnumber="201", reverse="0", antiaon="0") | {"phone": "79160000000"}

    async with browser.post(f"{sipuni.base_url}/api/callback/call_number", data=params) as answer:
        assert answer.status == 200
        assert await answer.json() == {"success": False, "message": "wrong hash"}

    assert not sipuni.exchange.calls


async def test_lost_leading_zero_is_another_account(browser: ClientSession, sipuni: Sipuni) -> None:
    """The account number is a text."""
    params = {"user": "78332"}
    data = params | {"hash": signature(params, SECRET)}

    async with browser.post(f"{sipuni.base_url}/api/statistic/operators", data=data) as answer:
        assert (await answer.json())["message"] == "wrong user"


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("callback/call_number", {"sipnumber": "201", "reverse": "0"}, "missing phone"),
        ("callback/call_number", {"phone": "abc", "sipnumber": "201", "reverse": "0"}, "wrong phone"),
        ("callback/call_tree", {"phone": "79161234567", "sipnumber": "201", "tree": "x"}, "tree not found"),
        (
            "callback/call_tree",
            {"phone": "79161234567", "sipnumber": "201", "tree": "000-913898", "callAttemptTime": "10"},
            "callAttemptTime must be at least 30",
        ),
        ("callback/cancel", {"callbackId": "x"}, "callback not found"),
        ("events/call/hangup", {"callId": "1.1"}, "call not found"),
        ("statistic/export/all", {"limit": "0", "page": "1"}, "wrong limit"),
    ],
)
async def test_bad_order_says_what_is_wrong(
    browser: ClientSession, sipuni: Sipuni, path: str, params: dict[str, str], message: str
) -> None:
    """Every refusal has its own words."""
    assert await ask(browser, sipuni, path, **params) == {"success": False, "message": message}


@pytest.mark.parametrize(
    ("form", "place"),
    [("callbackId", ("callbackId",)), ("result.callbackId", ("result", "callbackId")), ("result.id", ("result", "id"))],
)
async def test_order_id_may_stand_elsewhere(
    browser: ClientSession, sipuni: Sipuni, form: str, place: tuple[str, ...]
) -> None:
    """The alternative forms that public clients tolerate."""
    sipuni.knobs = turned(sipuni.knobs, {"reply_form": form})

    reply = await ask(browser, sipuni, "callback/call_number", phone="79161234567", sipnumber="201", reverse="0")

    for name in place:
        reply = reply[name]
    assert len(reply) == 32


async def test_json_may_come_as_html(browser: ClientSession, sipuni: Sipuni) -> None:
    """The content type lies; the body is JSON."""
    sipuni.knobs = turned(sipuni.knobs, {"html": True, "reply_form": "bare"})
    params = signed(phone="79161234567", sipnumber="201", reverse="0")

    async with browser.post(f"{sipuni.base_url}/api/callback/call_number", data=params) as answer:
        assert answer.content_type == "text/html"
        assert await answer.text() == "1"


async def test_command_can_be_refused_by_http(browser: ClientSession, sipuni: Sipuni) -> None:
    """A knob turns every command into 429, 503 or what is wanted."""
    sipuni.knobs = turned(sipuni.knobs, {"command_status": 503, "error_key": "msg"})

    async with browser.post(f"{sipuni.base_url}/api/callback/cancel", data=signed(callbackId="x")) as answer:
        assert answer.status == 503
        assert "msg" in await answer.json()


async def test_api_hangs_up_a_live_call(browser: ClientSession, sipuni: Sipuni, still_time: None) -> None:
    """The id is the one in the events."""
    started = await play(sipuni, {"scenario": "by_hand"})

    assert await ask(browser, sipuni, "events/call/hangup", callId=started["call_id"]) == {"success": True}

    assert not sipuni.exchange.live


async def test_order_can_be_cancelled(browser: ClientSession, sipuni: Sipuni, still_time: None) -> None:
    """The employee's phone stops ringing."""
    sipuni.knobs = turned(sipuni.knobs, {"callbacks": "by_hand"})
    order = await ask(browser, sipuni, "callback/call_number", phone="79161234567", sipnumber="201", reverse="0")

    assert await ask(browser, sipuni, "callback/cancel", callbackId=order["id"]) == {"success": True}

    assert not sipuni.exchange.live


async def test_schemes_and_operators_are_listed(browser: ClientSession, sipuni: Sipuni) -> None:
    """Lists follow the knobs about employees."""
    sipuni.knobs = turned(sipuni.knobs, {"deleted_extensions": "203", "shared_extensions": "204"})

    schemes = await ask(browser, sipuni, "schema/list", type="0")
    async with browser.post(f"{sipuni.base_url}/api/statistic/operators", data=signed()) as answer:
        rows = list(csv.reader(io.StringIO(await answer.text()), delimiter=";"))

    assert [scheme["id"] for scheme in schemes["data"]] == ["000-913898", "000658610"]
    assert [row[0] for row in rows] == ["extension", "201", "202", "204", "205", "204"]


async def test_export_tells_what_was_played(browser: ClientSession, sipuni: Sipuni) -> None:
    """UTF-8 with a byte order mark, semicolons, Russian headers, one row per call."""
    await play(sipuni, {"scenario": "group", "ring_s": 6, "talk_s": 60, "wait": True})
    await play(sipuni, {"scenario": "missed", "wait": True})
    params = {**CURRENT_EXPORT, "from": "14.11.2023", "to": "15.11.2023", "state": "2"}

    async with browser.post(f"{sipuni.base_url}/api/statistic/export", data=signed(**params)) as answer:
        text = (await answer.read()).decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))

    assert text.startswith("\ufeff")
    assert len(rows) == 1
    assert rows[0]["Тип"] == "Входящий"
    assert rows[0]["Время"] == "15.11.2023 01:13:20"
    assert rows[0]["Кто ответил"] == "202"
    assert rows[0]["Кому звонили"] == "201,202"
    assert (rows[0]["Длительность звонка, сек"], rows[0]["Длительность разговора, сек"]) == ("66", "60")
    assert rows[0]["Кто завершил"] == "клиент"


async def test_export_refuses_a_strange_date(browser: ClientSession, sipuni: Sipuni) -> None:
    """A date is DD.MM.YYYY."""
    reply = await ask(browser, sipuni, "statistic/export", **{"from": "2023-11-14"})

    assert reply["success"] is False


async def test_recording_is_fetched_by_its_id(browser: ClientSession, sipuni: Sipuni) -> None:
    """After some refusals the audio comes, and part of it when a player seeks."""
    sipuni.knobs = turned(sipuni.knobs, {"recording_misses": 2})
    started = await play(sipuni, {"talk_s": 10, "wait": True})
    await sipuni.clock.sleep(5)
    params = signed(id=started["call_id"])
    url = f"{sipuni.base_url}/api/statistic/record"

    statuses = []
    for _ in range(3):
        async with browser.post(url, data=params) as answer:
            statuses.append(answer.status)
    async with browser.get(url, params=params, headers={"Range": "bytes=96-191"}) as answer:
        part = await answer.read()

    assert statuses == [404, 404, 200]
    assert (answer.status, answer.headers["Content-Range"], len(part)) == (206, "bytes 96-191/40032", 96)


async def test_ready_link_needs_its_own_hash(browser: ClientSession, sipuni: Sipuni) -> None:
    """The link in the events works; a built one does not."""
    await play(sipuni, {"talk_s": 3, "wait": True})
    await sipuni.clock.sleep(5)
    link = sipuni.courier.sent[-1]["fields"]["call_record_link"]

    async with browser.get(link) as answer:
        assert (answer.status, answer.content_type) == (200, "audio/mpeg")
    async with browser.get(link.replace("hash=", "hash=0")) as answer:
        assert answer.status == 403
