"""The server's side of RFC 6455 on plain bytes: what arrives becomes events, what leaves becomes frames.

Knows nothing of sockets, loops or aiohttp, and holds nothing between two chunks unless a frame or a fragmented message
is unfinished. Deflate is never negotiated, so every reserved bit is an error. Section numbers are RFC 6455's.
"""

import codecs
import struct
from typing import Final, NamedTuple, NewType

Frame = NewType("Frame", bytes)
"""A finished frame: built once per event, written to any number of channels (a server's frames carry no mask)."""

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
UNSUPPORTED: Final = 1003
NO_STATUS: Final = 1005
"""Stands for a close frame without a code; never travels."""
ABNORMAL: Final = 1006
"""Stands for a connection lost without a close frame; never travels."""
INVALID_TEXT: Final = 1007
POLICY: Final = 1008
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_KNOWN: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
_FINAL, _RESERVED, _OPCODE, _MASKED, _LENGTH = 0x80, 0x70, 0x0F, 0x80, 0x7F
_LENGTH_16, _LENGTH_64 = 126, 127
_MASK_BYTES: Final = 4
_CONTROL_MAX: Final = 125
_REASON_MAX: Final = _CONTROL_MAX - 2  # a close frame's payload, less its code
_SENDABLE: Final = frozenset(
    {1000, 1001, 1002, 1003, *range(1007, 1015)}
)  # IANA's registry; 1005, 1006, 1015 never travel


class Ping(NamedTuple):
    """The peer asks whether we are there; a pong with the same payload is due."""

    payload: bytes


class Close(NamedTuple):
    """The peer closes; `code` is `NO_STATUS` when it gave none. Nothing that follows is read."""

    code: int
    reason: str


class Failure(NamedTuple):
    """The peer broke the protocol; the connection is to be closed with `code`. Nothing that follows is read."""

    code: int
    reason: str


Event = str | Ping | Close | Failure
"""What a chunk may hold: a text message, or one of the above. Pongs are swallowed."""


