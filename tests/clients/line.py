"""A client's end of the conversation with the suite: one JSON object a line in, one out.

Runs in the clients' own environment, so it uses the standard library alone.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

Verbs = dict[str, Callable[..., Any]]


def serve(verbs: Verbs) -> None:
    """Say what this client can do, then do what is asked until the suite hangs up."""
    _say({"verbs": sorted(verbs)})
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            _say({"value": verbs[asked["verb"]](**asked["words"])})
        except Exception as error:  # noqa: BLE001  whatever the client raises is its answer
            _say({"error": type(error).__name__, "text": str(error)})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
