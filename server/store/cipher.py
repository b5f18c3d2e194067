"""Sealing secrets at rest: AES-256-GCM under a key from the settings, with rotation.

A sealed value names the key that sealed it, so older keys open what they sealed while new values use the first key. The
`purpose` is bound into the seal: a value copied into another column or row does not open.
"""

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.core.errors import ConfigError

VERSION = b"\x01"
NAME_BYTES = 4
NONCE_BYTES = 12


class Cipher:
    """Seals with the first key of `secret_key` (comma-separated), opens with any of them."""

    def __init__(self, secret_key: str) -> None:
        keys = [hashlib.sha256(part.strip().encode()).digest() for part in secret_key.split(",") if part.strip()]
        if not keys:
            raise ConfigError("secret_key: is empty; make one with: openssl rand -base64 32")
        self._by_name = {_name(key): AESGCM(key) for key in reversed(keys)}
        self._first = _name(keys[0])

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Encrypt and bind to its purpose."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._by_name[self._first].encrypt(nonce, plain, purpose.encode())
        return VERSION + self._first + nonce + sealed

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Decrypt. Raises ConfigError when the key is not among ours, or the value was not sealed for this purpose."""
        name, rest = sealed[1 : 1 + NAME_BYTES], sealed[1 + NAME_BYTES :]
        if sealed[:1] != VERSION or name not in self._by_name:
            raise ConfigError("secret_key: something was sealed by another key; put the old key behind the new one")
        try:
            return self._by_name[name].decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], purpose.encode())
        except InvalidTag as exc:
            raise ConfigError(f"A sealed value ({purpose}) was altered or moved in the database.") from exc


def _name(key: bytes) -> bytes:
    return hashlib.sha256(b"name:" + key).digest()[:NAME_BYTES]
