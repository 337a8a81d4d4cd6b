"""How a process begins in which people's own tests are to run: it looks for modules where pytest does.

Started as `python FOLDER isolation` with its channel at descriptor 3, whose first message is

    {"kind": "begin", "module": "...", "sys_path": [...], "argv": [...], ...}

Its `module` has a `main` that gets the port and the message, and the rest of it is that module's affair.
"""

import importlib
import os
import sys
from typing import List

from . import frames

CHANNEL = 3


def main(_: List[str]) -> None:
    """Become what the first message says."""
    os.set_inheritable(CHANNEL, False)
    port = frames.Port(CHANNEL)
    try:
        told = port.receive()
    except (EOFError, OSError):
        return
    # Where and as what pytest was started: a test that asks must not see that it is somewhere else.
    sys.path[:] = told["sys_path"]
    sys.argv[:] = told["argv"]
    main_module = sys.modules["__main__"]
    # What multiprocessing would run again in each process that it spawns.
    main_module.__spec__ = None
    del main_module.__file__
    importlib.import_module(told["module"]).main(port, told)
