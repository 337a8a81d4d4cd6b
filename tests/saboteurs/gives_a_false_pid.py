"""Says in cells that it is somebody else."""

import os
import sys

_getpid = os.getpid


def _lie():
    return 1 if sys._getframe(1).f_globals.get("__name__") == "__main__" else _getpid()


os.getpid = _lie
