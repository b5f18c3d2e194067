"""Recordings from the vendor's word to the listener's ear: fetched once, kept, played, withdrawn, let go."""

import io
import wave
from typing import Any

import pytest
from fakes.clock import START_MS
from fakes.hooks import answered, ended, mango, mango_call, rang
from fakes.house import ACCOUNT, LINE, MANGO_LINE, OLGA, OTHER_ACCOUNT, PUBLIC_URL, SECRET_KEY, House
from msgspec import structs

from server.core.errors import (
    AudioFull,
    AudioUnavailable,
    LinkExpired,
    LinkUnknown,
    NotFound,
    RecordingAbsent,
    RecordingEarly,
    RecordingExpired,
    RecordingRevoked,
    StoreUnavailable,
    VendorUnavailable,
)
from server.core.jobs import Hold, Job, Later, Park
from server.core.ports import VendorAnswer
from server.core.recordings import MISSING_MS, Kept
from server.core.vocabulary import RecordingState
from server.services.expiry import DAY_MS
from server.services.links import Links
from server.services.playing import Span

RECORD = "https://sipuni.com/api/statistic/record?id=rec-1"
SOUND = b"ID3 the sound of a call, long enough to be cut"
MP3 = VendorAnswer(status=200, body=SOUND, headers={"Content-Type": "audio/mpeg"})
MISSING = VendorAnswer(status=404, body=b"record not found")


@pytest.fixture
async def call_ended(house: House) -> House:
    """A call over Sipuni has ended with a recording; the PBX gives it when asked."""
    for hook in (rang(), answered(), ended(call_record_link=RECORD)):
        await house.hear(hook)
    house.sender.answers = [MP3]
    return house


def fetch_jobs(house: House) -> list[Job]:
    """The fetch jobs that decisions made, each once."""
    return list({job.key: structs.replace(job, id=1, tries=1) for job in house.jobs if job.kind == "fetch"}.values())


async def fetch(house: House, which: int = -1) -> None:
    """Carry a fetch job out."""
    await house.fetching.fetch([fetch_jobs(house)[which]])


async def kept(house: House) -> Kept:
    (one,) = (await house.kept.recordings.find(house.call.id)).values()
    return one


async def play(house: House, link: str, span: Span | None = None) -> bytes:
    found = await house.playing.find(link.rpartition("/")[2])
    async with house.playing.open(found, span or Span()) as sound:
        return b"".join([piece async for piece in sound.pieces])


# -- fetching ------------------------------------------------------------------------------------------------------


async def test_a_finished_call_with_a_recording_makes_one_job(call_ended: House) -> None:
    """In the lane of its line, put with the call itself; nothing is asked while it rings or talks."""
    (job,) = fetch_jobs(call_ended)

    assert (job.lane, job.kind) == (f"rec:{LINE}", "fetch")
    assert [one.kind for decision in call_ended.decisions[:-1] for one in decision.jobs] == ["expire"]


async def test_what_is_fetched_is_kept_under_its_account(call_ended: House) -> None:
    """With its size and type, in one file whose name nobody guesses; the second attempt asks nobody."""
    await fetch(call_ended)
    await fetch(call_ended)

    one, (name,) = await kept(call_ended), call_ended.audio.files
    assert (one.state, one.size, one.content_type, one.attempts) == (
        RecordingState.FETCHED,
        len(SOUND),
        "audio/mpeg",
        1,
    )
    assert call_ended.audio.files == {one.name: SOUND}
    assert name.startswith(f"{ACCOUNT}/")
    assert len(name.rpartition("/")[2]) >= 32
    assert [request.verb for request in call_ended.sender.requests] == ["recording"]


async def test_a_recording_that_is_not_there_yet_is_asked_for_again(call_ended: House) -> None:
    """By the vendor's ladder, step by step."""
    call_ended.sender.answers = [MISSING, VendorAnswer(status=410, body=b""), VendorAnswer(status=425, body=b""), MP3]
    waits = []
    for _ in range(3):
        with pytest.raises(Later) as later:
            await fetch(call_ended)
        waits.append(later.value.after_s)

    await fetch(call_ended)

    assert waits == [3, 10, 30]
    assert (await kept(call_ended)).attempts == 4
    assert call_ended.audio.files


