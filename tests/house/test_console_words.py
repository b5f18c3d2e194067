"""The console speaks both languages, and has words for whatever it may have to say."""

import re
import string

import pytest
from checkout import ROOT
from test_errors import _alerts, _family

from server.core.errors import CrmError, OwnError, VendorError
from server.core.vocabulary import CallerKind, CallState, CardState, Direction, Filed, RecordingState, Result
from server.web.console.words import TEXTS

CONSOLE = ROOT / "server" / "web" / "console"
SOURCES = "\n".join(path.read_text("utf-8") for path in sorted([*CONSOLE.glob("*.py"), *CONSOLE.glob("pages/*.html")]))
FAMILIES = {
    "direction": [*Direction],
    "result": [*Result, CallState.LIVE, CallState.ENDED_UNKNOWN],
    "card": [*CardState],
    "caller": [*CallerKind],
    "recording": [*RecordingState, "revoked"],
    "filed": [
        "none",
        "contacts",
        "companies",
        "leads",
        "customers",
        *(one for one in Filed if one is not Filed.LOGGED),
    ],
    "at": [*Filed, "rang", "changed", "ended", "reopened", "corrected", "recordingknown"],
    "outcome": ["done", "later", "hold", "parked", "failed"],
    "job": ["log", "attach", "correct", "fetch"],
    "asked": ["retry", "revoke"],
    "reason": ["timer", "statistics"],
    "needs": ["lost", "parked", "end_unknown"],
}
"""Texts whose key is put together: what may follow the dot."""


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same() -> None:
    """The same texts with the same gaps, none empty."""
    russian, english = TEXTS["ru"], TEXTS["en"]
    assert russian.keys() == english.keys()
    assert [key for key, text in russian.items() if gaps(text) != gaps(english[key]) or not text.strip()] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_word_of_ours_has_a_text(family: str) -> None:
    """States, results and whatever else a call may be."""
    assert [word for word in FAMILIES[family] if f"{family}.{word}" not in TEXTS["ru"]] == []


def test_every_alert_and_every_error_behind_a_job_has_a_text() -> None:
    """An administrator reads it in his language, with the cure."""
    alerts = [slug for slug in _alerts() if not {f"alert.{slug}", f"alert.{slug}.cure"} <= TEXTS["ru"].keys()]
    behind_jobs = [one for one in _family() if issubclass(one, CrmError | VendorError | OwnError)]
    errors = [one.slug for one in behind_jobs if f"error.{one.slug}" not in TEXTS["ru"]]
    assert (alerts, errors) == ([], [])


def test_every_text_that_is_asked_for_is_there() -> None:
    """By name, in the pages and in the code."""
    asked = set(re.findall(r"""words\(["']([\w.]+)["'][,)]""", SOURCES))
    assert asked - TEXTS["ru"].keys() == set()


def test_no_text_is_left_over() -> None:
    """Each is asked for by name, or belongs to a family."""
    families = (*FAMILIES, "alert", "error", "said")
    named = set(re.findall(r"""["']([\w.]+)["']""", SOURCES))
    idle = [key for key in TEXTS["ru"] if key.partition(".")[0] not in families and key not in named]
    assert idle == []
