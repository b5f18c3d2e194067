"""Being here, this file puts `tests/` on the import path: `from fakes.crm import FakeCrm`."""

from hypothesis import HealthCheck, settings

# Properties are about values, not about time: a busy machine must not fail them.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
