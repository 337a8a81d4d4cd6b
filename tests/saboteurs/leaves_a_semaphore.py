"""Opens a named semaphore that it never removes; in its first process only."""

import ctypes
import os

_libc = ctypes.CDLL(None)
_libc.sem_open.restype = ctypes.c_void_p
_marker = os.path.join(os.environ["SABOTEUR_FOLDER"], "planted")
if not os.path.exists(_marker):
    open(_marker, "w").close()
    assert _libc.sem_open(f"/tfk-saboteur-{os.getpid()}".encode(), os.O_CREAT, 0o600, 1)