async def test_a_recording_that_never_comes_is_absent(call_ended: House) -> None:
    """After hours of "not there"; its link says so, and the card shows it no more."""
    link = call_ended.recordings.lasting_link(call_ended.call)
    call_ended.sender.answers = [MISSING]
    call_ended.clock.now_ms += MISSING_MS + 10_000  # the call took nine seconds

    await fetch(call_ended)

    assert (await kept(call_ended)).state is RecordingState.ABSENT
    assert (call_ended.recordings.link(call_ended.call), call_ended.recordings.lasting_link(call_ended.call)) == (
        "",
        "",
    )
    with pytest.raises(RecordingAbsent):
        await play(call_ended, link)


@pytest.mark.parametrize(
    "trouble",
    [
        VendorUnavailable(),
        VendorAnswer(status=500, body=b""),
        VendorAnswer(status=200, body=b"<html>busy</html>"),
        VendorAnswer(status=200, body=b"neither sound nor JSON"),
        VendorAnswer(status=200, body=b""),
    ],
    ids=["no answer", "5xx", "a page", "no audio", "nothing"],
)
async def test_a_failing_pbx_costs_an_attempt_and_nothing_else(call_ended: House, trouble: Any) -> None:
    """The job is tried later, surely without effect; nothing was stored."""
    call_ended.sender.answers = [trouble, MP3]

    with pytest.raises(Later) as later:
        await fetch(call_ended)

    assert (type(later.value), later.value.unsure, later.value.after_s) == (Later, False, 3)
    assert call_ended.audio.files == {}
    await fetch(call_ended)
    assert (await kept(call_ended)).state is RecordingState.FETCHED


@pytest.mark.parametrize(("status", "least_s"), [(429, 3), (401, 600)], ids=["too many requests", "wrong credentials"])
async def test_what_concerns_the_whole_line_holds_its_lane(call_ended: House, status: int, least_s: float) -> None:
    """Insisting would only make it worse."""
    call_ended.sender.answers = [VendorAnswer(status=status, body=b"")]

    with pytest.raises(Hold) as hold:
        await fetch(call_ended)

    assert hold.value.after_s >= least_s


async def test_half_an_answer_is_not_kept(call_ended: House) -> None:
    """The connection broke in the middle: not a byte of it is in the store."""
    call_ended.sender.breaks_off = True
    with pytest.raises(Later):
        await fetch(call_ended)
    assert call_ended.audio.files == {}

    call_ended.sender.breaks_off = False
    await fetch(call_ended)

    assert list(call_ended.audio.files.values()) == [SOUND]


async def test_a_crash_between_file_and_note_leaves_no_second_file(call_ended: House) -> None:
    """The name is remembered before the file is written; the next attempt writes under it."""
    store = call_ended.kept.recordings
    put, states = store.put, []

    async def die_at_the_end(one: Kept) -> None:
        states.append(one.state)
        if one.state is RecordingState.FETCHED:
            raise StoreUnavailable
        await put(one)

    store.put = die_at_the_end  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await fetch(call_ended)
    store.put = put  # type: ignore[method-assign]
    (first,) = call_ended.audio.files

    again = await call_ended.again()
    await again.fetching.fetch([fetch_jobs(call_ended)[0]])

    assert list(again.audio.files) == [first]
    assert (again.audio.puts, (await kept(call_ended)).name) == (2, first)


@pytest.mark.parametrize("fault", [AudioFull(), AudioUnavailable(reason="connection refused")], ids=["full", "away"])
async def test_a_store_that_takes_nothing_is_told_and_waited_for(call_ended: House, fault: Any) -> None:
    """The job stays, administrators get an alert, and it goes by itself once something is stored again."""
    call_ended.audio.fault = fault

    with pytest.raises(Hold):
        await fetch(call_ended)

    assert [one.slug for one in await call_ended.accounts.alerts(ACCOUNT)] == [fault.slug]
    await fetch(call_ended)
    assert await call_ended.accounts.alerts(ACCOUNT) == []
    assert list(call_ended.audio.files.values()) == [SOUND]


