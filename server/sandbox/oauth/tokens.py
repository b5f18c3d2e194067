"""Tokens of all kinds: what they contain, how long they live, when they are dead.

A *grant* is one user's consent to one integration; its access tokens are JWTs that clients decode, its refresh token is
opaque and single-use. Knows no HTTP.
"""

import base64
import secrets
import uuid
from typing import Any, Final
from urllib.parse import urlsplit

import jwt

from server.sandbox.world import Row, World

_REFRESH_LIFE_S: Final = 90 * 86400  # "three months"
_KEPT_JTIS: Final = 50  # earlier access tokens of a grant stay good until they expire
SCOPES: Final = ("crm", "notifications")


class DeadToken(Exception):
    """The code or token is unknown, expired, used or revoked; the message is what the client may be told."""


def issue_code(world: World, *, client_id: str, user_id: int) -> str:
    """An authorization code for this user: 20 minutes, single use."""
    code = "def5" + secrets.token_hex(96)
    expires_at = world.clock() + world.switches["code_life_s"]
    world.codes.add({"id": code, "client_id": client_id, "user_id": user_id, "expires_at": expires_at})
    return code


def redeem_code(world: World, code: str, client_id: str) -> Row:
    """Turn a code into a new grant. Raises `DeadToken`."""
    row = world.codes.get(code)
    if row is None or row["client_id"] != client_id:
        raise DeadToken("Authorization code is unknown or has been used")
    world.codes.remove(code)
    if row["expires_at"] < world.clock():
        raise DeadToken("Authorization code has expired")
    return new_grant(world, client_id=client_id, user_id=row["user_id"])


def new_grant(world: World, *, client_id: str, user_id: int) -> Row:
    """A user's consent, with a refresh token of its own; several of one account may live beside each other."""
    grant: Row = {"id": str(uuid.uuid4()), "client_id": client_id, "user_id": user_id, "alive": True, "jtis": []}
    return _with_new_refresh(world, grant)


def redeem_refresh(world: World, token: str, client_id: str) -> Row:
    """Use up a refresh token; its grant gets a new one. Raises `DeadToken`."""
    found = world.grants.where(refresh_token=token, client_id=client_id, alive=True) if token else []
    if not found:
        raise DeadToken("Token has been revoked")
    if found[0]["refresh_expires_at"] < world.clock():
        raise DeadToken("Refresh token has expired")
    return _with_new_refresh(world, found[0])


def _with_new_refresh(world: World, grant: Row) -> Row:
    grant["refresh_token"] = "def5" + secrets.token_hex(320)  # clients that keep it in VARCHAR(255) must notice
    grant["refresh_expires_at"] = world.clock() + _REFRESH_LIFE_S
    return world.grants.put(grant)


def token_answer(world: World, grant: Row) -> dict[str, Any]:
    """The answer of the token endpoint, with a fresh access token."""
    return {
        "token_type": "Bearer",
        "expires_in": world.switches["access_token_life_s"],
        "server_time": world.now(),
        "access_token": _access_token(world, grant, world.switches["access_token_life_s"]),
        "refresh_token": grant["refresh_token"],
    }


def long_lived_token(world: World, *, client_id: str, user_id: int, life_s: int) -> str:
    """An access token of years, without a refresh token: what administrators make in the integration's window."""
    grant: Row = {"id": str(uuid.uuid4()), "client_id": client_id, "user_id": user_id, "alive": True, "jtis": []}
    return _access_token(world, grant, life_s)


def _access_token(world: World, grant: Row, life_s: int) -> str:
    now, jti = world.now(), secrets.token_hex(40)
    grant["jtis"] = [*grant["jtis"][-_KEPT_JTIS + 1 :], jti]
    world.grants.put(grant)
    claims = {
        "aud": grant["client_id"],
        "jti": jti,
        "iat": now,
        "nbf": now,
        "exp": now + life_s,
        "sub": str(grant["user_id"]),
        "grant_type": "",
        "account_id": world.account["id"],
        "base_domain": "amocrm.ru" if world.switches["brand"] == "amocrm" else "kommo.com",
        "version": 2,
        "scopes": list(SCOPES),
        "hash_uuid": grant["id"],
        "api_domain": urlsplit(world.origin).netloc,
    }
    return jwt.encode(claims, _signing_key(world), algorithm="HS256")


def read_access(world: World, token: str) -> tuple[Row, str]:
    """The living grant behind an access token, and the token's own id. Raises `DeadToken`."""
    try:
        # The clock is the world's, so expiry is checked below and not by the library.
        unchecked = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
        claims = jwt.decode(token, _signing_key(world), algorithms=["HS256"], options=unchecked)  # type: ignore[arg-type]
    except jwt.InvalidTokenError as exc:
        raise DeadToken("Unauthorized") from exc
    grant = world.grants.get(claims.get("hash_uuid"))
    if grant is None or not grant["alive"] or claims.get("jti") not in grant["jtis"]:
        raise DeadToken("Token has been revoked")
    if claims["exp"] <= world.clock():
        raise DeadToken("Token has expired")
    return grant, str(claims["jti"])


def revoke_access(world: World, grant: Row, jti: str | None = None) -> None:
    """Kill one access token of a grant, or all of them; its refresh token lives on."""
    grant["jtis"] = [] if jti is None else [known for known in grant["jtis"] if known != jti]
    world.grants.put(grant)


def end_grants(world: World, client_id: str) -> None:
    """Kill every token of an integration: an administrator has disabled it."""
    for grant in world.grants.where(client_id=client_id):
        grant["alive"] = False
        world.grants.put(grant)


def one_time_token(world: World, user: Row, integration: Row) -> str:
    """What `$authorizedAjax` sends as X-Auth-Token; with the switch on `cached` the last one while it lives."""
    cache_key = f"{integration['id']}:{user['id']}"
    cached = world.one_time_tokens.get(cache_key)
    if world.switches["one_time_token"] == "cached" and cached is not None and cached["exp"] > world.clock():
        return str(cached["token"])
    claims = one_time_claims(world, user, integration)
    token = jwt.encode(claims, integration["secret"], algorithm="HS256")
    world.one_time_tokens.put({"id": cache_key, "token": token, "exp": claims["exp"]})
    return token


def one_time_claims(world: World, user: Row, integration: Row) -> dict[str, Any]:
    """The claims of a new one-time token."""
    target = urlsplit(integration["redirect_uri"])
    now = world.now()
    return {
        "iss": world.origin,
        "aud": f"{target.scheme}://{target.hostname}",  # never a port: clients rebuild it that way
        "jti": str(uuid.uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + world.switches["one_time_token_life_s"],
        "account_id": world.account["id"],
        "user_id": user["id"],
        "is_admin": bool(user["rights"]["is_admin"]),
        "subdomain": world.account["subdomain"],
        "client_uuid": integration["id"],
    }


def _signing_key(world: World) -> bytes:
    """amoCRM's own key, which no integration knows; made once and kept with the account."""
    if "signing_key" not in world.account:
        world.update_account(signing_key=secrets.token_hex(32))
    return base64.b16decode(world.account["signing_key"].upper())
