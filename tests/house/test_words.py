"""A vendor's word stays in the vendor's room; forbidden words stand nowhere."""

import ast
import json
import re

import pytest
from checkout import ROOT, Source, files, javascript, python

VENDOR_WORDS = {
    "sipuni": (
        "sipnumber", "callbackId", "callAttemptTime", "antiaon", "short_src_num", "short_dst_num", "src_num", "dst_num",
        "src_type", "dst_type", "pbxdstnum", "call_start_timestamp", "call_answer_timestamp", "call_record_link",
        "treeName", "treeNumber", "CHANUNAVAIL",
    ),
    "mango": (
        "vpbx", "entry_id", "call_state", "entry_result", "disconnect_reason", "callback_initiator",
        "taken_from_call_id", "talk_time", "OnHold", "api_salt",
    ),
}  # fmt: skip
"""What the vendors' documentation calls things, where it differs from our words."""

VENDOR_ROOMS = ("server/providers/", "server/sandbox/")

KNOWS_THE_NAMES = ("server/settings.py",)
"""May name a vendor: an operator gives its stand-in's address by name."""

MACHINE = re.compile(r"(?<![\w.])/(?:work|root|home|tmp|opt)/[\w.]|file:///\w|pypi-more")
REGISTRY = re.compile(r"https?://(?:registry\.|pypi\.|files\.pythonhosted|npm\.)[\w.]*")

TEXT_FILES = {".py", ".js", ".json", ".md", ".toml", ".txt", ".sh", ".twig", ".jinja", ".css", ".html", ".yml", ""}


def _code(source: Source) -> str:
    """A file without comments and docstrings: there, the why may name a vendor."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = None
    return ast.unparse(source.tree)


def _foreign_code() -> dict[str, str]:
    """Everything that must not speak as a vendor does."""
    found = {source.name: _code(source) for source in python("server") if not source.name.startswith(VENDOR_ROOMS)}
    for script in javascript():
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", script.read_text("utf-8"), flags=re.DOTALL)
        found[str(script.relative_to(ROOT))] = text
    return found


@pytest.mark.parametrize("vendor", VENDOR_WORDS)
def test_the_vendors_room_does_speak_its_words(vendor: str) -> None:
    """The list of words is the vendor's own: each of them is used by its codec."""
    spoken = "".join(source.text for source in python("server/providers") if vendor in source.name)

    assert [word for word in VENDOR_WORDS[vendor] if word not in spoken] == []


@pytest.mark.parametrize("vendor", VENDOR_WORDS)
def test_a_vendors_word_never_leaves_its_room(vendor: str) -> None:
    """What a vendor calls its fields is known to its codec and its stand-in alone."""
    word = re.compile(rf"\b(?:{'|'.join(VENDOR_WORDS[vendor])})\b")

    assert {name: word.findall(code) for name, code in _foreign_code().items() if word.search(code)} == {}


def test_nothing_is_decided_by_a_vendors_name() -> None:
    """Outside the vendors' rooms no code asks which PBX it is: capabilities tell."""
    name = re.compile("|".join(VENDOR_WORDS), re.IGNORECASE)

    named = {file for file, code in _foreign_code().items() if name.search(code)}

    assert named <= set(KNOWS_THE_NAMES)


def _written() -> dict[str, str]:
    readable = [path for path in files() if path.suffix in TEXT_FILES and path.name != "test_words.py"]
    return {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in readable}


@pytest.mark.parametrize("pattern", [MACHINE, REGISTRY], ids=["machine path", "registry"])
def test_no_file_knows_the_machine_it_was_written_on(pattern: re.Pattern[str]) -> None:
    """The checkout works wherever it lies and wherever packages come from."""
    hits = {name: found for name, text in _written().items() if (found := pattern.findall(text))}

    assert hits == {}


def test_the_widget_does_not_call_itself_by_amocrms_name() -> None:
    """amoCRM's moderation refuses its own name in a widget's."""
    names = [json.loads(path.read_text("utf-8"))["widget"]["name"] for path in (ROOT / "i18n").glob("*.json")]

    assert names
    assert not [name for name in names if re.search("amo|kommo(?!r)", name.replace("Kommutator", ""), re.IGNORECASE)]