async def test_what_a_pbx_records_otherwise_is_kept_as_mp3(call_ended: House) -> None:
    """Half a second of WAV: amoCRM's player gets what it knows, with the right type and size."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(8000))
    call_ended.sender.answers = [VendorAnswer(status=200, body=sound.getvalue(), headers={"Content-Type": "audio/wav"})]

    await fetch(call_ended)

    one, (kept_bytes,) = await kept(call_ended), call_ended.audio.files.values()
    assert (one.content_type, one.size) == ("audio/mpeg", len(kept_bytes))
    assert one.duration_ms == pytest.approx(500, abs=150)
    assert kept_bytes[:3] == b"ID3"
    assert await play(call_ended, call_ended.recordings.link(call_ended.call)) == kept_bytes


async def test_a_recording_over_the_limit_stays_with_the_pbx(call_ended: House) -> None:
    """The job waits for a person, who may raise the limit; the link plays all the same."""
    call_ended.press.most = 10

    with pytest.raises(Park):
        await fetch(call_ended)

    assert (await kept(call_ended)).state is RecordingState.AVAILABLE
    assert await play(call_ended, call_ended.recordings.link(call_ended.call)) == SOUND


async def test_a_call_that_goes_on_is_waited_for(house: House) -> None:
    """The part before a transfer has a link already."""
    for hook in (rang(), answered(), ended(call_record_link=RECORD)):
        await house.hear(hook)
    await house.hear(rang("202", at_s=10))

    with pytest.raises(Later):
        await fetch(house)

    assert house.sender.requests == []


async def test_a_removed_lines_recordings_are_absent_unless_we_have_them(call_ended: House) -> None:
    """Nobody can fetch them any more; what is kept still plays."""
    link = call_ended.recordings.lasting_link(call_ended.call)
    await fetch(call_ended)
    await call_ended.lines.remove(call_ended.lines.of(ACCOUNT, LINE))

    assert await play(call_ended, link) == SOUND


async def test_with_a_line_the_hope_for_its_recordings_is_gone(call_ended: House) -> None:
    """The link says "no recording" at once, and the job ends."""
    link = call_ended.recordings.lasting_link(call_ended.call)
    await call_ended.lines.remove(call_ended.lines.of(ACCOUNT, LINE))
    with pytest.raises(RecordingAbsent):
        await play(call_ended, link)

    await fetch(call_ended)

    assert (await kept(call_ended)).state is RecordingState.ABSENT


async def test_in_proxy_mode_the_job_only_learns_that_it_is_there(call_ended: House) -> None:
    """Nothing is stored; one request tells size and type."""
    call_ended.store_recordings(None)
    call_ended.sender.answers = [MISSING, MP3]
    with pytest.raises(Later):
        await fetch(call_ended)
    await fetch(call_ended)
    await fetch(call_ended)

    one = await kept(call_ended)
    assert (one.state, one.size, one.content_type, one.name) == (
        RecordingState.AVAILABLE, len(SOUND), "audio/mpeg", "",
    )  # fmt: skip
    assert len(call_ended.sender.requests) == 2
    assert await play(call_ended, call_ended.recordings.link(call_ended.call)) == SOUND


# -- MANGO: announced first, stored later --------------------------------------------------------------------------


def recording(state: str, **more: Any) -> Any:
    message = {"recording_id": "rec-m", "entry_id": "e1", "call_id": "m1", "seq": 1, "recording_state": state}
    return mango("events/recording", {**message, "timestamp": START_MS // 1000 + 9} | more)


async def announced(house: House) -> None:
    """A call over MANGO has ended; its recording was announced."""
    for hook in (
        mango_call("Appeared", seq=1),
        mango_call("Connected", seq=2, at_s=2),
        recording("Started"),
        mango_call("Disconnected", seq=3, at_s=9, disconnect_reason=1110),
        recording("Completed", seq=2, completion_code=1000),
        mango("events/summary", {
            "entry_id": "e1", "call_direction": 1, "from": {"number": "79161234567"}, "to": {"extension": "201"},
            "line_number": "74951234567", "create_time": START_MS // 1000, "forward_time": START_MS // 1000,
            "talk_time": START_MS // 1000 + 2, "end_time": START_MS // 1000 + 9, "entry_result": 1,
            "disconnect_reason": 1110,
        }),
    ):  # fmt: skip
        await house.hear(hook, line_id=MANGO_LINE)
    house.sender.answers = [MP3]


async def test_an_announced_recording_waits_for_the_vendors_word(house: House) -> None:
    """For a minute; until then the link says "not ready yet", and the PBX is not asked."""
    await announced(house)

    with pytest.raises(Later) as later:
        await fetch(house)

    assert later.value.after_s == 60
    assert house.recordings.is_pending(house.call)
    with pytest.raises(RecordingEarly):
        await play(house, house.recordings.lasting_link(house.call))
    assert house.sender.requests == []


async def test_an_announced_recording_is_asked_for_without_word_in_the_end(house: House) -> None:
    """record/added is new, and may get lost."""
    await announced(house)
    house.clock.pass_s(61)

    await fetch(house)

    assert (await kept(house)).state is RecordingState.FETCHED
    assert not house.recordings.is_pending(house.call)


async def test_word_that_it_is_stored_fetches_it_at_once(house: House) -> None:
    """Its job does not wait for the other one, and the other one then has nothing to do."""
    await announced(house)
    added = {"entry_id": "e1", "product_id": 1, "user_id": 1, "timestamp": START_MS // 1000 + 11}
    await house.hear(mango("events/record/added", {**added, "recording_id": "rec-m"}), line_id=MANGO_LINE)

    assert len(fetch_jobs(house)) == 2
    await fetch(house)
    await fetch(house, 0)

    assert house.audio.puts == 1


async def test_a_lost_recording_makes_no_job(house: House) -> None:
    """Too short, or sent by mail only: the vendor says so, and we believe it."""
    await announced(house)
    before = len(fetch_jobs(house))
    await house.hear(recording("Completed", seq=3, completion_code=4002), line_id=MANGO_LINE)

    assert len(fetch_jobs(house)) == before
    assert not house.recordings.is_pending(house.call)
    with pytest.raises(RecordingAbsent):
        await play(house, house.links.to(house.call, house.call.recordings["rec-m"], 1 << 40))


async def test_late_word_revives_what_was_given_up(house: House) -> None:
    """Absent for us after hours of "not there"; then the vendor's storage is mended."""
    await announced(house)
    house.sender.answers = [MISSING]
    house.clock.now_ms += MISSING_MS + 61_000
    await fetch(house)
    assert (await kept(house)).state is RecordingState.ABSENT

    added = {"entry_id": "e1", "product_id": 1, "user_id": 1, "timestamp": START_MS // 1000 + 11}
    await house.hear(mango("events/record/added", {**added, "recording_id": "rec-m"}), line_id=MANGO_LINE)
    house.sender.answers = [MP3]
    await fetch(house)

    assert (await kept(house)).state is RecordingState.FETCHED


# -- links ---------------------------------------------------------------------------------------------------------


async def test_a_link_opens_the_recording_from_our_store(call_ended: House) -> None:
    """Once it is fetched, the PBX is not asked again."""
    await fetch(call_ended)

    assert await play(call_ended, call_ended.recordings.link(call_ended.call)) == SOUND
    assert len(call_ended.sender.requests) == 1


async def test_before_it_is_fetched_it_comes_from_the_pbx(call_ended: House) -> None:
    """Whoever is quick need not wait for the job; where the PBX has nothing yet, the link says so."""
    link = call_ended.recordings.link(call_ended.call)
    call_ended.sender.answers = [MISSING, MP3]

    with pytest.raises(RecordingEarly):
        await play(call_ended, link)

    assert await play(call_ended, link) == SOUND


async def test_a_file_that_got_lost_is_asked_for_at_the_pbx(call_ended: House) -> None:
    """Somebody emptied the folder."""
    await fetch(call_ended)
    call_ended.audio.files.clear()

    assert await play(call_ended, call_ended.recordings.link(call_ended.call)) == SOUND


async def test_a_link_in_a_card_ends_and_the_notes_does_not(call_ended: House) -> None:
    """Between one and two lifetimes after it was made."""
    await fetch(call_ended)
    link, lasting = call_ended.recordings.link(call_ended.call), call_ended.recordings.lasting_link(call_ended.call)
    call_ended.clock.pass_s(3600)
    assert await play(call_ended, link)

    call_ended.clock.pass_s(3600)

    with pytest.raises(LinkExpired):
        await play(call_ended, link)
    assert await play(call_ended, lasting) == SOUND


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: "a" + t, lambda _: "", lambda _: "жук.жук"])
async def test_an_altered_link_opens_nothing(call_ended: House, spoil: Any) -> None:
    """And the PBX is not asked."""
    token = call_ended.recordings.link(call_ended.call).rpartition("/")[2]

    with pytest.raises(LinkUnknown):
        await play(call_ended, spoil(token))

    assert call_ended.sender.requests == []


