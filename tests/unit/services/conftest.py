"""A furnished house for every test of the services."""

from collections.abc import AsyncIterator

import pytest
from fakes.house import House, fresh_stores, furnish

from server.wiring import Stores


@pytest.fixture
async def kept() -> AsyncIterator[Stores]:
    """The stores, furnished."""
    stores = await fresh_stores()
    await furnish(stores)
    yield stores
    await stores.hooks.close()
    await stores.calls.close()
    await stores.lanes.close()
    await stores.db.close()


@pytest.fixture
async def house(kept: Stores) -> House:
    """The services over the furnished stores."""
    return await House(kept).load()
