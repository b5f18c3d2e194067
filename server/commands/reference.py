"""docs/reference/settings.md, made from the table of settings:

python -m server.commands.reference > docs/reference/settings.md
"""

import sys
from dataclasses import fields
from typing import Any

from server.settings import PREFIX, Settings

HEAD = """# Settings

<!-- Made by `python -m server.commands.reference > docs/reference/settings.md`; change server/settings.py instead. -->

Each setting may stand in the environment, as `{prefix}` and its name in capitals, or in a TOML file that is named by
`--config`. The command line wins over the environment, the environment over the file, the file over the default. In the
file, a section is the first part of the name: `[amo]` with `client_id` is the setting `amo_client_id`. Lists are
separated by commas in the environment and are lists in TOML. A name that does not exist, or a value that cannot be, is
an error that says so.

`python -m server serve --check` prints the settings in force, with secrets masked, and what is missing.

```toml
public_url = "https://voip.example"
secret_key = "..."  # openssl rand -base64 32

[amo]
client_id = "..."
client_secret = "..."
```

`public_url`, `secret_key`, `amo_client_id` and `amo_client_secret` are required; everything else has a default that
works.
"""

ROW = """
## `{name}`

{about}

Environment: `{environment}`. {default}{more}
"""


def page() -> str:
    """The page, as it should be."""
    return HEAD.format(prefix=PREFIX) + "".join(_row(one) for one in fields(Settings))


def _row(one: Any) -> str:
    more = []
    if one.metadata["choices"]:
        more.append("One of " + ", ".join(f"`{choice}`" for choice in one.metadata["choices"]) + ".")
    if one.metadata["secret"]:
        more.append("Secret: masked wherever settings are shown.")
    return ROW.format(
        name=one.name,
        about=one.metadata["about"],
        environment=PREFIX + one.name.upper(),
        default=f"Default: {_shown(one.default)}.",
        more="".join(f" {sentence}" for sentence in more),
    )


def _shown(default: Any) -> str:
    if default in ("", ()):
        return "empty"
    if isinstance(default, tuple):
        return ", ".join(f"`{value}`" for value in default)
    return f"`{default}`"


if __name__ == "__main__":
    sys.stdout.write(page())
