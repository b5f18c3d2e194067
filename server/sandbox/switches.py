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
    source: str  # section of the platform reference
    meaning: str
    choices: tuple[str | int | float | bool, ...] | None = None  # None: any value of the default's type


TABLE: Final = (
    Switch(
        "one_time_token",
        "fresh",
        "§4.3",
        "$authorizedAjax: a new token per request, or the same until it expires",
        choices=("fresh", "cached"),
    ),
    Switch("one_time_token_life_s", 1800, "§4.3", "life of a one-time token in seconds"),
    Switch("access_token_life_s", 86400, "§4.3", "life of an access token in seconds"),
    Switch("code_life_s", 1200, "§4.3", "life of an authorization code in seconds"),
    Switch("redirect_client_id", True, "§4.3", "client_id among the parameters of the browser redirect"),
    Switch("install_hook_platform", True, "§4.3", "platform=1 among the parameters of the install hook"),
    Switch(
        "disable_hook_parameter",
        "client_uuid",
        "§4.3",
        "name of the integration in the disable hook",
        choices=("client_uuid", "client_id"),
    ),
    Switch("dead_code_status", 400, "§4.3", "answer to a dead code or refresh token", choices=(400, 401)),
    Switch("limit_integration_per_s", 7, "§4.2", "requests per second of one integration; 0: no limit"),
    Switch("limit_account_per_s", 50, "§4.2", "requests per second of the whole account; 0: no limit"),
    Switch(
        "limit_violations_to_block", 30, "§4.2", "429 answers within a minute after which the API answers 403; 0: never"
    ),
    Switch("limit_block_s", 60, "§4.2", "how long the block lasts, in seconds"),
    Switch("limit_retry_after", False, "§4.2", "Retry-After header on 429"),
    Switch("limit_page", False, "§4.2", "whether requests of the page (session cookie) are limited as well"),
    Switch(
        "calls_mixed_batch",
        200,
        "§4.6",
        "HTTP status of a batch of calls of which some found no entity",
        choices=(200, 400),
    ),
    Switch(
        "calls_uniq",
        "repeat",
        "§4.6",
        "a second call with the same uniq: another note, or the first one",
        choices=("repeat", "dedupe"),
    ),
    Switch("calls_digits", 10, "§5", "digits compared by POST /calls"),
    Switch("event_digits", 8, "§5", "digits compared by POST /api/v2/events"),
    Switch("query_digits", 7, "§5", "digits compared by query="),
    Switch("note_visible_after_s", 0.0, "§4.6", "seconds until a new call note appears in GET …/notes"),
    Switch("note_uniq", True, "§4.6", "params.uniq shown in call notes"),
    Switch("note_owner_amended", True, "§4.9", "PATCH of a note also changes whose it is"),
    Switch(
        "unsorted_exact_duplicates", "refuse", "§4.8", "an exact copy of an unsorted call", choices=("refuse", "accept")
    ),
    Switch("unsorted_gone_with_contact", True, "§4.8", "an unsorted call disappears when its number becomes a contact"),
    Switch("enum_key", "both", "§4.5", "key of a field value's code in answers", choices=("enum_code", "enum", "both")),
    Switch("next_link_on_last_page", False, "§4.1", "_links.next also on a page that is just full"),
    Switch(
        "view_denied",
        204,
        "§4.1",
        "GET of an entity that the user may not view: 204 as if unknown, or 403",
        choices=(204, 403),
    ),
    Switch("customers", True, "§4.5", "the customers function is switched on"),
    Switch(
        "brand",
        "amocrm",
        "§7",
        "whose rules: host names, customers branch, platform parameter",
        choices=("amocrm", "kommo"),
    ),
    Switch("proxy_body", "form", "§2.7", "how crm_post reaches its target", choices=("form", "json")),
    Switch("webhooks_enabled", True, "§4.12", "the tariff has webhooks (402 otherwise)"),
    Switch("webhook_time_scale", 1.0, "§4.12", "factor on the delays of the webhook retry ladder (0.001 for tests)"),
    Switch("webhook_timeout_s", 2.0, "§4.12", "time a webhook's receiver has for its answer"),
    Switch("alpha_filter", False, "§4.5", "is_api_filter_enabled: filter[custom_fields_values] works"),
    Switch(
        "events_reach",
        "notification",
        "§4.7",
        "what POST /api/v2/events shows to its users",
        choices=("notification", "none"),
    ),
    Switch(
        "callback_exception",
        "stop",
        "§2.3",
        "an exception in render, init or bind_actions: the rest of that widget's start is left out, or goes on",
        choices=("stop", "continue"),
    ),
    Switch(
        "users_field",
        "object",
        "§1.5",
        "how settings of type users and users_lp arrive in get_settings() and onSave",
        choices=("object", "string"),
    ),
    Switch("core_version", "1", "§2.4", "X-Core-Version of the page's answers; change it to test the reload guard"),
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
