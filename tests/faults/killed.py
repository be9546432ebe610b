"""Run a script, and end it by SIGKILL around one of its writes.

python tests/faults/killed.py WRITE SECONDS SCRIPT [argument ...]

It is killed SECONDS after it has begun to put its WRITE-th file in its place, 0: just before. WRITE 0: it is not
killed, and the number of its writes is printed.
"""

import os
import signal
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def kill(seconds):
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


def count_writes(last, seconds):
    """Wrap os.replace, which puts every file in its place; return the list of what it was called for."""
    writes, replace = [], os.replace

    def count_and_replace(*paths):
        writes.append(paths)
        if len(writes) == last:
            threading.Thread(target=kill, args=(seconds,)).start() if seconds else kill(0)
        replace(*paths)

    os.replace = count_and_replace
    return writes


if __name__ == "__main__":
    last, seconds, script, *arguments = sys.argv[1:]
    writes = count_writes(int(last), float(seconds))
    code = import_module(script).main([*arguments, "--quiet"])
    print(len(writes))
    sys.exit(code)
