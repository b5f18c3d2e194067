"""How webhooks become calls, with the jobs and orders that belong to them."""

import msgspec
import pytest
from fakes.clock import START_MS
from fakes.hooks import START_S, answered, ended, mango, mango_call, rang, sipuni
from fakes.house import ACCOUNT, LINE, MANGO_LINE, OLGA, OTHER_ACCOUNT, OTHER_LINE, STRANGER, House

from server.core.dial import Dial
from server.core.jobs import Job, Later
from server.core.vocabulary import CallState, DialState, DialWay, Direction, LegState, Result
from server.services.calls import GRACE_MS, RING_MS, TALK_MS


def order(dial_id: str = "d_1", **changed: object) -> Dial:
    values = {
        "id": dial_id, "account_id": ACCOUNT, "agent_id": OLGA, "line_id": LINE, "extension": "201",
        "way": DialWay.NUMBER, "phone": "+79161234567", "key": dial_id, "created_ms": START_MS, "changed_ms": START_MS,
        "state": DialState.ACCEPTED,
    }  # fmt: skip
    return Dial(**values | changed)  # type: ignore[arg-type]


def expiry(house: House) -> Job:
    return next(job for job in reversed(house.jobs) if job.kind == "expire")


def log_jobs(house: House) -> list[Job]:
    return [job for job in house.jobs if job.kind == "log"]


async def test_the_first_news_of_a_call_begins_it(house: House) -> None:
    """It gets our id, and stands in the store at once."""
    await house.hear(rang())

    assert house.call.id.startswith("c_")
    assert await house.kept.calls.find(house.call.id) == house.call
    assert (house.call.account_id, house.call.line_id) == (ACCOUNT, LINE)


async def test_later_news_moves_the_same_call(house: House) -> None:
    """One call, whatever number of webhooks."""
    await house.hear(rang())
    await house.hear(answered())

    first, second = house.decisions
    assert first.call.id == second.call.id
    assert second.call.legs["201"].state is LegState.TALKING


async def test_news_that_says_nothing_new_is_no_decision(house: House) -> None:
    """The same happening in other clothes: another field, hence another webhook, but the same event."""
    await house.hear(rang())
    await house.hear(rang(utm_source="site"))

    assert len(house.decisions) == 1
    assert await house.kept.hooks.unread() == []


async def test_one_number_of_two_lines_is_two_calls(house: House) -> None:
    """A vendor's call id is unique within its line only."""
    await house.hear(rang())
    await house.hear(rang(), line_id=OTHER_LINE)

    first, second = house.decisions
    assert first.call.id != second.call.id
    assert second.call.account_id == OTHER_ACCOUNT


async def test_an_ended_call_is_logged_after_a_grace(house: House) -> None:
    """Stragglers of the vendor are waited for; a call that rings or talks is not logged."""
    await house.hear(rang())
    await house.hear(answered())
    assert log_jobs(house) == []

    await house.hear(ended())

    (job,) = log_jobs(house)
    assert job.lane == f"amo:{ACCOUNT}"
    assert job.due_ms == START_MS + GRACE_MS
    assert msgspec.json.decode(job.body) == house.call.id


async def test_a_call_that_is_over_at_its_first_news_is_logged(house: House) -> None:
    """Only the hang-up came through."""
    await house.hear(ended())

    assert len(log_jobs(house)) == 1


async def test_a_call_whose_end_never_comes_is_closed_by_time(house: House) -> None:
    """A telephone that has rung for three minutes without news: the hang-up was lost."""
    await house.hear(rang())
    house.clock.pass_s(RING_MS / 1000)

    await house.calls.expire([expiry(house)])

    assert house.call.verdict.state is CallState.ENDED_UNKNOWN
    assert len(log_jobs(house)) == 1


async def test_patience_begins_anew_with_each_news(house: House) -> None:
    """Somebody talks: the timer looks again hours later."""
    await house.hear(rang())
    house.clock.pass_s(100)
    await house.hear(answered(at_s=100))
    house.clock.pass_s(80)

    with pytest.raises(Later) as later:
        await house.calls.expire([expiry(house)])

    assert later.value.after_s == TALK_MS / 1000 - 80
    assert later.value.unsure is False