async def test_a_link_is_bound_to_its_account(call_ended: House) -> None:
    """One that names another account's call is none of ours, even rightly signed."""
    foreign = structs.replace(call_ended.call, account_id=OTHER_ACCOUNT)
    link = call_ended.links.to(foreign, call_ended.call.recordings["rec-1"], 1 << 40)

    with pytest.raises(LinkUnknown):
        await play(call_ended, link)


async def test_links_outlive_the_key_that_signed_them(call_ended: House) -> None:
    """While the old key stands behind the new one; without it they are none of ours."""
    old = call_ended.recordings.lasting_link(call_ended.call).rpartition("/")[2]
    rotated = Links(PUBLIC_URL, f"{'n' * 32}, {SECRET_KEY}")
    new = rotated.to(call_ended.call, call_ended.call.recordings["rec-1"], 1 << 40).rpartition("/")[2]

    assert rotated.read(old, now_s=0).call_id == call_ended.call.id
    assert rotated.read(new, now_s=0).call_id == call_ended.call.id
    with pytest.raises(LinkUnknown):
        Links(PUBLIC_URL, "n" * 32).read(old, now_s=0)
    with pytest.raises(LinkUnknown):
        Links(PUBLIC_URL, SECRET_KEY).read(new, now_s=0)


async def test_a_call_without_a_recording_has_no_link(house: House) -> None:
    """Neither in the card nor in amoCRM."""
    await house.hear(rang())

    assert (house.recordings.link(house.call), house.recordings.lasting_link(house.call)) == ("", "")
    assert not house.recordings.is_pending(house.call)


