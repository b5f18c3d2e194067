"""A stand-in for Sipuni: its HTTP API under `/api/`, and its events as webhooks.

Written from the vendor's help pages (help.sipuni.com/articles/134-182-107…113), not from our client. Where they are
silent, a knob has both answers: see `knobs`.
"""

import json
import random
import uuid
from collections.abc import Callable, Sequence
from hashlib import md5
from hmac import compare_digest
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from aiohttp import web

from server.sandbox.faults import Faults
from server.sandbox.log import Log
from server.sandbox.pbx import sipuni_events
from server.sandbox.pbx.clock import Clock
from server.sandbox.pbx.courier import Webhook
from server.sandbox.pbx.knobs import Knobs
from server.sandbox.pbx.model import Call, Happening, LegEnded
from server.sandbox.pbx.sipuni_commands import Commands, Params, RefusalError
from server.sandbox.pbx.sipuni_events import HANGUP, Cabinet, Fields
from server.sandbox.pbx.sipuni_statistics import PeriodError
from server.sandbox.pbx.stand_in import StandIn, audio_response

_TITLES: Final = {"1": "1 · ring", "2": "2 · hang-up", "3": "3 · answer", "4": "4 · transfer"}
SAMPLE_SECRET: Final = "0.sandboxsecret01"


def signature(params: Params, secret: str) -> str:
    """md5 of the values in the order of their names, joined with `+`, secret last; `hash` itself does not count."""
    values = [value for name, value in sorted(params.items()) if name != "hash"]
    return md5("+".join([*values, secret]).encode(), usedforsecurity=False).hexdigest()


class Sipuni(StandIn):
    """One Sipuni account. `hook` is the URL entered in the cabinet under "События на АТС"."""

    vendor = "sipuni"

    def __init__(
        self,
        *,
        user: str = "078332",
        secret: str = SAMPLE_SECRET,
        log: Log,
        faults: Faults,
        clock: Clock | None = None,
        seed: int = 1,
    ) -> None:
        super().__init__(log=log, faults=faults, clock=clock, seed=seed)
        self.user = user
        self.secret = secret
        self.courier.accepts = _is_accepted
        self._hook = ""
        self._random = random.Random(seed)
        self._methods = Commands(self).methods

    @property
    def hook(self) -> str:
        return self._hook

    @hook.setter
    def hook(self, url: str) -> None:
        self._hook = url
        self.courier.resume()

    def call_id(self, call: Call) -> str:
        return sipuni_events.call_id(call)

    def new_order(self) -> str:
        return uuid.UUID(int=self._random.getrandbits(128)).hex

    def routes(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/api/crm/record", self._ready_record),
            web.route("*", "/api/statistic/record", self._record),
            web.route("*", "/api/{method:.+}", self._api),
        )

    def tell(self, happening: Happening) -> None:
        now = self.clock.now()
        cabinet = self._cabinet(self.at("extra_fields", "unknown_codes"))
        if isinstance(happening, LegEnded) and happening.leg is happening.leg.call.talk and happening.leg.call.record:
            call = happening.leg.call
            talked_s = now - (call.talk_started_at or now)
            self.keep_recording(sipuni_events.record_id(call, self.knobs), call, talked_s)
        for fields in sipuni_events.events(happening, now, cabinet):
            self._send(fields)

    def check_connection(self) -> None:
        """The cabinet has no check of its own; a visitor without parameters is the nearest thing."""
        self._send({})

    def _cabinet(self, knobs: Knobs) -> Cabinet:
        return Cabinet(self.user, self.base_url, knobs)

    def _address(self) -> str:
        """The hook's URL; its secret path is the only proof there is, so who has it wrong is a stranger."""
        if self.at("wrong_signature", "foreign_key").sign == "good":
            return self._hook
        head, slash, secret = self._hook.rpartition("/")
        return f"{head}{slash}{secret[::-1]}"

    def _send(self, fields: Fields) -> None:
        if not self._hook:
            return
        names = list(fields)
        self._random.shuffle(names)  # "parameter order arbitrary"
        query = urlencode({name: fields[name] for name in names})
        event = fields.get("event", "")
        is_post, address = self.knobs.hook_post, self._address()
        joint = "" if not query or is_post else "&" if "?" in address else "?"
        self.courier.send(
            Webhook(
                call=fields.get("call_id", ""),
                title=_TITLES.get(event, event),
                method="POST" if is_post else "GET",
                url=address if is_post else f"{address}{joint}{query}",
                fields=dict(fields),
                body=query.encode() if is_post else b"",
                is_hangup=event == HANGUP,
            )
        )

    # The API

    async def _api(self, request: web.Request) -> web.Response:
        path = request.match_info["method"].strip("/")
        params = await _params(request)
        method = self._methods.get(path)
        if method is None:
            raise web.HTTPNotFound(text="no such method")
        status, answer = 200, None
        knobs = self.at("lockout", "html_answers")
        if knobs.command_status:
            status, answer = knobs.command_status, {"success": False, knobs.error_key: "try later"}
        else:
            answer = self._answered(method, params)
        self.log.note("call", vendor=self.vendor, command=path, params=_shown(params), status=status, answer=answer)
        if isinstance(answer, str):
            return web.Response(text=answer, content_type="text/csv", charset="utf-8")
        content_type = "text/html" if knobs.html else "application/json"
        return web.Response(text=json.dumps(answer, ensure_ascii=False), content_type=content_type, status=status)

    def _answered(self, method: Callable[[Params], Any], params: Params) -> Any:
        try:
            self._check(params)
            return method(params)
        except (RefusalError, PeriodError) as refusal:
            return {"success": False, self.knobs.error_key: str(refusal)}

    def _check(self, params: Params) -> None:
        """Raises `RefusalError` for another account or a wrong hash (HTTP 200 all the same)."""
        if params.get("user") != self.user:
            raise RefusalError("wrong user")
        if not compare_digest(signature(params, self.secret).encode(), params.get("hash", "").encode()):
            raise RefusalError("wrong hash")

    # Recordings

    async def _record(self, request: web.Request) -> web.Response:
        params = await _params(request)
        try:
            self._check(params)
        except RefusalError as refusal:
            return web.json_response({"success": False, self.knobs.error_key: str(refusal)})
        return self._audio(request, params.get("id", ""))

    async def _ready_record(self, request: web.Request) -> web.Response:
        recording = request.query.get("id", "")
        if request.query.get("hash") != sipuni_events.record_hash(recording):
            raise web.HTTPForbidden
        return self._audio(request, recording)

    def _audio(self, request: web.Request, recording: str) -> web.Response:
        audio = self.fetch_recording(recording)
        if audio is None:
            raise web.HTTPNotFound(text="record not found")
        return audio_response(request, audio)


async def _params(request: web.Request) -> dict[str, str]:
    form = await request.post() if request.method == "POST" else {}
    sent = {name: value for name, value in form.items() if isinstance(value, str)}
    return {**request.query, **sent}


def _shown(params: Params) -> str:
    """The parameters as one line for the log."""
    return "&".join(f"{name}={quote_plus(value)}" for name, value in params.items())


def _is_accepted(status: int, text: str) -> bool:
    try:
        answer = json.loads(text)
    except ValueError:
        return False
    return status == 200 and isinstance(answer, dict) and answer.get("success") is True
