"""Every address of the earlier APIs."""

from typing import Final

from server.sandbox.legacy import account, auth, calls, current, incoming, links, private, search, v2

_ROOMS: Final = (v2, account, calls, incoming, links, private, current, auth, search)
ROUTES: Final = [route for room in _ROOMS for route in room.ROUTES]
