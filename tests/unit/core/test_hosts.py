"""Which hosts are amoCRM."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import HostForeign
from server.core.hosts import Trust

TRUST = Trust((".amocrm.ru", ".kommo.com"), ("http://127.0.0.1:8800",))


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("demo.amocrm.ru", "https://demo.amocrm.ru"),
        (" Demo.AmoCRM.ru ", "https://demo.amocrm.ru"),
        ("demo.kommo.com", "https://demo.kommo.com"),
        ("api-b.amocrm.ru", "https://api-b.amocrm.ru"),
        ("127.0.0.1:8800", "http://127.0.0.1:8800"),
    ],
)
def test_amocrms_hosts_are_spoken_to_by_https_and_a_sandbox_as_configured(host: str, origin: str) -> None:
    """http only where the operator said so."""
    assert TRUST.origin_of(host) == origin
    assert TRUST.is_origin(origin)


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", "amocrm.ru", "evilamocrm.ru", "demo.amocrm.ru.evil.example", "demo.amocrm.ru:8443",
        "evil.example/.amocrm.ru", "evil.example#.amocrm.ru", "evil.example?.amocrm.ru", "u@demo.amocrm.ru",
        "evil.example\\.amocrm.ru", "demo.amocrm.ru.", "-.amocrm.ru", "..amocrm.ru", "127.0.0.1", "127.0.0.1:8801",
        "demo.amocrm.ru\nHost: evil.example", "дёмо.amocrm.ru",
    ],
)  # fmt: skip
def test_anything_else_is_foreign(host: str) -> None:
    """A forged referer would be given the integration's secret."""
    with pytest.raises(HostForeign):
        TRUST.origin_of(host)
    assert not TRUST.is_origin("https://" + host)


@given(st.text(max_size=60))
def test_no_host_is_trusted_that_does_not_end_in_amocrms_name(host: str) -> None:
    """Whatever it is made of."""
    try:
        origin = TRUST.origin_of(host)
    except HostForeign:
        return

    assert origin.endswith((".amocrm.ru", ".kommo.com")) or origin in TRUST.dev_origins


def test_an_http_page_of_amocrm_is_no_origin_of_ours() -> None:
    """amoCRM is https only."""
    assert not TRUST.is_origin("http://demo.amocrm.ru")
    assert not TRUST.is_origin("null")