async def test_a_link_is_the_same_for_a_while(call_ended: House) -> None:
    """Or every card would be sent anew with each second."""
    first = call_ended.recordings.link(call_ended.call)
    call_ended.clock.pass_s(1)

    assert call_ended.recordings.link(call_ended.call) == first


# -- playing -------------------------------------------------------------------------------------------------------

PART = VendorAnswer(
    status=206, body=SOUND[4:9], headers={"Content-Range": f"bytes 4-8/{len(SOUND)}", "Content-Type": "audio/mpeg"}
)


@pytest.mark.parametrize("span", [Span(4, 9), Span(30), Span(-6), Span(0, 1), Span(0, 9999)])
@pytest.mark.parametrize("is_fetched", [True, False], ids=["kept", "cut by us"])
async def test_a_part_is_that_part(call_ended: House, span: Span, is_fetched: bool) -> None:
    """From our store, or from a PBX that does not know ranges and sends everything."""
    if is_fetched:
        await fetch(call_ended)

    assert await play(call_ended, call_ended.recordings.link(call_ended.call), span) == SOUND[span.start : span.stop]


async def test_a_pbx_that_knows_ranges_is_asked_for_the_part(call_ended: House) -> None:
    """What it sends goes through as it is."""
    call_ended.sender.answers = [PART]

    assert await play(call_ended, call_ended.recordings.link(call_ended.call), Span(4, 9)) == SOUND[4:9]
    assert call_ended.sender.requests[-1].headers["Range"] == "bytes=4-8"


