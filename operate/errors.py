"""Errors of the command line; `main` prints the message of each AstralogError as it is."""

from functions.shared.errors import PermanentError


class OperatorError(PermanentError):
    """The command cannot be run; the message says what to change."""
