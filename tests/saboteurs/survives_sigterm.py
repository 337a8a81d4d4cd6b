"""Does not die of SIGTERM."""

import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
