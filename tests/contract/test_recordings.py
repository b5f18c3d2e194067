"""Recordings on real parts: a PBX plays a call, its recording comes into our store whatever fails in between, and the
link in amoCRM's note plays it.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import pytest_asyncio
from moto.server import ThreadedMotoServer
from sandboxes import Json, Sandbox, running, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

VENDORS = ("sipuni", "mango")
PATHS = {"sipuni": "/api/statistic/record", "mango": "/vpbx/queries/recording/post"}
FETCHED_S = 20.0


class Recorder:
    """Plays recorded calls in a sandbox, and looks what became of their recordings."""

    def __init__(self, sandbox: Sandbox, phone: str) -> None:
        self.sandbox = sandbox
        self.phone = phone

    async def play(self, vendor: str, **knobs: Any) -> str:
        """A client calls, talks and hangs up; the vendor's id of the call."""
        url = self.sandbox.info["pbx"][vendor]["url"].partition("/api")[0].partition("/vpbx")[0]
        await self.sandbox.ask(
            "PUT", f"{url}/sandbox/knobs", json={"recording_delay_s": 0.2, "recording_misses": 0} | knobs
        )
        began = await self.sandbox.play(
            vendor, scenario="answered", extension="201", ring_s=0.2, talk_s=1.2, record=True, **{"from": self.phone}
        )
        return str(began["call_id"])

    async def call(self, ref: str) -> Json | None:
        """The call as `calls --json` tells it."""
        return next((one for one in await self.sandbox.calls() if one["provider_call_id"] == ref), None)

    async def fetched(self, ref: str) -> Json:
        """The call, once its recording is in our store."""

        async def is_fetched() -> Json | None:
            call = await self.call(ref)
            return call if call and [one["state"] for one in call["recordings"]] == ["fetched"] else None

        found: Json = await until(is_fetched, timeout_s=FETCHED_S, step_s=0.3)
        return found

    async def note_link(self, call_id: str) -> str:
        """The link in amoCRM's note of the call."""

        async def link() -> str:
            for noun in ("contacts", "companies", "leads", "customers"):
                answer = await self.sandbox.api(f"/api/v4/{noun}/notes?filter[note_type][]=call_in&limit=250")
                for note in answer["_embedded"]["notes"] if answer else ():
                    if note["params"].get("uniq") == call_id:
                        return str(note["params"]["link"])
            return ""

        return str(await until(link, timeout_s=FETCHED_S, step_s=0.5))

    async def card_link(self, ref: str) -> str:
        """The link on the call's card of the agent at 201, as soon as there is one."""
        call: Json = await until(lambda: self.call(ref))
        headers = {"Authorization": f"Bearer {(await self.sandbox.session('201'))['bearer']}"}

        async def link() -> str:
            snapshot = await self.sandbox.ask("GET", f"{self.sandbox.backend}/api/poll?digest=no", headers=headers)
            (card,) = [card for card in snapshot["calls"] if card["id"] == call["id"]]
            return str(card.get("recording_url", "")) if card.get("ended_at") else ""

        return str(await until(link, step_s=0.05))

    async def get(self, url: str, **headers: str) -> tuple[int, bytes]:
        async with self.sandbox.http.get(url, headers=headers) as response:
            return response.status, await response.read()

    @property
    def files(self) -> list[Path]:
        """What is in the store."""
        folder = self.sandbox.state / "recordings" / str(self.sandbox.info["account_id"])
        return sorted(path for path in folder.rglob("*") if path.is_file())


async def recorder(sandbox: Sandbox) -> Recorder:
    await sandbox.switch(limit_integration_per_s=0)
    answer = await sandbox.api("/api/v4/contacts?limit=50")
    fields = [field for contact in answer["_embedded"]["contacts"] for field in contact["custom_fields_values"] or ()]
    phone = next(field["values"][0]["value"] for field in fields if field["field_code"] == "PHONE")
    return Recorder(sandbox, phone)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Recorder]:
    async with running(tmp_path_factory.mktemp("recordings") / "state", KOMMUTATOR_AMO_SETTLE_S="1") as sandbox:
        yield await recorder(sandbox)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_the_notes_link_plays_what_we_keep(at: Recorder, vendor: str) -> None:
    """In whole and by range, also while the PBX is away."""
    call = await at.fetched(await at.play(vendor))
    link = await at.note_link(call["id"])
    await at.sandbox.fault(target=vendor, kind="outage")
    try:
        status, sound = await at.get(link)
        part = await at.get(link, Range="bytes=96-191")
    finally:
        await at.sandbox.ask("DELETE", f"{at.sandbox.amocrm}/sandbox/faults")

    assert (status, sound[:2], part) == (200, b"\xff\xfb", (206, sound[96:192]))
    assert sound in [path.read_bytes() for path in at.files]


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_link_is_honest_before_the_file_is_there(at: Recorder, vendor: str) -> None:
    """The PBX says 404 a few times: the link says "not ready yet", then plays."""
    ref = await at.play(vendor, recording_delay_s=0, recording_misses=2)

    # At once: this asks the PBX, which counts it as one of its tries; the other one is the job's.
    early = await at.get(await at.card_link(ref))
    await at.fetched(ref)

    assert early[0] == 425
    assert (await at.get(await at.card_link(ref)))[0] == 200


