"""What was told to the sandbox survives its restart."""

from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from amocrm_client import Api, Site, body, made

from server.sandbox import integrations
from server.sandbox.app import make_app
from server.sandbox.oauth.tokens import long_lived_token
from server.sandbox.seed import seed
from server.sandbox.world import Collection, World


def rows_of(world: World) -> dict[str, list[Any]]:
    """Every collection of a world."""
    collections = {name: value for name, value in vars(world).items() if isinstance(value, Collection)}
    return {name: list(value) for name, value in collections.items()}


async def fill(api: Api, site: Site) -> None:
    """One of everything that the API can make."""
    await body(await api.post("/api/v4/leads/custom_fields", [{"name": "Поле", "type": "url"}]), 201)
    await body(await api.post("/api/v4/leads/custom_fields/groups", [{"name": "Группа", "sort": 1}]), 201)
    await made(await api.post("/api/v4/leads/tags", [{"name": "Тег", "color": "DDEBB5"}]), "tags")
    await made(await api.post("/api/v4/leads/pipelines", [{"name": "Воронка 3", "sort": 9}]), "pipelines")
    await made(await api.post("/api/v4/leads/loss_reasons", [{"name": "Причина"}]), "loss_reasons")
    await made(await api.post("/api/v4/sources", [{"name": "Источник", "external_id": "s1"}]), "sources")
    await made(await api.post("/api/v4/roles", [{"name": "Роль"}]), "roles")
    person = {"name": "Иван", "email": "i@demo.example", "password": "aBcde1@345"}
    await body(await api.post("/api/v4/users", [person]), 201)
    await body(await api.post("/api/v4/customers/segments", {"name": "Сегмент"}))
    customer = (await made(await api.post("/api/v4/customers", [{"name": "Покупатель"}]), "customers"))[0]["id"]
    await made(await api.post(f"/api/v4/customers/{customer}/transactions", [{"price": 5}]), "transactions")
    catalog = (await made(await api.post("/api/v4/catalogs", [{"name": "Список"}]), "catalogs"))[0]["id"]
    element = (await made(await api.post(f"/api/v4/catalogs/{catalog}/elements", [{"name": "Э"}]), "elements"))[0]["id"]
    lead = (await made(await api.post("/api/v4/leads", [{"name": "Сделка"}]), "leads"))[0]["id"]
    wish = [{"to_entity_id": element, "to_entity_type": "catalog_elements", "metadata": {"quantity": 2}}]
    await body(await api.post(f"/api/v4/leads/{lead}/link", wish))
    await body(await site.post("/sandbox/unsorted", json={"category": "mail"}))
    await body(await api.patch("/api/v4/customers/mode", {"mode": "periodicity", "is_enabled": True}))


async def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """Rows, their order of ids, the mode of customers, and a token of years."""
    world = World(tmp_path)
    seed(world, 1)
    world.switches.set({"limit_integration_per_s": 0, "limit_account_per_s": 0})
    client_id, user_id = integrations.main(world)["id"], next(iter(world.users))["id"]
    token = long_lived_token(world, client_id=client_id, user_id=user_id, life_s=86400)
    async with TestClient(TestServer(make_app(world))) as site:
        await fill(Api(site, token), site)
    before, account = rows_of(world), dict(world.account)
    world.close()

    again = World(tmp_path)
    after = rows_of(again)
    async with TestClient(TestServer(make_app(again))) as site:
        fresh = (await made(await Api(site, token).post("/api/v4/roles", [{"name": "Ещё"}]), "roles"))[0]["id"]
        mode = (await body(await Api(site, token).get("/api/v4/account")))["customers_mode"]
    again.close()

    assert {name: sorted(map(str, rows)) for name, rows in after.items()} == {
        name: sorted(map(str, rows)) for name, rows in before.items()
    }
    assert dict(again.account) == account
    assert mode == "periodicity"
    assert fresh > max(row["id"] for row in before["roles"])
