"""What surrounds customers: the mode of the whole function, statuses or segments by mode, purchases, bonus points."""

from collections.abc import Callable
from functools import partial
from typing import Final

from aiohttp import web

from server.sandbox.rest.access import Asker, admin, asker, require
from server.sandbox.rest.answers import Problem, hal, link
from server.sandbox.rest.bodies import read_object
from server.sandbox.rest.custom_fields import Refuse, show_values, write_values
from server.sandbox.rest.nouns import Member
from server.sandbox.rest.query import whole
from server.sandbox.rest.search import is_visible
from server.sandbox.rest.shelves import NOT_A_CHOICE, Shelf, routes
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row, World

_MODES: Final = ("segments", "periodicity")


def mode_of(world: World) -> str:
    """How customers work in this account; `disabled` where they are switched off."""
    return str(world.account.get("customers_mode", "segments")) if world.switches["customers"] else "disabled"


async def _set_mode(request: web.Request) -> web.StreamResponse:
    admin(request)
    world, body = request.app[WORLD], await read_object(request)
    mode, is_enabled = body.get("mode"), body.get("is_enabled")
    if mode not in _MODES or not isinstance(is_enabled, bool):
        raise Problem(400, "mode is segments or periodicity, is_enabled true or false")
    world.update_account(customers_mode=mode)
    world.switches.set({"customers": is_enabled})
    return hal({"mode": mode, "is_enabled": is_enabled})


def _in_mode(mode: str, who: Callable[[web.Request], Asker], request: web.Request) -> Asker:
    """Statuses exist in one mode, segments in the other. Raises `Problem` 422 in the wrong one."""
    found = who(request)
    if mode_of(request.app[WORLD]) != mode:
        raise Problem(422, f"Customers are not in the mode {mode}")
    return found


def _check_status(_: web.Request, row: Row, __: Row, ___: Refuse) -> None:
    row.setdefault("is_default", False)
    row.setdefault("type", 0)
    row.setdefault("conditions", [])


def _keep_system(request: web.Request, row: Row) -> None:
    world = request.app[WORLD]
    if row["is_default"]:
        raise Problem(400, "A system status cannot be deleted")
    heir = next((status["id"] for status in world.customer_statuses if status["id"] != row["id"]), 0)
    for customer in world.customers.where(status_id=row["id"]):
        world.customers.put({**customer, "status_id": heir})


_STATUSES: Final = Shelf(
    "statuses",
    "customer_statuses",
    "/api/v4/customers/statuses",
    (Member("name", "text", required=True), Member("sort", "int", 100), Member("color", "text", "#fffeb2")),
    "status of customers",
    check=_check_status,
    removed=_keep_system,
    readers=partial(_in_mode, "periodicity", asker),
    writers=partial(_in_mode, "periodicity", admin),
    order="sort",
    most_kept=30,
)


def _check_segment(request: web.Request, row: Row, item: Row, refuse: Refuse) -> None:
    world = request.app[WORLD]
    row.setdefault("created_at", world.now())
    row["updated_at"] = world.now()
    row.setdefault("available_products_price_types", [])
    prices = item.get("available_products_price_types")
    if isinstance(prices, list):
        row["available_products_price_types"] = [number for price in prices if (number := whole(price)) is not None]
    if item.get("custom_fields_values") is not None:
        write_values(world, row, "customers/segments", given=item["custom_fields_values"], refuse=refuse)


def _show_segment(request: web.Request, row: Row) -> Row:
    world = request.app[WORLD]
    names = ("id", "created_at", "updated_at", "name", "color", "available_products_price_types")
    return {
        **{name: row[name] for name in names},
        "customers_count": sum(row["id"] in customer.get("segments", []) for customer in world.customers),
        "custom_fields_values": show_values(world, row) or [],
    }


def _leave_segment(request: web.Request, row: Row) -> None:
    customers = request.app[WORLD].customers
    for customer in customers:
        if row["id"] in customer.get("segments", []):
            left = [known for known in customer["segments"] if known != row["id"]]
            customers.put({**customer, "segments": left})


_SEGMENTS: Final = Shelf(
    "segments",
    "segments",
    "/api/v4/customers/segments",
    (Member("name", "text", required=True), Member("color", "text", "10599d")),
    "segment of customers",
    check=_check_segment,
    show=_show_segment,
    removed=_leave_segment,
    readers=partial(_in_mode, "segments", asker),
    writers=partial(_in_mode, "segments", admin),
    most_kept=100,
)


def _of_customer(request: web.Request) -> Row:
    """All purchases, or one customer's. Raises `Problem` 404 for an unknown customer."""
    if "customer_id" not in request.match_info:
        return {"is_deleted": False}
    return {"is_deleted": False, "customer_id": _customer(request)["id"]}


