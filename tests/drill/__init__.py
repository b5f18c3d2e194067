"""The drill: thousands of calls through the whole house while everything around it fails; then amoCRM is compared with
what the PBXs did, call by call. `make drill`, or `python -m tests.drill --help`; docs/why/drill.md tells what it shows.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
