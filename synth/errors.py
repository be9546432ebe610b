"""What can go wrong in a run that was asked for rightly (wrong requests are ValueErrors)."""


class RunError(RuntimeError):
    """The run has failed; a script shows the message and exits with 1."""


class TrainingError(RunError):
    """Training can't go on."""


class SamplingError(RunError):
    """The filter lets too few candidates pass."""
