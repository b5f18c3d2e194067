"""Paging, filters, order and search, in every form clients write them."""

from urllib.parse import parse_qs, quote, urlsplit

import pytest
from amocrm_client import Api, Site, body, made, new_contact

from server.sandbox.seed import more_contacts
from server.sandbox.world import World


@pytest.fixture
def many(world: World) -> int:
    """More than 600 contacts; how many."""
    more_contacts(world, 600)
    return len(world.contacts)


async def test_pages_until_a_short_one_hold_everything_once(api: Api, many: int) -> None:
    """page=1,2,… and stop at the short page."""
    ids, page, last = [], 1, 250
    while last == 250:
        rows = await made(await api.get(f"/api/v4/contacts?limit=250&page={page}"), "contacts")
        ids, page, last = ids + [row["id"] for row in rows], page + 1, len(rows)

    assert len(ids) == len(set(ids)) == many


async def test_pages_until_204_end(api: Api, many: int) -> None:
    """page=1,2,… until nothing comes."""
    statuses = [(await api.get(f"/api/v4/contacts?limit=250&page={page}")).status for page in range(1, 5)]

    assert statuses == [200, 200, 200, 204]
    assert many <= 750


async def test_next_links_lead_through_everything(site: Site, api: Api, many: int) -> None:
    """The link keeps host, port and every parameter, and is absent on the last page."""
    path, seen = "/api/v4/contacts?limit=100&filter[id][from]=1&with=leads", 0
    while path:
        answer = await body(await api.get(path))
        seen += len(answer["_embedded"]["contacts"])
        href = urlsplit(answer["_links"].get("next", {}).get("href", ""))
        path = f"{href.path}?{href.query}" if href.path else ""
        if path:
            assert href.netloc == f"127.0.0.1:{site.port}"
            assert parse_qs(href.query)["with"] == ["leads"]
            assert parse_qs(href.query)["filter[id][from]"] == ["1"]

    assert seen == many


async def test_first_and_previous_links_come_from_page_two(api: Api, many: int) -> None:
    """And not before."""
    first = await body(await api.get("/api/v4/contacts?page=1"))
    second = await body(await api.get("/api/v4/contacts?page=2"))

    assert set(first["_links"]) == {"self", "next"}
    assert set(second["_links"]) == {"self", "next", "first", "prev"}
    assert many


async def test_users_count_items_and_pages(api: Api) -> None:
    """_total_items and _page_count stand beside _embedded."""
    users = await body(await api.get("/api/v4/users?limit=2"))

    assert (users["_total_items"], users["_page_count"], users["_page"]) == (5, 3, 1)


@pytest.mark.parametrize(
    "form",
    [
        "filter[id]={}",
        "filter[id][]={}",
        "filter[id][0]={}",
        "filter%5Bid%5D%5B%5D={}",
        "filter[id][from]={0}&filter[id][to]={0}",
    ],
)
async def test_a_filter_by_id_works_in_every_form(api: Api, world: World, form: str) -> None:
    """Scalars, lists, numbered lists, ranges; raw or encoded brackets."""
    wanted = list(world.contacts)[3]["id"]

    rows = await made(await api.get("/api/v4/contacts?" + form.format(wanted)), "contacts")

    assert [row["id"] for row in rows] == [wanted]


async def test_several_ids_are_any_of_them(api: Api, world: World) -> None:
    """filter[id][]=1&filter[id][]=2."""
    one, two = (row["id"] for row in list(world.leads)[:2])

    rows = await made(await api.get(f"/api/v4/leads?filter[id][]={one}&filter[id][]={two}"), "leads")

    assert [row["id"] for row in rows] == [one, two]


async def test_a_delta_is_a_filter_by_time(api: Api, world: World) -> None:
    """filter[updated_at][from] with order gives what changed since."""
    since = sorted(row["updated_at"] for row in world.contacts)[-5]

    rows = await made(
        await api.get(f"/api/v4/contacts?filter[updated_at][from]={since}&order[updated_at]=asc"), "contacts"
    )

    assert [row["updated_at"] for row in rows] == sorted(row["updated_at"] for row in rows)
    assert all(row["updated_at"] >= since for row in rows)
    assert len(rows) == len([row for row in world.contacts if row["updated_at"] >= since])


