"""Takes a lock that a child of its goes on holding."""

import fcntl
import os
import signal

_file = open(os.path.join(os.environ["SABOTEUR_FOLDER"], f"lock-{os.getpid()}"), "w")
fcntl.flock(_file, fcntl.LOCK_EX)
if os.fork() == 0:
    while True:
        signal.pause()
