"""Recordings: our own links to them, and the audio behind a link, fetched from the PBX when somebody listens.

A link names the call and the recording, is signed and unguessable. Those in cards and the console expire; the one in
amoCRM's note does not.
"""

import hashlib

from server.core import session
from server.core.calls import Call, Recording
from server.core.errors import NotFound
from server.core.ports import Sender, VendorAnswer
from server.core.session import Listen
from server.core.stores import Calls as CallStore
from server.core.vocabulary import RecordingState

from .clock import Clock, now_ms
from .lines import Lines, keys_of

FOREVER_S = 1 << 40

READY = frozenset({RecordingState.AVAILABLE, RecordingState.FETCHED})


class Links:
    """Signs links to recordings and reads them."""

    def __init__(self, public_url: str, secret_key: str) -> None:
        self._public_url = public_url
        self._key = hashlib.sha256(b"recording:" + secret_key.split(",", maxsplit=1)[0].encode()).digest()

    def to(self, call: Call, recording: Recording, expires_s: int) -> str:
        """The link to a recording, good until `expires_s` (Unix seconds)."""
        return f"{self._public_url}/r/{session.sign(Listen(expires_s, call.id, recording.key), self._key)}"

    def read(self, token: str, *, now_s: int) -> Listen | None:
        """What a link names; None when it is forged or expired."""
        return session.verify(token, self._key, Listen, now_s=now_s)


class Recordings:
    """Makes links and opens them."""

    def __init__(  # noqa: PLR0913  # it joins three rooms and three settings
        self, store: CallStore, lines: Lines, sender: Sender, *, public_url: str, secret_key: str, link_s: int,
        clock: Clock = now_ms,
    ) -> None:  # fmt: skip
        self._store = store
        self._lines = lines
        self._sender = sender
        self._links = Links(public_url, secret_key)
        self._link_s = link_s
        self._clock = clock

    def link(self, call: Call) -> str:
        """A link for a card; empty while there is nothing to hear. Stable for a while: cards are compared."""
        ready = [one for one in call.recordings.values() if one.state in READY]
        # In steps of the lifetime, so that the same card is not sent anew with each change of the clock.
        expires_s = (self._clock() // 1000 // self._link_s + 2) * self._link_s
        return self._links.to(call, ready[0], expires_s) if ready else ""

    def lasting_link(self, call: Call) -> str:
        """The link for amoCRM's note: given as soon as a recording is announced, good for as long as we have it."""
        known = [one for one in call.recordings.values() if one.state is not RecordingState.ABSENT]
        return self._links.to(call, known[0], FOREVER_S) if known else ""

    async def open(self, token: str) -> VendorAnswer:
        """The audio behind a link. Raises NotFound (also for a forged or expired link) and VendorError."""
        said = self._links.read(token, now_s=self._clock() // 1000)
        call = await self._store.find(said.call_id) if said else None
        line = self._lines.get(call.line_id) if call else None
        if said is None or call is None or line is None or said.recording_key not in call.recordings:
            raise NotFound
        codec = self._lines.codec(line)
        request = codec.recording(said.recording_key, keys_of(line))
        answer = await self._sender.send(line.provider, request)
        codec.outcome(request, answer)
        return answer
