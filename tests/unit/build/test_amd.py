"""Tests of widget/build/amd.py."""

import pytest

from widget.build.amd import to_amd
from widget.build.errors import BuildError

ENTRY = "function W() {\n}\nexport {\n  W as default\n};\n"


def test_default_export_becomes_the_result() -> None:
    """The factory returns the widget's constructor."""
    assert (
        to_amd(ENTRY)
        == 'define(["jquery", "lib/components/base/modal"], function ($, Modal) {\nfunction W() {\n}\nreturn W;\n});\n'
    )


def test_import_of_a_host_module_becomes_an_argument() -> None:
    """Modules of the page follow the two that always come first."""
    amd = to_amd('import _ from "underscore";\n' + ENTRY)

    assert amd.startswith('define(["jquery", "lib/components/base/modal", "underscore"], function ($, Modal, _) {\n')


def test_second_name_for_a_module_becomes_a_constant() -> None:
    """Two files may call one module by two names; esbuild numbers them."""
    amd = to_amd('import $ from "jquery";\nimport $2 from "jquery";\n' + ENTRY)

    assert "const $2 = $;\n" in amd
    assert "import" not in amd


def test_import_for_its_effect_needs_no_name() -> None:
    """`import "moment"` only asks that the module is there."""
    assert "function ($, Modal, unused2) {" in to_amd('import "moment";\n' + ENTRY)


@pytest.mark.parametrize(
    "module",
    [
        'import { each } from "underscore";\n' + ENTRY,
        "var a = 1;\n",
        "function W() {\n}\nexport {\n  W\n};\n",
        "function W() {\n}\nexport {\n  W as default,\n  b\n};\n",
    ],
    ids=["named import", "no export", "named export", "two exports"],
)
def test_what_amd_cannot_say_is_refused(module: str) -> None:
    """The build stops with a sentence instead of making a script that the page cannot load."""
    with pytest.raises(BuildError):
        to_amd(module)
