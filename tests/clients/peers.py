"""The published clients of amoCRM that the sandbox is tested with, and the conversation with one of them.

A client runs in a process and an environment of its own (`make clients` installs them, pinned); a small script beside
this file lends it the verbs of the suite. `PEERS` is the table of what each of them reaches and how it says no.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
PYTHON: Final = ROOT / ".venv-clients" / "bin" / "python"
ANSWER_S: Final = 60.0  # a cold start beside other suites on two cores

_ENTITIES: Final = ("account", "create", "change", "fetch", "find", "walk")
_NOTES: Final = ("add_note", "notes")
_TASKS: Final = ("add_task", "finish_task")
_LINKS: Final = ("join", "joined")
_UNSORTED: Final = ("put_unsorted", "unsorted", "accept")
_HOOKS: Final = ("subscribe", "hooks")
_ALL_NOUNS: Final = ("contacts", "companies", "leads")


@dataclass(frozen=True)
class Peer:
    """A published client: the package, its script, what it reaches, which error stands for which refusal.

    `repeats`: the statuses it repeats a read after, by itself. 263 is a call from an unknown number.
    """

    package: str
    script: str
    verbs: tuple[str, ...]
    errors: dict[int, str]
    repeats: tuple[int, ...] = ()
    writes: tuple[str, ...] = _ALL_NOUNS
    finds: tuple[str, ...] = _ALL_NOUNS

    def error(self, status: int) -> str:
        """Its error for this refusal."""
        return self.errors.get(status) or self.errors[400 if status == 263 else status]

    @property
    def command(self) -> tuple[str, ...]:
        """How its process is started."""
        if self.script.endswith(".py"):
            return (str(PYTHON), self.script)
        return ("node", "--require", "./hosts.cjs", self.script)


PEERS: Final = (
    Peer(
        "amocrm-api",
        "peer_amocrm_api.py",
        ("sign_in", *_ENTITIES, *_NOTES, *_TASKS, "log_call"),
        {204: "NotFound", 400: "ValidationError", 401: "UnAuthorizedException", 403: "PermissionsDenyException",
         429: "AmoApiException", 500: "AmoApiException"},
    ),
    Peer(
        "amochka",
        "peer_amochka.py",
        (*_ENTITIES, *_NOTES, *_LINKS),
        {204: "NotFoundError", 400: "APIError", 401: "AuthenticationError", 403: "APIError"},
        repeats=(401, 429, 500),
        writes=("leads",),
        finds=("contacts", "leads"),
    ),
    Peer(
        "aioamocrm",
        "peer_aioamocrm.py",
        ("sign_in", *_ENTITIES, *_NOTES, *_LINKS, "part", "deal", *_TASKS, "read_hook"),
        {204: "NotFoundError", 400: "ValidationError", 401: "AuthError", 403: "ForbiddenError"},
        repeats=(401, 429, 500),
    ),
    Peer(
        "@shevernitskiy/amo",
        "peer_shevernitskiy_amo.mjs",
        ("sign_in", *_ENTITIES, *_NOTES, *_LINKS, "part", "deal", *_TASKS, "log_call", *_UNSORTED, "decline", *_HOOKS,
         "unsubscribe"),
        {204: "NoContentError", 400: "ApiError", 401: "ApiError", 403: "ApiError", 429: "ApiError", 500: "ApiError"},
    ),
    Peer(
        "amocrm-js",
        "peer_amocrm_js.mjs",
        ("sign_in", *_ENTITIES, *_NOTES, *_LINKS, "part", "deal", *_TASKS, "log_call", *_UNSORTED, *_HOOKS),
        {204: "RangeError", 263: "RangeError", 400: "APIResponseError", 401: "APIResponseError",
         403: "APIResponseError", 429: "APIResponseError", 500: "APIResponseError"},
    ),
    Peer(
        "amocrm-api of npm",
        "peer_amocrm_api.mjs",
        ("key_in", "create", "find", "add_note", "add_task"),
        {401: "401"},
    ),
)  # fmt: skip


def reaching(*verbs: str) -> list[Peer]:
    """The clients that reach all of these."""
    return [peer for peer in PEERS if set(verbs) <= set(peer.verbs)]


class Refused(Exception):
    """What the client raised: the name of its error, and its words."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name


class Talk:
    """The conversation with a running client."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, verb: str, **words: Any) -> Any:
        """What the client's verb returned. Raises `Refused`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"verb": verb, "words": words}).encode() + b"\n")
        answer = await self.hear()
        if "error" in answer:
            raise Refused(answer["error"], answer["text"])
        return answer["value"]

    async def hear(self) -> dict[str, Any]:
        """The client's next line."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), ANSWER_S)
        assert line, (await self._process.stderr.read()).decode()
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def running(peer: Peer, environment: dict[str, str]) -> AsyncIterator[Talk]:
    """A client's process; it must know the verbs that the table says."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *peer.command, cwd=HERE, env={**os.environ, **environment}, stdin=pipe, stdout=pipe, stderr=pipe, limit=2**20
    )
    try:
        talk = Talk(process)
        assert (await talk.hear())["verbs"] == sorted(("open", *peer.verbs))
        yield talk
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