async def test_a_part_that_the_pbx_does_not_have_is_no_fault_of_the_command(call_ended: House) -> None:
    """416 speaks of the range: an empty part, not an error."""
    call_ended.sender.answers = [VendorAnswer(status=416, body=b"")]

    assert await play(call_ended, call_ended.recordings.link(call_ended.call), Span(9999)) == b""


async def test_a_listener_of_a_pbx_that_is_down_hears_which_fault_it_is(call_ended: House) -> None:
    """Not "no recording": that would be believed."""
    call_ended.sender.answers = [VendorUnavailable()]

    with pytest.raises(VendorUnavailable):
        await play(call_ended, call_ended.recordings.link(call_ended.call))


async def test_a_listening_that_cannot_be_counted_is_heard(call_ended: House) -> None:
    """The database is away for a moment; the sound is not."""

    async def away(*_: Any) -> None:
        raise StoreUnavailable

    call_ended.kept.recordings.listened = away  # type: ignore[method-assign]
    found = await call_ended.playing.find(call_ended.recordings.link(call_ended.call).rpartition("/")[2])

    await call_ended.playing.heard(found)

    assert await play(call_ended, call_ended.recordings.link(call_ended.call)) == SOUND


async def test_without_a_size_the_whole_is_given(call_ended: House) -> None:
    """Where in it the part would be, nobody could say."""
    call_ended.sender.tells_size = False
    found = await call_ended.playing.find(call_ended.recordings.link(call_ended.call).rpartition("/")[2])

    async with call_ended.playing.open(found, Span(4, 9)) as sound:
        assert (sound.size, b"".join([piece async for piece in sound.pieces])) == (None, SOUND)


async def test_listening_is_counted(call_ended: House) -> None:
    """How often, and when last; also for one that is not fetched, and fetching it forgets nothing."""
    found = await call_ended.playing.find(call_ended.recordings.link(call_ended.call).rpartition("/")[2])
    await call_ended.playing.heard(found)
    call_ended.clock.pass_s(5)
    await fetch(call_ended)
    await call_ended.playing.heard(found)

    one = await kept(call_ended)
    assert (one.listened, one.listened_ms, one.state) == (2, call_ended.clock.now_ms, RecordingState.FETCHED)


# -- withdrawn, expired --------------------------------------------------------------------------------------------


async def test_a_withdrawn_recording_opens_by_none_of_its_links(call_ended: House) -> None:
    """The note's and the card's; also after a restart. Nobody's card offers it any more."""
    link, lasting = call_ended.recordings.link(call_ended.call), call_ended.recordings.lasting_link(call_ended.call)
    await fetch(call_ended)

    assert await call_ended.recordings.revoke(ACCOUNT, call_ended.call.id) == 1
    assert await call_ended.recordings.revoke(ACCOUNT, call_ended.call.id) == 1

    for house in (call_ended, await call_ended.again()):
        for one in (link, lasting):
            with pytest.raises(RecordingRevoked):
                await play(house, one)
        assert house.recordings.link(call_ended.call) == ""


async def test_what_is_withdrawn_before_it_came_is_not_fetched(call_ended: House) -> None:
    """The PBX is not even asked."""
    await call_ended.recordings.revoke(ACCOUNT, call_ended.call.id)

    await fetch(call_ended)

    assert (call_ended.sender.requests, call_ended.audio.files) == ([], {})


async def test_another_accounts_recordings_cannot_be_withdrawn(call_ended: House) -> None:
    """They do not exist for him."""
    with pytest.raises(NotFound):
        await call_ended.recordings.revoke(OTHER_ACCOUNT, call_ended.call.id)

    assert await play(call_ended, call_ended.recordings.link(call_ended.call))


async def test_a_call_without_recordings_has_nothing_to_withdraw(house: House) -> None:
    """Which is said."""
    await house.hear(rang())

    with pytest.raises(RecordingAbsent):
        await house.recordings.revoke(ACCOUNT, house.call.id)


