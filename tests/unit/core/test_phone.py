"""Telephone numbers: what people and PBXs write, in and out of E.164."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.phone import digits, is_internal, last10, pretty, to_e164

RUSSIAN = "+79161234567"

russian_numbers = st.integers(0, 10**10 - 1).map(lambda figures: f"+7{figures:010}")
separators = st.sampled_from(["", " ", "-", ".", "\u00a0", "–", " (", ") "])


@pytest.mark.parametrize(
    "written",
    [
        "79161234567",
        "89161234567",
        "9161234567",
        "+79161234567",
        "+7 (916) 123-45-67",
        "8 (916) 123 45 67",
        "8\u00a0916\u00a0123–45–67",
        " 8-916-123-45-67 ",
        "(916) 123.45.67",
        "+8 916 123-45-67",
        "tel:+79161234567",
        "tel:+7-916-123-45-67;ext=12",
        "callto:89161234567",
        "sip:79161234567@demo.mangosip.ru",
        "SIP:+79161234567@10.0.0.1:5060",
        "79161234567_id55",
        "+7 916 123-45-67 доб. 101",
        "89161234567, Иван",
    ],
)
def test_russian_habits_lead_to_one_number(written: str) -> None:
    """However a Russian number is written, it is the same number."""
    assert to_e164(written) == RUSSIAN


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("88005553535", "+78005553535"),
        ("+375 29 123-45-67", "+375291234567"),
        ("375291234567", "+375291234567"),
        ("810375291234567", "+375291234567"),
        ("00375291234567", "+375291234567"),
        ("4915112345678", "+4915112345678"),
        ("+84 912 345 678", "+84912345678"),
        ("390612345678", "+390612345678"),
        ("+1 202 555 0123", "+12025550123"),
    ],
)
def test_numbers_of_the_world_keep_their_country(written: str, number: str) -> None:
    """A number with its country code is read as such from Russia too, with or without the plus."""
    assert to_e164(written) == number


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("87011234567", "KZ", "+77011234567"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("79161234567", "GB", RUSSIAN),
    ],
)
def test_a_number_without_country_code_is_at_home_in_the_region(written: str, region: str, number: str) -> None:
    """The region of the account decides what a local spelling means."""
    assert to_e164(written, region) == number


@pytest.mark.parametrize(
    "written",
    [
        "",
        "anonymous",
        "Anonymous <sip:anonymous@anonymous.invalid>",
        "hidden",
        "unknown",
        "Restricted",
        "sip:ivan@demo.mangosip.ru",
        "sip:ivan2@demo.mangosip.ru",
        "101",
        "0101",
        "12345",
        "234-56-78",
        "+7",
        "+7 916 123",
        "8" * 30,
        "9" * 1000,
        "+",
        "٨٩١٦١٢٣٤٥٦٧",
        "²" * 11,
    ],
)
def test_what_is_no_outside_number_is_none(written: str) -> None:
    """Hidden, internal, local, broken and endless numbers are no outside numbers."""
    assert to_e164(written) is None


@given(russian_numbers, st.sampled_from(["+7", "7", "8", ""]), st.lists(separators, min_size=10, max_size=10))
def test_any_punctuation_of_a_russian_number_is_the_number(number: str, start: str, marks: list[str]) -> None:
    """Spaces, dashes, dots and brackets between the digits never matter."""
    written = start + "".join(mark + digit for mark, digit in zip(marks, number[2:], strict=True))

    assert to_e164(written) == number


@given(st.one_of(st.text(max_size=80), st.from_regex(r"\+?[0-9 ()\-]{5,20}", fullmatch=True)))
def test_a_number_in_e164_stays_as_it_is(text: str) -> None:
    """Normalising twice is normalising once, and nothing people write raises."""
    number = to_e164(text)

    assert number is None or to_e164(number) == number


@given(st.text(max_size=80))
def test_a_number_is_plus_and_digits(text: str) -> None:
    """What comes out is E.164: a plus and 7 to 15 digits (ITU-T E.164 allows no more)."""
    number = to_e164(text)

    assert number is None or (number[0] == "+" and number[1:].isascii() and number[1:].isdigit() and len(number) <= 16)


@given(russian_numbers)
def test_what_people_read_is_still_the_number(number: str) -> None:
    """The pretty form can be dialled again."""
    assert to_e164(pretty(number)) == number


def test_a_russian_number_is_grouped_as_russians_do() -> None:
    """+7 916 123-45-67."""
    assert pretty(RUSSIAN) == "+7 916 123-45-67"


def test_a_foreign_number_is_grouped_as_at_home() -> None:
    """Each country has its own grouping."""
    assert pretty("+442079460958") == "+44 20 7946 0958"


@pytest.mark.parametrize("text", ["", "101", "anonymous"])
def test_what_is_no_number_is_shown_as_it_is(text: str) -> None:
    """An extension is not dressed up as a number."""
    assert pretty(text) == text


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("1", True),
        ("101", True),
        ("1010", True),
        ("101_id7", True),
        ("sip:101@demo", True),
        ("10101", False),
        (RUSSIAN, False),
        ("", False),
        ("ivan2", False),
    ],
)
def test_few_digits_are_an_extension(text: str, claim: bool) -> None:
    """Up to four digits are an extension, five are not, and a name with a digit is none."""
    assert is_internal(text) is claim


def test_the_last_ten_digits_are_the_same_in_every_spelling() -> None:
    """8 916 and +7 916 meet in the directory."""
    assert last10(RUSSIAN) == last10("8 (916) 123-45-67") == "9161234567"


def test_a_short_number_is_its_own_last_ten() -> None:
    """Nothing is padded."""
    assert last10("101") == "101"


def test_digits_are_ascii_digits() -> None:
    """Digits of other scripts are no digits to a PBX."""
    assert digits("+7 (916) ٣") == "7916"


def test_a_number_that_loses_a_zero_at_each_reading_is_no_number() -> None:
    """Iran's plan strips a leading zero: +9800000 would read as +980000 the next time."""
    assert to_e164("98000000") is None
