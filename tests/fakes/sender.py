# ruff: noqa: ARG002  # arguments of the contract
"""A PBX's API that answers as it is told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from msgspec import structs

from server.core.errors import VendorUnavailable
from server.core.ports import VendorAnswer, VendorRequest, VendorStream

HEAD = 8
"""How much of a streamed answer comes at once: little, so that the rest is something."""

SIPUNI_TOOK = VendorAnswer(status=200, body=b'{"success": true, "id": "cb-1"}')
MANGO_TOOK = VendorAnswer(status=200, body=b'{"result": 1000}')


class FakeSender:
    """Fills `core.ports.Sender`: notes every request; `answers` are used up one by one, the last one stays.

    While `gate` is closed, requests wait at it. With `breaks_off`, streamed answers do after their first bytes. With
    `tells_size` false, nobody knows how long they are.
    """

    def __init__(self, *answers: VendorAnswer | Exception) -> None:
        self.answers = list(answers) or [SIPUNI_TOOK]
        self.requests: list[VendorRequest] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.breaks_off = False
        self.tells_size = True

    async def send(self, provider: str, request: VendorRequest) -> VendorAnswer:
        """See `core.ports.Sender`."""
        self.requests.append(request)
        await self.gate.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @contextlib.asynccontextmanager
    async def stream(self, provider: str, request: VendorRequest) -> AsyncIterator[VendorStream]:
        """See `core.ports.Sender`. An error is short, so it comes at once."""
        answer = await self.send(provider, request)
        at = HEAD if answer.status < 300 else len(answer.body)
        size = len(answer.body) if self.tells_size else None
        yield VendorStream(structs.replace(answer, body=answer.body[:at]), self._rest(answer.body[at:]), size)

    async def _rest(self, body: bytes) -> AsyncIterator[bytes]:
        if self.breaks_off:
            raise VendorUnavailable
        yield body