async def test_the_timer_of_an_ended_call_does_nothing(house: House) -> None:
    """And neither does that of a call which is not there."""
    await house.hear(rang())
    job = expiry(house)
    await house.hear(ended())
    known = len(house.decisions)
    house.clock.pass_s(TALK_MS)

    await house.calls.expire([job])
    await house.calls.expire([Job("calls:1", "expire", "expire:c_0", msgspec.json.encode("c_0"))])

    assert len(house.decisions) == known


async def test_late_news_reopens_a_call_that_was_closed_by_time(house: House) -> None:
    """And a new timer watches it: its hang-up may be lost as well."""
    await house.hear(rang())
    house.clock.pass_s(RING_MS / 1000)
    before = expiry(house)
    await house.calls.expire([before])

    await house.hear(rang("202", at_s=200))

    assert house.call.is_live
    assert expiry(house).key != before.key


async def test_news_during_the_timers_look_keeps_the_call(house: House) -> None:
    """What was heard a moment ago is not overdue, whatever the timer saw before."""
    await house.hear(rang())
    call_id, job = house.call.id, expiry(house)
    house.clock.pass_s(RING_MS / 1000)
    stale = await house.kept.calls.find(call_id)

    class Behind:
        """Finds the call as it was a moment ago."""

        def __getattr__(self, name: str) -> object:
            return getattr(house.kept.calls, name)

        async def find(self, _: str) -> object:
            return stale

    await house.hear(answered(at_s=179))
    house.calls._store = Behind()  # type: ignore[assignment]  # the one way to stand between two awaits

    with pytest.raises(Later):
        await house.calls.expire([job])

    assert house.call.is_live


async def test_an_order_finds_its_call_by_extension_and_number(house: House) -> None:
    """Sipuni echoes no reference in its events."""
    await house.kept.dials.put(order())

    await house.hear(rang())

    assert house.call.order is not None
    assert house.call.order.id == "d_1"
    assert house.call.direction is Direction.OUT
    found = await house.kept.dials.find("d_1")
    assert found is not None
    assert (found.call_id, found.state) == (house.call.id, DialState.AGENT_RINGING)


@pytest.mark.parametrize(
    "changed",
    [
        {"extension": "202"},
        {"phone": "+79990000000"},
        {"created_ms": START_MS - 200_000},
        {"line_id": MANGO_LINE},
        {"state": DialState.FAILED},
    ],
)
async def test_an_order_leaves_other_calls_alone(house: House, changed: dict[str, object]) -> None:
    """Another extension, number, time or line, or an order that the PBX refused."""
    await house.kept.dials.put(order(**changed))

    await house.hear(rang())

    assert house.call.order is None
    assert house.call.direction is Direction.IN


async def test_an_order_takes_one_call(house: House) -> None:
    """The client calls in while the order's call goes on: that is a call of his own."""
    await house.kept.dials.put(order())

    await house.hear(rang(ref="r1"))
    await house.hear(rang(ref="r2", at_s=1))

    assert house.call.order is None


async def test_an_order_follows_its_call_to_the_end(house: House) -> None:
    """From ring to talk to hang-up, by the call's news alone."""
    await house.kept.dials.put(order())
    states = []
    out = {"src_type": 2, "src_num": "078332201", "short_src_num": "201", "dst_type": 1, "short_dst_num": None}
    for hook in (
        rang(),
        answered(at_s=2),
        sipuni(1, at_s=3, **out, dst_num="79161234567"),
        sipuni(3, at_s=5, **out, dst_num="79161234567"),
        sipuni(2, at_s=9, **out, dst_num="79161234567", status="ANSWER", call_answer_timestamp=START_S + 5),
    ):
        await house.hear(hook)
        found = await house.kept.dials.find("d_1")
        assert found is not None
        states.append(found.state)

    assert states == [
        DialState.AGENT_RINGING,
        DialState.CLIENT_RINGING,
        DialState.CLIENT_RINGING,
        DialState.TALKING,
        DialState.ENDED,
    ]
    assert house.call.verdict.result is Result.ANSWERED


