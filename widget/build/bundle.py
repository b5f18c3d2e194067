"""Bundles the widget's ES modules into the AMD files of the archive, with esbuild. Knows the list of host modules."""

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .amd import to_amd
from .errors import BuildError
from .lint.javascript import Script
from .node import run_tool

ENTRIES = {"main.js": "script.js", "settings.js": "settings.js", "softphone.js": "softphone.js"}
"""Source → file of the archive. The others are loaded when asked for: the settings window, the browser phone."""

HOST_MODULES = (
    "jquery", "lib/*", "underscore", "backbone", "twigjs", "moment", "pubsub", "store", "google-libphonenumber",
    "intl_tel_input", "jplayer", "clipboard",
)  # fmt: skip
"""What amoCRM's own page provides by these names (reference: web_sdk/system_modules); never bundled."""

OPTIONS = (
    "--bundle",
    "--format=esm",
    "--target=es2018",
    "--charset=utf8",
    "--legal-comments=inline",
    "--log-level=warning",
)

PACKAGE = re.compile(r"node_modules/((?:@[^/]+/)?[^/]+)/")


@dataclass(frozen=True, slots=True)
class Bundle:
    """One AMD file and the npm packages whose code is in it."""

    code: str
    packages: frozenset[str]


def bundles(root: Path) -> dict[str, Bundle]:
    """Every entry that exists in widget/src, by its name in the archive. Raises BuildError."""
    source = root / "widget" / "src"
    return {target: bundle(root, source / entry) for entry, target in ENTRIES.items() if (source / entry).exists()}


def bundle(root: Path, entry: Path) -> Bundle:
    """One entry with all it imports, as readable AMD."""
    with tempfile.TemporaryDirectory() as folder:
        module, meta = Path(folder) / "module.js", Path(folder) / "meta.json"
        external = (f"--external:{name}" for name in HOST_MODULES)
        run_tool(root, "esbuild", str(entry), *OPTIONS, *external, f"--outfile={module}", f"--metafile={meta}")
        inputs = json.loads(meta.read_text("utf-8"))["inputs"]
        packages = frozenset(found[1] for name in inputs if (found := PACKAGE.search(name)))
        return Bundle(to_amd(bare(module.read_text("utf-8"))), packages)


def bare(code: str) -> str:
    """The code without JSDoc (esbuild keeps half of it) and our files' names: both are for readers of the sources."""
    source, kept, end = code.encode(), [], 0
    for comment in Script("bundle", code).of("comment"):
        text = source[comment.start_byte : comment.end_byte]
        if (text.startswith(b"/**") and b"@license" not in text) or text.startswith(b"// widget/src/"):
            kept.append(source[end : comment.start_byte])
            end = comment.end_byte
            if source[end : end + 1] == b"\n":
                kept[-1] = kept[-1].rstrip(b" ")
                end += 1
    return b"".join([*kept, source[end:]]).decode()


def licences(root: Path, packages: frozenset[str]) -> str:
    """The licence texts of the bundled packages. Raises BuildError for a package without one."""
    parts = []
    for name in sorted(packages):
        folder = root / "node_modules" / name
        found = sorted(folder.glob("LICEN[SC]E*")) or sorted(folder.glob("licen[sc]e*"))
        if not found:
            raise BuildError(f"{name} is bundled and has no licence file")
        version = json.loads((folder / "package.json").read_text("utf-8"))["version"]
        parts.append(f"{name} {version}\n\n{found[0].read_text('utf-8').strip()}\n")
    return "\n\n".join(parts)
