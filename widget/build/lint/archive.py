"""An archive as the rules see it: names, bytes, texts, parsed JSON and JavaScript. Judges nothing.

Everything here answers for any input: what is missing or broken reads as empty, and one rule says that it is broken.
"""

import io
import json
import lzma
import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any
from zipfile import BadZipFile, LargeZipFile, ZipFile

from .javascript import Script

LIMIT_BYTES = 64 * 1024 * 1024
"""Unpacked size that we are willing to read; published widgets stay under a few megabytes."""

MAC_SHADOW = "__MACOSX/"
"""macOS packs a second entry for every file there; they have the names of scripts and are none."""

BOM = b"\xef\xbb\xbf"

DAMAGE = (
    BadZipFile,
    LargeZipFile,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)
"""All that zipfile is known to raise for a file that is not a sound zip, or that has a password."""


class UnreadableArchiveError(Exception):
    """The file is not a zip archive that can be read."""


class Archive:
    """The files of a widget archive. A folder wrapped around them is taken off, so that they can be judged too."""

    def __init__(self, files: Mapping[str, bytes], entries: tuple[str, ...] | None = None) -> None:
        self.entries = tuple(files) if entries is None else entries
        self.wrapping = _wrapping_folder(files)
        cut = len(self.wrapping)
        self.files = {
            name[cut:]: data
            for name, data in files.items()
            if name.startswith(self.wrapping) and not name.startswith(MAC_SHADOW)
        }

    @classmethod
    def unpack(cls, data: bytes) -> "Archive":
        """Read a zip. Raises UnreadableArchiveError for anything else, for damage, passwords and bombs."""
        try:
            with ZipFile(io.BytesIO(data)) as opened:
                entries = [entry for entry in opened.infolist() if not entry.is_dir()]
                if sum(entry.file_size for entry in entries) > LIMIT_BYTES:
                    raise UnreadableArchiveError(f"it unpacks to more than {LIMIT_BYTES // 1024 // 1024} MB")
                files = {entry.filename: opened.read(entry) for entry in entries}
        except DAMAGE as damage:
            raise UnreadableArchiveError(str(damage) or type(damage).__name__) from damage
        return cls(files, tuple(entry.filename for entry in entries))

    def named(self, *suffixes: str) -> list[str]:
        """Names of the files with one of these endings, sorted."""
        return sorted(name for name in self.files if PurePosixPath(name).suffix.lower() in suffixes)

    def text(self, name: str) -> str:
        """A file's text; empty when there is no such file. Bytes that are not UTF-8 are replaced."""
        return self.files.get(name, b"").removeprefix(BOM).decode("utf-8", "replace").replace("\r\n", "\n")

    def json(self, name: str) -> Any:
        """A file's parsed JSON; None when it is missing or broken."""
        try:
            return json.loads(self.text(name))
        except (ValueError, RecursionError):
            return None

    @cached_property
    def manifest(self) -> dict[str, Any] | None:
        """The manifest; None when there is nothing that can be read as one."""
        value = self.json("manifest.json")
        return value if isinstance(value, dict) else None

    def section(self, *path: str) -> dict[str, Any]:
        """An object inside the manifest; empty when it is something else."""
        value: Any = self.manifest
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, dict) else {}

    def strings(self, *path: str) -> list[str]:
        """The texts of a list inside the manifest."""
        value = self.section(*path[:-1]).get(path[-1])
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    @cached_property
    def places(self) -> dict[str, str]:
        """The manifest's locations: place → suffix ("" without one)."""
        return {place: suffix for place, _, suffix in (item.partition("-") for item in self.strings("locations"))}

    @cached_property
    def locales(self) -> dict[str, dict[str, Any]]:
        """The locale files that can be read: language → texts."""
        found = {}
        for name in self.named(".json"):
            if name.startswith("i18n/") and isinstance(texts := self.json(name), dict):
                found[PurePosixPath(name).stem] = texts
        return found

    @cached_property
    def scripts(self) -> list[Script]:
        """Every JavaScript file, parsed."""
        return [Script(name, self.text(name)) for name in self.named(".js")]

    @property
    def main_script(self) -> Script | None:
        """script.js, when there is one."""
        return next((script for script in self.scripts if script.name == "script.js"), None)


def leaves(texts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a tree of texts with its dotted path."""
    for key, value in texts.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _wrapping_folder(files: Mapping[str, bytes]) -> str:
    """The folder that holds the manifest when the root does not, with its slash."""
    if "manifest.json" in files:
        return ""
    manifests = [name for name in files if name.endswith("/manifest.json") and not name.startswith(MAC_SHADOW)]
    shallowest = min(manifests, key=lambda name: (name.count("/"), name), default="")
    return shallowest.removesuffix("manifest.json")
