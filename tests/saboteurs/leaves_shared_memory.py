"""Makes shared memory that it never removes; in its first process only."""

import mmap
import os

_marker = os.path.join(os.environ["SABOTEUR_FOLDER"], "planted")
if not os.path.exists(_marker):
    open(_marker, "w").close()
    _descriptor = os.open(f"/dev/shm/tfk-saboteur-{os.getpid()}", os.O_CREAT | os.O_RDWR, 0o600)
    os.ftruncate(_descriptor, 4096)
    _memory = mmap.mmap(_descriptor, 4096)
    os.close(_descriptor)
