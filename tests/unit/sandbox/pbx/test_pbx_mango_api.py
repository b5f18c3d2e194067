"""MANGO's API as the stand-in answers it: vectors, refusals, limits, commands, statistics, recordings."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from server.sandbox.pbx.knobs import turned
from server.sandbox.pbx.mango import Mango, signature
from server.sandbox.pbx.play import play

KEY = "testapikey000000000000000000000a"
SALT = "testapisalt000000000000000000000b"
ROW_1 = '{"command_id":"cmd-1","from":{"extension":"101"},"to_number":"79161234567"}'
EVENT = (
    '{"entry_id":"e1","call_id":"100:500:256","timestamp":1700000000,"seq":1,"call_state":"Appeared",'
    '"location":"abonent","from":{"number":"79161234567"},"to":{"extension":"101",'
    '"number":"sip:ivan@demo.mangosip.ru","line_number":"74951234567"}}'
)
VECTORS = [
    (ROW_1, "9e28cb7118bab7db93dbde995628ceb706dceee521f10472f218d746fac07676"),
    (
        ROW_1.replace('":', '": ').replace(",", ", "),
        "fbfd2816f3544276950377fbb1cb910569debe9bcc466e84d0800cd3377c031f",
    ),
    (
        '{"command_id":"cmd-2","call_id":"100:500:256"}',
        "5c18d82c2f71820557834da785dcb314f38dc7cbed0581d5f1f49ef905512685",
    ),
    (EVENT, "c3771708e0ac4458853035659013a42e2aaeaa177d544772089a9758462810fc"),
    ('{"command_id":"cmd-3","text":"Привет"}', "afe90a14572c5f2e899dbdeb8c5ccb87620fb1733a4471d007d14b629900e306"),
    (
        '{"command_id":"cmd-3","text":"\\u041f\\u0440\\u0438\\u0432\\u0435\\u0442"}',
        "0de02452251490c811bb614719fe56deeb9572097ad55674932953177a4d0b7c",
    ),
    ('{"key":"b3Z7\\/x+y=="}', "1ab859b5423201ad7b5bf084fb3d87c843edd8d174c7aaf9abf6d85810e5d99b"),
    ("{}", "41583a843a46e0c249e2e734138d4ef45e9bacfbc0fe706e81251000c21b39e0"),
]
HMAC_OF_ROW_1 = "8ae640b3362a124583444a10a86bd933980e05c92353af82ca1934c8b3c6ab33"
CALLBACK = {"command_id": "cmd-1", "from": {"extension": "201"}, "to_number": "79161234567"}


TRANSFER = {"to_number": "203", "initiator": "201"}


async def post(browser: ClientSession, pbx: Mango, path: str, form: dict[str, str]) -> tuple[int, Any]:
    async with browser.post(f"{pbx.base_url}/vpbx/{path}", data=form, allow_redirects=False) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text.startswith("{") else text


async def ask(browser: ClientSession, pbx: Mango, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    text = json.dumps(body)
    return await post(browser, pbx, path, {"vpbx_api_key": KEY, "sign": signature(KEY, text, SALT), "json": text})


@pytest.mark.parametrize(("text", "sign"), VECTORS)
def test_signature_matches_the_vendors_recipe(text: str, sign: str) -> None:
    """SHA-256 of key + exact text + salt."""
    assert signature(KEY, text, SALT) == sign


def test_recording_links_are_signed_over_their_parts() -> None:
    """Key, expiry, recording id, salt."""
    sign = signature(KEY, "1700003600" + "d12a45f67b90c12345", SALT)

    assert sign == "d30ebcc9d313f40a4030219f768b8d0f7348b1467b84846a03ea273b7eaffded"


@pytest.mark.parametrize("text", [text for text, _ in VECTORS[:2]])
async def test_exact_bytes_are_verified(browser: ClientSession, mango: Mango, text: str) -> None:
    """Spaces are legal as long as they are signed."""
    form = {"vpbx_api_key": KEY, "sign": signature(KEY, text, SALT), "json": text}

    assert await post(browser, mango, "commands/callback", form) == (200, {"result": 1000})


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"sign": HMAC_OF_ROW_1}, 3102),
        ({"sign": "подпись"}, 3102),
        ({"vpbx_api_key": "x"}, 3105),
        ({"json": "{", "sign": signature(KEY, "{", SALT)}, 3104),
        ({"json": "[]", "sign": signature(KEY, "[]", SALT)}, 3104),
    ],
)
async def test_forged_or_broken_request_is_refused(
    browser: ClientSession, mango: Mango, form: dict[str, str], code: int
) -> None:
    """Each kind of mistake has the vendor's code; an HMAC is a mistake."""
    right = {"vpbx_api_key": KEY, "sign": VECTORS[0][1], "json": ROW_1}

    assert await post(browser, mango, "commands/callback", right | form) == (200, {"result": code})
    assert not mango.exchange.calls