def _customer(request: web.Request) -> Row:
    row = request.app[WORLD].customers.get(int(request.match_info["customer_id"]))
    if row is None or not is_visible(row):
        raise Problem(404, "Customer not found")
    require(request, "view", "customers", row)
    return row


def _check_transaction(request: web.Request, row: Row, item: Row, refuse: Refuse) -> None:
    world, user_id = request.app[WORLD], asker(request).user["id"]
    if row["price"] is None or row["price"] < 0:
        refuse("FieldMissing", "price", "This field is missing.")
        return
    now = world.now()
    created_by = user_id if row["created_by"] is None else row["created_by"]
    row |= {"created_by": created_by, "updated_by": created_by, "created_at": now, "updated_at": now}
    row["completed_at"] = row["completed_at"] or now
    row["next"] = {name: whole(item[name]) for name in ("next_price", "next_date") if whole(item.get(name)) is not None}
    embedded = item.get("_embedded")
    given = embedded.get("catalog_elements") if isinstance(embedded, dict) else None
    row["catalog_links"] = []
    for position, one in enumerate(given if isinstance(given, list) else []):
        element = world.catalog_elements.get(whole(one.get("id"))) if isinstance(one, dict) else None
        if element is None:
            refuse("NotSupportedChoice", f"_embedded.catalog_elements.{position}.id", NOT_A_CHOICE)
        else:
            metadata = one.get("metadata") if isinstance(one.get("metadata"), dict) else {}
            known = {"catalog_id": element["catalog_id"], "quantity": whole(metadata.get("quantity")) or 1}
            row["catalog_links"].append({"id": element["id"], "metadata": known})


def _count(request: web.Request, row: Row) -> None:
    """What a customer has bought altogether follows from the purchases."""
    world = request.app[WORLD]
    customer = world.customers.get(row["customer_id"])
    if customer is None:
        return
    rows = world.transactions.where(customer_id=customer["id"], is_deleted=False)
    total = sum(one["price"] for one in rows)
    sums = {"ltv": total, "purchases_count": len(rows), "average_check": total // len(rows) if rows else 0}
    world.customers.put({**customer, **sums, **row.get("next", {})})


def _uncount(request: web.Request, row: Row) -> None:
    """The shelf removes the purchase right after this."""
    request.app[WORLD].transactions.put({**row, "is_deleted": True})
    _count(request, {**row, "next": {}})


def _show_transaction(request: web.Request, row: Row) -> Row:
    names = ("id", "price", "comment", "completed_at", "customer_id", "created_by", "updated_by", "created_at")
    customer = {"id": row["customer_id"], "_links": link(request, f"/api/v4/customers/{row['customer_id']}")}
    return {
        **{name: row[name] for name in names},
        "updated_at": row["updated_at"],
        "is_deleted": row["is_deleted"],
        "_embedded": {"customer": customer, "catalog_elements": row["catalog_links"]},
    }


def _transactions(path: str) -> Shelf:
    return Shelf(
        "transactions",
        "transactions",
        path,
        (
            Member("price", "int", required=True),
            Member("comment", "text"),
            Member("completed_at", "time"),
            Member("created_by", "user"),
        ),
        "purchase of a customer",
        scope=_of_customer,
        check=_check_transaction,
        show=_show_transaction,
        stored=_count,
        removed=_uncount,
        writers=asker,
    )


async def _bonus(request: web.Request) -> web.StreamResponse:
    world, body, row = request.app[WORLD], await read_object(request), _customer(request)
    earn, redeem = whole(body.get("earn")), whole(body.get("redeem"))
    if (earn is None) == (redeem is None) or (earn or redeem or 0) <= 0:
        raise Problem(400, "Either earn or redeem, a positive number")
    points = int(row.get("bonus_points", 0)) + (earn or 0) - (redeem or 0)
    if points < 0 or points >= 2**53:
        raise Problem(400, "There are not that many points")
    world.customers.put({**row, "bonus_points": points})
    return hal({"bonus_points": points})


_ONE: Final = r"{customer_id:\d{1,15}}"
_OWN: Final = _transactions(f"/api/v4/customers/{_ONE}/transactions")
_EVERY: Final = _transactions("/api/v4/customers/transactions")
ROUTES: Final = [
    Route("PATCH", "/api/v4/customers/mode", _set_mode, "switch customers on, off, or to another mode", body="object"),
    *routes(_STATUSES, "list", "one", "create", "update_one", "delete"),
    *routes(_SEGMENTS, "list", "one", "create_one", "update_one", "delete"),
    *routes(_EVERY, "list", "one", "delete"),
    *routes(_OWN, "list", "one", "create", "delete"),
    Route("POST", f"/api/v4/customers/{_ONE}/bonus_points", _bonus, "earn or redeem bonus points", body="object"),
]
