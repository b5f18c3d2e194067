"""Tests of widget/build/vocabulary.py and jsdoc.py."""

from pathlib import Path
from types import ModuleType

import pytest
import sample_messages
import sample_words

from widget.build import vocabulary


@pytest.fixture(scope="module")
def generated() -> str:
    """What the two sample modules become."""
    return vocabulary.generate(sample_words, sample_messages)


def test_word_list_becomes_a_frozen_object(generated: str) -> None:
    """A word list reads the same on both sides."""
    assert 'export const Mood = /* @__PURE__ */ Object.freeze({\n  GOOD: "good",\n  BAD: "bad",\n});' in generated


def test_constant_comes_with_its_sentence(generated: str) -> None:
    """The docstring below a constant stands above it in JavaScript."""
    assert "/** How long we wait, seconds. */\nexport const WAIT_S = 20;" in generated


def test_what_is_not_for_browsers_stays_at_home(generated: str) -> None:
    """Only names in BROWSER are copied."""
    assert "HIDDEN" not in generated
    assert "Colour" not in generated


def test_message_becomes_a_typedef(generated: str) -> None:
    """Tags, optional fields, nested structs and maps keep their types."""
    for line in (
        "@typedef {object} Outer",
        '@property {"outer"} type',
        "@property {Mood} mood",
        "@property {Inner | null} [inner]",
        "@property {Record<string, number>} [sizes]",
        "@property {Array<string>} names",
        "@typedef {Inner | Outer} Either",
    ):
        assert line in generated


def test_message_in_words_that_the_browser_lacks_is_refused() -> None:
    """A message may not speak in a list that is not copied."""
    words = ModuleType(sample_words.__name__)
    vars(words).update(vars(sample_words) | {"BROWSER": ("WAIT_S",)})

    with pytest.raises(ValueError, match="Mood"):
        vocabulary.generate(words, sample_messages)


def test_committed_file_is_current(root: Path) -> None:
    """widget/src/vocabulary.js says what the server says; `build.py` writes it."""
    assert (root / vocabulary.TARGET).read_text("utf-8") == vocabulary.current()


def test_unchanged_file_is_left_alone(tmp_path: Path) -> None:
    """A build without new words touches nothing, so editors and watchers stay quiet."""
    assert vocabulary.refresh(tmp_path) is True

    assert vocabulary.refresh(tmp_path) is False
