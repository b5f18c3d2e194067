"""A stand-in for MANGO OFFICE: its VPBX API under `/vpbx/`, and its events as signed webhooks.

Written from the vendor's VPBX API document, not from our client. Here is the transport: the signature over exact
bytes, refusals, limits, recordings; `mango_commands`, `mango_events` and `mango_statistics` know the rest.
"""

import hmac
import json
import random
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from aiohttp import web

from server.sandbox.faults import Faults
from server.sandbox.log import Log
from server.sandbox.pbx import mango_events
from server.sandbox.pbx.clock import Clock
from server.sandbox.pbx.courier import Webhook
from server.sandbox.pbx.mango_commands import BAD_PARAMETERS, MISSING_FIELD, CodeError, Commands, Deed, text
from server.sandbox.pbx.mango_events import DONE, Event, Teller
from server.sandbox.pbx.mango_queries import Queries
from server.sandbox.pbx.model import Call, CallEnded, Happening, Leg
from server.sandbox.pbx.stand_in import StandIn, audio_response

_NOT_POST: Final = 3101
_BAD_SIGN: Final = 3102
_BAD_FORMAT: Final = 3104
_BAD_KEY: Final = 3105
_FILE_NOT_FOUND: Final = 3340
_LOCKOUT_S: Final = 120  # after the second invalid request within this time
_LIMITS: Final = {  # the document's requests per second of one product
    "commands/callback": 4.0,
    "commands/callback_group": 4.0,
    "commands/call/hangup": 4.0,
    "commands/recording/start": 4.0,
    "commands/transfer": 0.5,
    "commands/route": 0.5,
    "config/users/request": 0.5,
    "stats/request": 0.5,
}
_GENERAL_LIMIT: Final = 10.0
_TOO_MANY: Final = {"name": "Service Unavailable", "message": "Rate limit exceeded.", "code": 0, "status": 429}


def signature(key: str, json_text: str, salt: str) -> str:
    """SHA-256 over key, exact JSON text and salt, simply joined: not an HMAC."""
    return sha256(f"{key}{json_text}{salt}".encode()).hexdigest()


