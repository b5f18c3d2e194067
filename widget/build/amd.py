"""Turns an ES module, as esbuild prints it, into the AMD module that amoCRM loads. Pure text; knows no files.

esbuild cannot print AMD. Its ES output is the readable one (no interop code), and what stands between the two forms
is small: default imports at the top become the factory's arguments, the default export becomes its result.
"""

import re

from .errors import BuildError

ALWAYS = {"jquery": "$", "lib/components/base/modal": "Modal"}
"""The first dependencies in their fixed order, with the names that the factory gives them."""

IMPORT = re.compile(r'^import (?:(?P<name>[\w$]+) from )?"(?P<module>[^"]+)";\n', re.MULTILINE)
ANY_IMPORT = re.compile(r"^import\b.*$", re.MULTILINE)
EXPORT = re.compile(r"^export \{\n {2}(?P<name>[\w$]+)(?P<renamed> as default)?\n\};\n", re.MULTILINE)
ANY_EXPORT = re.compile(r"^export\b.*$", re.MULTILINE)


def to_amd(module: str) -> str:
    """The AMD form. Raises BuildError for named imports from the host and for a module without a default export."""
    arguments = dict(ALWAYS)
    aliases = []
    for found in IMPORT.finditer(module):
        name = found["name"]
        given = arguments.setdefault(found["module"], name or f"unused{len(arguments)}")
        if name not in (None, given):
            aliases.append(f"const {name} = {given};\n")
    body = "".join(aliases) + EXPORT.sub(_result, IMPORT.sub("", module))
    _refuse_leftovers(body)
    modules = ", ".join(f'"{name}"' for name in arguments)
    return f"define([{modules}], function ({', '.join(arguments.values())}) {{\n{body.rstrip()}\n}});\n"


def _result(export: re.Match[str]) -> str:
    if not export["renamed"]:
        raise BuildError(f"the entry module may export nothing but its default, found: {export['name']}")
    return f"return {export['name']};\n"


def _refuse_leftovers(body: str) -> None:
    if found := ANY_IMPORT.search(body):
        raise BuildError(f"a host module has a default export only; write `import name from`, not: {found[0]}")
    if found := ANY_EXPORT.search(body):
        raise BuildError(f"the entry module may export nothing but its default, found: {found[0]}")
    if not re.search(r"^return [\w$]+;$", body, re.MULTILINE):
        raise BuildError("the entry module has no default export, amoCRM would get no widget")
