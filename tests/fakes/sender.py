# ruff: noqa: ARG002  # arguments of the contract
"""A PBX's API that answers as it is told."""

import asyncio

from server.core.ports import VendorAnswer, VendorRequest

SIPUNI_TOOK = VendorAnswer(status=200, body=b'{"success": true, "id": "cb-1"}')
MANGO_TOOK = VendorAnswer(status=200, body=b'{"result": 1000}')


class FakeSender:
    """Fills `core.ports.Sender`: notes every request; `answers` are used up one by one, the last one stays.

    While `gate` is closed, requests wait at it.
    """

    def __init__(self, *answers: VendorAnswer | Exception) -> None:
        self.answers = list(answers) or [SIPUNI_TOOK]
        self.requests: list[VendorRequest] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, provider: str, request: VendorRequest) -> VendorAnswer:
        """See `core.ports.Sender`."""
        self.requests.append(request)
        await self.gate.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer
