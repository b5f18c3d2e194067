"""What keeps the sandbox from starting: each message names the thing and its cure, for the command line to show."""


class SandboxError(Exception):
    """The sandbox cannot start or go on."""
