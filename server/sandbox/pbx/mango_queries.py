"""MANGO OFFICE's queries: reports that are ordered first and fetched later, and the list of employees."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from server.sandbox.pbx import mango_statistics
from server.sandbox.pbx.mango_commands import text
from server.sandbox.pbx.mango_events import DONE
from server.sandbox.pbx.stand_in import StandIn


class Queries:
    """The queries by path: each answers with the reply's JSON, or with CSV when it is a text."""

    def __init__(self, pbx: StandIn, announce: Callable[[str, str], None]) -> None:
        self._pbx = pbx
        self._announce = announce
        self._reports: dict[str, Any] = {}
        self.readers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "stats/request": self._request_legs,
            "stats/result": self._legs,
            "stats/calls/request": self._request_calls,
            "stats/calls/result": self._calls,
            "config/users/request": self._users,
        }

    def _request_legs(self, body: dict[str, Any]) -> Any:
        key = self._prepared(mango_statistics.legs_csv(self._pbx.exchange.calls.values(), body))
        self._announce(key, str(body.get("request_id") or ""))
        return {"key": key}

    def _request_calls(self, body: dict[str, Any]) -> Any:
        page = mango_statistics.calls_page(self._pbx.exchange.calls.values(), body)
        return {"result": DONE, "key": self._prepared(page)}

    def _prepared(self, report: Any) -> str:
        key = self._pbx.new_order()
        self._reports[key] = report
        return key

    def _legs(self, body: dict[str, Any]) -> Any:
        report = self._reports.get(text(body, "key"))
        if not isinstance(report, str):
            raise web.HTTPNotFound
        return report

    def _calls(self, body: dict[str, Any]) -> Any:
        report = self._reports.get(text(body, "key"))
        if not isinstance(report, list):
            return {"result": DONE, "status": "not-found", "data": []}
        data = [{"list": report, "period": {}, "total_calls": len(report)}]
        return {"result": DONE, "status": "complete", "data": data}

    def _users(self, body: dict[str, Any]) -> Any:
        wanted = body.get("extension")
        listed = [item for item in self._pbx.listed_employees() if wanted in (None, "", item[0])]
        return {"users": [_user(extension, name) for extension, name in listed]}


def _user(extension: str, name: str) -> dict[str, Any]:
    number = {"number": f"sip:user{extension}@demo.mangosip.ru", "protocol": "sip", "order": "0", "wait_sec": "30"}
    return {
        "general": {"name": name, "email": f"user{extension}@example.ru", "department": "", "position": ""},
        "telephony": {"extension": extension, "outgoingline": "", "numbers": [number | {"status": "on"}]},
    }
