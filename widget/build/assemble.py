"""Gathers the files of our own archive. The only file of the build that knows where in the checkout they lie."""

import json
import tomllib
from pathlib import Path

from . import vocabulary
from .bundle import bundles, licences
from .errors import BuildError


def archive_files(root: Path) -> dict[str, bytes]:
    """Every file of the archive by its name there, freshly built. Raises BuildError."""
    vocabulary.refresh(root)
    built = bundles(root)
    if "script.js" not in built:
        raise BuildError("widget/src/main.js is missing: there is nothing to build")
    files = {name: bundle.code.encode() for name, bundle in built.items()}
    files["manifest.json"] = manifest(root)
    files.update(_copied(root / "i18n", "i18n", "*.json"))
    files.update(_copied(root / "templates", "templates", "**/*.twig"))
    files.update(_copied(root / "widget" / "images", "images", "*"))
    files.update(_copied(root / "widget" / "src", "", "style.css"))
    packages = frozenset[str]().union(*(bundle.packages for bundle in built.values()))
    if packages:
        files["LICENSES.txt"] = licences(root, packages).encode()
    return files


def manifest(root: Path) -> bytes:
    """manifest.json with the project's version, which stands in pyproject.toml only."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    content = json.loads((root / "manifest.json").read_text("utf-8"))
    content["widget"]["version"] = project["version"]
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def _copied(folder: Path, target: str, pattern: str) -> dict[str, bytes]:
    found = sorted(path for path in folder.glob(pattern) if path.is_file() and not path.name.startswith("."))
    prefix = f"{target}/" if target else ""
    return {f"{prefix}{path.relative_to(folder).as_posix()}": path.read_bytes() for path in found}
