"""What an operator can set: one table, read from the environment or a TOML file, shown with secrets masked.

It knows names, defaults, meanings and bounds; it must not know who uses them.
"""

import importlib.util
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from server.core.errors import ConfigError

PREFIX = "KOMMUTATOR_"
MASK = "••••"

DEFAULT_HOSTS = (".amocrm.ru", ".kommo.com")
"""Where amoCRM lives: a host must end in one of these, and is spoken to by https only."""


def _option(default: Any, about: str, *, secret: bool = False, choices: tuple[str, ...] = (), least: int = 0) -> Any:
    return field(default=default, metadata={"about": about, "secret": secret, "choices": choices, "least": least})


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective settings. The environment name of `amo_client_id` is KOMMUTATOR_AMO_CLIENT_ID."""

    listen: str = _option("127.0.0.1:8801", "Address and port to listen on; a proxy with TLS stands in front.")
    public_url: str = _option("", "Our address as browsers, amoCRM and the PBXs see it, e.g. https://voip.example.")
    state: str = _option(".kommutator", "Folder of the SQLite database (and its lock).")
    database: str = _option("", "Database URL; empty: SQLite in the state folder; postgresql://… for many nodes.")
    secret_key: str = _option(
        "", "Encrypts tokens and PBX keys at rest: 32+ random characters; after a comma, older ones.", secret=True
    )
    amo_client_id: str = _option("", "The integration's ID (amoCRM: Keys and scopes).")
    amo_client_secret: str = _option("", "The integration's secret key.", secret=True)
    amo_redirect_uri: str = _option("", "The redirect URI of the integration; empty: public_url + /amo/oauth.")
    amo_hosts: tuple[str, ...] = _option(DEFAULT_HOSTS, "Endings of the hosts that are amoCRM (https only).")
    amo_dev_origins: tuple[str, ...] = _option((), "Origins that count as amoCRM besides: a sandbox; http allowed.")
    amo_requests_per_s: int = _option(
        7, "How many requests a second amoCRM allows the integration in one account; one of them is kept for people.",
        least=2,
    )  # fmt: skip
    amo_settle_s: int = _option(5, "How long a new note may take to be seen in amoCRM, seconds.")
    amo_pulse_s: int = _option(50, "How often to make sure that amoCRM takes our authorisation, seconds.")
    session_reuse_token: str = _option(
        "never", "Whether amoCRM's one-time token may come twice.", choices=("never", "same_agent")
    )
    channel: str = _option("detached", "How sockets are held.", choices=("detached", "aiohttp"))
    sipuni_url: str = _option("", "Another address of Sipuni's API (a sandbox).")
    mango_url: str = _option("", "Another address of MANGO OFFICE's API (a sandbox).")
    hooks_keep_days: int = _option(30, "For how many days raw webhooks are kept.", least=1)
    reconcile_hour: int = _option(
        3, "At which hour of Moscow's night calls are compared with the PBXs' statistics; -1: never.", least=-1
    )
    reconcile_settle_s: int = _option(
        600, "How long a call must be over to be compared: its webhooks may be under way, seconds."
    )
    journal_keep_days: int = _option(180, "For how many days the journal of calls is kept.", least=1)
    recordings_store: str = _option(
        "disk", "Where recordings are kept; proxy: with the PBX, as long as it keeps them.",
        choices=("proxy", "disk", "s3"),
    )  # fmt: skip
    recordings_folder: str = _option("", "Folder of the recordings (disk); empty: recordings in the state folder.")
    recordings_keep_days: int = _option(0, "For how many days recordings are kept; 0: for ever.")
    recordings_most_mb: int = _option(100, "The largest recording that is kept; others stay with the PBX.", least=1)
    recordings_reserve_mb: int = _option(500, "How much of the disk recordings leave free: the database is there, too.")
    recordings_s3_bucket: str = _option("", "The bucket (s3).")
    recordings_s3_endpoint: str = _option("", "The service's address, e.g. https://s3.example; empty: AWS.")
    recordings_s3_region: str = _option("us-east-1", "The bucket's region; most services besides AWS take any.")
    recordings_s3_access_key: str = _option("", "Access key; empty: as AWS's own tools find it.")
    recordings_s3_secret_key: str = _option("", "Its secret.", secret=True)
    recordings_link_s: int = _option(3600, "How long a recording's link in a card works, seconds.", least=1)
    log_level: str = _option("info", "How much is logged.", choices=("debug", "info", "warning", "error"))

    @property
    def database_url(self) -> str:
        """The database, with its default filled in."""
        return self.database or f"sqlite:///{Path(self.state) / 'kommutator.db'}"

    @property
    def recordings_path(self) -> Path:
        """The folder of the recordings, and of those on their way to wherever they are kept."""
        return Path(self.recordings_folder or Path(self.state) / "recordings")

    @property
    def redirect_uri(self) -> str:
        """The integration's redirect URI, with its default filled in."""
        return self.amo_redirect_uri or f"{self.public_url}/amo/oauth"

    @property
    def host_and_port(self) -> tuple[str, int]:
        """`listen`, taken apart."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    def provider_urls(self) -> dict[str, str]:
        """Addresses of PBX APIs that differ from the vendors' own, by provider name."""
        urls = {"sipuni": self.sipuni_url, "mango": self.mango_url}
        return {name: url.rstrip("/") for name, url in urls.items() if url}

    def masked(self) -> dict[str, Any]:
        """All settings as they are in force, secrets masked."""
        shown = {one.name: getattr(self, one.name) for one in fields(self)} | {"database": _masked_url(self.database)}
        secrets = {one.name for one in fields(self) if one.metadata["secret"]}
        return {name: MASK if name in secrets and value else value for name, value in shown.items()}