async def test_missing_field_and_wrong_method_are_told_apart(browser: ClientSession, mango: Mango) -> None:
    """3103 and 3101."""
    assert await post(browser, mango, "commands/callback", {"json": "{}"}) == (200, {"result": 3103})
    async with browser.get(f"{mango.base_url}/vpbx/commands/callback") as answer:
        assert await answer.json() == {"result": 3101}


async def test_old_refusals_are_http_420(browser: ClientSession, mango: Mango) -> None:
    """The 1.10 document's form."""
    mango.knobs = turned(mango.knobs, {"error_style": "old"})

    assert await ask(browser, mango, "commands/callback", {"command_id": "c"}) == (420, {"code": 3103})


async def test_second_invalid_request_locks_out(browser: ClientSession, mango: Mango) -> None:
    """401 for everything, the right requests too."""
    mango.knobs = turned(mango.knobs, {"lockout": True})
    for _ in range(2):
        await post(browser, mango, "commands/callback", {"json": "{}"})

    status, _ = await ask(browser, mango, "commands/callback", CALLBACK)

    assert status == 401


async def test_fifth_callback_within_a_second_is_too_many(browser: ClientSession, mango: Mango) -> None:
    """The documented four per second."""
    mango.knobs = turned(mango.knobs, {"rate_limits": True, "callbacks": "never"})

    answers = [await ask(browser, mango, "commands/callback", CALLBACK) for _ in range(5)]

    assert [status for status, _ in answers] == [200, 200, 200, 200, 429]
    assert answers[4][1]["message"] == "Rate limit exceeded."


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("commands/callback", {"command_id": "c", "to_number": "79161234567"}, 3103),
        ("commands/callback", {"command_id": "c", "from": {"extension": "201"}, "to_number": "кому"}, 3200),
        ("commands/callback_group", {"command_id": "c", "from": "999", "to": "79161234567", "line_number": "1"}, 3330),
        ("commands/transfer", {"command_id": "c", "call_id": "x", "method": "throw"} | TRANSFER, 3100),
        ("commands/call/hangup", {"call_id": "x"}, 3103),
        ("queries/recording/post", {"recording_id": "x", "action": "eat"}, 3100),
        ("stats/calls/request", {"start_date": "x", "end_date": "y", "limit": "5", "offset": "0"}, 3100),
        (
            "stats/calls/request",
            {"start_date": "01.01.2026 00:00:00", "end_date": "31.01.2026 00:00:00", "limit": "5", "offset": "0"},
            3111,
        ),
        ("stats/request", {"date_from": "1", "date_to": "9999999999"}, 3100),
    ],
)
async def test_bad_parameters_have_their_codes(
    browser: ClientSession, mango: Mango, path: str, body: dict[str, Any], code: int
) -> None:
    """The answer to the request itself says what is wrong with it."""
    assert await ask(browser, mango, path, body) == (200, {"result": code})


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("commands/call/hangup", {}),
        ("commands/route", {"to_number": "203"}),
        ("commands/transfer", {"method": "blind", "to_number": "203", "initiator": "201"}),
        ("commands/recording/start", {"call_party_number": "201"}),
    ],
)
async def test_command_about_a_dead_call_reports_4101(
    browser: ClientSession, mango: Mango, consumer: Any, path: str, more: dict[str, str]
) -> None:
    """The request is accepted; the result says that the call is gone."""
    assert await ask(browser, mango, path, {"command_id": "c", "call_id": "x", **more}) == (200, {"result": 1000})
    await mango.idle()

    assert consumer.events(f"result/{path}") == [{"path": f"result/{path}", "command_id": "c", "result": 4101}]


