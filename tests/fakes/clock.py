"""A clock turned by hand."""

START_MS = 1_790_000_000_000


class HandClock:
    """Fills `services.clock.Clock`: milliseconds that pass only when a test says so."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ms += round(seconds * 1000)