def load(file: Path | None = None, environ: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """Read the settings: command line over environment over file over defaults.

    Raises ConfigError, naming the setting and the cure, for an unknown name or a bad value.
    """
    known = {one.name: one for one in fields(Settings)}
    told = {**_from_file(file), **_from_environment(environ, known)}
    told |= {name: value for name, value in overrides.items() if value is not None}
    for name in told.keys() - known.keys():
        raise ConfigError(f"{name}: there is no such setting; see docs/reference/settings.md")
    values = {name: _read(name, value, known[name].default) for name, value in told.items()}
    for name, value in values.items():
        _check_bounds(name, value, known[name].metadata)
    return Settings(**values)


def _check_bounds(name: str, value: Any, bounds: Mapping[str, Any]) -> None:
    if bounds["choices"] and value not in bounds["choices"]:
        raise ConfigError(f"{name}: {value!r} is none of {', '.join(bounds['choices'])}")
    if isinstance(value, int) and value < bounds["least"]:
        raise ConfigError(f"{name}: {value} is less than {bounds['least']}")


def check(settings: Settings) -> list[str]:
    """What keeps `serve` from starting: one line each, with its cure."""
    problems = []
    if not settings.listen.rpartition(":")[2].isdecimal():
        problems.append(f"listen: {settings.listen!r} is no address and port, e.g. 127.0.0.1:8801")
    if len(settings.secret_key.split(",")[0]) < 32:
        problems.append("secret_key: needs at least 32 random characters; make one with: openssl rand -base64 32")
    if not settings.public_url:
        problems.append("public_url: tell our address as the world sees it, e.g. https://voip.example")
    elif not is_web_origin(settings.public_url):
        problems.append("public_url: give scheme and host only, https (http just for localhost), no path")
    if not (settings.amo_client_id and settings.amo_client_secret):
        problems.append("amo_client_id, amo_client_secret: copy them from the integration in amoCRM (Keys and scopes)")
    return problems + _check_s3(settings)


def _check_s3(settings: Settings) -> list[str]:
    if settings.recordings_store != "s3":
        return []
    problems = []
    if not settings.recordings_s3_bucket:
        problems.append("recordings_s3_bucket: name the bucket in which recordings are kept")
    if bool(settings.recordings_s3_access_key) != bool(settings.recordings_s3_secret_key):
        problems.append("recordings_s3_access_key, recordings_s3_secret_key: give both, or neither")
    if importlib.util.find_spec("obstore") is None:
        problems.append("recordings_store: s3 needs the extra `s3`: pip install -e '.[s3]'")
    return problems


def is_web_origin(url: str) -> bool:
    """Whether this is scheme and host alone, secure or on this machine."""
    parts = urlsplit(url)
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    is_bare = parts.path in ("", "/") and not parts.query and not parts.fragment and bool(parts.hostname)
    return is_bare and (parts.scheme == "https" or (parts.scheme == "http" and is_local))


def _from_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return _flat(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as exc:
        raise ConfigError(f"{file}: cannot be read ({exc.strerror})") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{file}: is not TOML: {exc}") from exc


def _flat(tables: Mapping[str, Any]) -> dict[str, Any]:
    """`[amo] client_id` is the setting `amo_client_id`."""
    plain = {name: value for name, value in tables.items() if not isinstance(value, dict)}
    for section, table in tables.items():
        if isinstance(table, dict):
            plain |= {f"{section}_{name}": value for name, value in table.items()}
    return plain


def _from_environment(environ: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, str]:
    """Only known names: other programs of the project may share the prefix."""
    return {name: environ[PREFIX + name.upper()] for name in known if PREFIX + name.upper() in environ}


def _read(name: str, value: Any, default: Any) -> Any:
    readers: dict[type, Callable[[Any], Any]] = {int: int, str: _text, tuple: _texts}
    try:
        return readers[type(default)](value)
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"{name}: {value!r} is not a {type(default).__name__}") from exc


def _text(value: Any) -> str:
    """An address is an address with or without a slash at its end; paths are put behind it."""
    told = str(value).strip()
    return told.rstrip("/") if told.startswith(("http://", "https://")) else told


def _texts(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(_text(part) for part in parts if part.strip())


def _masked_url(url: str) -> str:
    """A database's address without its password."""
    head, at, tail = url.rpartition("@")
    scheme, slashes, person = head.partition("://")
    user, colon, _ = person.partition(":")
    return f"{scheme}{slashes}{user}{colon}{MASK if colon else ''}{at}{tail}"