@pytest.mark.parametrize(
    ("vendor", "fault"),
    [
        ("sipuni", {"kind": "truncate", "path": PATHS["sipuni"]}),
        ("sipuni", {"kind": "status", "path": PATHS["sipuni"], "status": 503}),
        ("mango", {"kind": "truncate", "path": "/files/"}),
        ("mango", {"kind": "drop_answer", "path": "/files/"}),  # the one-time link is spent for nothing
        ("mango", {"kind": "status", "path": PATHS["mango"], "status": 500}),
    ],
    ids=lambda one: one if isinstance(one, str) else one["kind"],
)
async def test_a_recording_comes_whole_after_a_fault(at: Recorder, vendor: str, fault: Json) -> None:
    """Half an answer, no answer, a fault of the PBX's, a one-time link that was spent: asked anew, kept once."""
    before = len(at.files)
    await at.sandbox.fault(target=vendor, n=1, direction="in", **fault)

    ref = await at.play(vendor)
    await at.fetched(ref)

    status, sound = await at.get(await at.card_link(ref))
    assert (status, len(sound) % 96, len(sound) > 1.2 / 0.024 * 96 * 0.8) == (200, 0, True)
    assert len(at.files) == before + 1


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_kill_while_fetching_loses_nothing_and_doubles_nothing(at: Recorder, vendor: str) -> None:
    """The PBX is slow, the backend dies in the middle: after its start the recording is fetched, into one file."""
    before = len(at.files)
    await at.sandbox.fault(target=vendor, kind="latency", path=PATHS[vendor], delay_s=1.5, n=1, direction="in")
    ref = await at.play(vendor)

    async def is_over() -> bool:
        call = await at.call(ref)
        return bool(call and call["state"] == "ended" and call["recordings"])

    await until(is_over, step_s=0.1)
    await asyncio.sleep(0.5)
    await at.sandbox.switch_backend("kill")
    await at.sandbox.switch_backend("start")

    await at.fetched(ref)
    assert (await at.get(await at.card_link(ref)))[0] == 200
    assert len(at.files) == before + 1


async def test_what_an_administrator_withdraws_is_gone_from_amocrm(at: Recorder) -> None:
    """The note's link says so, and nobody is offered another one."""
    call = await at.fetched(await at.play("sipuni"))
    link = await at.note_link(call["id"])
    bearer = (await at.sandbox.session("201"))["bearer"]

    url = f"{at.sandbox.backend}/api/calls/{call['id']}/recording/revoke"
    await at.sandbox.ask("POST", url, headers={"Authorization": f"Bearer {bearer}"})

    assert (await at.get(link))[0] == 410
    told = await at.call(call["provider_call_id"])
    assert told is not None
    assert told["recordings"][0]["url"] is None


async def test_recordings_may_live_in_a_bucket(tmp_path: Path) -> None:
    """Of an S3 service: the same link plays by range; on our disk nothing stays."""
    service = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    service.start()
    host, port = service.get_host_and_port()
    names = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    bucket = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **names)
    bucket.create_bucket(Bucket="rec")
    settings = {
        "KOMMUTATOR_AMO_SETTLE_S": "1", "KOMMUTATOR_RECORDINGS_STORE": "s3", "KOMMUTATOR_RECORDINGS_S3_BUCKET": "rec",
        "KOMMUTATOR_RECORDINGS_S3_ENDPOINT": f"http://{host}:{port}", "KOMMUTATOR_RECORDINGS_S3_ACCESS_KEY": "key",
        "KOMMUTATOR_RECORDINGS_S3_SECRET_KEY": "secret",
    }  # fmt: skip
    try:
        async with running(tmp_path / "state", **settings) as sandbox:
            at = await recorder(sandbox)
            call = await at.fetched(await at.play("mango"))
            link = await at.note_link(call["id"])
            (stored,) = bucket.list_objects_v2(Bucket="rec")["Contents"]

            assert stored["Key"].startswith(f"{sandbox.info['account_id']}/")
            status, sound = await at.get(link)
            assert (status, len(sound)) == (200, stored["Size"])
            assert await at.get(link, Range="bytes=-96") == (206, sound[-96:])
            assert at.files == []
    finally:
        service.stop()
