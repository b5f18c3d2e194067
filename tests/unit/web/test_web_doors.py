"""The doors when everything is right: what each answers, and what it changed. (All refusals: test_security.py.)"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sandboxes import until
from served import ACCOUNT, OLGA, PAVEL, Served, served, token

from server.core.errors import StoreUnavailable


@pytest.fixture
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("doors"), "detached") as one:
        yield one


async def as_admin(house: Served, method: str, path: str, **more: Any) -> Any:
    status, body = await house.ask(method, path, headers=await house.bearer(), **more)
    assert status < 300, body
    return body


async def test_a_session_is_all_that_a_widget_needs(house: Served) -> None:
    """Agent, lines, bearer, ticket, protocol."""
    status, answer = await house.ask("POST", "/api/session", headers={"X-Auth-Token": token()})

    assert status == 200
    assert set(answer) == {"ticket", "bearer", "expires_at", "protocol", "agent", "lines"}
    assert answer["agent"] == {
        "id": OLGA,
        "name": "Ольга",
        "is_admin": True,
        "extensions": {"l_1": "201", "l_2": "201"},
    }


async def test_a_line_lives_from_its_connection_to_its_end(house: Served) -> None:
    """Connected with its lines and schemes, renamed, given a new address, removed."""
    wanted = {
        "provider": "sipuni", "name": "Офис", "credentials": {"user": "1", "secret": "s3cret"},
        "our_lines": ["8 495 123-45-67"], "schemes": {"000-1": "Продажи"},
    }  # fmt: skip
    line = (await as_admin(house, "POST", "/api/lines", json=wanted))["line"]
    path = f"/api/lines/{line['id']}"
    renamed = (await as_admin(house, "PUT", path, json={"name": "Склад"}))["line"]
    moved = (await as_admin(house, "POST", f"{path}/secret"))["line"]
    await as_admin(house, "DELETE", path)

    assert (line["our_lines"], line["schemes"]) == (["+74951234567"], {"000-1": "Продажи"})
    assert line["credentials"] == {"user": "1", "secret": None}
    assert (renamed["name"], renamed["our_lines"]) == ("Склад", ["+74951234567"])
    assert moved["hook_base"] != line["hook_base"]
    assert line["id"] not in [one["id"] for one in (await as_admin(house, "GET", "/api/settings"))["lines"]]


async def test_a_line_with_a_number_that_is_none_is_not_connected(house: Served) -> None:
    """Nothing of it is kept."""
    wanted = {"provider": "sipuni", "credentials": {"user": "1", "secret": "s"}, "our_lines": ["офис"]}
    status, body = await house.ask("POST", "/api/lines", headers=await house.bearer(), json=wanted)

    assert (status, body["error"]["slug"]) == (400, "bad-phone")
    assert house.counts()["line"] == 3


async def test_preferences_change_one_by_one(house: Served) -> None:
    """What is not given stays."""
    await as_admin(house, "PUT", "/api/settings/account", json={"notice": "both"})
    account = (await as_admin(house, "PUT", "/api/settings/account", json={"email_action": True}))["account"]

    assert (account["notice"], account["email_action"], account["log_internal"]) == ("both", True, False)


async def test_rules_for_unknown_numbers_are_kept_and_shown(house: Served) -> None:
    """The whole matrix at once."""
    rule = {"kind": "in_missed", "way": "lead", "line_id": "l_1", "pipeline_id": 5, "tags": ["АТС"]}
    account = (await as_admin(house, "PUT", "/api/settings/account", json={"strangers": [rule]}))["account"]
    shown = (await as_admin(house, "GET", "/api/settings"))["account"]

    assert account["strangers"] == shown["strangers"] == [rule]


@pytest.mark.parametrize(
    "rule", [{"kind": "in_missed", "way": "lead", "line_id": "l_9"}, {"kind": "out_missed", "way": "unsorted"}, {}]
)
async def test_rules_that_cannot_be_kept_are_refused_at_the_door(house: Served, rule: dict[str, Any]) -> None:
    """Another account's line (l_9), Unsorted for a call of ours, half a rule: nothing changes."""
    status, _ = await house.ask(
        "PUT", "/api/settings/account", headers=await house.bearer(), json={"strangers": [rule]}
    )

    assert status == 400
    assert (await as_admin(house, "GET", "/api/settings"))["account"]["strangers"] == []


