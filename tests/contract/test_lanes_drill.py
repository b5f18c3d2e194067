"""Nothing is lost and nothing doubled when workers die, freeze or never come back (short form; the long one is
`python tests/contract/lane_drill.py`)."""

from pathlib import Path

import pytest
from databases import postgres_database
from lane_drill import drill

pytestmark = pytest.mark.slow


async def test_kill_on_sqlite(tmp_path: Path) -> None:
    """A single process, killed and started again at random moments, sends every call exactly once."""
    report = await drill(f"sqlite:///{tmp_path / 'drill.db'}", strikes=6)

    assert (report.lost, report.doubled) == (0, 0)
    assert report.failed_after_storing > 5, "the CRM did not tempt anybody to send twice"


@pytest.mark.external_service
@pytest.mark.parametrize(("mode", "strikes", "nodes"), [("kill", 4, 2), ("freeze", 3, 2), ("bury", 1, 2)])
async def test_several_nodes(mode: str, strikes: int, nodes: int) -> None:
    """Of two nodes one is killed, frozen past its lease, or gone for good: every call is sent exactly once."""
    report = await drill(await postgres_database(), mode=mode, strikes=strikes, nodes=nodes)

    assert (report.lost, report.doubled) == (0, 0)
