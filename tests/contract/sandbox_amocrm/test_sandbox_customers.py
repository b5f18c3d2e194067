"""Customers: the mode of the function, statuses, segments, purchases, bonus points."""

from collections.abc import Callable

import pytest
from amocrm_client import Api, body, made

from server.sandbox.world import World


@pytest.fixture
def customer(world: World) -> int:
    row_id: int = next(iter(world.customers))["id"]
    return row_id


async def test_the_mode_decides_between_statuses_and_segments(api: Api) -> None:
    """422 in the wrong one; the account tells the mode."""
    path = "/api/v4/customers"
    before = [(await api.get(f"{path}/statuses")).status, (await api.get(f"{path}/segments")).status]

    told = await body(await api.patch(f"{path}/mode", {"mode": "periodicity", "is_enabled": True}))

    after = [(await api.get(f"{path}/statuses")).status, (await api.get(f"{path}/segments")).status]
    assert (before, after) == ([422, 200], [200, 422])
    assert told == {"mode": "periodicity", "is_enabled": True}
    assert (await body(await api.get("/api/v4/account")))["customers_mode"] == "periodicity"


async def test_customers_are_switched_off_by_the_mode(api: Api) -> None:
    """Then the account says disabled and the list 402."""
    await api.patch("/api/v4/customers/mode", {"mode": "segments", "is_enabled": False})

    assert (await body(await api.get("/api/v4/account")))["customers_mode"] == "disabled"
    assert (await api.get("/api/v4/customers")).status == 402


async def test_statuses_of_customers_are_kept_by_administrators(api: Api, enter: Callable[[str], Api]) -> None:
    """System ones stay."""
    path = "/api/v4/customers/statuses"
    await api.patch("/api/v4/customers/mode", {"mode": "periodicity", "is_enabled": True})
    status = (await made(await api.post(path, [{"name": "Новый", "sort": 100}]), "statuses"))[0]
    system = next(row for row in await made(await api.get(path), "statuses") if row["is_default"])

    assert (await body(await api.patch(f"{path}/{status['id']}", {"name": "Иной"})))["name"] == "Иной"
    assert (await api.delete(f"{path}/{system['id']}")).status == 400
    assert (await api.delete(f"{path}/{status['id']}")).status == 204
    assert (await enter("203").post(path, [{"name": "x"}])).status == 403


async def test_a_segment_is_created_by_one_object(api: Api, customer: int) -> None:
    """It counts its customers, and a customer shows its segments always."""
    path = "/api/v4/customers/segments"
    segment = await body(await api.post(path, {"name": "Оптовики", "color": "ae003f"}))

    await body(await api.patch(f"/api/v4/customers/{customer}", {"_embedded": {"segments": [{"id": segment["id"]}]}}))
    shown = await body(await api.get(f"/api/v4/customers/{customer}"))
    counted = await body(await api.get(f"{path}/{segment['id']}"))
    gone = await api.delete(f"{path}/{segment['id']}")

    assert [one["id"] for one in shown["_embedded"]["segments"]] == [segment["id"]]
    assert (counted["customers_count"], counted["custom_fields_values"]) == (1, [])
    assert gone.status == 204
    assert (await body(await api.get(f"/api/v4/customers/{customer}")))["_embedded"]["segments"] == []
    assert (await api.patch(f"/api/v4/customers/{customer}", {"_embedded": {"segments": [{"id": 5}]}})).status == 400


async def test_purchases_add_up(api: Api, customer: int) -> None:
    """ltv, their number and the average follow; a deleted one counts no more."""
    path = f"/api/v4/customers/{customer}/transactions"
    rows = await made(await api.post(path, [{"price": 100, "comment": "раз"}, {"price": 300.0}]), "transactions")

    both = await body(await api.get(f"/api/v4/customers/{customer}"))
    gone = await api.delete(f"/api/v4/customers/transactions/{rows[0]['id']}")
    one = await body(await api.get(f"/api/v4/customers/{customer}"))

    assert (both["ltv"], both["purchases_count"], both["average_check"]) == (400, 2, 200)
    assert gone.status == 204
    assert (one["ltv"], one["purchases_count"], one["average_check"]) == (300, 1, 300)
    assert len(await made(await api.get("/api/v4/customers/transactions"), "transactions")) == 1
    assert (await api.post(path, [{"comment": "даром"}])).status == 400
    assert (await api.get("/api/v4/customers/5/transactions")).status == 404


async def test_bonus_points_are_earned_and_redeemed(api: Api, customer: int) -> None:
    """Never below nothing, never both at once."""
    path = f"/api/v4/customers/{customer}/bonus_points"

    assert (await body(await api.post(path, {"earn": 500})))["bonus_points"] == 500
    assert (await body(await api.post(path, {"redeem": 200})))["bonus_points"] == 300
    assert (await api.post(path, {"redeem": 301})).status == 400
    assert (await api.post(path, {"redeem": 1, "earn": 1})).status == 400