async def test_a_change_of_preferences_reaches_the_long_poll(house: Served) -> None:
    """The digest covers all that the snapshot shows."""
    before = await as_admin(house, "GET", "/api/poll?digest=none")
    await as_admin(house, "PUT", "/api/settings/account", json={"notice": "crm"})
    after = await as_admin(house, "GET", f"/api/poll?digest={before['digest']}")

    assert (before.get("show_cards", True), after["show_cards"]) == (True, False)


async def test_giving_an_extension_to_somebody_answers_the_alert(house: Served) -> None:
    """What is still amiss is told anew by the next call."""
    await house.desk.accounts.alert(ACCOUNT, "extension-unmapped", subject="l_1/777", extension="777")
    before = (await as_admin(house, "GET", "/api/settings"))["alerts"]

    seats = [{"user_id": PAVEL, "line_id": "l_1", "extension": "777"}]
    answer = await as_admin(house, "PUT", "/api/agents", json={"agents": seats})

    assert [alert["slug"] for alert in before] == ["extension-unmapped"]
    assert answer["agents"] == seats
    assert (await as_admin(house, "GET", "/api/settings"))["alerts"] == []


async def test_a_line_is_checked_against_its_pbx(house: Served) -> None:
    """Each check by name."""
    checks = (await as_admin(house, "POST", "/api/lines/l_1/check", json={}))["checks"]

    assert [check["name"] for check in checks] == ["credentials", "hook_seen", "extensions"]
    assert house.outside.requests == ["POST /api/schema/list"]


async def is_polling(house: Served) -> bool:
    return house.desk.agents.is_reachable((ACCOUNT, OLGA))


async def test_the_long_poll_waits_for_news(house: Served) -> None:
    """And comes as soon as there is some."""
    before = await as_admin(house, "GET", "/api/poll?digest=none")
    waiting = asyncio.create_task(as_admin(house, "GET", f"/api/poll?digest={before['digest']}"))
    await until(lambda: is_polling(house))

    await house.desk.accounts.alert(ACCOUNT, "crm-token-dead")

    after = await asyncio.wait_for(waiting, 5)
    assert [alert["slug"] for alert in after["alerts"]] == ["crm-token-dead"]
    assert after["digest"] != before["digest"]


async def test_the_operators_doors_answer(house: Served) -> None:
    """Alive, ready, numbers without names."""
    assert (await house.ask("GET", "/healthz"))[1]["ok"] is True
    assert (await house.ask("GET", "/readyz"))[0] == 200
    status, numbers = await house.ask("GET", "/metrics")

    assert status == 200
    assert "kommutator_agents_connected 0.0" in numbers
    assert str(ACCOUNT) not in numbers


async def test_a_server_whose_database_is_away_is_not_ready(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The balancer sends nobody there. (The store is replaced: a database cannot be taken from a running process.)"""

    async def away() -> bool:
        raise StoreUnavailable

    monkeypatch.setattr(type(house.desk), "is_ready", property(lambda _: away))
    status, body = await house.ask("GET", "/readyz")

    assert (status, body["error"]["slug"]) == (503, "store-unavailable")


async def test_an_authorisation_is_answered_at_once(tmp_path: Path) -> None:
    """amoCRM's install hook waits three seconds; the exchange follows."""
    async with served(tmp_path, "detached", is_outside_trusted=True) as house:
        status, page = await house.ask("GET", "/amo/oauth", params={"code": "c", "referer": house.outside_host})
        await until(lambda: was_asked(house))

        assert status == 200
        assert "window.close()" in page
        assert house.outside.requests[0] == "POST /oauth2/access_token"


async def was_asked(house: Served) -> bool:
    return bool(house.outside.requests)


async def test_a_webhook_of_amocrm_is_answered_and_kept(house: Served) -> None:
    """It is learned later."""
    form = {"contacts[add][0][id]": "1", "contacts[add][0][name]": "Анна"}
    status, body = await house.ask("POST", f"/amo/hooks/hooksecret{ACCOUNT}", data=form)

    assert (status, body) == (200, {})
    assert house.counts()["job"] == 1
