"""What can go wrong: a request that is wrong, or a run that was asked for rightly and fails."""

_SHOWN = 200  # characters of a cause


class RequestError(ValueError):
    """What the user has asked for or given can't be right; a script shows the message and exits with 2."""

    def __str__(self) -> str:
        return show(super().__str__())


class RunError(RuntimeError):
    """The run has failed; a script shows the message and exits with 1."""


class TrainingError(RunError):
    """Training can't go on."""


class SamplingError(RunError):
    """The filter lets too few candidates pass."""


def show(text: object) -> str:
    """Return text that can be printed: bytes of a file name that are not UTF-8 as numbers."""
    return str(text).encode("utf-8", "backslashreplace").decode()


def describe_cause(error: BaseException) -> str:
    """Return in parentheses, on one line, what another library said."""
    return f"({' '.join(str(error).split())[:_SHOWN] or type(error).__name__})"
