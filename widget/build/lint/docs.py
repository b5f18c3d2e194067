"""Writes the reference page of the rules from the table, so that it cannot fall behind."""

from pathlib import Path

from ..pages import render
from .table import SUBJECTS, UNREADABLE

PAGE = Path("docs/reference/widget-lint.md")


def page() -> str:
    """The page's text."""
    return render("widget-lint.md.jinja", subjects=SUBJECTS, unreadable=UNREADABLE)


def write(root: Path) -> None:
    """Write the page into the checkout."""
    (root / PAGE).write_text(page(), "utf-8")
