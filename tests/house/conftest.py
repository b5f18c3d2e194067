"""The size of the house is printed after its tests: it is looked at, not enforced."""

import pytest
import sizes


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of sizes."""
    terminalreporter.section("sizes")
    for line in sizes.table():
        terminalreporter.write_line(line)
