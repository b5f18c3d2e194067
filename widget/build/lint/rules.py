"""What a rule is, and what it finds."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .archive import Archive


@dataclass(frozen=True, slots=True)
class Defect:
    """One line of the report."""

    file: str
    rule: str
    message: str
    cure: str

    def __str__(self) -> str:
        return f"{self.file}: {self.rule}: {self.message}. Cure: {self.cure}."


class Finding(NamedTuple):
    """Where a rule is broken and how; the rule itself adds its slug and its cure."""

    file: str
    message: str


Find = Callable[[Archive], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A claim about archives, with the cure for those that break it."""

    slug: str
    claim: str
    cure: str
    find: Find

    def __call__(self, archive: Archive) -> Iterator[Defect]:
        """Every place where the archive breaks this rule; none when what the rule reads is not there."""
        for finding in self.find(archive):
            yield Defect(finding.file, self.slug, finding.message, self.cure)


class Subject:
    """The rules of one part of an archive, in the order of the source."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.rules: list[Rule] = []

    def rule(self, slug: str, *, claim: str, cure: str) -> Callable[[Find], Find]:
        """Make the function below a rule of this subject."""

        def add(find: Find) -> Find:
            self.rules.append(Rule(slug, claim, cure, find))
            return find

        return add
