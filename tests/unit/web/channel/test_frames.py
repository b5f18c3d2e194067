"""The rules of the wire, on bytes alone. The `websockets` library speaks for the other side."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame as TheirFrame
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from server.web.channel import frames
from server.web.channel.frames import Close, Decoder, Event, Failure, Ping

LIMIT = 100_000
KEY = b"\x37\xfa\x21\x3d"  # the mask of the RFC's own examples (§5.7)


def client() -> ClientProtocol:
    """An open connection of the reference client, without a socket."""
    return ClientProtocol(parse_uri("ws://test/"), state=State.OPEN, max_size=None)


def masked(first: int, payload: bytes, *, length: bytes | None = None) -> bytes:
    """A client's frame from its first byte; `length` replaces the length field, mask bit included."""
    field = bytes((0x80 | len(payload),)) if length is None else length
    return bytes((first,)) + field + KEY + frames.unmask(payload, KEY)


def read(*chunks: bytes, limit: int = LIMIT) -> list[Event]:
    """What a decoder makes of some chunks."""
    decoder = Decoder(limit)
    return list(itertools.chain.from_iterable(decoder.feed(chunk) for chunk in chunks))


def chopped(data: bytes, cuts: list[int]) -> list[bytes]:
    """The same bytes in pieces."""
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


texts = st.text(max_size=200) | st.integers(100, 70_000).map(lambda size: "я" * (size // 2))
cuts = st.lists(st.integers(0, 200_000), max_size=12)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[Event]]:
    """A sound stream as the reference client writes it (texts whole and in fragments, pings amid), and its meaning."""
    them, meaning = client(), []
    for text in draw(st.lists(texts, max_size=4)):
        pieces = chopped(text.encode(), draw(st.lists(st.integers(0, 70_000), max_size=3))) or [b""]
        them.send_text(pieces[0], fin=len(pieces) == 1)
        for number, piece in enumerate(pieces[1:], 2):
            if draw(st.booleans()):
                them.send_ping(b"?")
                meaning.append(Ping(b"?"))
            if draw(st.booleans()):
                them.send_pong(b"!")
            them.send_continuation(piece, fin=number == len(pieces))
        meaning.append(text)
    if draw(st.booleans()):
        them.send_close(4001, "bye")
        meaning.append(Close(4001, "bye"))
    return b"".join(them.data_to_send()), meaning


# -- what must be understood


@given(streams(), cuts)
def test_any_chopping_gives_the_same_messages(stream: tuple[bytes, list[Event]], cuts: list[int]) -> None:
    """However the network cuts a client's stream, the same messages come out, in the same order."""
    data, meaning = stream

    assert read(*chopped(data, cuts), limit=200_000) == meaning


@given(streams())
def test_single_bytes_give_the_same_messages(stream: tuple[bytes, list[Event]]) -> None:
    """A client may send a byte at a time."""
    data, meaning = stream
    head, tail = data[:500], data[500:]

    assert read(*(bytes((byte,)) for byte in head), tail, limit=200_000) == meaning


@given(streams())
def test_an_idle_decoder_holds_nothing(stream: tuple[bytes, list[Event]]) -> None:
    """Between two whole messages a new decoder will do: nothing is kept per connection."""
    data, meaning = stream
    decoder = Decoder(200_000)

    decoder.feed(data)

    assert decoder.is_idle != any(isinstance(event, Close) for event in meaning)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 125, 126, 65_535, 65_536])
def test_every_length_is_read(size: int) -> None:
    """Each of the three length fields is read at both of its ends."""
    them = client()
    them.send_text(b"x" * size)

    assert read(*them.data_to_send()) == ["x" * size]


def test_a_character_may_straddle_fragments() -> None:
    """Text is cut by bytes; half a character at the end of a fragment is no error."""
    first, second = "я".encode()[:1], "я".encode()[1:]

    assert read(masked(0x01, first), masked(0x80, second)) == ["я"]


def test_empty_fragments_are_not_hoarded() -> None:
    """A peer that sends empty fragments for ever does not fill our memory."""
    decoder = Decoder(LIMIT)
    decoder.feed(masked(0x01, b""))

    decoder.feed(masked(0x00, b"") * 1000)

    assert decoder._pieces == []


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1012, 1014, 3000, 4999])
def test_a_sendable_close_code_is_read(code: int) -> None:
    """Registered and private close codes come through with their reason."""
    assert read(masked(0x88, code.to_bytes(2, "big") + "пока".encode())) == [Close(code, "пока")]


def test_a_close_without_a_code_says_so() -> None:
    """An empty close frame is sound; its code is the one that stands for none."""
    assert read(masked(0x88, b"")) == [Close(frames.NO_STATUS, "")]


def test_nothing_is_read_after_a_close() -> None:
    """What follows a close frame does not exist, in the same chunk or a later one."""
    assert read(masked(0x88, b"") + masked(0x81, b"late"), masked(0x81, b"later")) == [Close(frames.NO_STATUS, "")]


