"""Build or check the widget archive: `python build.py`, `python build.py --check ZIP`. The work is in widget/build/."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Run the command; from a Python without the build's packages, hand over to the checkout's virtual environment."""
    sys.path.insert(0, str(ROOT))
    try:
        from widget.build.cli import command
    except ModuleNotFoundError as missing:
        python = ROOT / ".venv" / "bin" / "python"
        if Path(sys.prefix) == python.parents[1] or not python.exists():
            sys.exit(f"build.py needs the package {missing.name}: run `make widget`, or pip install -e '.[build]'")
        os.execv(python, [str(python), __file__, *sys.argv[1:]])  # noqa: S606  our own interpreter, no shell
    command()


if __name__ == "__main__":
    main()
