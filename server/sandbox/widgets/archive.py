"""A widget's files, from a folder or a zip, read again whenever they change on disk."""

import codecs
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from server.sandbox.errors import SandboxError

_MANIFEST: Final = "manifest.json"
_NOT_OURS: Final = ("node_modules", "__pycache__")  # beside hidden folders: a checkout's, not a widget's

Fingerprint = tuple[int, int, int]


class ArchiveError(SandboxError):
    """The path holds no widget that amoCRM would take; the message names the fault and its cure."""


class Archive:
    """The files of one widget; `read` always answers with what is on disk now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: Fingerprint | None = None
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
        return self.json(_MANIFEST)

    def json(self, name: str) -> dict[str, Any]:
        """A JSON object of the archive. Raises `ArchiveError` when it is missing or is none."""
        raw = self.read(name) if _stat(self.path) else None
        if raw is None:
            raise ArchiveError(self._missing(name))
        if raw.startswith(codecs.BOM_UTF8):
            raise ArchiveError(f"{name} in {self.path} begins with a byte order mark; save it as UTF-8 without BOM")
        try:
            value = json.loads(raw.decode("utf-8"))
        except UnicodeDecodeError as exc:
            raise ArchiveError(f"{name} in {self.path} is not UTF-8 (byte {exc.start}); save it as UTF-8") from exc
        except (ValueError, RecursionError) as exc:
            raise ArchiveError(
                f"{name} in {self.path} is not valid JSON: {exc}; no comments, no last comma, only double quotes"
            ) from exc
        if not isinstance(value, dict):
            raise ArchiveError(f"{name} in {self.path} is not an object; begin it with {{")
        return value

    def check(self) -> dict[str, Any]:
        """The manifest of an archive that amoCRM would take: it and the texts of its languages can be read.

        Raises `ArchiveError`.
        """
        manifest = self.manifest()
        widget = manifest.get("widget")
        if not isinstance(widget, dict):
            raise ArchiveError(f'{_MANIFEST} in {self.path} has no object "widget"; put name, version and locale there')
        locale = widget.get("locale") or []
        if not isinstance(locale, list) or not all(_is_language(lang) for lang in locale):
            raise ArchiveError(
                f'widget.locale of {_MANIFEST} in {self.path} is no list of languages; write ["ru", "en"]'
            )
        for lang in locale:
            self.json(f"i18n/{lang}.json")
        return manifest

    def fingerprint(self) -> Fingerprint:
        """What changes whenever a file is written, added or deleted: how many, how large, when written last (ns)."""
        stats = [stat for file in self._files_on_disk() if (stat := _stat(file)) is not None]
        return len(stats), sum(one.st_size for one in stats), max((one.st_mtime_ns for one in stats), default=0)

    def _files_on_disk(self) -> Iterator[Path]:
        if not self.path.is_dir():
            yield self.path
            return
        for folder, inside, names in os.walk(self.path):
            inside[:] = [name for name in inside if not name.startswith(".") and name not in _NOT_OURS]
            yield from (Path(folder, name) for name in names)

    def _missing(self, name: str) -> str:
        if _stat(self.path) is None:
            return f"{self.path} does not exist"
        if name != _MANIFEST:
            return f"{self.path} has no {name}, but {_MANIFEST} names this language in widget.locale; add the file"
        nested = [found for found in self.names() if PurePosixPath(found).name == _MANIFEST]
        if not nested:
            return f"{self.path} has no {_MANIFEST}; a widget is a folder or a zip with {_MANIFEST} at its root"
        folder = PurePosixPath(min(nested, key=len)).parent
        cure = f"name {self.path / folder}" if self.path.is_dir() else "pack what is in the folder, not the folder"
        return f"{self.path} has {_MANIFEST} in {folder}/ and not at its root, where amoCRM wants it; {cure}"

    def _unpacked(self) -> dict[str, bytes]:
        stamp = self.fingerprint()
        if stamp != self._stamp:
            self._files = _unzip(self.path)
            self._stamp = stamp
        return self._files


def _is_language(lang: Any) -> bool:
    return isinstance(lang, str) and lang.isascii() and lang.isalpha()


def _stat(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except (OSError, ValueError):  # a build deletes and writes while we look; a path with a NUL is none
        return None


def _unzip(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except (OSError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile) as exc:  # broken, encrypted, too new
        raise ArchiveError(f"{path} cannot be read as a zip ({exc}); name a folder or a zip archive") from exc