async def live_leg(mango: Mango, consumer: Any, state: str) -> str:
    """A steered call whose phone 201 is in this state; gives the leg's id as the events tell it."""
    await play(mango, {"scenario": "by_hand", "ivr_s": 5 if state == "ivr" else 0, "record": False})
    await mango.courier.idle()
    call = mango.exchange.live[0]
    if state == "talking":
        mango.exchange.answer(call.ringing[0])
        await mango.courier.idle()
    last: str = consumer.events("events/call")[-1]["call_id"]
    return last


async def said_after(mango: Mango, consumer: Any) -> list[str]:
    await mango.courier.idle()
    return [
        f"{event['call_state']} {event['to'].get('extension', '')} {event.get('disconnect_reason', '')}".strip()
        for event in consumer.events("events/call")
    ]


async def result_of(mango: Mango, path: str) -> int:
    sent = await mango.log.wait("webhook", path=f"/hook/result/{path}")
    code: int = sent["fields"]["result"]
    return code


async def test_route_takes_a_call_out_of_the_menu(
    browser: ClientSession, mango: Mango, consumer: Any, still_time: None
) -> None:
    """The menu's leg ends with 1100 and the new one carries the command."""
    leg = await live_leg(mango, consumer, "ivr")

    await ask(browser, mango, "commands/route", {"command_id": "r", "call_id": leg, "to_number": "203"})

    assert await result_of(mango, "commands/route") == 1000
    assert (await said_after(mango, consumer))[-2:] == ["Disconnected  1100", "Appeared 203"]
    routed = consumer.events("events/call")[-1]
    assert (routed["command_id"], routed["from"]["taken_from_call_id"]) == ("r", leg)


async def test_route_intercepts_a_ringing_phone(
    browser: ClientSession, mango: Mango, consumer: Any, still_time: None
) -> None:
    """Before the answer a call may go elsewhere, to a group too."""
    leg = await live_leg(mango, consumer, "ringing")

    await ask(browser, mango, "commands/route", {"command_id": "r", "call_id": leg, "to_number": "301"})
    await result_of(mango, "commands/route")

    assert (await said_after(mango, consumer))[-5:] == [
        "Disconnected 201 1181",
        "Appeared",
        "Appeared 203",
        "Appeared 204",
        "Appeared 205",
    ]


async def test_answered_call_cannot_be_routed(
    browser: ClientSession, mango: Mango, consumer: Any, still_time: None
) -> None:
    """4100: not possible in this state."""
    leg = await live_leg(mango, consumer, "talking")

    await ask(browser, mango, "commands/route", {"command_id": "r", "call_id": leg, "to_number": "203"})

    assert await result_of(mango, "commands/route") == 4100


@pytest.mark.parametrize(
    ("method", "last"),
    [
        ("blind", ["OnHold 201", "Appeared 203", "Disconnected 201 1120", "Appeared 203"]),
        ("hold", ["OnHold 201", "Appeared 203"]),
    ],
)
async def test_transfer_follows_the_documented_flow(
    browser: ClientSession, mango: Mango, consumer: Any, still_time: None, method: str, last: list[str]
) -> None:
    """Blind hands over at once, hold asks first."""
    leg = await live_leg(mango, consumer, "talking")
    body = {"command_id": "t", "call_id": leg, "method": method, "to_number": "203", "initiator": "201"}

    await ask(browser, mango, "commands/transfer", body)

    assert await result_of(mango, "commands/transfer") == 1000
    assert (await said_after(mango, consumer))[-len(last) :] == last
    assert consumer.events("events/call")[-1]["command_id"] == "t"