# -- what must be refused


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        pytest.param(masked(0xC1, b"x"), 1002, id="reserved bit 1"),
        pytest.param(masked(0xA1, b"x"), 1002, id="reserved bit 2"),
        pytest.param(masked(0x91, b"x"), 1002, id="reserved bit 3"),
        pytest.param(masked(0x83, b"x"), 1002, id="unknown data opcode"),
        pytest.param(masked(0x8B, b"x"), 1002, id="unknown control opcode"),
        pytest.param(b"\x81\x01x", 1002, id="unmasked"),
        pytest.param(masked(0x09, b"x"), 1002, id="fragmented ping"),
        pytest.param(masked(0x89, b"", length=b"\xfe\x00\x80"), 1002, id="long ping"),
        pytest.param(masked(0x80, b"x"), 1002, id="nothing to continue"),
        pytest.param(masked(0x01, b"x") + masked(0x81, b"y"), 1002, id="text inside a fragmented text"),
        pytest.param(masked(0x81, b"x", length=b"\xfe\x00\x01"), 1002, id="length of 1 in 16 bits"),
        pytest.param(masked(0x81, b"x", length=b"\xff" + bytes(7) + b"\x01"), 1002, id="length of 1 in 64 bits"),
        pytest.param(masked(0x81, b"x", length=b"\xff\x80" + bytes(7)), 1002, id="length with a sign"),
        pytest.param(masked(0x82, b"x"), 1003, id="binary"),
        pytest.param(masked(0x81, b"\xff"), 1007, id="not UTF-8"),
        pytest.param(masked(0x81, b"\xed\xa0\x80"), 1007, id="a surrogate"),
        pytest.param(masked(0x81, b"\xc0\xaf"), 1007, id="an overlong form"),
        pytest.param(masked(0x01, b"\xff"), 1007, id="not UTF-8, told by the first fragment"),
        pytest.param(masked(0x01, b"\xd1") + masked(0x80, b""), 1007, id="half a character at the end"),
        pytest.param(masked(0x88, b"x"), 1002, id="close code of one byte"),
        pytest.param(masked(0x88, b"\x03\xed"), 1002, id="close code 1005"),
        pytest.param(masked(0x88, b"\x03\xee"), 1002, id="close code 1006"),
        pytest.param(masked(0x88, b"\x03\xf7"), 1002, id="close code 1015"),
        pytest.param(masked(0x88, b"\x0b\xb7"), 1002, id="close code 2999"),
        pytest.param(masked(0x88, b"\x13\x88"), 1002, id="close code 5000"),
        pytest.param(masked(0x88, b"\x03\xe8\xff"), 1007, id="close reason not UTF-8"),
    ],
)
def test_a_broken_rule_ends_the_stream(stream: bytes, code: int) -> None:
    """What came before is delivered, the breach is named by its close code, nothing after it is read."""
    events = read(masked(0x89, b"1") + stream + masked(0x81, b"late"))

    assert events[0] == Ping(b"1")
    assert [event.code for event in events[1:] if isinstance(event, Failure)] == [code]
    assert len(events) == 2


def test_a_message_too_big_is_refused_by_its_head() -> None:
    """The size limit is applied before the payload is waited for."""
    head = masked(0x81, b"x" * 11)[:2]

    (event,) = read(head, limit=10)

    assert isinstance(event, Failure)
    assert event.code == frames.TOO_BIG


def test_fragments_add_up_to_the_limit() -> None:
    """A message cannot grow past the limit in small pieces."""
    (event,) = read(masked(0x01, b"x" * 6), masked(0x80, b"x" * 5), limit=10)

    assert isinstance(event, Failure)
    assert event.code == frames.TOO_BIG


def test_the_limit_is_per_message() -> None:
    """Many messages, each within the limit, are no offence."""
    stream = masked(0x01, b"x" * 5) + masked(0x80, b"x" * 5)

    assert read(stream * 3, limit=10) == ["x" * 10] * 3


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_garbage_never_raises(chunks: list[bytes]) -> None:
    """Whatever bytes arrive, the decoder answers with events, of which at most the last is a failure or a close."""
    events = read(*chunks)

    assert not any(isinstance(event, Failure | Close) for event in events[:-1])


@given(st.binary(max_size=400), cuts)
def test_garbage_means_the_same_however_chopped(data: bytes, cuts: list[int]) -> None:
    """Even nonsense is the same nonsense in pieces."""
    assert read(*chopped(data, cuts)) == read(data)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=125)), max_size=6), cuts)
def test_wild_frames_mean_the_same_however_chopped(wild: list[tuple[int, bytes]], cuts: list[int]) -> None:
    """Frames of sound shape and any first byte reach the deeper rules; they too are indifferent to chopping."""
    data = b"".join(masked(first, payload) for first, payload in wild)

    assert read(*chopped(data, cuts)) == read(data)


# -- what we write


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_text_frame_is_read_by_the_reference_client(size: int) -> None:
    """Each length field that we write is the one others expect."""
    them = client()

    them.receive_data(frames.text("x" * size))

    assert them.events_received() == [TheirFrame(Opcode.TEXT, b"x" * size)]


def test_text_is_encoded_once() -> None:
    """Bytes that are UTF-8 already go out as they are."""
    assert frames.text("карточка".encode()) == frames.text("карточка")


@given(st.binary(max_size=125))
def test_a_pong_repeats_its_ping(payload: bytes) -> None:
    """The answer to a ping carries the ping's payload."""
    them = client()

    them.receive_data(frames.pong(payload))

    assert them.events_received() == [TheirFrame(Opcode.PONG, payload)]


@given(st.text(max_size=200))
def test_a_long_reason_is_cut_between_characters(reason: str) -> None:
    """A close frame holds 123 bytes of reason; the cut never leaves half a character."""
    them = client()

    them.receive_data(frames.close(4000, reason))

    assert them.close_rcvd is not None
    assert them.close_rcvd.code == 4000
    assert reason.startswith(them.close_rcvd.reason)


@given(st.binary(max_size=1000), st.binary(min_size=4, max_size=4))
def test_unmasking_is_the_rfcs_byte_by_byte_xor(payload: bytes, key: bytes) -> None:
    """The wide XOR equals the definition of §5.3."""
    assert frames.unmask(payload, key) == bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