async def test_booleans_in_filters_are_zero_and_one(api: Api, world: World) -> None:
    """filter[is_completed]=0."""
    rows = await made(await api.get("/api/v4/tasks?filter[is_completed]=0&limit=250"), "tasks")

    assert len(rows) == len(world.tasks)
    assert (await api.get("/api/v4/tasks?filter[is_completed]=1")).status == 204


async def test_leads_are_filtered_by_status_pairs(api: Api, world: World) -> None:
    """filter[statuses][0][pipeline_id] and [status_id]."""
    lead = next(iter(world.leads))
    pair = f"filter[statuses][0][pipeline_id]={lead['pipeline_id']}&filter[statuses][0][status_id]={lead['status_id']}"

    rows = await made(await api.get(f"/api/v4/leads?{pair}"), "leads")

    assert lead["id"] in [row["id"] for row in rows]
    assert {row["status_id"] for row in rows} == {lead["status_id"]}


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_lists_are_ordered_as_asked(api: Api, order: str) -> None:
    """order[id]=desc."""
    ids = [row["id"] for row in await made(await api.get(f"/api/v4/leads?order[id]={order}"), "leads")]

    assert ids == sorted(ids, reverse=order == "desc")


async def test_unknown_with_and_empty_query_mean_nothing(api: Api) -> None:
    """with=nonsense is ignored; query= is no filter."""
    plain = await made(await api.get("/api/v4/contacts?limit=250"), "contacts")
    odd = await made(await api.get("/api/v4/contacts?limit=250&query=&with=nonsense,,"), "contacts")

    assert [row["id"] for row in odd] == [row["id"] for row in plain]


@pytest.mark.parametrize("bad", ["page=0", "page=-1", "limit=x", "page=1e9", "limit=0"])
async def test_a_page_that_is_no_number_is_400(api: Api, bad: str) -> None:
    """Not 500, and not the first page."""
    assert (await api.get(f"/api/v4/contacts?{bad}")).status == 400


@pytest.mark.parametrize(
    "query", ["%2B79161234567", "79161234567", "89161234567", "9161234567", "1234567", "+7(916)+123-45-67"]
)
async def test_a_number_is_found_however_it_is_written(api: Api, query: str) -> None:
    """Stored with punctuation, searched with +7, 7, 8, ten digits, seven digits."""
    stored = (await made(await api.post("/api/v4/contacts", [new_contact("Номер", "+7 (916) 123-45-67")]), "contacts"))[
        0
    ]

    rows = await made(await api.get(f"/api/v4/contacts?query={query}"), "contacts")

    assert [row["id"] for row in rows] == [stored["id"]]


async def test_query_finds_part_of_a_name_in_any_case(api: Api) -> None:
    """Substring over the filled fields."""
    stored = (await made(await api.post("/api/v4/contacts", [new_contact("Бонч-Бруевич Ъ")]), "contacts"))[0]

    rows = await made(await api.get("/api/v4/contacts?query=" + quote("бруевич ъ")), "contacts")

    assert [row["id"] for row in rows] == [stored["id"]]


async def test_linked_entities_are_ids_and_only_when_asked(api: Api, world: World) -> None:
    """`_embedded.leads` has no status, and is absent without with=."""
    contact = next(row for row in world.contacts if row["links"].get("leads"))

    plain = await body(await api.get(f"/api/v4/contacts/{contact['id']}"))
    rich = await body(await api.get(f"/api/v4/contacts/{contact['id']}?with=leads,customers"))

    assert "leads" not in plain["_embedded"]
    assert [set(lead) for lead in rich["_embedded"]["leads"]] == [{"id", "_links"}] * len(contact["links"]["leads"])
    assert rich["_embedded"]["customers"] == []


