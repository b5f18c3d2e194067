"""Sets up our backend the way an administrator does in the settings panel: lines and extensions through its own HTTP
API.

It knows that API only from its documentation (`docs/reference/api.md`).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from server.sandbox.errors import SandboxError
from server.sandbox.world import Row

_TIMEOUT: Final = ClientTimeout(total=10)
_PATIENCE_S: Final = 20.0  # the backend exchanges its code in the background after the install hook
_PAUSE_S: Final = 0.1


class ProvisionError(SandboxError):
    """The backend refused a step of its setting up; the message names the step and its answer."""


class Panel:
    """The settings panel of one administrator, without a browser."""

    def __init__(self, backend_url: str, *, origin: str, token: Callable[[], str]) -> None:
        self._url = backend_url
        self._headers = {"Origin": origin}
        self._token = token
        self._client = ClientSession(timeout=_TIMEOUT)

    async def close(self) -> None:
        """Leave the panel."""
        await self._client.close()

    async def enter(self) -> None:
        """Prove who we are, as soon as the backend knows the account. Raises `ProvisionError`."""
        deadline, last = asyncio.get_running_loop().time() + _PATIENCE_S, "no answer"
        while asyncio.get_running_loop().time() < deadline:
            headers = {**self._headers, "X-Auth-Token": self._token()}
            try:
                async with self._client.post(f"{self._url}/api/session", headers=headers) as answer:
                    if answer.status == 200:
                        self._headers["Authorization"] = f"Bearer {(await answer.json())['bearer']}"
                        return
                    last = await _told(answer)
            except (ClientError, TimeoutError) as exc:
                last = repr(exc)
            await asyncio.sleep(_PAUSE_S)
        raise ProvisionError(f"POST /api/session: {last}")

    async def line(self, provider: str, *, name: str, credentials: dict[str, str]) -> Row:
        """The line of this provider with these credentials, made when there is none yet."""
        for line in (await self._ask("GET", "/api/settings"))["lines"]:
            if line["provider"] == provider:
                path, body = f"/api/lines/{line['id']}", {"credentials": credentials}
                return dict((await self._ask("PUT", path, body))["line"])
        wanted = {"provider": provider, "name": name, "credentials": credentials}
        return dict((await self._ask("POST", "/api/lines", wanted))["line"])

    async def extensions(self, users: Sequence[Row], line_ids: Sequence[Any]) -> None:
        """Every user has the same extension on each of these lines; extensions of other lines stay."""
        settings = await self._ask("GET", "/api/settings")
        others = [agent for agent in settings["agents"] if agent["line_id"] not in line_ids]
        mapped = [
            {"user_id": user["id"], "line_id": line_id, "extension": user["extension"]}
            for line_id in line_ids
            for user in users
            if user["extension"]  # those made by the API have none
        ]
        await self._ask("PUT", "/api/agents", {"agents": others + mapped})

    async def _ask(self, method: str, path: str, body: Any = None) -> Row:
        async with self._client.request(method, self._url + path, json=body, headers=self._headers) as answer:
            if answer.status >= 300:
                raise ProvisionError(f"{method} {path}: {await _told(answer)}")
            told: Row = await answer.json()
            return told


async def _told(answer: ClientResponse) -> str:
    return f"{answer.status} {(await answer.text())[:500]}"
