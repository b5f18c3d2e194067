"""Every failure has a name, a meaning, a page and, where a person meets it, words in his language."""

import ast
import builtins
import inspect
import json
import re
from collections.abc import Iterator

import pytest
from checkout import DOCS, ROOT, javascript, python

from server.core import errors
from server.core.errors import KommutatorError
from widget.build import texts

BUILT_IN = {name for name, one in vars(builtins).items() if isinstance(one, type) and issubclass(one, BaseException)}
ALERTING = {"alert", "raise_alert"}
PAGE = DOCS / "reference" / "errors.md"
LANGUAGES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "i18n").glob("*.json"))}


def _classes(base: type[KommutatorError] = KommutatorError) -> Iterator[type[KommutatorError]]:
    """The family, from the top down."""
    yield base
    for child in base.__subclasses__():
        yield from _classes(child)


def _family() -> list[type[KommutatorError]]:
    return [one for one in _classes() if one.__module__ == errors.__name__]


def _alerts() -> set[str]:
    """The slugs that services raise as alerts: a constant, or an error's slug."""
    found = set()
    for source in python("server/services"):
        constants = {
            node.targets[0].id: node.value.value
            for node in source.tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ALERTING:
                slug = node.args[1]
                if isinstance(slug, ast.Attribute) and isinstance(slug.value, ast.Name):
                    found.add(getattr(errors, slug.value.id).slug)
                elif isinstance(slug, ast.Name) and slug.id in constants:
                    found.add(constants[slug.id])
    return found


def _born_in_the_browser() -> set[str]:
    """The slugs that the widget itself gives to what it meets."""
    written = [found for path in javascript() for found in re.findall(r"\bslug:([^,}]+)", path.read_text("utf-8"))]
    return {slug for text in written for slug in re.findall(r'"([a-z-]+)"', text)}


def _slugs() -> set[str]:
    return {one.slug for one in _family()} | _alerts() | _born_in_the_browser()


def test_the_texts_are_whole_in_every_language() -> None:
    """Every text that is used exists in all languages with the same places, and none is left over."""
    assert texts.problems(ROOT) == []


def test_the_slugs_of_all_three_origins_are_found() -> None:
    """The tests below see the server's errors, the alerts and what the browser itself finds out."""
    assert "bad-phone" in {one.slug for one in _family()}
    assert "extension-unmapped" in _alerts()
    assert "unreachable" in _born_in_the_browser()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_that_reaches_a_person_has_words(language: str) -> None:
    """An agent reads what happened and what to do, in the language of the account."""
    known = LANGUAGES[language]["errors"]

    lacking = [slug for slug in sorted(_slugs()) if not (known.get(slug, {}).get("text") and known[slug].get("cure"))]

    assert lacking == []


def test_no_text_explains_an_error_that_does_not_exist() -> None:
    """A slug that was renamed takes its words along."""
    assert set(LANGUAGES["en"]["errors"]) - _slugs() == set()


def test_a_slug_names_one_error() -> None:
    """Programs branch on slugs: each class has its own."""
    slugs = [one.__dict__.get("slug", f"none of its own: {one.__name__}") for one in _family()]

    assert sorted(set(slugs)) == sorted(slugs)
    assert [slug for slug in slugs if not re.fullmatch(r"[a-z]+(-[a-z]+)*", slug)] == []


def test_every_exception_explains_itself() -> None:
    """An exception's docstring is what a person reads when it has no better message."""
    classes = {
        node.name: (source.name, node)
        for folder in ("server", "widget/build")
        for source in python(folder)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
    }

    found: set[str] = set()
    while more := {name for name, (_, node) in classes.items() if name not in found and _raises(node, found)}:
        found |= more

    assert {"KommutatorError", "SandboxError", "BuildError"} <= found
    assert [f"{classes[name][0]}: {name}" for name in found if ast.get_docstring(classes[name][1]) is None] == []


def _raises(node: ast.ClassDef, known: set[str]) -> bool:
    """Whether a class is built on a built-in exception, or on one of those."""
    bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
    return any(base in known or base in BUILT_IN or base.startswith("HTTP") for base in bases)


def row(one: type[KommutatorError]) -> str:
    """An error's row of the table in docs/reference/errors.md."""
    meaning = " ".join(inspect.cleandoc(one.__doc__ or "").split())
    again = "yes" if one.temporary else "–"
    return f"| `{one.slug}` | {one.status} | {again} | {meaning} | {one.cure or '–'} |"


def test_the_page_of_errors_tells_what_the_code_says() -> None:
    """Slug, status, whether it passes, meaning and cure stand in docs/reference/errors.md as they are in the code."""
    page = PAGE.read_text("utf-8").splitlines()

    lacking = [row(one) for one in _family() if row(one) not in page]

    assert lacking == [], "put these rows in: \n" + "\n".join(lacking)


def test_the_page_of_errors_knows_every_slug_and_no_other() -> None:
    """Alerts and what the browser finds out stand there, too."""
    named = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))

    assert named == _slugs()
