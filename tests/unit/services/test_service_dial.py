"""Click-to-call: asked once, followed to the end, every failure with a name."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from fakes.hooks import answered, ended, rang
from fakes.house import ACCOUNT, IRINA, LINE, MANGO_LINE, OLGA, OTHER_ACCOUNT, OTHER_LINE, PAVEL, STRANGER, House
from fakes.sender import MANGO_TOOK, SIPUNI_TOOK
from msgspec import structs

from server.core.errors import (
    BadPhone,
    CallerError,
    DialTwice,
    NoExtension,
    NoLine,
    NotFound,
    StoreUnavailable,
    VendorError,
    VendorUnavailable,
    VendorUnsupported,
)
from server.core.messages import DialRequest, DialView
from server.core.ports import VendorAnswer
from server.core.vocabulary import Capability, DialState, DialWay

PHONE = "8 (916) 123-45-67"


def click(key: str = "k1", **more: Any) -> DialRequest:
    return DialRequest(**{"key": key, "phone": PHONE} | more)


async def start(house: House, *, user_id: int = OLGA, **more: Any) -> DialView:
    return await house.dialling.start(ACCOUNT, user_id, click(**more))


async def dialled(house: House, **more: Any) -> DialView:
    """Start a call and wait for the PBX's answer; the state line after it."""
    await start(house, **more)
    await house.dialling.drain()
    current = house.dialling.current(ACCOUNT, OLGA)
    assert current is not None
    return current


async def test_a_click_puts_one_order_to_the_pbx(house: House) -> None:
    """The number in E.164, the agent's extension; the state line says "asked", then "accepted"."""
    screen = house.screen()

    current = await dialled(house)

    (request,) = house.sender.requests
    fields = parse_qs(request.body.decode())
    assert (fields["phone"], fields["sipnumber"]) == (["79161234567"], ["201"])
    assert [message["dial"]["state"] for message in screen.of("dial")] == ["asking", "accepted"]
    assert (current.state, current.phone) == (DialState.ACCEPTED, "+79161234567")


async def test_the_same_click_is_the_same_call(house: House) -> None:
    """The browser repeats a request whose answer it did not get."""
    first = await dialled(house)

    second = await start(house)

    assert second.id == first.id
    assert len(house.sender.requests) == 1


async def test_the_same_click_twice_at_once_is_one_call(house: House) -> None:
    """Both requests are on their way together."""
    one, other = await asyncio.gather(start(house), start(house))
    await house.dialling.drain()

    assert one.id == other.id
    assert len(house.sender.requests) == 1


async def test_two_clicks_at_once_are_one_call(house: House) -> None:
    """Two tabs, or a double click that made two keys."""
    house.sender.gate.clear()
    results = await asyncio.gather(start(house, key="k1"), start(house, key="k2"), return_exceptions=True)
    house.sender.gate.set()
    await house.dialling.drain()

    assert [type(result) for result in results] == [DialView, DialTwice]
    assert len(house.sender.requests) == 1


async def test_a_second_click_waits_until_the_pbx_has_answered(house: House) -> None:
    """While the first is being put to the PBX."""
    house.sender.gate.clear()
    await start(house, key="k1")

    with pytest.raises(DialTwice):
        await start(house, key="k2")

    house.sender.gate.set()
    await house.dialling.drain()
    assert (await start(house, key="k3")).state is DialState.ASKING
    await house.dialling.drain()


@pytest.mark.parametrize(
    ("answer", "slug"),
    [
        (VendorUnavailable(vendor="sipuni"), "vendor-unavailable"),
        (VendorAnswer(status=500, body=b""), "vendor-unavailable"),
        (VendorAnswer(status=200, body=b'{"success": false, "message": "wrong hash"}'), "vendor-credentials"),
        (VendorAnswer(status=200, body=b'{"success": false, "message": "not enough money"}'), "vendor-billing"),
        (VendorAnswer(status=200, body=b'{"success": false, "message": "bad phone"}'), "vendor-number"),
        (VendorAnswer(status=200, body=b'{"success": false, "message": "no such sipnumber"}'), "vendor-extension"),
        (VendorAnswer(status=429, body=b""), "vendor-rate-limited"),
        (VendorAnswer(status=200, body=b'{"succ'), "vendor-failed"),
    ],
)
async def test_every_failure_of_the_pbx_has_a_name(house: House, answer: Any, slug: str) -> None:
    """The state line fails with a slug, a message and what may be done."""
    house.sender.answers = [answer]

    current = await dialled(house)

    assert current.problem is not None
    assert (current.state, current.problem.slug) == (DialState.FAILED, slug)
    assert current.problem.message


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"phone": "Иванов"}, BadPhone),
        ({"phone": "9" * 65}, BadPhone),
        ({"phone": "201"}, BadPhone),
        ({"key": ""}, CallerError),
        ({"key": "k" * 65}, CallerError),
        ({"line": OTHER_LINE}, NotFound),
        ({"line": "l_0"}, NotFound),
        ({"way": DialWay.SCHEME, "scheme": "000-1"}, NotFound),
        ({"way": DialWay.EXTERNAL}, BadPhone),
        ({"line": MANGO_LINE, "way": DialWay.EXTERNAL, "from_phone": PHONE}, VendorUnsupported),
        ({"line": MANGO_LINE, "client_first": True}, VendorUnsupported),
    ],
)
async def test_what_cannot_be_dialled_is_refused_before_anything_is_stored(
    house: House, more: dict[str, Any], error: type[Exception]
) -> None:
    """No number, no key, another account's line, an unknown scheme, a way that the PBX lacks."""
    with pytest.raises(error):
        await start(house, **more)

    assert house.sender.requests == []
    assert house.dialling.current(ACCOUNT, OLGA) is None
    assert house.shelf.jobs == []


