"""Every point where amoCRM's behaviour is not documented, as a switch with a documented default.

The table is the single source: `GET/PUT /sandbox/switches` and `docs/reference/sandbox.md` are made from it. A room
reads `world.switches["name"]`; it never invents an undocumented behaviour without a row here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Switch:
    """One open question: its default answer, the other answers, and where the question comes from."""

    name: str
    default: str | int | float | bool
    choices: tuple[str | int | float | bool, ...] | None  # None: any value of the default's type
    meaning: str
    source: str  # section of the platform reference


TABLE: Final = (
    Switch(
        "one_time_token",
        "fresh",
        ("fresh", "cached"),
        "$authorizedAjax: a new token per request, or the same until it expires",
        "4.3",
    ),
    Switch("one_time_token_life_s", 1800, None, "life of a one-time token in seconds", "4.3"),
    Switch("access_token_life_s", 86400, None, "life of an access token in seconds", "4.3"),
    Switch("code_life_s", 1200, None, "life of an authorization code in seconds", "4.3"),
    Switch("redirect_client_id", True, None, "client_id among the parameters of the browser redirect", "4.3"),
    Switch("install_hook_platform", True, None, "platform=1 among the parameters of the install hook", "4.3"),
    Switch(
        "disable_hook_parameter",
        "client_uuid",
        ("client_uuid", "client_id"),
        "name of the integration in the disable hook",
        "4.3",
    ),
    Switch("dead_code_status", 400, (400, 401), "answer to a dead code or refresh token", "4.3"),
    Switch("limit_integration_per_s", 7, None, "requests per second of one integration; 0: no limit", "4.2"),
    Switch("limit_account_per_s", 50, None, "requests per second of the whole account; 0: no limit", "4.2"),
    Switch(
        "limit_violations_to_block",
        30,
        None,
        "429 answers within a minute after which the API answers 403; 0: never",
        "4.2",
    ),
    Switch("limit_block_s", 60, None, "how long the block lasts, in seconds", "4.2"),
    Switch("limit_retry_after", False, None, "Retry-After header on 429", "4.2"),
    Switch("limit_page", False, None, "whether requests of the page (session cookie) are limited as well", "4.2"),
    Switch(
        "calls_mixed_batch", 200, (200, 400), "HTTP status of a batch of calls of which some found no entity", "4.6"
    ),
    Switch(
        "calls_uniq",
        "repeat",
        ("repeat", "dedupe"),
        "a second call with the same uniq: another note, or the first one",
        "4.6",
    ),
    Switch("calls_digits", 10, None, "digits compared by POST /calls", "5"),
    Switch("event_digits", 8, None, "digits compared by POST /api/v2/events", "5"),
    Switch("query_digits", 7, None, "digits compared by query=", "5"),
    Switch("note_visible_after_s", 0.0, None, "seconds until a new call note appears in GET …/notes", "4.6"),
    Switch("note_uniq", True, None, "params.uniq shown in call notes", "4.6"),
    Switch("unsorted_exact_duplicates", "refuse", ("refuse", "accept"), "an exact copy of an unsorted call", "4.8"),
    Switch(
        "unsorted_gone_with_contact", True, None, "an unsorted call disappears when its number becomes a contact", "4.8"
    ),
    Switch("enum_key", "both", ("enum_code", "enum", "both"), "key of a field value's code in answers", "4.5"),
    Switch("next_link_on_last_page", False, None, "_links.next also on a page that is just full", "4.1"),
    Switch("customers", True, None, "the customers function is switched on", "4.5"),
    Switch(
        "brand", "amocrm", ("amocrm", "kommo"), "whose rules: host names, customers branch, platform parameter", "7"
    ),
    Switch("proxy_body", "form", ("form", "json"), "how crm_post reaches its target", "2.7"),
    Switch("webhooks_enabled", True, None, "the tariff has webhooks (402 otherwise)", "4.12"),
    Switch(
        "webhook_time_scale", 1.0, None, "factor on the delays of the webhook retry ladder (0.001 for tests)", "4.12"
    ),
    Switch("webhook_timeout_s", 2.0, None, "time a webhook's receiver has for its answer", "4.12"),
    Switch("alpha_filter", False, None, "is_api_filter_enabled: filter[custom_fields_values] works", "4.5"),
    Switch(
        "events_reach", "notification", ("notification", "none"), "what POST /api/v2/events shows to its users", "4.7"
    ),
    Switch(
        "core_version", "1", None, "X-Core-Version of the page's answers; change it to test the reload guard", "2.4"
    ),
)
_BY_NAME: Final = {switch.name: switch for switch in TABLE}


class SwitchError(ValueError):
    """No such switch, or a value it cannot take."""


class Switches:
    """The values in force; reading one that is not in the table raises `KeyError`."""

    def __init__(self, values: dict[str, Any], *, changed: Callable[[dict[str, Any]], None]) -> None:
        self._values = {name: value for name, value in values.items() if name in _BY_NAME}
        self._changed = changed

    def __getitem__(self, name: str) -> Any:
        return self._values.get(name, _BY_NAME[name].default)

    def __iter__(self) -> Iterator[str]:
        return iter(_BY_NAME)

    def set(self, values: dict[str, Any]) -> None:
        """Change several switches at once, all or none. Raises `SwitchError` naming the first that cannot be."""
        checked = {name: _checked(name, value) for name, value in values.items()}
        self._values.update(checked)
        self._changed(self._values)

    def view(self) -> dict[str, Any]:
        """Every switch with its value, for `GET /sandbox/switches`."""
        return {name: self[name] for name in _BY_NAME}


def _checked(name: str, value: Any) -> Any:
    switch = _BY_NAME.get(name)
    if switch is None:
        raise SwitchError(f"no switch is called {name!r}")
    if switch.choices is not None:
        if value not in switch.choices:
            raise SwitchError(f"{name} is one of {', '.join(map(str, switch.choices))}")
        return value
    wanted = type(switch.default)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise SwitchError(f"{name} is a {wanted.__name__}")
    return value
