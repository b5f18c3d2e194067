"""What a log line may say. In a process of its own: logging is configured once for all."""

import json
import subprocess
import sys

SCRIPT = """
import structlog
from server.log import configure

configure("info")

def connect(secret):
    token = secret
    raise ValueError("a mistake")

try:
    connect("s3cret-of-the-line")
except ValueError:
    structlog.get_logger().exception("unforeseen", call="c_1")
"""


def test_a_traceback_shows_no_values() -> None:
    """Tokens, keys and bodies are local variables somewhere in it."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    line = json.loads(done.stderr)

    assert (line["event"], line["call"], line["level"]) == ("unforeseen", "c_1", "error")
    assert line["exception"][0]["exc_value"] == "a mistake"
    assert "s3cret" not in done.stderr