async def test_who_has_no_extension_cannot_dial(house: House) -> None:
    """And neither can an account without a PBX."""
    with pytest.raises(NoExtension):
        await start(house, user_id=IRINA)
    for line in house.lines.of_account(OTHER_ACCOUNT):
        await house.lines.remove(line)
    with pytest.raises(NoLine):
        await house.dialling.start(OTHER_ACCOUNT, STRANGER, click())


async def test_a_scheme_and_an_external_call_are_put_in_their_own_words(house: House) -> None:
    """Sipuni knows three ways."""
    line = house.lines.of(ACCOUNT, LINE)
    await house.lines.change(line, schemes={"000-1": "Отдел продаж"})

    await dialled(house, key="k1", way=DialWay.SCHEME, scheme="000-1")
    await dialled(house, key="k2", way=DialWay.EXTERNAL, from_phone="+7 999 000-00-00")

    assert [request.path for request in house.sender.requests] == ["callback/call_tree", "callback/call_external"]
    assert b"phoneFrom=79990000000" in house.sender.requests[1].body


async def test_a_timer_watches_every_order(house: House) -> None:
    """It is put before the PBX is asked: whatever happens, the state line ends."""
    house.sender.gate.clear()
    view = await start(house)

    (timer,) = house.shelf.of("silence")
    assert msgspec.json.decode(timer.body) == view.id

    house.sender.gate.set()
    await house.dialling.drain()


async def test_without_a_timer_nothing_is_asked(house: House) -> None:
    """The database is away: the click fails, no telephone rings."""
    house.shelf.fault = StoreUnavailable()

    with pytest.raises(StoreUnavailable):
        await start(house)

    assert house.sender.requests == []


async def test_an_order_of_which_nothing_is_heard_falls_silent(house: House) -> None:
    """The PBX said yes, and no telephone rang."""
    screen = house.screen()
    await dialled(house)
    house.clock.pass_s(60)

    await house.dialling.silence(house.shelf.of("silence"))

    current = house.dialling.current(ACCOUNT, OLGA)
    assert current is not None
    assert current.problem is not None
    assert (current.state, current.problem.slug) == (DialState.SILENT, "vendor-silent")
    assert screen.of("dial")[-1]["dial"]["state"] == "silent"


async def test_an_order_whose_call_was_found_does_not_fall_silent(house: House) -> None:
    """The telephone rings for a minute."""
    await dialled(house)
    await house.hear(rang())

    await house.dialling.silence(house.shelf.of("silence"))

    current = house.dialling.current(ACCOUNT, OLGA)
    assert current is not None
    assert current.state is DialState.AGENT_RINGING


async def test_the_timer_of_an_order_that_was_never_stored_does_nothing(house: House) -> None:
    """The process died between the timer and the order."""
    await start(house)
    (timer,) = house.shelf.of("silence")
    await house.dialling.drain()

    await house.dialling.silence([structs.replace(timer, body=msgspec.json.encode("d_none"))])

    current = house.dialling.current(ACCOUNT, OLGA)
    assert current is not None
    assert current.state is DialState.ACCEPTED


async def test_after_a_crash_nothing_is_sent_again(house: House) -> None:
    """Nobody knows whether the PBX took the order: it falls silent, and says so."""
    house.sender.gate.clear()
    await start(house)

    reborn = await house.again()
    await reborn.dialling.drain()
    current = reborn.dialling.current(ACCOUNT, OLGA)
    assert current is not None
    assert current.state is DialState.ASKING
    await reborn.dialling.silence(house.shelf.of("silence"))

    current = reborn.dialling.current(ACCOUNT, OLGA)
    assert current is not None
    assert current.state is DialState.SILENT
    assert len(house.sender.requests) == 1
    house.sender.gate.set()
    await house.dialling.drain()


