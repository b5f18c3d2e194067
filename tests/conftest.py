"""Being here, this file puts `tests/` on the import path: `from fakes.crm import FakeCrm`."""
