"""The command line's words."""

from pathlib import Path

import pytest

from server.sandbox.options import OptionError, Options, options_from


def test_a_widget_has_a_code_or_takes_its_name(tmp_path: Path) -> None:
    """CODE=PATH, a folder, a zip."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "phone.zip").touch()

    options = options_from(widget=[f"mine={tmp_path}", f"{tmp_path}/demo", f"{tmp_path}/phone.zip"], only="amocrm")

    assert [code for code, _ in options.widgets] == ["mine", "demo", "phone"]


@pytest.mark.parametrize("widget", ["/nowhere", "x=/nowhere", "ö=/tmp", "=/tmp"])
def test_a_widget_that_is_not_there_is_refused(widget: str) -> None:
    """Before anything starts."""
    with pytest.raises(OptionError):
        options_from(widget=[widget])


def test_only_amocrm_can_run_alone() -> None:
    """Nothing else."""
    with pytest.raises(OptionError):
        options_from(only="mango")


def test_the_state_is_a_folder_or_memory() -> None:
    """Beside the backend's by default."""
    assert options_from(only="amocrm", state=":memory:").state is None
    assert options_from(only="amocrm", state="x").state == Path("x")
    assert options_from(only="amocrm").state == Path(".kommutator")


@pytest.mark.parametrize("count", [-1, 100_001])
def test_the_number_of_contacts_has_bounds(count: int) -> None:
    """More than anybody scrolls through is a slip of the finger."""
    with pytest.raises(OptionError, match="--contacts"):
        options_from(only="amocrm", contacts=count)


def test_origins_follow_from_host_and_port() -> None:
    """amoCRM and the PBXs as 127.0.0.1, the backend as localhost: another site."""
    options = Options(host="localhost", port=9000)

    assert options.amocrm_url == "http://127.0.0.1:9000"
    assert options.backend_url == "http://localhost:9001"
    assert [options.pbx_url(vendor) for vendor in ("sipuni", "mango")] == [
        "http://127.0.0.1:9002",
        "http://127.0.0.1:9003",
    ]
