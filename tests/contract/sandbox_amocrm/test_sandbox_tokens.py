"""OAuth as generic libraries and amoCRM's own client rely on it."""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from amocrm_client import Api, Receiver, Site, body

from server.sandbox.widgets import installed
from server.sandbox.world import Row, World


def ask(integration: Row, **more: str) -> dict[str, str]:
    """The body of a token request."""
    names = {"client_id": "id", "client_secret": "secret", "redirect_uri": "redirect_uri"}
    return {**{name: integration[key] for name, key in names.items()}, **more}


@pytest.fixture
async def pair(site: Site, integration: Row) -> Row:
    """A fresh pair of tokens, by a code."""
    code = (await body(await site.post("/sandbox/oauth/code", json={})))["code"]
    wanted = ask(integration, grant_type="authorization_code", code=code)
    tokens: Row = await body(await site.post("/oauth2/access_token", json=wanted))
    return tokens


@pytest.mark.parametrize("kind", ["json", "data"])
async def test_a_code_becomes_tokens_sent_as_json_or_form(site: Site, integration: Row, kind: str) -> None:
    """Generic OAuth libraries send a form, amoCRM's samples JSON."""
    code = (await body(await site.post("/sandbox/oauth/code", json={})))["code"]

    words: Any = {kind: ask(integration, grant_type="authorization_code", code=code)}
    tokens = await body(await site.post("/oauth2/access_token", **words))

    assert tokens["token_type"] == "Bearer"
    assert isinstance(tokens["expires_in"], int)
    assert tokens["access_token"]
    assert tokens["refresh_token"]


async def test_the_access_token_is_a_jwt_clients_can_decode(pair: Row, site: Site) -> None:
    """Clients split it in three, decode it without padding, and read exp and api_domain."""
    claims = jwt.decode(pair["access_token"], options={"verify_signature": False})

    assert pair["access_token"].count(".") == 2
    assert "=" not in pair["access_token"]
    assert isinstance(claims["exp"], int)
    assert claims["api_domain"] == f"{site.host}:{site.port}"


async def test_a_code_works_once(site: Site, integration: Row) -> None:
    """The second use of a code is refused with the JSON clients print."""
    code = (await body(await site.post("/sandbox/oauth/code", json={})))["code"]
    wanted = ask(integration, grant_type="authorization_code", code=code)
    await body(await site.post("/oauth2/access_token", json=wanted))

    refusal = await body(await site.post("/oauth2/access_token", json=wanted), 400)

    assert set(refusal) == {"hint", "title", "type", "status", "detail"}


async def test_a_code_lives_twenty_minutes(site: Site, integration: Row, world: World) -> None:
    """After twenty minutes nothing can be got for a code."""
    code = (await body(await site.post("/sandbox/oauth/code", json={})))["code"]
    world.clock = lambda: time.time() + 1201

    answer = await site.post("/oauth2/access_token", json=ask(integration, grant_type="authorization_code", code=code))

    assert answer.status == 400


async def test_a_refresh_token_is_used_up_by_a_refresh(site: Site, integration: Row, pair: Row) -> None:
    """A refresh gives a new refresh token; the old one is dead."""
    wanted = ask(integration, grant_type="refresh_token", refresh_token=pair["refresh_token"])

    fresh = await body(await site.post("/oauth2/access_token", json=wanted))
    again = await site.post("/oauth2/access_token", json=wanted)

    assert fresh["refresh_token"] != pair["refresh_token"]
    assert again.status == 400
    assert again.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"client_secret": "x" * 64}, 401),
        ({"client_id": "nobody"}, 401),
        ({"redirect_uri": "https://elsewhere.example/"}, 400),
        ({"grant_type": "password"}, 400),
        ({"code": "def50"}, 400),
    ],
)
async def test_a_wrong_member_is_refused(site: Site, integration: Row, wrong: dict[str, str], status: int) -> None:
    """Secret, client, redirect address, grant type and code must all be right."""
    code = (await body(await site.post("/sandbox/oauth/code", json={})))["code"]
    wanted = {**ask(integration, grant_type="authorization_code", code=code), **wrong}

    assert (await site.post("/oauth2/access_token", json=wanted)).status == status


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
async def test_nonsense_is_no_token(site: Site, token: str) -> None:
    """What is no token of ours gets 401."""
    answer = await site.get("/api/v4/account", headers={"Authorization": f"Bearer {token}"})

    assert answer.status == 401


