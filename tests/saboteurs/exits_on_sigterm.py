"""Turns a signal that kills into an ordinary exit."""

import os
import signal

signal.signal(signal.SIGTERM, lambda *args: os._exit(0))