async def test_the_calls_events_may_overtake_the_pbxs_answer(house: House) -> None:
    """The telephone rings while the answer is on its way: the state line does not step back."""
    house.sender.gate.clear()
    await start(house)
    await house.hear(rang())
    house.sender.gate.set()
    await house.dialling.drain()

    current = house.dialling.current(ACCOUNT, OLGA)
    assert current is not None
    assert current.state is DialState.AGENT_RINGING


async def test_older_news_does_not_overwrite_newer(house: House) -> None:
    """Two decisions are told by two tasks; the first may be told last."""
    screen = house.screen()
    await dialled(house)
    await house.hear(rang())
    older = house.decisions[-1]
    house.clock.pass_s(2)
    await house.hear(answered())

    await house.dialling.changed(older)

    assert screen.of("dial")[-1]["dial"]["state"] == "client_ringing"


async def test_the_state_line_stays_for_two_minutes(house: House) -> None:
    """Then it is history."""
    await dialled(house)
    await house.hear(rang())
    await house.hear(ended())
    current = house.dialling.current(ACCOUNT, OLGA)
    assert current is not None
    assert current.state is DialState.ENDED

    house.clock.pass_s(121)

    assert house.dialling.current(ACCOUNT, OLGA) is None


async def test_an_accepted_order_can_be_withdrawn(house: House) -> None:
    """By the PBX's own reference."""
    current = await dialled(house)
    assert Capability.CANCEL in current.can

    view = await house.dialling.cancel(ACCOUNT, OLGA, current.id)

    assert view.state is DialState.ENDED
    assert house.sender.requests[-1].path == "callback/cancel"
    assert b"callbackId=cb-1" in house.sender.requests[-1].body


async def test_an_order_that_is_over_is_not_withdrawn_again(house: House) -> None:
    """The second click on the button asks the PBX nothing."""
    current = await dialled(house)
    await house.dialling.cancel(ACCOUNT, OLGA, current.id)
    count = len(house.sender.requests)

    view = await house.dialling.cancel(ACCOUNT, OLGA, current.id)

    assert view.state is DialState.ENDED
    assert len(house.sender.requests) == count


async def test_a_refused_withdrawal_leaves_the_order(house: House) -> None:
    """It rings already."""
    current = await dialled(house)
    house.sender.answers = [VendorAnswer(status=200, body=b'{"success": false, "message": "not found"}')]

    with pytest.raises(VendorError):
        await house.dialling.cancel(ACCOUNT, OLGA, current.id)

    line = house.dialling.current(ACCOUNT, OLGA)
    assert line is not None
    assert line.state is DialState.ACCEPTED


@pytest.mark.parametrize(
    ("account_id", "user_id"), [(OTHER_ACCOUNT, STRANGER), (OTHER_ACCOUNT, OLGA), (ACCOUNT, PAVEL)]
)
async def test_an_order_of_somebody_else_is_not_found(house: House, account_id: int, user_id: int) -> None:
    """Another account's, or a colleague's."""
    current = await dialled(house)

    with pytest.raises(NotFound):
        await house.dialling.cancel(account_id, user_id, current.id)

    assert len(house.sender.requests) == 1


async def test_a_call_is_hung_up_by_the_vendors_reference(house: House) -> None:
    """Sipuni ends the whole call."""
    await house.hear(rang())
    house.sender.answers = [SIPUNI_TOOK]

    await house.dialling.hang_up(house.call)

    assert house.sender.requests[-1].path == "events/call/hangup"
    assert b"callId=r1" in house.sender.requests[-1].body


async def test_mango_is_given_our_reference(house: House) -> None:
    """It returns in the events, so that the call is found without guessing."""
    house.sender.answers = [MANGO_TOOK]

    current = await dialled(house, line=MANGO_LINE)

    form = parse_qs(house.sender.requests[0].body.decode())
    assert json.loads(form["json"][0])["command_id"] == current.id
    assert Capability.CANCEL not in current.can


async def test_an_order_whose_answer_was_lost_may_yet_find_its_call(house: House) -> None:
    """The PBX took too long to answer, but took the order: the telephone rings, and it is the click's call."""
    house.sender.answers = [VendorUnavailable(vendor="sipuni")]
    failed = await dialled(house)

    await house.hear(rang())

    current = house.dialling.current(ACCOUNT, OLGA)
    assert current is not None
    assert (failed.state, current.state, current.problem) == (DialState.FAILED, DialState.AGENT_RINGING, None)
    assert house.call.order is not None


async def test_a_second_click_after_a_lost_answer_takes_the_call(house: House) -> None:
    """Of two orders that fit, the one that the PBX confirmed."""
    house.sender.answers = [VendorUnavailable(vendor="sipuni"), SIPUNI_TOOK]
    await dialled(house, key="k1")
    house.clock.pass_s(5)
    second = await dialled(house, key="k2")

    await house.hear(rang(at_s=8))

    assert house.call.order is not None
    assert house.call.order.id == second.id