async def test_a_forged_signature_is_401(site: Site, pair: Row) -> None:
    """The same claims under another key open nothing."""
    claims = jwt.decode(pair["access_token"], options={"verify_signature": False})
    forged = jwt.encode(claims, "k" * 64, algorithm="HS256")

    assert (await site.get("/api/v4/account", headers={"Authorization": f"Bearer {forged}"})).status == 401


async def test_an_expired_token_is_401(site: Site, pair: Row, world: World) -> None:
    """A day later the access token is dead."""
    world.clock = lambda: time.time() + 86_401

    answer = await site.get("/api/v4/account", headers={"Authorization": f"Bearer {pair['access_token']}"})

    assert answer.status == 401


async def test_an_earlier_access_token_outlives_a_refresh(site: Site, integration: Row, pair: Row) -> None:
    """A refresh in one thread does not break the request of another."""
    wanted = ask(integration, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    await body(await site.post("/oauth2/access_token", json=wanted))

    answer = await site.get("/api/v4/account", headers={"Authorization": f"Bearer {pair['access_token']}"})

    assert answer.status == 200


async def test_the_account_tells_its_address_to_a_refresh_token(site: Site, pair: Row) -> None:
    """After a rename a client finds the account by X-Refresh-Token."""
    headers = {"X-Refresh-Token": pair["refresh_token"]}

    found = await body(await site.get("/oauth2/account/current/subdomain", headers=headers))
    stranger = await site.get("/oauth2/account/current/subdomain", headers={"X-Refresh-Token": "no"})

    assert set(found) == {"id", "subdomain", "domain", "top_level_domain"}
    assert stranger.status == 401


async def test_a_revoked_token_is_401_and_a_refresh_cures_it(site: Site, integration: Row, pair: Row) -> None:
    """The fault revoke_token kills access tokens only."""
    await site.post("/sandbox/faults", json={"target": "amocrm", "kind": "revoke_token"})
    old = await site.get("/api/v4/account", headers={"Authorization": f"Bearer {pair['access_token']}"})
    wanted = ask(integration, grant_type="refresh_token", refresh_token=pair["refresh_token"])

    fresh = await body(await site.post("/oauth2/access_token", json=wanted))
    new = await site.get("/api/v4/account", headers={"Authorization": f"Bearer {fresh['access_token']}"})

    assert (old.status, new.status) == (401, 200)


async def test_the_one_time_token_is_signed_with_the_secret(site: Site, integration: Row, world: World) -> None:
    """Claims and signature as the official library checks them; aud has no port."""
    user = world.user_named("203")
    assert user is not None
    token = (await body(await site.post("/sandbox/one-time-token", json={"user": user["id"]})))["token"]

    claims = jwt.decode(token, integration["secret"], algorithms=["HS256"], audience="http://localhost")

    assert claims["iss"] == world.origin
    assert claims["exp"] == claims["iat"] + 1800
    assert claims["client_uuid"] == integration["id"]
    assert (claims["user_id"], claims["is_admin"]) == (user["id"], False)
    assert claims["account_id"] == world.account["id"]
    assert claims["subdomain"] == world.account["subdomain"]


@pytest.mark.parametrize(("mode", "different"), [("fresh", 2), ("cached", 1)])
async def test_one_time_tokens_are_fresh_or_cached(site: Site, world: World, mode: str, different: int) -> None:
    """Nobody documented which; the switch shows both."""
    world.switches.set({"one_time_token": mode})

    asked = [await body(await site.post("/sandbox/one-time-token", json={"user": "203"})) for _ in range(2)]

    assert len({answer["token"] for answer in asked}) == different


async def test_the_page_gets_one_time_tokens_by_its_session_only(site: Site) -> None:
    """`$authorizedAjax` asks with the cookie; a stranger gets 401."""
    stranger = await site.post("/ajax/one-time-token", json={})
    await site.get("/sandbox/login?user=203", allow_redirects=False)

    signed_in = await site.post("/ajax/one-time-token", json={})

    assert (stranger.status, signed_in.status) == (401, 200)


async def test_consent_leads_back_with_a_code(site: Site, integration: Row, world: World) -> None:
    """Allow: the browser goes to the redirect address with code, referer, platform and state."""
    admin = world.user_named("201")
    assert admin is not None
    form = {"client_id": integration["id"], "state": "s1", "decision": "allow", "user": str(admin["id"])}

    answer = await site.post("/oauth", data=form, allow_redirects=False)

    target = answer.headers["Location"]
    assert answer.status == 302
    assert target.startswith(integration["redirect_uri"] + "?code=def5")
    assert f"referer=127.0.0.1:{site.port}" in target
    assert "platform=1" in target
    assert "state=s1" in target


async def test_refused_consent_leads_back_with_an_error(site: Site, integration: Row) -> None:
    """Deny: error=access_denied and the state, no code."""
    form = {"client_id": integration["id"], "state": "s1", "decision": "deny"}

    answer = await site.post("/oauth", data=form, allow_redirects=False)

    assert answer.headers["Location"] == integration["redirect_uri"] + "?error=access_denied&state=s1"


async def test_only_an_administrator_consents(site: Site, integration: Row, world: World) -> None:
    """The first grant must be an administrator's."""
    agent = world.user_named("203")
    assert agent is not None
    form = {"client_id": integration["id"], "decision": "allow", "user": str(agent["id"])}

    assert (await site.post("/oauth", data=form, allow_redirects=False)).status == 403


async def test_switching_a_widget_on_calls_the_install_hook_once(
    site: Site, world: World, integration: Row, receiver: Receiver, tmp_path: Any
) -> None:
    """GET with code, referer and from_widget, server to server."""
    (tmp_path / "manifest.json").write_text('{"widget": {"version": "1.0.0"}}')
    world.integrations.put({**integration, "redirect_uri": receiver.url})

    await site.put("/sandbox/widgets/kommutator", json={"path": str(tmp_path), "settings": {}, "active": True})
    await site.put("/sandbox/widgets/kommutator", json={"settings": {"a": "b"}, "active": True})

    hook = await receiver.next()
    assert hook["method"] == "GET"
    assert set(hook["query"]) == {"code", "referer", "from_widget", "platform"}
    assert receiver.got.empty()


async def test_switching_a_widget_off_revokes_tokens_and_tells_with_a_signature(
    site: Site, world: World, api: Api, integration: Row, receiver: Receiver, tmp_path: Any
) -> None:
    """The disable hook is signed with the secret over client and account."""
    (tmp_path / "manifest.json").write_text('{"widget": {"version": "1.0.0"}}')
    world.integrations.put({**integration, "redirect_uri": "", "disable_hook": receiver.url})
    await site.put("/sandbox/widgets/kommutator", json={"path": str(tmp_path), "settings": {}, "active": True})

    await site.put("/sandbox/widgets/kommutator", json={"active": False})

    query = (await receiver.next())["query"]
    message = f"{integration['id']}|{world.account['id']}".encode()
    proof = hmac.new(integration["secret"].encode(), message, hashlib.sha256).hexdigest()
    assert query == {"account_id": str(world.account["id"]), "client_uuid": integration["id"], "signature": proof}
    assert (await api.get("/api/v4/account")).status == 401


async def test_an_unreachable_redirect_address_does_not_stop_the_installation(
    site: Site, world: World, tmp_path: Any
) -> None:
    """The hook is never repeated and its answer is ignored."""
    (tmp_path / "manifest.json").write_text('{"widget": {"version": "1.0.0"}}')

    answer = await site.put("/sandbox/widgets/kommutator", json={"path": str(tmp_path), "settings": {}, "active": True})

    assert (await body(answer))["active"] is True
    assert installed.archive_of(world.widgets["kommutator"]).manifest()["widget"]["version"] == "1.0.0"


async def test_an_administrators_token_acts_as_another_user(enter: Callable[[str], Api], world: World) -> None:
    """X-Context-User-ID: that user's id and rights; not for an agent's token, not for an unknown user."""
    agent = world.user_named("203")
    assert agent is not None
    headers = {"X-Context-User-ID": str(agent["id"])}

    acting = await body(await enter("201").get("/api/v4/account", headers=headers))
    users = await enter("201").get("/api/v4/users", headers=headers)
    by_agent = await enter("204").get("/api/v4/account", headers=headers)
    unknown = await enter("201").get("/api/v4/account", headers={"X-Context-User-ID": "7"})

    assert acting["current_user_id"] == agent["id"]
    assert (users.status, by_agent.status, unknown.status) == (403, 401, 401)