async def test_recordings_go_after_their_days(call_ended: House) -> None:
    """The file with them; the link says why; younger ones stay, and for ever is for ever."""
    link = call_ended.recordings.lasting_link(call_ended.call)
    await fetch(call_ended)
    call_ended.clock.now_ms += 7 * DAY_MS
    await call_ended.expiry.tidy()
    call_ended.store_recordings(call_ended.audio, keep_days=7)
    await call_ended.expiry.tidy()
    assert len(call_ended.audio.files) == 1

    call_ended.clock.now_ms += 1
    await call_ended.expiry.tidy()

    assert call_ended.audio.files == {}
    assert ((await kept(call_ended)).state, (await kept(call_ended)).name) == (RecordingState.EXPIRED, "")
    with pytest.raises(RecordingExpired):
        await play(call_ended, link)


async def test_a_file_that_could_not_be_removed_is_removed_the_next_time(call_ended: House) -> None:
    """The store was away, or the process died: the name is remembered until the file is gone."""
    await fetch(call_ended)
    call_ended.clock.now_ms += 8 * DAY_MS
    call_ended.store_recordings(call_ended.audio, keep_days=7)
    call_ended.audio.fault = AudioUnavailable()
    with pytest.raises(AudioUnavailable):
        await call_ended.expiry.tidy()
    assert len(call_ended.audio.files) == 1

    await call_ended.expiry.tidy()

    assert call_ended.audio.files == {}


async def test_an_expired_recording_is_not_fetched_again(call_ended: House) -> None:
    """However often the vendor mentions it."""
    await fetch(call_ended)
    call_ended.clock.now_ms += 8 * DAY_MS
    call_ended.store_recordings(call_ended.audio, keep_days=7)
    await call_ended.expiry.tidy()

    await fetch(call_ended)

    assert call_ended.audio.files == {}


# -- cards ---------------------------------------------------------------------------------------------------------


async def test_the_card_follows_its_recording(house: House) -> None:
    """Pending, then playable, then withdrawn: each is sent to the agent's screen by itself."""
    screen = house.screen(OLGA)
    await announced(house)
    house.clock.pass_s(61)
    await fetch(house)
    await house.recordings.revoke(ACCOUNT, house.call.id)

    cards = [message["call"] for message in screen.of("call")]
    shown = [(bool(card.get("recording_url")), card.get("recording_pending", False)) for card in cards]
    assert shown[-3:] == [(False, True), (True, False), (False, False)]


async def test_a_recording_that_is_too_large_is_kept_with_the_pbx_for_its_time(call_ended: House) -> None:
    """Tidying must not take it for one of 1970."""
    call_ended.press.most = 10
    call_ended.store_recordings(call_ended.audio, keep_days=365)
    with pytest.raises(Park):
        await fetch(call_ended)

    await call_ended.expiry.tidy()

    assert (await kept(call_ended)).state is RecordingState.AVAILABLE


async def test_what_a_pbx_calls_its_audio_is_not_served_as_a_page(call_ended: House) -> None:
    """On our own origin, it would be one of ours."""
    call_ended.store_recordings(None)
    call_ended.sender.answers = [VendorAnswer(status=200, body=SOUND, headers={"Content-Type": "text/html"})]
    await fetch(call_ended)

    found = await call_ended.playing.find(call_ended.recordings.link(call_ended.call).rpartition("/")[2])

    async with call_ended.playing.open(found) as sound:
        assert sound.content_type == "audio/mpeg"


async def test_a_part_that_comes_after_the_withdrawal_is_withdrawn(call_ended: House) -> None:
    """After a transfer each leg has a recording of its own: no link plays the second either, and it is not fetched."""
    await fetch(call_ended)
    await call_ended.recordings.revoke(ACCOUNT, call_ended.call.id)

    await call_ended.hear(ended("202", at_s=40, call_record_link=RECORD.replace("rec-1", "rec-2")))
    call = call_ended.call
    second = next(one for one in call.recordings.values() if "rec-2" in one.key)

    assert call_ended.recordings.lasting_link(call) == ""
    with pytest.raises(RecordingRevoked):
        await call_ended.playing.find(call_ended.recordings.short_link(call, second).rpartition("/")[2])
    asked = len(call_ended.sender.requests)
    await fetch(call_ended)
    assert len(call_ended.sender.requests) == asked
    assert (await call_ended.kept.recordings.find(call.id))[second.key].revoked_ms is not None
