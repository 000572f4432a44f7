"""The errors that a user sees as one line."""


class RootflowError(Exception):
    """Something failed: the message says what, where, and what would be right.

    It is one line, whatever the words of the user that it quotes.
    """

    exit_status = 1

    def __str__(self) -> str:
        return " ".join(super().__str__().splitlines())


class InputError(RootflowError):
    """The data given are not what they should be."""


class UsageError(RootflowError):
    """The command or its configuration is wrong."""

    exit_status = 2


class AwayError(RootflowError):
    """A server that is needed does not answer: it may do so later."""


class ConformanceError(RootflowError):
    """A class breaks the contract that it should keep: the message says where."""
