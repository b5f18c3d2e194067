"""Links to recordings: signed, unguessable, bound to a call of an account. Those in cards and the console expire; the
one in amoCRM's note does not.
"""

import hashlib

from server.core import session
from server.core.calls import Call, Recording
from server.core.errors import LinkExpired, LinkUnknown
from server.core.session import Listen

FOREVER_S = 1 << 40


class Links:
    """Signs links to recordings and reads them. `secret_key`: the first one signs, the older ones are still read."""

    def __init__(self, public_url: str, secret_key: str) -> None:
        self._public_url = public_url
        keys = [part.strip().encode() for part in secret_key.split(",") if part.strip()]
        self._keys = [hashlib.sha256(b"recording:" + key).digest() for key in keys]

    def to(self, call: Call, recording: Recording, expires_s: int) -> str:
        """The link to a recording, good until `expires_s` (Unix seconds)."""
        said = Listen(expires_s, call.id, recording.key, call.account_id)
        return f"{self._public_url}/r/{session.sign(said, self._keys[0])}"

    def read(self, token: str, *, now_s: int) -> Listen:
        """What a link names. Raises LinkUnknown when it is none of ours, LinkExpired."""
        said = next((one for key in self._keys if (one := session.opened(token, key, Listen))), None)
        if said is None:
            raise LinkUnknown
        if now_s >= said.expires_s:
            raise LinkExpired
        return said
