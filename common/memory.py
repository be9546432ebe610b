"""The memory of the machine."""

from pathlib import Path

_MACHINE = Path("/proc/meminfo")
_CONTAINER = Path("/sys/fs/cgroup")


def read_free_memory() -> int | None:
    """Return how many bytes processes can still take, on this machine and in its container; None where it isn't said.

    Only Linux says it.
    """
    found = [free for free in (_read_machine(), _read_container()) if free is not None]
    return min(found, default=None)


def _read_machine() -> int | None:
    lines = _MACHINE.read_text().splitlines() if _MACHINE.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), None)


def _read_container() -> int | None:
    limit, used = (_CONTAINER / "memory.max", _CONTAINER / "memory.current")
    if not (limit.exists() and used.exists()) or limit.read_text().strip() == "max":
        return None
    return max(0, int(limit.read_text()) - int(used.read_text()))
