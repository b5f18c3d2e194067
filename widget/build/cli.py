"""The command behind build.py: builds, lints, draws, checks types; prints what a person should know."""

import sys
import time
from pathlib import Path

import click

from . import assemble, texts, vocabulary
from .errors import BuildError
from .lint import docs
from .lint.rules import Defect
from .lint.table import RULES, check_zip
from .node import run_tool
from .pack import pack

ROOT = Path(__file__).resolve().parents[2]


A_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--check", "archive", type=A_FILE, help="Only lint this archive, of any widget.")
@click.option("--types", "types_only", is_flag=True, help="Only check the types of widget/src (JSDoc, tsc).")
@click.option("--images", "images_only", is_flag=True, help="Only draw widget/images again.")
@click.option("--docs", "docs_only", is_flag=True, help="Only write docs/reference/widget-lint.md again.")
@click.option("--out", type=A_FILE, help="Where the archive goes instead of dist/widget.zip.")
def command(*, archive: Path | None, types_only: bool, images_only: bool, docs_only: bool, out: Path | None) -> None:
    """Build dist/widget.zip and lint it. Exit code 1: defects were found; 2: the build failed."""
    try:
        if archive is not None:
            sys.exit(check(archive))
        if types_only:
            check_types(ROOT)
        elif images_only:
            draw_images(ROOT)
        elif docs_only:
            docs.write(ROOT)
        else:
            sys.exit(build(ROOT, out or ROOT / "dist" / "widget.zip"))
    except BuildError as failure:
        print(failure, file=sys.stderr)
        sys.exit(2)


def build(root: Path, out: Path) -> int:
    """Write the archive and report on it; 1 when it has defects. Raises BuildError."""
    started = time.perf_counter()
    files = assemble.archive_files(root)
    data = pack(files)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(data)
    for problem in (lost := texts.problems(root)):
        print(problem)
    failed = report(check_zip(data, out.name))
    took = time.perf_counter() - started
    print(f"{out}: {len(files)} files, {len(data) // 1024} KB, {took:.1f} s")
    return 1 if failed or lost else 0


def check(archive: Path) -> int:
    """Report on any archive; 1 when it has defects. Raises BuildError when there is no such file."""
    try:
        data = archive.read_bytes()
    except OSError as failure:
        raise BuildError(f"{archive}: {failure.strerror}") from failure
    return report(check_zip(data, archive.name))


def report(defects: list[Defect]) -> int:
    """Print one line per defect, or that there is none; the exit code."""
    for defect in defects:
        print(defect)
    if not defects:
        print(f"clean: {len(RULES)} rules")
    return 1 if defects else 0


def check_types(root: Path) -> None:
    """Run tsc over the widget's sources. Raises ToolFailedError with its findings."""
    vocabulary.refresh(root)
    run_tool(root, "tsc", "--project", str(root / "widget" / "tsconfig.json"))
    print("types: clean")


def draw_images(root: Path) -> None:
    """Draw all pictures again. Their bytes depend on this machine's fonts, so look at them before committing."""
    from . import pictures

    for path in pictures.draw_all(root):
        print(path.relative_to(root))
