"""The jinja2 templates of everything that the build generates as text."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=select_autoescape(["svg.jinja"]),
)


def render(name: str, **values: Any) -> str:
    """The template with these values; a value that is missing raises."""
    return _ENVIRONMENT.get_template(name).render(values)
