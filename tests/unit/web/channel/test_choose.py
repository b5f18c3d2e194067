"""The choice of the implementation, with aiohttp as installed and with an aiohttp that has changed."""

from collections.abc import Callable

import pytest
from aiohttp.web_protocol import RequestHandler
from structlog.testing import capture_logs

from server.web.channel import frames
from server.web.channel.channels import Channels
from server.web.channel.choose import choose, self_test
from server.web.channel.detached import DetachedListener
from server.web.channel.plain import PlainListener


@pytest.fixture
def channels() -> Channels:
    """An empty set of channels."""
    return Channels(ping=frames.text("ping"))


def without_parsers(patch: pytest.MonkeyPatch) -> None:
    """A name is gone."""
    patch.delattr(RequestHandler, "set_parser")


def closing_what_it_forgets(patch: pytest.MonkeyPatch) -> None:
    """A name means something else."""
    original = RequestHandler.connection_lost

    def connection_lost(self: RequestHandler, exc: BaseException | None) -> None:
        for transport in self._manager._connections.values() if self._manager else ():
            transport.abort()
        original(self, exc)

    patch.setattr(RequestHandler, "connection_lost", connection_lost)


CHANGES = [without_parsers, closing_what_it_forgets]


async def test_the_detached_channel_works_with_the_installed_aiohttp() -> None:
    """With the pinned aiohttp the self-test passes."""
    assert await self_test()


async def test_detached_is_given_when_it_works(channels: Channels) -> None:
    """What was asked for is given."""
    assert isinstance(await choose("detached", channels), DetachedListener)


async def test_aiohttps_own_is_given_when_asked_for(channels: Channels) -> None:
    """Who asks for aiohttp's own gets it, without a warning."""
    with capture_logs() as logs:
        assert isinstance(await choose("aiohttp", channels), PlainListener)

    assert logs == []


# Patched, because the aiohttp that breaks us is not out yet.
@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_aiohttp_means_its_own_channel_and_a_warning(
    channels: Channels, monkeypatch: pytest.MonkeyPatch, change: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """When the detached channel does not work here, the product still does, and says what it costs."""
    change(monkeypatch)

    with capture_logs() as logs:
        listener = await choose("detached", channels)

    assert isinstance(listener, PlainListener)
    (warning,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert (warning["event"], warning["using"]) == ("channel_self_test_failed", "aiohttp")
