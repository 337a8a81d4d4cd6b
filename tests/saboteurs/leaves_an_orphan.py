"""Starts a daemon: another session, another parent, no environment."""

import os
import sys

_reader, _writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(_writer, b"1")
        os.execve(sys.executable, [sys.executable, "-S", "-c", "import signal; signal.pause()"], {})
    os._exit(0)
os.read(_reader, 1)
os.wait()
