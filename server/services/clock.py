"""The services' clock and ids: one place to replace them in tests."""

import secrets
import time
from collections.abc import Callable

Clock = Callable[[], int]
"""UTC milliseconds."""


def now_ms() -> int:
    """The system's clock."""
    return time.time_ns() // 1_000_000


def new_id(prefix: str) -> str:
    """An unguessable id that sorts by nothing, e.g. `c_9f2K…`: it may stand in URLs and in amoCRM."""
    return f"{prefix}_{secrets.token_urlsafe(12)}"