async def test_stranger_cannot_transfer(browser: ClientSession, mango: Mango, consumer: Any, still_time: None) -> None:
    """The initiator must be in the call."""
    leg = await live_leg(mango, consumer, "talking")
    body = {"command_id": "t", "call_id": leg, "method": "blind", "to_number": "203", "initiator": "205"}

    await ask(browser, mango, "commands/transfer", body)

    assert await result_of(mango, "commands/transfer") == 3330


async def test_hangup_ends_the_whole_call(
    browser: ClientSession, mango: Mango, consumer: Any, still_time: None
) -> None:
    """1181: by API command."""
    leg = await live_leg(mango, consumer, "talking")

    await ask(browser, mango, "commands/call/hangup", {"command_id": "h", "call_id": leg})

    assert await result_of(mango, "commands/call/hangup") == 1000
    assert consumer.events("events/summary")[0]["disconnect_reason"] == 1181


@pytest.mark.parametrize(("number", "codes"), [("201", [1000, 4102]), ("205", [3330, 3330])])
async def test_recording_starts_once_and_for_a_party(
    browser: ClientSession, mango: Mango, consumer: Any, still_time: None, number: str, codes: list[int]
) -> None:
    """4102 when it runs already, 3330 for a number that is not in the call."""
    leg = await live_leg(mango, consumer, "talking")
    body = {"command_id": "s", "call_id": leg, "call_party_number": number}

    for _ in codes:
        await ask(browser, mango, "commands/recording/start", body)
        await mango.idle()

    results = consumer.events("result/commands/recording/start")
    assert [event["result"] for event in results] == codes


@pytest.mark.parametrize(("order", "first"), [("before", "result/commands/callback"), ("after", "events/call")])
async def test_result_may_come_first_or_later(
    browser: ClientSession, mango: Mango, consumer: Any, order: str, first: str
) -> None:
    """The vendor promises no order of a result and the events it causes."""
    mango.knobs = turned(mango.knobs, {"result_order": order, "callbacks": "answered"})

    await ask(browser, mango, "commands/callback", CALLBACK)
    await mango.idle()

    assert consumer.got[0]["path"] == first
    assert len(consumer.events("result/commands/callback")) == 1
    assert {event["command_id"] for event in consumer.events("events/call")} == {"cmd-1"}


async def test_callback_that_never_becomes_a_call_still_has_a_result(
    browser: ClientSession, mango: Mango, consumer: Any
) -> None:
    """Accepted, reported done, and silence."""
    mango.knobs = turned(mango.knobs, {"callbacks": "never"})

    await ask(browser, mango, "commands/callback", CALLBACK)
    await mango.idle()

    assert [event["path"] for event in consumer.got] == ["result/commands/callback"]


async def test_group_callback_rings_the_group_first(browser: ClientSession, mango: Mango, consumer: Any) -> None:
    """Then the client, from whoever of the group answered."""
    body = {"command_id": "g", "from": "300", "to": "79161234567", "line_number": "74951234567"}

    await ask(browser, mango, "commands/callback_group", body)
    await mango.idle()

    appeared = [event["to"] for event in consumer.events("events/call") if event["call_state"] == "Appeared"]
    assert [to.get("extension", to["number"]) for to in appeared] == ["74951234567", "201", "202", "79161234567"]


