"""Run a script, and end it by SIGKILL so many seconds after it has taken hold of its output folder.

python tests/faults/killed.py SECONDS FOLDER SCRIPT [argument ...]

SECONDS may be "never". At the end of a whole run its seconds from there on are printed.
"""

import os
import signal
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def kill_later(seconds, mark, started):
    while not mark.exists():
        time.sleep(0.001)
    started.append(time.monotonic())
    if seconds != "never":
        time.sleep(float(seconds))
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    seconds, folder, script, *arguments = sys.argv[1:]
    mark = Path(folder) / ".lock-holder"  # there while a run holds the folder
    mark.unlink(missing_ok=True)
    started = []
    threading.Thread(target=kill_later, args=(seconds, mark, started), daemon=True).start()
    code = import_module(script).main([*arguments, "--out", folder, "--quiet"])
    print(time.monotonic() - started[0])
    sys.exit(code)