async def test_leads_show_their_main_contact(api: Api, world: World) -> None:
    """with=contacts carries is_main."""
    lead = next(row for row in world.leads if row["links"].get("contacts"))

    shown = await body(await api.get(f"/api/v4/leads/{lead['id']}?with=contacts"))

    assert [contact["is_main"] for contact in shown["_embedded"]["contacts"]] == [True]


async def test_customers_can_be_switched_off(api: Api, world: World) -> None:
    """Then the method answers 402 and the account says disabled."""
    world.switches.set({"customers": False})

    assert (await api.get("/api/v4/customers")).status == 402
    assert (await body(await api.get("/api/v4/account")))["customers_mode"] == "disabled"


async def test_the_account_has_every_member_strict_clients_read(api: Api) -> None:
    """Some always, some only with with=."""
    always = {
        "id", "name", "subdomain", "created_at", "created_by", "updated_at", "updated_by", "current_user_id", "country",
        "currency", "currency_symbol", "customers_mode", "is_unsorted_on", "mobile_feature_version",
        "is_loss_reason_enabled", "is_helpbot_enabled", "is_technical_account", "contact_name_display_order", "_links",
    }  # fmt: skip

    plain = await body(await api.get("/api/v4/account"))
    rich = await body(
        await api.get(
            "/api/v4/account?with=amojo_id,uuid,version,datetime_settings,task_types,users_groups,amojo_rights"
        )
    )

    assert set(plain) == always
    assert set(rich) == always | {"amojo_id", "uuid", "version", "_embedded"}
    assert set(rich["_embedded"]["datetime_settings"]) == {
        "date_pattern", "short_date_pattern", "short_time_pattern", "date_format", "time_format", "timezone",
        "timezone_offset",
    }  # fmt: skip
    assert set(rich["_embedded"]["amojo_rights"]) == {"can_direct", "can_create_groups"}


async def test_the_account_tells_what_its_deals_are_called(api: Api) -> None:
    """with=entity_names: in every language, declined where the language declines."""
    names = (await body(await api.get("/api/v4/account?with=entity_names")))["_embedded"]["entity_names"]

    assert names["leads"]["ru"]["singular_form"]["genitive"] == "сделки"
    assert names["leads"]["en"] == {
        "gender": "m", "singular_form": {"default": "lead"}, "plural_form": {"default": "leads"},
    }  # fmt: skip


async def test_the_current_user_can_be_fetched_with_all_rights(api: Api) -> None:
    """Strict clients read each flag and letter."""
    current = (await body(await api.get("/api/v4/account")))["current_user_id"]

    rights = (await body(await api.get(f"/api/v4/users/{current}")))["rights"]

    assert all(
        set(rights[name]) == {"view", "edit", "add", "delete", "export"} for name in ("leads", "contacts", "companies")
    )
    assert set(rights["tasks"]) == {"edit", "delete"}
    assert {
        "is_admin",
        "is_free",
        "is_active",
        "group_id",
        "role_id",
        "mail_access",
        "catalog_access",
        "status_rights",
    } <= set(rights)


async def test_pipelines_carry_their_statuses(api: Api) -> None:
    """Unsorted first, won and lost in every pipeline."""
    pipelines = await made(await api.get("/api/v4/leads/pipelines"), "pipelines")

    for pipeline in pipelines:
        statuses = pipeline["_embedded"]["statuses"]
        assert statuses[0]["type"] == 1
        assert [status["id"] for status in statuses][-2:] == [142, 143]


@pytest.mark.parametrize("is_on", [True, False])
async def test_the_alpha_filter_finds_by_a_field_where_it_is_paid_for(api: Api, world: World, is_on: bool) -> None:
    """filter[custom_fields_values][<field>][]; elsewhere it is ignored."""
    world.switches.set({"alpha_filter": is_on})
    contact = next(iter(world.contacts))
    entry = contact["custom_fields_values"][0]
    value = quote(entry["values"][0]["value"], safe="")

    path = f"/api/v4/contacts?limit=250&filter[custom_fields_values][{entry['field_id']}][]={value}"

    assert len(await made(await api.get(path), "contacts")) == (1 if is_on else len(world.contacts))