async def test_legs_come_as_csv(browser: ClientSession, mango: Mango, consumer: Any) -> None:
    """One row per leg, asked for, announced and fetched; an unknown key is 404."""
    await play(mango, {"talk_s": 30, "wait": True})
    query = {"date_from": "1700000000", "date_to": "1700100000", "request_id": "q1"}
    query_fields = {"fields": ["entry_id", "to_extension", "answer", "disconnect_reason", "records"]}

    _, reply = await ask(browser, mango, "stats/request", query | query_fields)
    _, text = await ask(browser, mango, "stats/result", {"key": reply["key"]})
    status, _ = await ask(browser, mango, "stats/result", {"key": "x"})
    await mango.idle()

    entry = consumer.events("events/summary")[0]["entry_id"]
    recording = consumer.events("events/record/added")[0]["recording_id"]
    assert text == f"{entry};;0;1100;[]\n{entry};201;1700000002;1110;[{recording}]\n"
    assert status == 404
    assert consumer.events("result/stats") == [{"path": "result/stats", "key": reply["key"], "request_id": "q1"}]


async def test_calls_come_as_pages(browser: ClientSession, mango: Mango) -> None:
    """Per call, newest first, filtered by kind."""
    for scenario in ("answered", "internal", "missed"):
        await play(mango, {"scenario": scenario, "talk_s": 7, "wait": True})
    query = {"start_date": "14.11.2023 00:00:00", "end_date": "16.11.2023 00:00:00", "limit": "5", "offset": "0"}

    _, reply = await ask(browser, mango, "stats/calls/request/", query | {"context_type": [1]})
    _, result = await ask(browser, mango, "stats/calls/result/", {"key": reply["key"]})

    page = result["data"][0]["list"]
    assert [(item["context_status"], item["talk_duration"]) for item in page] == [(0, 0), (1, 7)]


async def test_users_are_listed(browser: ClientSession, mango: Mango) -> None:
    """All of them, or the one asked for; the deleted are not."""
    mango.knobs = turned(mango.knobs, {"deleted_extensions": "202,203"})

    _, everyone = await ask(browser, mango, "config/users/request", {})
    _, one = await ask(browser, mango, "config/users/request", {"extension": "204"})

    assert [user["telephony"]["extension"] for user in everyone["users"]] == ["201", "204", "205"]
    assert [user["general"]["name"] for user in one["users"]] == ["Тимур Гарифуллин"]


@pytest.mark.parametrize("reuse_status", [404, 410])
async def test_recording_link_works_once(
    browser: ClientSession, mango: Mango, consumer: Any, reuse_status: int
) -> None:
    """302 to a link whose first access consumes it."""
    mango.knobs = turned(mango.knobs, {"recording_reuse_status": reuse_status, "recording_misses": 1})
    await play(mango, {"talk_s": 10, "wait": True})
    body = {"recording_id": consumer.events("events/record/added")[0]["recording_id"], "action": "download"}
    text = json.dumps(body)
    form = {"vpbx_api_key": KEY, "sign": signature(KEY, text, SALT), "json": text}
    url = f"{mango.base_url}/vpbx/queries/recording/post"

    async with browser.post(url, data=form, allow_redirects=False) as missed:
        assert missed.status == 404
    async with browser.post(url, data=form, allow_redirects=False) as found:
        link = found.headers["Location"]
    async with browser.get(link) as first:
        assert (found.status, first.status, first.content_type) == (302, 200, "audio/mpeg")
    async with browser.get(link) as second:
        assert second.status == reuse_status


@pytest.mark.parametrize(
    ("change", "status"), [(lambda sign: sign, 302), (lambda sign: sign[::-1], 200), (lambda _: "подпись", 200)]
)
async def test_signed_link_opens_a_recording(
    browser: ClientSession, mango: Mango, consumer: Any, change: Callable[[str], str], status: int
) -> None:
    """A GET link of our own making works while its signature is right."""
    await play(mango, {"wait": True})
    recording = consumer.events("events/record/added")[0]["recording_id"]
    until = str(int(mango.clock.now()) + 3600)
    sign = change(signature(KEY, until + recording, SALT))
    url = f"{mango.base_url}/vpbx/queries/recording/link/{recording}/play/{KEY}/{until}/{sign}"

    async with browser.get(url, allow_redirects=False) as answer:
        assert answer.status == status
