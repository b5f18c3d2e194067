"""Kill the backend anywhere in a call: nothing that was answered 200 is lost, nothing is logged twice."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from sandboxes import Sandbox, running, until

KILLS = 30
CALLS = 45
TALK_S = 7
STRANGE = 5
"""Each fifth call comes from a number that nobody has."""
BORN = 1_790_000_000


def story(number: int, phone: str) -> list[dict[str, Any]]:
    """Sipuni's events of one answered inbound call."""
    start = BORN + number * 60
    common = {
        "call_id": f"{start}.{number}", "src_type": 1, "src_num": phone, "dst_type": 2,
        "dst_num": "078332201", "short_dst_num": "201",
    }  # fmt: skip
    end = {"status": "ANSWER", "call_start_timestamp": start, "call_answer_timestamp": start + 2}
    return [
        {**common, "event": 1, "timestamp": start},
        {**common, "event": 3, "timestamp": start + 2},
        {**common, "event": 2, "timestamp": start + 2 + TALK_S, **end},
    ]


async def tell(sandbox: Sandbox, events: list[dict[str, Any]], random_: random.Random) -> None:
    """A stubborn PBX: each event is sent until it is answered 200, some twice."""
    url = sandbox.info["pbx"]["sipuni"]["hook_url"]
    for event in events:
        await until(lambda event=event: is_taken(sandbox, f"{url}?{urlencode(event)}"), timeout_s=60)
        if random_.random() < 0.2:
            await is_taken(sandbox, f"{url}?{urlencode(event)}")
        await asyncio.sleep(random_.uniform(0, 0.4))


async def is_taken(sandbox: Sandbox, url: str) -> bool:
    try:
        async with sandbox.http.get(url, timeout=aiohttp.ClientTimeout(total=5)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def kill_often(sandbox: Sandbox, random_: random.Random) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(random_.uniform(0.05, 0.9))
        await sandbox.switch_backend("kill")
        await sandbox.switch_backend("start")


async def notes(sandbox: Sandbox) -> Counter[str]:
    """How often each call of ours stands in amoCRM."""
    found: Counter[str] = Counter()
    for noun in ("contacts", "companies", "leads", "customers"):
        page: str | None = f"/api/v4/{noun}/notes?filter[note_type][]=call_in&limit=250&page=1"
        while page:
            answer = await sandbox.api(page)
            items = answer["_embedded"]["notes"] if answer else []
            found.update(
                note["params"]["uniq"] for note in items if str(note["params"].get("uniq", "")).startswith("c_")
            )
            following = answer and answer["_links"].get("next")
            page = following["href"].removeprefix(sandbox.amocrm) if following else None
    return found


async def unsorted(sandbox: Sandbox) -> Counter[str]:
    """How often each call of ours waits in Unsorted."""
    answer = await sandbox.api("/api/v4/leads/unsorted?limit=250")
    return Counter(record["metadata"]["uniq"] for record in answer["_embedded"]["unsorted"])


async def known_phones(sandbox: Sandbox) -> list[str]:
    answer = await sandbox.api("/api/v4/contacts?limit=50")
    fields = [field for contact in answer["_embedded"]["contacts"] for field in contact["custom_fields_values"] or ()]
    return [field["values"][0]["value"] for field in fields if field["field_code"] == "PHONE"]


@pytest.mark.slow
async def test_thirty_kills_lose_no_call_and_log_none_twice(tmp_path: Path) -> None:
    """Forty-five calls, thirty kill -9 at random moments: one note each, or one record in Unsorted where nobody has the
    number, with the right talk time."""
    random_ = random.Random(7)  # noqa: S311  # a test's dice
    # Notes appear at once here: the doubtful attempts need not be waited for as long as in life.
    async with running(tmp_path, KOMMUTATOR_AMO_SETTLE_S="1") as sandbox:
        phones = await known_phones(sandbox)
        killer = asyncio.create_task(kill_often(sandbox, random_))
        tellers = []
        for number in range(CALLS):
            phone = phones[number % len(phones)] if number % STRANGE else f"79990000{number:03}"
            tellers.append(asyncio.create_task(tell(sandbox, story(number, phone), random_)))
            await asyncio.sleep(random_.uniform(0.1, 0.7))
        await asyncio.gather(killer, *tellers)

        async def all_sent() -> bool:
            ways = ("/api/v4/calls", "/api/v4/leads/unsorted/sip")
            return sum([len(await sandbox.log("request", path=way, status=200)) for way in ways]) >= CALLS

        await until(all_sent, timeout_s=120, step_s=0.5)
        assert not await sandbox.log("request", status=403), "amoCRM blocks who often asks too often"
        await sandbox.switch(limit_integration_per_s=0)
        logged, calls = await notes(sandbox) + await unsorted(sandbox), await sandbox.calls()

        assert len(calls) == CALLS
        assert {call["talk_s"] for call in calls} == {TALK_S}
        assert {call["result"] for call in calls} == {"answered"}
        assert logged == Counter(call["id"] for call in calls)
