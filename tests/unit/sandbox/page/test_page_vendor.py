"""Vendor modules of the sandbox page: where they come from, and what is said when they are missing."""

from pathlib import Path

import pytest

from server.sandbox.page import vendor


@pytest.mark.parametrize("name", sorted(vendor.FILES))
def test_every_module_of_the_table_is_installed(name: str) -> None:
    """package.json brings each file that the table names."""
    assert (vendor.node_modules() / vendor.FILES[name]).is_file()


def test_missing_parts_name_their_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without node_modules the answer tells to run npm ci; patched is the path by which the room finds its checkout."""
    (tmp_path / "package.json").write_text("{}")
    monkeypatch.setattr(vendor, "__file__", str(tmp_path / "server" / "vendor.py"))

    with pytest.raises(vendor.MissingParts) as refused:
        vendor.node_modules()

    assert "npm ci" in str(refused.value.text)


def test_every_alias_leads_to_a_module() -> None:
    """An alias names a module of the table."""
    assert set(vendor.ALIASES.values()) <= set(vendor.FILES)
