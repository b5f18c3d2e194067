"""What operators ask on the command line, one file per command; only `__main__` imports this room.

It stands on the floor of `wiring` and may import everything. A command that only looks never writes, takes no lock, and
works while `serve` or `sandbox` runs.
"""
