"""What `doctor` finds: a level, what was looked at, why it is so, and what to do about it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. WARN: works, but not all of it, or not for long."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `details` are printed below it."""

    level: Level
    what: str
    cause: str = ""
    cure: str = ""
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = " — ".join(part for part in (self.what, self.cause, self.cure) if part)
        return "\n".join([f"{self.level:<5} {told}", *(f"      {detail}" for detail in self.details)])


Findings = AsyncIterator[Finding]


def ok(what: str, cause: str = "", *, details: tuple[str, ...] = ()) -> Finding:
    """All is well."""
    return Finding(Level.OK, what, cause, details=details)


def warn(what: str, cause: str, cure: str = "") -> Finding:
    """Worth a look."""
    return Finding(Level.WARN, what, cause, cure)


def fail(what: str, cause: str, cure: str = "") -> Finding:
    """Does not work."""
    return Finding(Level.FAIL, what, cause, cure)
