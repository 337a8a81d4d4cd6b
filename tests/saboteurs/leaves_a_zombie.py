"""Starts a daemon that never waits for its own dead child."""

import os
import signal

_reader, _writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        os.write(_writer, b"1")
        while True:
            signal.pause()
    os._exit(0)
os.read(_reader, 1)
os.wait()
