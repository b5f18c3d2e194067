"""A sample account for tests of the sandbox, and tokens of its people."""

from server.sandbox import integrations
from server.sandbox.oauth.tokens import new_grant, token_answer
from server.sandbox.seed import seed
from server.sandbox.world import Row, World

REDIRECT_URI = "http://localhost:18801/amo/oauth"


def sample_world() -> World:
    """The first sample account, without limits on requests."""
    world = World()
    seed(world, 1, redirect_uri=REDIRECT_URI)
    world.switches.set({"limit_integration_per_s": 0, "limit_account_per_s": 0})
    return world


def tokens_of(world: World, extension: str) -> Row:
    """Fresh tokens of the user at an extension."""
    user = world.user_named(extension)
    assert user is not None
    return token_answer(world, new_grant(world, client_id=integrations.main(world)["id"], user_id=user["id"]))
