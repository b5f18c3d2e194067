"""Which hosts are amoCRM: the one guard before anything is sent to an address that came from outside.

A forged `referer` would otherwise make us hand the integration's secret to a stranger.
"""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from msgspec import Struct

from .errors import HostForeign

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")


class Trust(Struct, frozen=True):
    """`hosts`: endings such as ".amocrm.ru", spoken to by https only. `dev_origins`: whole origins of sandboxes."""

    hosts: tuple[str, ...]
    dev_origins: tuple[str, ...] = ()

    def origin_of(self, host: str) -> str:
        """The origin of an amoCRM host as it comes in `referer` or `api_domain`. Raises HostForeign."""
        name = host.strip().lower()
        for origin in self.dev_origins:
            if urlsplit(origin).netloc == name:
                return origin
        if _HOST.fullmatch(name) and any(name.endswith(ending) for ending in _endings(self.hosts)):
            return f"https://{name}"
        raise HostForeign(host=host[:100])

    def is_origin(self, origin: str) -> bool:
        """Whether a browser's Origin header is of amoCRM."""
        if origin in self.dev_origins:
            return True
        scheme, _, host = origin.partition("://")
        try:
            return scheme == "https" and self.origin_of(host) == origin
        except HostForeign:
            return False


def _endings(hosts: Collection[str]) -> list[str]:
    """With the dot in front: "evilamocrm.ru" does not end in amoCRM's name."""
    return ["." + host.lstrip(".").lower() for host in hosts if host.strip(".")]
