"""Makes a System V segment that it never removes; in its first process only."""

import ctypes
import os

_marker = os.path.join(os.environ["SABOTEUR_FOLDER"], "planted")
if not os.path.exists(_marker):
    open(_marker, "w").close()
    assert ctypes.CDLL(None).shmget(0, 4096, 0o1600) >= 0
