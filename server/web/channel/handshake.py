"""The opening handshake of RFC 6455 §4.2, shared by both implementations. Knows nothing of who may connect."""

import base64
import binascii
import hashlib
from collections.abc import Iterable

from aiohttp import HttpVersion11, hdrs, web

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
_VERSION = "13"
_KEY_BYTES = 16


def check(request: web.Request, subprotocol: str) -> str:
    """The key of a sound handshake that offers `subprotocol`.

    Raises `HTTPUpgradeRequired` or `HTTPBadRequest` (see `Listener.upgrade`).
    """
    headers = request.headers
    # The whole header, not a token of it: aiohttp's parser stops reading HTTP only then.
    if headers.get(hdrs.UPGRADE, "").lower() != "websocket" or "upgrade" not in _tokens(
        value.lower() for value in headers.getall(hdrs.CONNECTION, ())
    ):
        raise _upgrade_required("this address speaks WebSocket only")
    if headers.get(hdrs.SEC_WEBSOCKET_VERSION) != _VERSION:
        raise _upgrade_required(f"WebSocket version {_VERSION} is spoken here")
    if request.method != hdrs.METH_GET or request.version < HttpVersion11 or request.body_exists:
        raise web.HTTPBadRequest(text="a WebSocket handshake is a GET of HTTP/1.1 without a body")
    if subprotocol not in _tokens(headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, ())):
        raise web.HTTPBadRequest(text=f"the subprotocol {subprotocol} was not offered")
    return _key(headers.get(hdrs.SEC_WEBSOCKET_KEY, ""))


def answer(key: str, subprotocol: str) -> bytes:
    """The response that opens the channel. It names one subprotocol and no extension."""
    accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept
        + b"\r\nSec-WebSocket-Protocol: "
        + subprotocol.encode()
        + b"\r\n\r\n"
    )


def _tokens(values: Iterable[str]) -> set[str]:
    return {token.strip() for value in values for token in value.split(",")}


def _upgrade_required(why: str) -> web.HTTPUpgradeRequired:
    return web.HTTPUpgradeRequired(text=why, headers={hdrs.UPGRADE: "websocket", hdrs.SEC_WEBSOCKET_VERSION: _VERSION})


def _key(value: str) -> str:
    try:
        nonce = base64.b64decode(value.encode(), validate=True)
    except binascii.Error as exc:
        raise web.HTTPBadRequest(text="Sec-WebSocket-Key is not base64") from exc
    if len(nonce) != _KEY_BYTES:
        raise web.HTTPBadRequest(text=f"Sec-WebSocket-Key must hold {_KEY_BYTES} bytes")
    return value
