"""What can go wrong: a request that is wrong, or a run that was asked for rightly and fails."""


class RequestError(ValueError):
    """What the user has asked for or given can't be right; a script shows the message and exits with 2."""


class RunError(RuntimeError):
    """The run has failed; a script shows the message and exits with 1."""


class TrainingError(RunError):
    """Training can't go on."""


class SamplingError(RunError):
    """The filter lets too few candidates pass."""
