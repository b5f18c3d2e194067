"""The list of PBXs, and the page that promises what each can do."""

from pathlib import Path

import pytest

from server.core.vocabulary import Capability
from server.providers.registry import CODECS

PAGES = Path(__file__).parents[3] / "docs" / "providers"
HEADINGS = ["## Settings", "## Webhooks", "## Legs", "## Limitations and quirks", "## Checked against"]


def promised(vendor: str) -> set[str]:
    """The capabilities that the matrix of docs/providers/README.md says yes to."""
    rows = [line.strip("| \n").split(" | ") for line in (PAGES / "README.md").read_text().splitlines()]
    head = next(row for row in rows if row[0] == "capability")
    column = next(index for index, cell in enumerate(head) if f"({vendor}.md)" in cell)
    known = {capability.value for capability in Capability}
    return {name for row in rows if (name := row[0].split(":")[0].strip("`")) in known and row[column] == "yes"}


@pytest.mark.parametrize("vendor", CODECS)
def test_the_matrix_promises_what_the_codec_declares(vendor: str) -> None:
    """Nobody chooses a PBX by a table that lies."""
    assert promised(vendor) == {capability.value for capability in CODECS[vendor].capabilities}


@pytest.mark.parametrize("vendor", CODECS)
def test_each_vendor_has_a_page_of_the_same_shape(vendor: str) -> None:
    """The same headings in the same order, and every credential explained."""
    page = (PAGES / f"{vendor}.md").read_text()

    assert [line for line in page.splitlines() if line.startswith("## ")] == HEADINGS
    assert all(f"`{field.name}`" in page for field in CODECS[vendor].fields)
