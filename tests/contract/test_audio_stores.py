"""Where audio is kept: a folder, an S3 service, and the tests' memory keep the same promises."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from fakes.audio import MemoryAudio
from moto.server import ThreadedMotoServer

from server.audio import disk
from server.audio.disk import PART, DiskAudio
from server.audio.s3 import PART_BYTES, S3Audio
from server.core.errors import AudioFull, AudioUnavailable
from server.core.stores import AudioStore

NAME = "31000001/20000/some-name.mp3"
KEYS = {"access_key": "key", "secret_key": "secret"}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """An S3 service on a free port, with a bucket; its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    bucket(f"http://{host}:{port}").create_bucket(Bucket="recordings")
    yield f"http://{host}:{port}"
    server.stop()


def bucket(endpoint: str) -> Any:
    """Another client's view of the service."""
    names = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=endpoint, **names)


def in_bucket(endpoint: str, name: str = "recordings") -> S3Audio:
    return S3Audio(name, endpoint=endpoint, region="us-east-1", **KEYS)


@pytest.fixture(params=["memory", "disk", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AudioStore]:
    """Each kind of store."""
    made = {
        "memory": MemoryAudio,
        "disk": lambda: DiskAudio(tmp_path / "kept"),
        "s3": lambda: in_bucket(request.getfixturevalue("s3")),
    }
    one: AudioStore = made[request.param]()
    yield one
    await one.remove(NAME)


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / "incoming"
    path.write_bytes(content)
    return path


async def heard(store: AudioStore, start: int, stop: int) -> bytes:
    return b"".join([piece async for piece in store.read(NAME, start, stop)])


async def test_what_was_put_is_found_and_read_in_whole_and_in_part(store: AudioStore, tmp_path: Path) -> None:
    """Byte by byte as it was."""
    content = bytes(range(256)) * 4
    await store.put(NAME, file_of(tmp_path, content), "audio/mpeg")

    found = await store.find(NAME)

    assert found is not None
    assert found.size == len(content)
    for start, stop in ((0, 1024), (0, 1), (5, 700), (1023, 1024)):
        assert await heard(store, start, stop) == content[start:stop]


async def test_nothing_is_found_where_nothing_is(store: AudioStore) -> None:
    """And removing it is no error."""
    assert await store.find(NAME) is None

    await store.remove(NAME)

    assert await store.find(NAME) is None


async def test_a_second_file_takes_the_place_of_the_first(store: AudioStore, tmp_path: Path) -> None:
    """An attempt after a crash writes under the name of the one before."""
    await store.put(NAME, file_of(tmp_path, b"half of an older one"), "audio/mpeg")
    await store.put(NAME, file_of(tmp_path, b"whole"), "audio/mpeg")

    found = await store.find(NAME)

    assert found is not None
    assert await heard(store, 0, found.size) == b"whole"


async def test_what_was_removed_is_gone(store: AudioStore, tmp_path: Path) -> None:
    """Its neighbours are not."""
    await store.put(NAME, file_of(tmp_path, b"sound"), "audio/mpeg")
    await store.put(f"{NAME}.other", file_of(tmp_path, b"sound"), "audio/mpeg")

    await store.remove(NAME)

    assert await store.find(NAME) is None
    assert await store.find(f"{NAME}.other") is not None
    await store.remove(f"{NAME}.other")


async def test_a_large_file_comes_in_pieces(store: AudioStore, tmp_path: Path) -> None:
    """Nobody holds it whole in memory: not the sender, not the reader (the memory store is memory)."""
    content = os.urandom(PART_BYTES + 300_000)
    await store.put(NAME, file_of(tmp_path, content), "audio/mpeg")

    pieces = [piece async for piece in store.read(NAME, 100, len(content))]

    assert b"".join(pieces) == content[100:]
    if not isinstance(store, MemoryAudio):
        assert max(map(len, pieces)) < 2 * 1024 * 1024


# -- what each must do in its own trouble --------------------------------------------------------------------------


async def test_a_torn_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up in the middle: the old file is whole, nothing half is left."""
    store = DiskAudio(tmp_path / "kept")
    await store.put(NAME, file_of(tmp_path, b"the one before"), "audio/mpeg")

    def tear(source: Any, target: Any, _: int) -> None:
        target.write(source.read(3))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk.shutil, "copyfileobj", tear)
    with pytest.raises(AudioFull):
        await store.put(NAME, file_of(tmp_path, b"the one after"), "audio/mpeg")

    found = await store.find(NAME)
    assert found is not None
    assert await heard(store, 0, found.size) == b"the one before"
    assert list((tmp_path / "kept").rglob(f"*{PART}")) == []


async def test_a_rest_of_a_killed_write_is_overwritten_or_removed(tmp_path: Path) -> None:
    """Nothing grows for ever."""
    store = DiskAudio(tmp_path / "kept")
    rest = tmp_path / "kept" / (NAME + PART)
    rest.parent.mkdir(parents=True)
    rest.write_bytes(b"half")
    assert await store.find(NAME) is None

    await store.put(NAME, file_of(tmp_path, b"whole"), "audio/mpeg")
    assert [path.name for path in rest.parent.iterdir()] == [NAME.rpartition("/")[2]]

    rest.write_bytes(b"half")
    await store.remove(NAME)
    assert list(rest.parent.iterdir()) == []


async def test_the_reserve_stays_free(tmp_path: Path) -> None:
    """The database lives on the same disk, and its webhooks matter more."""
    free = shutil.disk_usage(tmp_path).free

    with pytest.raises(AudioFull):
        await DiskAudio(tmp_path / "kept", reserve=free + (1 << 40)).put(NAME, file_of(tmp_path, b"x"), "audio/mpeg")

    assert not (tmp_path / "kept" / NAME).exists()


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "kept").write_text("a file")
    store = DiskAudio(tmp_path / "kept")

    with pytest.raises(AudioUnavailable):
        await store.put(NAME, file_of(tmp_path, b"x"), "audio/mpeg")
    with pytest.raises(AudioUnavailable):
        await store.find(NAME)


async def test_the_bucket_knows_what_it_holds(s3: str, tmp_path: Path) -> None:
    """Type and name are as another client sees them."""
    await in_bucket(s3).put(NAME, file_of(tmp_path, b"sound"), "audio/mpeg")

    seen = bucket(s3).get_object(Bucket="recordings", Key=NAME)

    assert (seen["ContentType"], seen["Body"].read()) == ("audio/mpeg", b"sound")
    await in_bucket(s3).remove(NAME)


async def test_an_s3_that_is_down_is_told_soon(tmp_path: Path) -> None:
    """By every verb, and without the keys."""
    store = in_bucket("http://127.0.0.1:9")  # nobody listens at "discard"
    for ask in (
        lambda: store.put(NAME, file_of(tmp_path, b"x"), "audio/mpeg"),
        lambda: store.find(NAME),
        lambda: heard(store, 0, 1),
        lambda: store.remove(NAME),
    ):
        with pytest.raises(AudioUnavailable) as raised:
            await ask()
        assert "secret" not in str(raised.value.details)


async def test_a_bucket_that_does_not_exist_is_told(s3: str, tmp_path: Path) -> None:
    """A setting is wrong: nothing is taken for stored."""
    with pytest.raises(AudioUnavailable):
        await in_bucket(s3, "no-such-bucket").put(NAME, file_of(tmp_path, b"x"), "audio/mpeg")
