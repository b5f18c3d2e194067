"""The table of all rules, and the run over it."""

from . import calls, images, locations, manifest, scripts, structure, styles, templates, texts
from .archive import Archive, UnreadableArchiveError
from .rules import Defect, Rule

SUBJECTS = tuple(
    module.SUBJECT for module in (structure, manifest, locations, texts, images, scripts, calls, styles, templates)
)

RULES: tuple[Rule, ...] = tuple(rule for subject in SUBJECTS for rule in subject.rules)

UNREADABLE = "zip-unreadable"


def check(archive: Archive) -> list[Defect]:
    """All defects by file and rule; within both, in the order of the file."""
    found = dict.fromkeys(defect for rule in RULES for defect in rule(archive))
    return sorted(found, key=lambda defect: (defect.file, defect.rule))


def check_zip(data: bytes, name: str = "widget.zip") -> list[Defect]:
    """All defects of a zip; one that cannot be read has exactly that defect."""
    try:
        archive = Archive.unpack(data)
    except UnreadableArchiveError as damage:
        return [Defect(name, UNREADABLE, f"it cannot be read: {damage}", "pack the files into an ordinary zip again")]
    return check(archive)