async def test_a_refused_command_fails_its_order(house: House) -> None:
    """MANGO answers a command with "understood", and says later that it came to nothing."""
    await house.kept.dials.put(order(line_id=MANGO_LINE))
    screen = house.screen()

    await house.hear(mango("result/commands/callback", {"command_id": "d_1", "result": 3331}), line_id=MANGO_LINE)

    found = await house.kept.dials.find("d_1")
    assert found is not None
    assert found.problem is not None
    assert (found.state, found.problem.slug) == (DialState.FAILED, "vendor-extension")
    assert screen.of("dial")[-1]["dial"]["state"] == "failed"
    assert await house.kept.hooks.unread() == []


async def test_a_done_command_waits_for_its_call(house: House) -> None:
    """That a command was carried out says nothing that the call's events do not say."""
    await house.kept.dials.put(order(line_id=MANGO_LINE))

    await house.hear(mango("result/commands/callback", {"command_id": "d_1", "result": 1000}), line_id=MANGO_LINE)

    found = await house.kept.dials.find("d_1")
    assert found is not None
    assert found.state is DialState.ACCEPTED


async def test_a_result_after_the_calls_events_does_not_fail_the_order(house: House) -> None:
    """The call is there: why should its order have failed?"""
    await house.kept.dials.put(order(line_id=MANGO_LINE))
    await house.hear(mango_call("Appeared", seq=1, command_id="d_1"), line_id=MANGO_LINE)

    await house.hear(mango("result/commands/callback", {"command_id": "d_1", "result": 1111}), line_id=MANGO_LINE)

    found = await house.kept.dials.find("d_1")
    assert found is not None
    assert found.state is DialState.AGENT_RINGING


async def test_a_line_cannot_fail_the_order_of_another(house: House) -> None:
    """Whoever signs for one account's PBX has no say in another's orders."""
    foreign = order("d_9", account_id=OTHER_ACCOUNT, agent_id=STRANGER, line_id=OTHER_LINE)
    await house.kept.dials.put(foreign)

    await house.hear(mango("result/commands/callback", {"command_id": "d_9", "result": 3331}), line_id=MANGO_LINE)

    assert await house.kept.dials.find("d_9") == foreign


async def test_a_withdrawn_order_does_not_fail_afterwards(house: House) -> None:
    """The agent cancelled; that the PBX then reports a failure is no news for him."""
    await house.kept.dials.put(order(line_id=MANGO_LINE, state=DialState.ENDED))

    await house.hear(mango("result/commands/callback", {"command_id": "d_1", "result": 1110}), line_id=MANGO_LINE)

    found = await house.kept.dials.find("d_1")
    assert found is not None
    assert found.state is DialState.ENDED


async def test_the_result_of_an_unknown_command_is_kept(house: House) -> None:
    """Another program uses the same PBX."""
    reply = await house.hear(
        mango("result/commands/callback", {"command_id": "theirs", "result": 3331}), line_id=MANGO_LINE
    )

    assert reply.status == 200
    assert await house.kept.hooks.unread() == []


async def test_two_calls_of_one_reading_are_both_decided(house: House) -> None:
    """A webhook may speak of two calls; it counts as read with the second."""
    read = house.lines.codecs["sipuni"].read
    keys = house.lines.get(LINE)
    assert keys is not None

    class Twofold:
        """Sipuni's codec, telling of two calls at once."""

        def __getattr__(self, name: str) -> object:
            return getattr(house.kept, name)

        def read(self, _: object, keys: object) -> object:
            return [*read(rang(ref="r1"), keys), *read(rang(ref="r2"), keys)]  # type: ignore[arg-type]

    hook_id = await house.kept.hooks.put(LINE, key="k", received_ms=START_MS, raw=b"x")
    assert hook_id is not None
    house.lines.codecs = {**house.lines.codecs, "sipuni": Twofold()}  # type: ignore[dict-item]

    await house.calls.read(keys, rang(), hook_id)

    assert [decision.call.call_ref for decision in house.decisions] == ["r1", "r2"]
    assert await house.kept.hooks.unread() == []
