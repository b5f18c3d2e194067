"""What the command line asks of the sandbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.sandbox.errors import SandboxError
from server.sandbox.seed import MOST_CONTACTS

_OURS: Final = "kommutator"
_ARCHIVE: Final = Path("dist/widget.zip")
_STATE: Final = Path(".kommutator")
_ANYWHERE: Final = ("0.0.0.0", "::", "localhost")  # noqa: S104  an answer to --host, not a default


class OptionError(SandboxError):
    """The options contradict each other or name something that is not there."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run; ports are P amoCRM, P+1 backend, P+2 Sipuni, P+3 MANGO."""

    host: str = "127.0.0.1"
    port: int = 8800
    state: Path | None = _STATE  # None: everything in memory, gone at the end
    seed: int = 1
    widgets: tuple[tuple[str, Path], ...] = ((_OURS, _ARCHIVE),)  # code, folder or zip
    only_amocrm: bool = False
    as_json: bool = False
    contacts: int = 0  # at least so many in the account; 0: as the sample has them
    redirect_uri: str | None = None  # of the first widget's integration; None: our backend's
    reload: bool = True  # open pages reload when a file of a widget changes

    @property
    def public_host(self) -> str:
        """The host in addresses of amoCRM and the PBXs."""
        return "127.0.0.1" if self.host in _ANYWHERE else self.host

    @property
    def amocrm_url(self) -> str:
        """amoCRM's origin."""
        return f"http://{self.public_host}:{self.port}"

    @property
    def backend_url(self) -> str:
        """The backend's origin: another site than amoCRM's, still a secure context."""
        return f"http://localhost:{self.port + 1}"

    def pbx_url(self, vendor: str) -> str:
        """A stand-in PBX's origin."""
        return f"http://{self.public_host}:{self.port + {'sipuni': 2, 'mango': 3}[vendor]}"


def options_from(  # noqa: PLR0913  one argument per option of the command line
    *,
    host: str = "127.0.0.1",
    port: int = 8800,
    state: str | None = None,
    seed: int = 1,
    widget: Sequence[str] = (),
    only: str | None = None,
    as_json: bool = False,
    contacts: int = 0,
    redirect_uri: str | None = None,
    reload: bool = True,
) -> Options:
    """The options from the command line's words. Raises `OptionError`.

    `state` is a folder, `:memory:`, or None for `./.kommutator`; `widget` holds `[CODE=]PATH` items.
    """
    if not 0 <= contacts <= MOST_CONTACTS:
        raise OptionError(f"--contacts {contacts}: a number up to {MOST_CONTACTS}")
    if only not in (None, "amocrm"):
        raise OptionError(f"--only {only}: only amocrm can run alone")
    widgets = tuple(_widget(text) for text in widget)
    if not widgets and only is None:
        if not _ARCHIVE.exists():
            raise OptionError(f"{_ARCHIVE} does not exist; build it with: python build.py")
        widgets = ((_OURS, _ARCHIVE),)
    folder = None if state == ":memory:" else Path(state or _STATE)
    return Options(host, port, folder, seed, widgets, only == "amocrm", as_json, contacts, redirect_uri, reload)


def _widget(text: str) -> tuple[str, Path]:
    code, equals, rest = text.partition("=")
    path = Path(rest if equals else text)
    if not path.exists():
        raise OptionError(f"--widget {text}: {path} does not exist; write --widget PATH or --widget CODE=PATH")
    name = code if equals else path.resolve().stem
    if not name or not all(sign.isalnum() or sign in "_-" for sign in name) or not name.isascii():
        raise OptionError(f"--widget {text}: a code consists of letters, digits, _ and -; write CODE=PATH")
    return name, path
