"""The texts that the server writes into amoCRM."""

import string

import pytest

from server.core.phrases import ENGLISH, PHRASES, RUSSIAN, say


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("phrase", PHRASES[RUSSIAN])
def test_both_languages_say_the_same(phrase: str) -> None:
    """The same texts with the same holes."""
    assert PHRASES[RUSSIAN].keys() == PHRASES[ENGLISH].keys()
    assert _holes(PHRASES[RUSSIAN][phrase]) == _holes(PHRASES[ENGLISH][phrase])


@pytest.mark.parametrize(
    ("host", "text"),
    [("demo.amocrm.ru", "Звонок от +7"), ("127.0.0.1:8800", "Звонок от +7"), ("demo.kommo.com", "Call from +7")],
)
def test_an_account_is_written_to_in_its_language(host: str, text: str) -> None:
    """amoCRM is Russian; Kommo is not."""
    assert say(host, "call_from", phone="+7") == text
