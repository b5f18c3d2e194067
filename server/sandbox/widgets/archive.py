"""A widget's files, from a folder or a zip, read again whenever they change on disk."""

import json
import zipfile
from pathlib import Path
from typing import Any

from server.sandbox.errors import SandboxError


class ArchiveError(SandboxError):
    """The path holds no widget: no such file, no zip, or no readable manifest.json at its root."""


class Archive:
    """The files of one widget; `read` always answers with what is on disk now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: float | None = None
        self._files: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        """One file by its path inside the archive; None when there is none."""
        if self.path.is_dir():
            file = (self.path / name).resolve()
            inside = file.is_relative_to(self.path.resolve())
            return file.read_bytes() if inside and file.is_file() else None
        return self._unpacked().get(name)

    def names(self) -> list[str]:
        """The paths of all files."""
        if self.path.is_dir():
            return sorted(str(p.relative_to(self.path)) for p in self.path.rglob("*") if p.is_file())
        return sorted(self._unpacked())

    def manifest(self) -> dict[str, Any]:
        """manifest.json, read. Raises `ArchiveError`."""
        return self.json("manifest.json")

    def json(self, name: str) -> dict[str, Any]:
        """A JSON object of the archive. Raises `ArchiveError` when it is missing or is none."""
        raw = self.read(name)
        if raw is None:
            raise ArchiveError(f"{self.path} has no {name}")
        try:
            value = json.loads(raw.decode("utf-8-sig"))
        except ValueError as exc:
            raise ArchiveError(f"{name} in {self.path} is not valid JSON: {exc}") from exc
        if not isinstance(value, dict):
            raise ArchiveError(f"{name} in {self.path} is not an object")
        return value

    def changed_at(self) -> float:
        """When a file of the widget was last written, Unix seconds; 0 when it is gone."""
        if self.path.is_dir():
            return max((p.stat().st_mtime for p in self.path.rglob("*") if p.is_file()), default=0.0)
        return self.path.stat().st_mtime if self.path.exists() else 0.0

    def _unpacked(self) -> dict[str, bytes]:
        stamp = self.changed_at()
        if stamp != self._stamp:
            self._files = _unzip(self.path)
            self._stamp = stamp
        return self._files


def _unzip(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except (OSError, zipfile.BadZipFile) as exc:
        raise ArchiveError(f"{path} is no zip archive: {exc}") from exc
