"""The sandbox's ports: taken all at once at the start, and an error that names the holder when one is not free."""

import socket
from pathlib import Path
from typing import Final

from server.sandbox.errors import SandboxError

_LISTENING: Final = "0A"  # state of a socket in /proc/net/tcp


class PortTakenError(SandboxError):
    """Another program listens on a port that the sandbox needs."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `PortTakenError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as exc:
        listener.close()
        holder = holder_of(port)
        by = f" by {holder}" if holder else " by a program of another user, or by a connection that is closing"
        raise PortTakenError(f"port {port} is taken{by}; choose another with --port") from exc
    return listener


def check_free(host: str, port: int) -> None:
    """Raise `PortTakenError` unless the port can be listened on."""
    listen(host, port).close()


def holder_of(port: int) -> str | None:
    """The program that listens on this port, where the system tells (Linux, own processes or root)."""
    inodes = _inodes(port)
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        if _holds(process, inodes):
            return f"{_name(process)} (pid {process.name})"
    return None


def _inodes(port: int) -> set[str]:
    """Socket numbers of the listeners on this port."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        lines = Path(table).read_text("ascii").splitlines()[1:] if Path(table).exists() else []
        for line in lines:
            columns = line.split()
            if int(columns[1].rpartition(":")[2], 16) == port and columns[3] == _LISTENING:
                found.add(f"socket:[{columns[9]}]")
    return found


def _holds(process: Path, inodes: set[str]) -> bool:
    try:
        return any(str(handle.readlink()) in inodes for handle in (process / "fd").iterdir())
    except OSError:  # ended meanwhile, or not ours to look at
        return False


def _name(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()[:80]
    except OSError:
        return "a process"