class _ProtocolError(Exception):
    """The peer broke the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.failure = Failure(code, reason)


class _Head(NamedTuple):
    opcode: int
    is_final: bool
    payload_at: int
    end_at: int


def text(payload: str | bytes) -> Frame:
    """A text message of one frame; bytes must be UTF-8 already."""
    return _frame(TEXT, payload.encode() if isinstance(payload, str) else payload)


def ping(payload: bytes = b"") -> Frame:
    """A protocol-level ping; at most 125 bytes."""
    return _frame(PING, payload)


def pong(payload: bytes) -> Frame:
    """The answer to a ping: its payload again."""
    return _frame(PONG, payload)


def close(code: int, reason: str = "") -> Frame:
    """A close frame; `NO_STATUS` gives an empty one."""
    if code == NO_STATUS:
        return _frame(CLOSE, b"")
    return _frame(CLOSE, code.to_bytes(2, "big") + reason_bytes(reason))


def reason_bytes(reason: str) -> bytes:
    """A reason as it fits into a close frame: at most 123 bytes, cut between two characters."""
    return reason.encode()[:_REASON_MAX].decode(errors="ignore").encode()


def unmask(payload: bytes, key: bytes) -> bytes:
    """Undo (or apply) the mask of §5.3. One wide XOR: three orders faster than a loop over the bytes."""
    size = len(payload)
    mask = (key * (size // _MASK_BYTES + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(mask, "little")).to_bytes(size, "little")


class Decoder:
    """Turns chunks of a client's byte stream into events, however the stream was cut.

    Worth keeping only while `is_idle` is false: an idle decoder equals a new one. After a `Close` or a `Failure`
    it answers every further chunk with nothing.
    """

    __slots__ = ("_is_over", "_limit_bytes", "_pending", "_pieces", "_size_bytes", "_utf8", "_wanted_bytes")

    def __init__(self, limit_bytes: int) -> None:
        """`limit_bytes` bounds a whole message, fragments added up; the frame that would cross it is not read."""
        self._limit_bytes = limit_bytes
        self._is_over = False
        self._pending: bytearray | None = None  # an unfinished frame ...
        self._wanted_bytes = 0  # ... and how much of it must be there before it is worth another look
        self._utf8: codecs.IncrementalDecoder | None = None  # set inside a fragmented message
        self._pieces: list[str] = []
        self._size_bytes = 0

    @property
    def is_idle(self) -> bool:
        """Nothing is unfinished: the next chunk starts a new message."""
        return self._pending is None and self._utf8 is None and not self._is_over

    def feed(self, data: bytes) -> list[Event]:
        """The events that this chunk completes, in order. Never raises: a broken stream ends with one `Failure`."""
        if self._is_over:
            return []
        if self._pending is not None:
            self._pending += data
            if len(self._pending) < self._wanted_bytes:
                return []
            data, self._pending = bytes(self._pending), None
        events: list[Event] = []
        try:
            self._read(data, events)
        except _ProtocolError as error:
            self._is_over = True
            events.append(error.failure)
        return events

    def _read(self, data: bytes, events: list[Event]) -> None:
        at = 0
        while (head := self._head(data, at)) is not None:
            key = data[head.payload_at - _MASK_BYTES : head.payload_at]
            event = self._event(head, unmask(data[head.payload_at : head.end_at], key))
            at = head.end_at
            if event is not None:
                events.append(event)
            if self._is_over:
                return
        if at < len(data):
            self._pending = bytearray(data[at:])

    def _head(self, data: bytes, at: int) -> _Head | None:
        """The head of the frame at `at`, checked, or None while the frame is not whole."""
        if not self._has(data, at, 2):
            return None
        opcode, length = data[at] & _OPCODE, data[at + 1] & _LENGTH
        self._check(data[at], data[at + 1])
        size = 2 + _MASK_BYTES
        if length >= _LENGTH_16:
            width = 2 if length == _LENGTH_16 else 8
            if not self._has(data, at, 2 + width):
                return None
            length = _long(data[at + 2 : at + 2 + width])
            size += width
        if opcode <= BINARY and self._size_bytes + length > self._limit_bytes:
            raise _ProtocolError(TOO_BIG, f"a message may have {self._limit_bytes} bytes")
        if not self._has(data, at, size + length):
            return None
        return _Head(opcode, bool(data[at] & _FINAL), at + size, at + size + length)

    def _has(self, data: bytes, at: int, wanted_bytes: int) -> bool:
        self._wanted_bytes = wanted_bytes
        return len(data) - at >= wanted_bytes

    def _check(self, first: int, second: int) -> None:
        """What the first two bytes already tell (§5.1, §5.2, §5.4, §5.5)."""
        opcode = first & _OPCODE
        if first & _RESERVED:
            raise _ProtocolError(PROTOCOL_ERROR, "a reserved bit is set")
        if opcode not in _KNOWN:
            raise _ProtocolError(PROTOCOL_ERROR, f"unknown opcode {opcode}")
        if not second & _MASKED:
            raise _ProtocolError(PROTOCOL_ERROR, "a client's frame must be masked")
        if opcode >= CLOSE and (not first & _FINAL or second & _LENGTH > _CONTROL_MAX):
            raise _ProtocolError(PROTOCOL_ERROR, "a control frame is final and has at most 125 bytes")
        if opcode == BINARY:
            raise _ProtocolError(UNSUPPORTED, "only text is spoken here")
        if opcode == CONTINUATION and self._utf8 is None:
            raise _ProtocolError(PROTOCOL_ERROR, "nothing to continue")
        if opcode == TEXT and self._utf8 is not None:
            raise _ProtocolError(PROTOCOL_ERROR, "the message before is not finished")

    def _event(self, head: _Head, payload: bytes) -> Event | None:
        if head.opcode == CLOSE:
            self._is_over = True
            return _closing(payload)
        if head.opcode == PING:
            return Ping(payload)
        if head.opcode == PONG:
            return None
        if head.opcode == TEXT and head.is_final:
            return _decoded(payload)
        return self._fragment(payload, is_final=head.is_final)

    def _fragment(self, payload: bytes, *, is_final: bool) -> str | None:
        """Text is checked as it arrives (§8.1); a character may straddle two fragments."""
        if self._utf8 is None:
            self._utf8 = codecs.getincrementaldecoder("utf-8")()
        try:
            piece = self._utf8.decode(payload, is_final)
        except UnicodeDecodeError as exc:
            raise _ProtocolError(INVALID_TEXT, "text is UTF-8") from exc
        if piece:  # empty fragments cost the peer nothing and must cost us nothing
            self._pieces.append(piece)
        self._size_bytes += len(payload)
        if not is_final:
            return None
        message = "".join(self._pieces)
        self._utf8, self._pieces, self._size_bytes = None, [], 0
        return message


def _frame(opcode: int, payload: bytes) -> Frame:
    size = len(payload)
    if size < _LENGTH_16:
        return Frame(bytes((_FINAL | opcode, size)) + payload)
    if size < 1 << 16:
        return Frame(struct.pack("!BBH", _FINAL | opcode, _LENGTH_16, size) + payload)
    return Frame(struct.pack("!BBQ", _FINAL | opcode, _LENGTH_64, size) + payload)


def _long(field: bytes) -> int:
    """An extended length; §5.2 asks for the shortest form, so that one message has one encoding."""
    length = int.from_bytes(field, "big")
    if length < (_LENGTH_16 if len(field) == 2 else 1 << 16):
        raise _ProtocolError(PROTOCOL_ERROR, "the length is not in its shortest form")
    if length >> 63:
        raise _ProtocolError(PROTOCOL_ERROR, "a length has 63 bits")
    return length


def _decoded(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as exc:
        raise _ProtocolError(INVALID_TEXT, "text is UTF-8") from exc


def _closing(payload: bytes) -> Close:
    """The body of a close frame (§5.5.1, §7.4): nothing, or a code and a reason."""
    if not payload:
        return Close(NO_STATUS, "")
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not (code in _SENDABLE or 3000 <= code <= 4999):
        raise _ProtocolError(PROTOCOL_ERROR, "not a close code")
    return Close(code, _decoded(payload[2:]))
