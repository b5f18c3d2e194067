"""How large the house is: lines, nesting and parameters against the budgets. A number over budget is a question."""

import ast
import statistics
from collections.abc import Sequence

from checkout import FUNCTIONS, Source, functions, javascript, parameters, python

BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.With, ast.AsyncWith, ast.Match)

BUDGET = ("(budget)", "", "150 / 300 / 400", "8 / 30 / 50", "3", "5")
BUDGET_JS = ("(budget)", "", "– / 200 / 250", "", "", "")
HEAD = ("", "files, lines", "file median / p95 / max", "function median / p95 / max", "nesting p95", "parameters p95")


def table() -> list[str]:
    """The report, a line per folder."""
    python_rows = [_row(folder, python(folder)) for folder in ("server", "widget/build", "bench", "tests")]
    scripts = [path.read_text("utf-8").count("\n") for path in javascript()]
    row = ("widget/src", f"{len(scripts)}, {sum(scripts)}", _spread(scripts), "", "", "")
    rows = [HEAD, *python_rows, BUDGET, row, BUDGET_JS]
    return ["  ".join(cell.ljust(width) for cell, width in zip(one, _widths(rows), strict=True)) for one in rows]


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """A function's lines without its docstring."""
    first, lines = function.body[0], (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def nesting(node: ast.AST, depth: int = 0) -> int:
    """How many blocks deep the body of one function goes."""
    inside = [child for child in ast.iter_child_nodes(node) if not isinstance(child, (*FUNCTIONS, ast.ClassDef))]
    return max([depth, *(nesting(child, depth + isinstance(child, BLOCKS)) for child in inside)])


def _row(folder: str, sources: Sequence[Source]) -> tuple[str, ...]:
    lines = [source.text.count("\n") for source in sources]
    every = [function for source in sources for function in functions(source.tree)]
    return (
        folder,
        f"{len(lines)}, {sum(lines)}",
        _spread(lines),
        _spread([lines_of(function) for function in every]),
        str(_at(0.95, [nesting(function) for function in every])),
        str(_at(0.95, [len(parameters(function)) for function in every])),
    )


def _spread(values: Sequence[int]) -> str:
    return f"{round(statistics.median(values or [0]))} / {_at(0.95, values)} / {max(values, default=0)}"


def _at(share: float, values: Sequence[int]) -> int:
    ordered = sorted(values) or [0]
    return ordered[round((len(ordered) - 1) * share)]


def _widths(rows: Sequence[tuple[str, ...]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]
