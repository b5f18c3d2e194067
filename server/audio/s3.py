"""Audio in a bucket of an S3-compatible service, through `obstore` (extra `s3`). Objects are whole or not there by S3's
own promise; what an interrupted upload leaves is the bucket's lifecycle rule to remove (docs/how-to/recordings.md).
"""

import contextlib
from collections.abc import AsyncGenerator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from server.core.errors import AudioUnavailable
from server.core.stores import Audio

PIECE = 1024 * 1024
PART_BYTES = 8 * 1024 * 1024
"""Larger files go in parts of this size: S3 wants at least five megabytes."""

PATIENCE = timedelta(seconds=20)
RETRIES = 2


class S3Audio:
    """Fills `core.stores.AudioStore`."""

    def __init__(self, bucket: str, *, endpoint: str, region: str, access_key: str, secret_key: str) -> None:
        """Without keys, they come from the environment, or from the machine's role, as AWS's own tools find them."""
        told: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
        if access_key:
            told |= {"access_key_id": access_key, "secret_access_key": secret_key}
        self._store = S3Store(
            bucket,
            region=region,
            virtual_hosted_style_request=not endpoint,  # other services than AWS have no host name per bucket
            client_options={"allow_http": endpoint.startswith("http://"), "connect_timeout": "5s", "timeout": "60s"},
            retry_config={"max_retries": RETRIES, "retry_timeout": PATIENCE},
            **told,
        )

    async def put(self, name: str, file: Path, content_type: str) -> None:
        with _heard():
            await obstore.put_async(
                self._store, name, file, attributes={"Content-Type": content_type}, chunk_size=PART_BYTES
            )

    async def find(self, name: str) -> Audio | None:
        with _heard():
            try:
                return Audio((await obstore.head_async(self._store, name))["size"])
            except FileNotFoundError:
                return None

    async def read(self, name: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        for begin in range(start, stop, PIECE):  # a request each: a slow listener must not outlast its time-out
            with _heard():
                piece = await obstore.get_range_async(self._store, name, start=begin, end=min(begin + PIECE, stop))
            yield bytes(piece)

    async def remove(self, name: str) -> None:
        with _heard(), contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, name)


@contextlib.contextmanager
def _heard() -> Iterator[None]:
    """Whatever goes wrong there is one error. Its first line is kept: the rest shows addresses and headers."""
    try:
        yield
    except (BaseError, OSError) as exc:
        raise AudioUnavailable(reason=str(exc).partition("\n")[0][:200]) from exc