class Mango(StandIn):
    """One MANGO product. `hook` is the base URL entered in the cabinet under "API коннектор"."""

    vendor = "mango"

    def __init__(
        self,
        *,
        api_key: str = "sandboxapikey0000000000000000001",
        api_salt: str = "sandboxapisalt000000000000000001",
        log: Log,
        faults: Faults,
        clock: Clock | None = None,
        seed: int = 1,
    ) -> None:
        super().__init__(log=log, faults=faults, clock=clock, seed=seed)
        self.api_key = api_key
        self.api_salt = api_salt
        self._hook = ""
        self._random = random.Random(seed)
        self._teller = Teller()
        self._commands = Commands(self, self._teller, self._start_recording)
        self._links: dict[str, str | None] = {}
        self._queries = Queries(self, self._announce)
        self._used: dict[str, deque[float]] = defaultdict(deque)
        self._invalid: deque[float] = deque(maxlen=2)

    @property
    def hook(self) -> str:
        return self._hook

    @hook.setter
    def hook(self, url: str) -> None:
        self._hook = url.rstrip("/")
        self.courier.resume()

    def call_id(self, call: Call) -> str:
        return mango_events.entry_id(call)

    def new_order(self) -> str:
        return f"cmd-{uuid.UUID(int=self._random.getrandbits(128)).hex[:12]}"

    def routes(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/vpbx/queries/recording/link/{id}/{action}/{key}/{until}/{sign}", self._signed_link),
            web.get("/files/{token}", self._file),
            web.route("*", "/vpbx/{path:.+}", self._api),
        )

    def tell(self, happening: Happening) -> None:
        for event in self._teller.events(happening, self.clock.now(), self.at("extra_fields", "unknown_codes")):
            self._send(event)
        if isinstance(happening, CallEnded) and self._teller.is_recorded(happening.call):
            self.run(self._store(happening.call))

    def check_connection(self) -> None:
        """The cabinet's check: a POST that has no `json` field."""
        self._post("", "check", {}, b"vpbx_api_key=" + self.api_key.encode())

    # Events out

    def _send(self, event: Event) -> None:
        types = {"number": ["number"], "string": ["string"], "mixed": ["string", "number"]}[self.at("types").types]
        body = mango_events.typed(event.body, types)
        call = str(event.body.get("entry_id") or event.body.get("command_id") or "")
        self._post(event.path, event.title, body, self._sealed(body), call=call, is_hangup=event.is_hangup)

    def _post(
        self, path: str, title: str, fields: Any, body: bytes, *, call: str = "", is_hangup: bool = False
    ) -> None:
        if not self._hook:
            return
        url = f"{self._hook}/{path}" if path else self._hook
        self.courier.send(
            Webhook(call=call, title=title, method="POST", url=url, fields=fields, body=body, is_hangup=is_hangup)
        )

    def _sealed(self, body: dict[str, Any]) -> bytes:
        """The form: Cyrillic comes raw or escaped and `/` as `\\/`, as the vendor's own bodies do."""
        text_ = json.dumps(body, ensure_ascii=self._random.random() < 0.5, separators=(",", ":")).replace("/", "\\/")
        kind, key = self.at("wrong_signature", "foreign_key").sign, self.api_key
        if kind == "foreign_key":
            key = key[::-1]
        sign = signature(key, text_, self.api_salt)
        if kind == "wrong":
            sign = sign[::-1]
        elif kind == "hmac":
            sign = hmac.new(self.api_salt.encode(), (key + text_).encode(), sha256).hexdigest()
        return urlencode({"vpbx_api_key": key, "sign": sign, "json": text_}).encode()

    async def _store(self, call: Call) -> None:
        talked_s = (call.ended_at or 0) - (call.talk_started_at or 0)
        self.keep_recording(mango_events.recording_id(call), call, talked_s)
        await self.clock.sleep(self.knobs.recording_delay_s)
        self._send(mango_events.record_added(call, self.clock.now(), self.knobs))

    def _start_recording(self, leg: Leg, command: str) -> None:
        self._send(self._teller.record(leg, self.clock.now(), self.knobs, command=command))

    def press_keys(self, call: Call, digits: str) -> None:
        """The caller presses keys in the menu."""
        self._send(mango_events.dtmf(call.legs[0], digits, self.clock.now(), self.knobs))

    # The API

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"].strip("/")
        refused = self._limited(path)
        if refused:
            return refused
        try:
            body = self._opened(request, await request.read())
            answer = self._answer(path, body)
        except CodeError as error:
            answer = self._refusal(error.code)
            body = {}
        self.log.note("call", vendor=self.vendor, command=path, params=body, status=answer.status)
        return answer

    def _limited(self, path: str) -> web.Response | None:
        if status := self.at("lockout").command_status:
            self.log.note("call", vendor=self.vendor, command=path, params={}, status=status)
            return self._json(_TOO_MANY | {"status": status}, status=status)
        now = time.monotonic()
        if self.knobs.lockout and len(self._invalid) == 2 and now - self._invalid[0] < _LOCKOUT_S:
            return self._json({"name": "Unauthorized", "message": "Blocked", "code": 0, "status": 401}, status=401)
        if not self.knobs.rate_limits:
            return None
        used, per_s = self._used[path], _LIMITS.get(path, _GENERAL_LIMIT)
        window_s, allowed = max(1.0, 1 / per_s), max(1, int(per_s))
        while used and now - used[0] >= window_s:
            used.popleft()
        if len(used) >= allowed:
            return self._json(_TOO_MANY, status=429)
        used.append(now)
        return None

    def _opened(self, request: web.Request, raw: bytes) -> dict[str, Any]:
        """The JSON of a request whose signature is right. Raises `CodeError`."""
        if request.method != "POST":
            raise CodeError(_NOT_POST)
        form = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True)
        try:
            key, sign, json_text = (form[name][0] for name in ("vpbx_api_key", "sign", "json"))
        except KeyError as exc:
            raise CodeError(MISSING_FIELD) from exc
        if key != self.api_key:
            raise CodeError(_BAD_KEY)
        if not hmac.compare_digest(sign.encode(), signature(key, json_text, self.api_salt).encode()):
            raise CodeError(_BAD_SIGN)
        try:
            body = json.loads(json_text)
        except ValueError as exc:
            raise CodeError(_BAD_FORMAT) from exc
        if not isinstance(body, dict):
            raise CodeError(_BAD_FORMAT)
        return body

    def _refusal(self, code: int) -> web.Response:
        if 3000 <= code < 4000:
            self._invalid.append(time.monotonic())
        if self.knobs.error_style == "old":
            return self._json({"code": code}, status=420)
        return self._json({"result": code})

    def _answer(self, path: str, body: dict[str, Any]) -> web.Response:
        if path in self._commands.readers:
            command = text(body, "command_id")
            deed = self._commands.readers[path](body)
            self.run(self._obey(path, command, deed))
            return self._json({"result": DONE})
        if path == "queries/recording/post":
            return self._recording(body)
        query = self._queries.readers.get(path)
        if query is None:
            raise web.HTTPNotFound(text="no such method")
        answer = query(body)
        if isinstance(answer, str):
            return web.Response(text=answer, content_type="text/csv", charset="utf-8")
        return self._json(answer)

    async def _obey(self, path: str, command: str, deed: Deed) -> None:
        """Do the command and report its result; the vendor promises no order of the two."""
        order = self.at("result_before_event", "event_before_result").result_order
        if order == "before":
            self._report(path, command, DONE)
            await self.courier.settled(command)
        outcome = deed()
        if order == "after":
            if outcome.call:
                await self.courier.settled(self.call_id(outcome.call))
            self._report(path, command, outcome.code)

    def _report(self, path: str, command: str, code: int) -> None:
        body = {"command_id": command, "result": code}
        self._send(Event(f"result/{path}", body, f"result {code}"))

    def _announce(self, key: str, request_id: str) -> None:
        """The report with this key is ready."""
        self._send(Event("result/stats", {"key": key, "request_id": request_id}, "result stats"))

    # Recordings

    def _recording(self, body: dict[str, Any]) -> web.Response:
        if text(body, "action") not in ("download", "play"):
            raise CodeError(BAD_PARAMETERS)
        return self._to_file(text(body, "recording_id"))

    async def _signed_link(self, request: web.Request) -> web.Response:
        part = request.match_info
        sign = signature(part["key"], part["until"] + part["id"], self.api_salt)
        is_mine = part["key"] == self.api_key and hmac.compare_digest(sign.encode(), part["sign"].encode())
        if not is_mine or not part["until"].isdigit() or int(part["until"]) < self.clock.now():
            return self._refusal(_BAD_SIGN)
        return self._to_file(part["id"])

    def _to_file(self, recording: str) -> web.Response:
        if self.fetch_recording(recording) is None:
            raise web.HTTPNotFound(text=json.dumps({"code": _FILE_NOT_FOUND}), content_type="application/json")
        token = uuid.UUID(int=self._random.getrandbits(128)).hex
        self._links[token] = recording
        return web.Response(status=302, headers={"Location": f"{self.base_url}/files/{token}"})

    async def _file(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        recording = self._links.get(token)
        audio = self.fetch_recording(recording) if recording else None
        if audio is None:
            raise (
                web.HTTPNotFound
                if token not in self._links
                else _used_up(self.at("recording_gone").recording_reuse_status)
            )
        self._links[token] = None  # the first access consumes it
        return audio_response(request, audio)

    def _json(self, body: Any, *, status: int = 200) -> web.Response:
        content_type = "text/html" if self.at("html_answers").html else "application/json"
        return web.Response(text=json.dumps(body, ensure_ascii=False), content_type=content_type, status=status)


def _used_up(status: int) -> web.HTTPException:
    return web.HTTPGone() if status == 410 else web.HTTPNotFound()
