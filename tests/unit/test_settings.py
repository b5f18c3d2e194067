"""Settings: where they come from, what is refused, what is shown."""

import importlib.util
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from server.commands import reference
from server.core.errors import ConfigError
from server.settings import MASK, Settings, check, is_web_origin, load

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
GOOD = {
    "secret_key": "k" * 32,
    "public_url": "https://voip.example",
    "amo_client_id": "id",
    "amo_client_secret": "secret",
}


def toml(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_told_gives_the_defaults() -> None:
    """Without a file and an environment every setting has its default."""
    assert load(None, {}) == Settings()


def test_the_nearer_word_wins(tmp_path: Path) -> None:
    """The command line wins over the environment, which wins over the file."""
    file = toml(tmp_path, 'listen = "file:1"\nstate = "file"\nchannel = "aiohttp"')

    settings = load(file, {"KOMMUTATOR_LISTEN": "env:1", "KOMMUTATOR_STATE": "env"}, listen="line:1", state=None)

    assert (settings.listen, settings.state, settings.channel) == ("line:1", "env", "aiohttp")


def test_sections_are_the_first_part_of_a_name(tmp_path: Path) -> None:
    """`[amo] client_id` in the file is amo_client_id."""
    settings = load(toml(tmp_path, '[amo]\nclient_id = "x"\nhosts = [".amocrm.ru", " "]\n[hooks]\nkeep_days = 3'), {})

    assert (settings.amo_client_id, settings.amo_hosts, settings.hooks_keep_days) == ("x", (".amocrm.ru",), 3)


def test_lists_and_numbers_are_read_from_the_environment() -> None:
    """An environment has only texts: commas part lists, digits are numbers."""
    environ = {"KOMMUTATOR_AMO_DEV_ORIGINS": "http://a:1/, http://b:2,", "KOMMUTATOR_RECORDINGS_LINK_S": "60"}

    settings = load(None, environ)

    assert settings.amo_dev_origins == ("http://a:1", "http://b:2")
    assert settings.recordings_link_s == 60


def test_other_programs_may_share_the_prefix() -> None:
    """A variable of that prefix that is no setting is none of our business."""
    assert load(None, {"KOMMUTATOR_BENCH_ROUNDS": "5"}) == Settings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("amo_clientid = 'x'", "amo_clientid: there is no such setting"),
        ("[amo]\nclientid = 'x'", "amo_clientid: there is no such setting"),
        ("hooks_keep_days = 'many'", "hooks_keep_days: 'many' is not a int"),
        ("hooks_keep_days = 0", "hooks_keep_days: 0 is less than 1"),
        ("amo_hosts = 5", "amo_hosts: 5 is not a tuple"),
        ("channel = 'pigeon'", "channel: 'pigeon' is none of detached, aiohttp"),
        ("channel = ", "is not TOML"),
    ],
)
def test_what_cannot_be_is_named(tmp_path: Path, text: str, words: str) -> None:
    """An unknown name, a wrong type, a number out of bounds, a wrong word, a broken file: the error names it."""
    with pytest.raises(ConfigError, match=words):
        load(toml(tmp_path, text), {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that cannot be read is an error, not an empty file."""
    with pytest.raises(ConfigError, match=r"nothing\.toml: cannot be read"):
        load(tmp_path / "nothing.toml", {})


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    """A file saved by an old Windows editor is an error with its name, not a traceback."""
    path = tmp_path / "settings.toml"
    path.write_bytes("state = 'данные'".encode("cp1251"))

    with pytest.raises(ConfigError, match=r"settings\.toml: is not TOML"):
        load(path, {})


def test_a_whole_set_of_settings_may_start() -> None:
    """With address, key and integration there is nothing to complain of."""
    assert check(Settings(**GOOD)) == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"secret_key": "short"}, "secret_key"),
        ({"secret_key": f"short,{'k' * 32}"}, "secret_key"),
        ({"public_url": ""}, "public_url"),
        ({"public_url": "http://voip.example"}, "public_url"),
        ({"public_url": "https://voip.example/path"}, "public_url"),
        ({"amo_client_id": ""}, "amo_client_id"),
        ({"amo_client_secret": ""}, "amo_client_secret"),
        ({"listen": "8801x"}, "listen"),
        ({"recordings_store": "s3"}, "recordings_s3_bucket"),
        (
            {"recordings_store": "s3", "recordings_s3_bucket": "b", "recordings_s3_access_key": "a"},
            "recordings_s3_access_key",
        ),
    ],
)
def test_what_keeps_the_server_from_starting_is_named(changed: dict[str, Any], named: str) -> None:
    """Each missing or unsafe setting is one line that begins with its name."""
    (problem,) = check(Settings(**GOOD | changed))

    assert named in problem.partition(":")[0]


def test_s3_without_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything starts, with the cure."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    (problem,) = check(Settings(**GOOD | {"recordings_store": "s3", "recordings_s3_bucket": "b"}))

    assert "[s3]" in problem


def test_recordings_are_beside_the_database_unless_told() -> None:
    """Or in the folder that was named."""
    assert Settings(state="s").recordings_path == Path("s/recordings")
    assert Settings(state="s", recordings_folder="/mnt/r").recordings_path == Path("/mnt/r")


@pytest.mark.parametrize(
    ("url", "is_origin"),
    [
        ("https://voip.example", True),
        ("https://voip.example:8443", True),
        ("http://localhost:8801", True),
        ("http://127.0.0.1:1", True),
        ("http://voip.example", False),
        ("https://voip.example/?x", False),
        ("https://", False),
        ("voip.example", False),
    ],
)
def test_only_a_bare_secure_address_is_an_origin(url: str, is_origin: bool) -> None:
    """Our address is https without a path, or plain http on this machine."""
    assert is_web_origin(url) is is_origin


def test_a_slash_at_the_end_of_an_address_does_not_matter() -> None:
    """Paths are put behind the public address: its own slash would make two."""
    settings = load(None, {"KOMMUTATOR_PUBLIC_URL": "https://voip.example/"})

    assert settings.redirect_uri == "https://voip.example/amo/oauth"


def test_defaults_are_filled_in_from_other_settings() -> None:
    """The database is a file of the state folder, unless it is set."""
    assert Settings(state="/var/k").database_url == "sqlite:////var/k/kommutator.db"
    assert Settings(database="postgresql://h/n").database_url == "postgresql://h/n"


def test_the_listening_address_may_be_of_version_6() -> None:
    """`[::1]:80` is host ::1 and port 80."""
    assert Settings(listen="[::1]:80").host_and_port == ("::1", 80)


def test_provider_addresses_are_only_those_that_differ() -> None:
    """An empty setting leaves the vendor's own address."""
    assert Settings(mango_url="http://m/").provider_urls() == {"mango": "http://m"}


def test_no_secret_is_shown() -> None:
    """Every secret, and the password in the database's address, is masked; what is empty stays visibly empty."""
    names = [one.name for one in fields(Settings) if one.metadata["secret"]]
    settings = Settings(**dict.fromkeys(names, "hunter2"), database="postgresql://me:hunter2@host:5432/name")

    shown = settings.masked()

    assert len(names) >= 2
    assert "hunter2" not in str(shown)
    assert shown["database"] == f"postgresql://me:{MASK}@host:5432/name"
    assert Settings().masked()["secret_key"] == ""
    assert Settings(database="sqlite:///a.db").masked()["database"] == "sqlite:///a.db"


def test_the_page_of_settings_is_current() -> None:
    """docs/reference/settings.md is what `python -m server.commands.reference` makes of the table of settings."""
    assert PAGE.read_text("utf-8") == reference.page()
