"""Sealed values open only where, and with what, they should."""

import pytest

from server.core.errors import ConfigError
from server.store.cipher import Cipher

OLD, NEW = "o" * 32, "n" * 32


def test_what_was_sealed_opens() -> None:
    """A sealed value is not the plain one and gives it back."""
    cipher = Cipher(NEW)

    sealed = cipher.seal(b"token", "account:1")

    assert b"token" not in sealed
    assert cipher.open(sealed, "account:1") == b"token"


def test_the_same_value_is_sealed_differently() -> None:
    """Two seals of one value do not show that it is the same."""
    cipher = Cipher(NEW)

    assert cipher.seal(b"token", "p") != cipher.seal(b"token", "p")


def test_an_old_key_behind_the_new_one_still_opens() -> None:
    """After a rotation the old key opens what it sealed, and the new one seals."""
    before, after = Cipher(OLD).seal(b"token", "p"), Cipher(f"{NEW}, {OLD}")

    assert after.open(before, "p") == b"token"
    assert Cipher(NEW).open(after.seal(b"token", "p"), "p") == b"token"


def test_a_key_that_is_gone_is_named_with_its_cure() -> None:
    """Without the key that sealed a value, the error says what to do."""
    with pytest.raises(ConfigError, match="put the old key behind the new one"):
        Cipher(NEW).open(Cipher(OLD).seal(b"token", "p"), "p")


def test_a_value_for_another_purpose_does_not_open() -> None:
    """A value copied into another row or column is refused."""
    cipher = Cipher(NEW)

    with pytest.raises(ConfigError, match=r"account:2.*moved"):
        cipher.open(cipher.seal(b"token", "account:1"), "account:2")


@pytest.mark.parametrize("place", [0, 1, 6, -1])
def test_an_altered_value_does_not_open(place: int) -> None:
    """One changed byte anywhere (version, key's name, nonce, seal) is noticed."""
    cipher = Cipher(NEW)
    spoilt = bytearray(cipher.seal(b"token", "p"))
    spoilt[place] ^= 1

    with pytest.raises(ConfigError):
        cipher.open(bytes(spoilt), "p")


@pytest.mark.parametrize("stump", [b"", b"\x01", b"plain text"])
def test_what_was_never_sealed_does_not_open(stump: bytes) -> None:
    """Bytes that are no seal of ours are refused, not misread."""
    with pytest.raises(ConfigError):
        Cipher(NEW).open(stump, "p")


@pytest.mark.parametrize("setting", ["", " ", ",", " , "])
def test_an_empty_key_is_refused(setting: str) -> None:
    """Nothing is ever sealed by an empty key."""
    with pytest.raises(ConfigError, match="openssl rand"):
        Cipher(setting)
