"""Pipelines and their statuses, as administrators change them by the API."""

from collections.abc import Callable

import pytest
from amocrm_client import Api, body, made

from server.sandbox.world import Row, World

PATH = "/api/v4/leads/pipelines"


@pytest.fixture
async def pipeline(api: Api) -> Row:
    """A pipeline of one's own, with two statuses and another name for success."""
    statuses = [{"id": 142, "name": "Оплачено"}, {"name": "Второй", "sort": 30}, {"name": "Первый", "sort": 20}]
    item = {"name": "Допродажи", "is_main": False, "is_unsorted_on": True, "sort": 20, "request_id": "a"}
    return (await made(await api.post(PATH, [{**item, "_embedded": {"statuses": statuses}}]), "pipelines"))[0]


async def test_a_new_pipeline_has_the_system_statuses(pipeline: Row) -> None:
    """Unsorted first, one's own in their order, 142 with its own name, 143."""
    statuses = pipeline["_embedded"]["statuses"]

    assert pipeline["request_id"] == "a"
    assert [s["name"] for s in statuses] == [
        "Неразобранное",
        "Первый",
        "Второй",
        "Оплачено",
        "Закрыто и не реализовано",
    ]
    assert [s["type"] for s in statuses] == [1, 0, 0, 0, 0]
    assert [s["is_editable"] for s in statuses] == [False, True, True, False, False]


async def test_there_is_one_main_pipeline(api: Api, pipeline: Row, world: World) -> None:
    """A new main one takes the place of the old."""
    changed = await body(await api.patch(f"{PATH}/{pipeline['id']}", {"is_main": True, "is_unsorted_on": False}))

    assert [row["id"] for row in world.pipelines if row["is_main"]] == [pipeline["id"]]
    assert all(status["type"] == 0 for status in changed["_embedded"]["statuses"])


async def test_a_pipeline_with_leads_cannot_be_deleted(api: Api, pipeline: Row) -> None:
    """An empty one can, with 204."""
    lead = (await made(await api.post("/api/v4/leads", [{"pipeline_id": pipeline["id"]}]), "leads"))[0]["id"]
    refused = await api.delete(f"{PATH}/{pipeline['id']}")
    main = (await made(await api.get(PATH), "pipelines"))[0]["id"]
    await api.patch(f"/api/v4/leads/{lead}", {"pipeline_id": main})

    gone = await api.delete(f"{PATH}/{pipeline['id']}")

    assert (refused.status, gone.status) == (400, 204)
    assert (await api.get(f"{PATH}/{pipeline['id']}")).status == 204


async def test_statuses_are_added_changed_and_deleted(api: Api, pipeline: Row, world: World) -> None:
    """Leads of a deleted status go to the first one."""
    path = f"{PATH}/{pipeline['id']}/statuses"
    texts = [{"level": "newbie", "description": "Для новичка"}]
    status = (await made(await api.post(path, [{"name": "Третий", "sort": 40, "descriptions": texts}]), "statuses"))[0]
    lead = (await made(await api.post("/api/v4/leads", [{"status_id": status["id"]}]), "leads"))[0]["id"]

    changed = await body(await api.patch(f"{path}/{status['id']}", {"name": "Последний", "color": "#c1e0ff"}))
    told = await body(await api.get(f"{path}/{status['id']}?with=descriptions"))
    gone = await api.delete(f"{path}/{status['id']}")

    assert (changed["name"], changed["color"], changed["sort"]) == ("Последний", "#c1e0ff", 40)
    assert told["descriptions"][0]["description"] == "Для новичка"
    assert gone.status == 204
    assert world.leads[lead]["status_id"] == pipeline["_embedded"]["statuses"][1]["id"]
    assert (await api.get(f"{path}/{status['id']}")).status == 204


async def test_system_statuses_stay(api: Api, pipeline: Row) -> None:
    """142 can be neither changed nor deleted, and an unknown one is 404."""
    path = f"{PATH}/{pipeline['id']}/statuses"

    answers = [await api.patch(f"{path}/142", {"name": "x"}), await api.delete(f"{path}/142"),
               await api.patch(f"{path}/5", {"name": "x"})]  # fmt: skip

    assert [answer.status for answer in answers] == [400, 400, 404]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sort": 1},
        {"name": "x", "sort": "раз"},
        {"name": "x", "is_main": "да"},
        {"name": "x", "_embedded": {"statuses": [1]}},
    ],
)
async def test_a_pipeline_without_sense_is_refused(api: Api, wrong: Row) -> None:
    """By member; nothing is stored."""
    told = await body(await api.post(PATH, [wrong]), 400)

    assert told["validation-errors"]
    assert len(await made(await api.get(PATH), "pipelines")) == 2


async def test_only_administrators_change_pipelines(enter: Callable[[str], Api]) -> None:
    """403 for an agent."""
    agent = enter("203")

    assert (await agent.post(PATH, [{"name": "x", "sort": 1}])).status == 403
    assert (await agent.get(PATH)).status == 200
