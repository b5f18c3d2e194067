"""The audio of a recording as its PBX gives it, by the vendor's own command, read as it comes."""

import contextlib
from collections.abc import AsyncIterator

from msgspec import structs

from server.core.ports import Sender, VendorStream
from server.core.records import Line

from .lines import Lines, keys_of

UNSATISFIED = 416
"""The status of a file that has no such part: an answer to the range, not to the command."""


@contextlib.asynccontextmanager
async def sound(lines: Lines, sender: Sender, line: Line, key: str, *, span: str = "") -> AsyncIterator[VendorStream]:
    """The vendor's audio while the context lasts; `span` is a Range header's value, which it may not understand.

    Raises VendorError: VendorNoRecording when it is not there (yet), VendorUnavailable also while it is read.
    """
    codec = lines.codec(line)
    request = codec.recording(key, keys_of(line))
    headers = {**request.headers, "Accept-Encoding": "identity", **({"Range": span} if span else {})}
    request = structs.replace(request, headers=headers)
    async with sender.stream(line.provider, request) as answer:
        if not (span and answer.head.status == UNSATISFIED):
            codec.outcome(request, answer.head)
        yield answer
