"""The console's texts, in both languages, and how times and lengths are written in them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from server.core.session import Visit

TEXTS: Final[dict[str, dict[str, str]]] = {
    language: json.loads((Path(__file__).parent / f"{language}.json").read_text("utf-8")) for language in ("ru", "en")
}

FORMS: Final = {"ru": "%d.%m.%Y", "en": "%d %b %Y"}


class Words:
    """What one visitor reads."""

    def __init__(self, language: str, zone: str) -> None:
        self.language = language
        self._texts = TEXTS[language]
        self.zone = zone
        self._zone = ZoneInfo(zone)

    @classmethod
    def of(cls, visit: Visit) -> "Words":
        """Those of a visit."""
        return cls(visit.language, visit.zone)

    def __call__(self, key: str, **values: object) -> str:
        """A text with its gaps filled."""
        return self._texts[key].format(**values)

    def knows(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self._texts

    def day(self, at_ms: int) -> str:
        """The day of a moment."""
        return self._local(at_ms).strftime(FORMS[self.language])

    def clock(self, at_ms: int, *, is_exact: bool = False) -> str:
        """The time of day of a moment; exact: to the thousandth of a second."""
        local = self._local(at_ms)
        return f"{local:%H:%M:%S}.{local.microsecond // 1000:03}" if is_exact else f"{local:%H:%M:%S}"

    def length(self, seconds: float) -> str:
        """A length of time as people wait for it."""
        if seconds < 90:  # as people say it
            return self("seconds", n=round(seconds))
        if seconds < 90 * 60:
            return self("minutes", n=round(seconds / 60))
        return self("hours", n=round(seconds / 3600))

    def day_begins_s(self, day: str) -> int | None:
        """When a day (2026-11-28) begins at the visitor's, Unix seconds; None for what is no day."""
        try:
            return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=self._zone).timestamp())
        except (ValueError, OverflowError):
            return None

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self._zone)


def talk(seconds: int) -> str:
    """The length of a talk, e.g. 1:05."""
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
