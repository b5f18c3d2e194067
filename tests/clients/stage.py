"""The stage that published clients play on: TLS under amoCRM's names, tokens, somebody's server for webhooks."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from peers import Talk

from server.sandbox.world import World

Opened = Callable[..., Awaitable[Talk]]


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the tests' own, and the certificate of `*.amocrm.ru` from it."""

    trust: Path
    chain: Path
    key: Path


def new_authority(folder: Path) -> Authority:
    """Make both, in this folder."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    ca = _certificate(ca_name, ca_name, ca_key.public_key(), x509.BasicConstraints(ca=True, path_length=0)).sign(
        ca_key, hashes.SHA256()
    )
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "amocrm")])
    leaf = _certificate(name, ca_name, key.public_key(), x509.SubjectAlternativeName([x509.DNSName("*.amocrm.ru")]))
    found = Authority(folder / "ca.pem", folder / "site.pem", folder / "site.key")
    found.trust.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    found.chain.write_bytes(leaf.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return found


def _certificate(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    named = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key)
    dated = named.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
    return dated.serial_number(x509.random_serial_number()).add_extension(extension, critical=False)


@dataclass
class Mailbox:
    """Somebody's server that gets webhooks, as the bytes they are."""

    url: str = ""
    got: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def handle(self, request: web.Request) -> web.Response:
        self.got.put_nowait(await request.text())
        return web.Response()

    async def next(self) -> str:
        return await asyncio.wait_for(self.got.get(), 15)


def asked(world: World, **having: Any) -> list[int]:
    """The statuses of the requests that the sandbox saw, as `GET /sandbox/log` tells them."""
    return [entry["status"] for entry in world.log.entries("request") if having.items() <= entry.items()]
